"""The warehouse on one machine: DuckDB over the Parquet files of the lake."""

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from recograph.adapters.dbt_models import mart_columns
from recograph.errors import RecographError
from recograph.lake.interfaces import BATCH_ROWS
from recograph.lake.layout import mart_partition, remaking
from recograph.lake.staging import folder_of_process, room_needed

_MEMORY = "512MB"
"""How much memory DuckDB takes in a process; what doesn't fit it writes to disk. The limit is low because several
customers are loaded at the same time; comparing 8 million rows takes no longer with it than without."""


@dataclass(frozen=True)
class DuckDBWarehouse:
    """DuckDB over the lake's Parquet files; nothing is stored in DuckDB itself."""

    lake: str
    """Root folder of the lake."""
    home: str = tempfile.gettempdir()
    """Folder for what doesn't fit into memory."""

    @property
    def bills_statements(self) -> bool:
        """See `Warehouse.bills_statements`."""
        return False

    def partition(self, mart: str, customer: str, date: str) -> str | None:
        """See `Warehouse.partition`."""
        folder = Path(self.lake, mart_partition(mart, customer, date))
        # Only the file of this name counts: any other file in the folder is one that dbt hasn't finished.
        file = folder / f"{mart}.parquet"
        if not file.exists():
            return None
        files = f"read_parquet('{str(file).replace(chr(39), chr(39) * 2)}', hive_partitioning = false)"
        return _brought_along(files, file, mart_columns().get(mart, {}))

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
            with room_needed(self.home):
                yield
        except (duckdb.Error, pa.ArrowException) as error:
            said = str(error).splitlines()[0].rstrip(".")
            raise RecographError(f"The marts in {self.lake} can't be read: {said}. {remaking(said)}") from error

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """One in-memory database per process; its cursors may be used by several threads."""
        with _LOCK:
            if not _SHARED:
                # By default it would spill into the working directory, where databases of other processes do, too.
                spill = str(folder_of_process(self.home))
                config: dict[str, Any] = {"memory_limit": _MEMORY, "temp_directory": spill}
                _SHARED.append(duckdb.connect(":memory:", config=config))
            return _SHARED[0]


def _brought_along(relation: str, file: Path, columns: Mapping[str, str]) -> str:
    """The relation with the columns that its mart has today.

    A column is NULL where the file doesn't have it, and where its values there can't be cast to the column's type of
    today: a number, for example, doesn't say which time, or which of true and false, it stands for.
    """
    try:
        written = {field.name: field.type for field in pq.read_schema(file)}
    except (OSError, pa.ArrowInvalid):
        return relation  # reading the relation will say what is wrong with the file
    if all(name in written and _is(written[name], type_) for name, type_ in columns.items()):
        return relation
    selected = [
        f'cast({name if name in written and _becomes(written[name], type_) else "null"} as {type_}) as "{name}"'
        for name, type_ in columns.items()
    ]
    return f"(select {', '.join(selected)} from {relation})"  # noqa: S608 - names of the models


def _becomes(type_: pa.DataType, name: str) -> bool:
    """Whether values of an Arrow type can be cast to the type that dbt calls `name` without a guess."""
    if name in ("boolean", "timestamp"):
        return _is(type_, name) or pa.types.is_string(type_)
    return name == "varchar" or not (pa.types.is_boolean(type_) or pa.types.is_timestamp(type_))


def _is(type_: pa.DataType, name: str) -> bool:
    """Whether an Arrow type is the one that dbt calls `name`."""
    kinds = {
        "bigint": pa.types.is_integer,
        "double": pa.types.is_floating,
        "varchar": pa.types.is_string,
        "boolean": pa.types.is_boolean,
        "timestamp": pa.types.is_timestamp,
    }
    return name not in kinds or bool(kinds[name](type_))


_LOCK = threading.Lock()
_SHARED: list[duckdb.DuckDBPyConnection] = []
