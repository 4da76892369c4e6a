"""The tables of a dump while it is landed: written as its batches come, and corrected before they are published."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recograph.lake.erased import without_erased
from recograph.lake.interfaces import Staged
from recograph.platforms import Contract

_ROW = "row_number"


class Drafts:
    """A Parquet file for each contract."""

    def __init__(self, staged: Staged, contracts: Collection[Contract]) -> None:
        """Keep what writing needs; nothing is written yet.

        Args:
            staged: where the files lie until they are published.
            contracts: what the tables are like.
        """
        self._staged = staged
        self._schemas = {contract.table: contract.schema for contract in contracts}
        self._names = {table: table for table in self._schemas}
        self.rows: dict[str, int] = dict.fromkeys(self._schemas, 0)
        """How many rows each table has."""

    @contextmanager
    def written(self) -> Iterator[dict[str, pq.ParquetWriter]]:
        """A writer for each table during the block. At its end the files are finished; where it fails, given up."""
        sinks = {table: self._staged.open(name) for table, name in self._names.items()}
        writers = {table: pq.ParquetWriter(sinks[table], s, compression="zstd") for table, s in self._schemas.items()}
        try:
            yield writers
        finally:
            for writer in writers.values():
                writer.close()
        for table, sink in sinks.items():
            sink.close()
            self.rows[table] = self.metadata(table).num_rows

    def metadata(self, table: str) -> pq.FileMetaData:
        """The Parquet metadata of a finished file."""
        filesystem, path = self._staged.source(self._names[table])
        return pq.read_metadata(path, filesystem=filesystem)

    def keep_last(self, contracts: Iterable[Contract]) -> dict[str, int]:
        """Keep only the last of the rows with the same key; returns how many that left out, by table that has a key."""
        with duckdb.connect(config={"temp_directory": str(self._staged.folder / "spill")}) as connection:
            return {contract.table: self._keep_last(connection, contract) for contract in contracts if contract.key}

    def _keep_last(self, connection: duckdb.DuckDBPyConnection, contract: Contract) -> int:
        key = ", ".join(f'"{column}"' for column in contract.key)
        # A reader can be read only once, by one query. The names come from the contract, so this SQL is all ours.
        connection.register("numbered", self._numbered(contract))
        counts = connection.execute(f"select count(*), count(distinct ({key})) from numbered")  # noqa: S608
        rows, distinct = counts.fetchall()[0]
        if rows == distinct:
            return 0
        connection.register("numbered", self._numbered(contract))
        earlier_rows = connection.execute(
            f"select {_ROW} from numbered qualify row_number() over "  # noqa: S608
            f"(partition by {key} order by {_ROW} desc) > 1 order by {_ROW}"
        ).fetchnumpy()[_ROW]
        earlier = np.asarray(earlier_rows, np.int64)

        def last(start: int, batch: pa.RecordBatch) -> pa.RecordBatch:
            kept = np.ones(batch.num_rows, bool)
            inside = earlier[np.searchsorted(earlier, start) : np.searchsorted(earlier, start + batch.num_rows)]
            kept[inside - start] = False
            return batch.filter(pa.array(kept))

        return self._write_anew(contract.table, last)

    def leave_out(self, contract: Contract, users: frozenset[int]) -> int:
        """Leave out the rows about these people; returns how many rows that left out."""
        return self._write_anew(contract.table, lambda _, batch: without_erased(batch, contract.about, users))

    def publish(self, keys: Mapping[str, str]) -> dict[str, int]:
        """Put the tables at their keys, which are given by table; returns the sizes of their files by table."""
        sizes = self._staged.publish_all({key: self._names[table] for table, key in keys.items()})
        return {table: sizes[key] for table, key in keys.items()}

    def _numbered(self, contract: Contract) -> pa.RecordBatchReader:
        """A table's keys with the numbers of their rows."""
        columns = list(contract.key)
        schema = pa.schema([*(contract.schema.field(column) for column in columns), pa.field(_ROW, pa.int64())])

        def batches() -> Iterator[pa.RecordBatch]:
            for start, batch in self._batches(contract.table, columns):
                numbers = pa.array(np.arange(start, start + batch.num_rows))
                yield pa.RecordBatch.from_arrays([*(batch.column(name) for name in columns), numbers], schema=schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    def _batches(self, table: str, columns: list[str] | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """A finished table's rows, each batch with the number of its first row."""
        filesystem, path = self._staged.source(self._names[table])
        start = 0
        with pq.ParquetFile(path, filesystem=filesystem) as file:
            for batch in file.iter_batches(columns=columns):
                yield start, batch
                start += batch.num_rows

    def _write_anew(self, table: str, kept: Callable[[int, pa.RecordBatch], pa.RecordBatch]) -> int:
        """Write a finished table anew with the rows that are kept of each batch; returns how many aren't."""
        before, schema = self._names[table], self._schemas[table]
        name, said = f"{before}.kept", self.metadata(table).metadata or {}
        rows = 0
        with self._staged.open(name) as sink, pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            writer.add_key_value_metadata({key: text for key, text in said.items() if key != b"ARROW:schema"})
            for start, batch in self._batches(table):
                remaining = kept(start, batch)
                rows += remaining.num_rows
                writer.write_batch(remaining.cast(schema))
        left_out = self.rows[table] - rows
        self._names[table], self.rows[table] = name, rows
        self._staged.remove(before)
        return left_out
