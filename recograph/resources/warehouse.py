"""The warehouse runs SQL over the marts and returns Arrow: DuckDB on one machine, Athena on AWS.

The same SQL text runs on both; what can't be written alike is a method here.
"""

import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import dagster as dg
import duckdb
import pyarrow as pa

from recograph.errors import RecographError

BATCH_ROWS = 50_000
_MEMORY = "512MB"
"""Of DuckDB in a process; beyond it DuckDB spills. Customers are loaded at once, and 8 million rows take no longer."""


class Warehouse(Protocol):
    """What the graph loading needs of an engine."""

    def partition(self, mart: str, customer: str, date: str) -> str | None:
        """SQL to put behind FROM for exactly that partition of a mart, or None where it isn't there.

        The relation has all columns of the mart but the partition columns' constant values needn't be used.
        """

    def checksum(self, columns: Sequence[str]) -> str:
        """An aggregate SQL expression (varchar) over rows, independent of their order, that changes when a row does.

        Two checksums are comparable only when one engine and version made them.
        """

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return all of its rows: for small results."""

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run one SELECT and return its rows in batches with bounded memory: for large results."""

    def usage(self) -> dict[str, Any]:
        """What was run since the last call and what it cost, as metadata of an asset; nothing where nothing is paid."""


class DuckDBWarehouse(dg.ConfigurableResource["DuckDBWarehouse"]):
    """DuckDB over the lake's Parquet files; nothing is stored in DuckDB itself."""

    lake: str
    """Root folder of the lake."""

    def partition(self, mart: str, customer: str, date: str) -> str | None:
        """See `Warehouse.partition`."""
        folder = Path(self.lake) / "marts" / mart / f"customer={customer}" / f"snapshot_date={date}"
        if not any(folder.glob("*.parquet")):
            return None
        return f"read_parquet('{str(folder).replace(chr(39), chr(39) * 2)}/*.parquet', hive_partitioning = false)"

    def checksum(self, columns: Sequence[str]) -> str:
        """See `Warehouse.checksum`."""
        return f"cast(sum(cast(hash({', '.join(columns)}) as hugeint)) as varchar)"

    def query(self, sql: str) -> pa.Table:
        """See `Warehouse.query`."""
        with self._explained():
            return self._connection.cursor().sql(sql).to_arrow_table()

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """See `Warehouse.stream`."""
        with self._explained():
            yield from self._connection.cursor().sql(sql).to_arrow_reader(BATCH_ROWS)

    def usage(self) -> dict[str, Any]:
        """See `Warehouse.usage`."""
        return {}

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, pa.ArrowException) as error:
            raise RecographError(
                f"The marts in {self.lake} can't be read: {str(error).splitlines()[0]} Materialize them again."
            ) from error

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """One in-memory database a process; cursors of it are safe across threads."""
        with _LOCK:
            if not _SHARED:
                # By default it would spill into the working directory, where databases of other processes do, too.
                spill = Path(tempfile.gettempdir()) / f"recograph-warehouse-{os.getpid()}"
                config: dict[str, Any] = {"memory_limit": _MEMORY, "temp_directory": str(spill)}
                _SHARED.append(duckdb.connect(":memory:", config=config))
            return _SHARED[0]


_LOCK = threading.Lock()
_SHARED: list[duckdb.DuckDBPyConnection] = []
