"""A load's own small database on this machine: it compares the graph's rows with the warehouse's.

It also keeps the differences until they are sent. Its memory is limited; what doesn't fit goes to a temporary folder.
"""

# ruff: noqa: S608 - all names in SQL are the model's

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from recograph.graph.difference import (
    OPERATION,
    REMOVED,
    columns,
    difference,
    held_schema,
    key_columns,
    order,
    schema,
)
from recograph.graph.model import GraphSet, RelationshipSet
from recograph.graph.slots import NAME, Part, joined_schema, slots
from recograph.lake.staging import staging_folder

_MEMORY = "256MB"


class Scratch:
    """Tables named by set and purpose, dropped at the end of the block."""

    def __init__(self, home: str) -> None:
        """Prepare; entering the block opens the database.

        Args:
            home: folder for what doesn't fit into memory.
        """
        self._home = home
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open it, empty."""
        spill = str(self._stack.enter_context(staging_folder(self._home)))
        self._connection = duckdb.connect(":memory:", config={"memory_limit": _MEMORY, "temp_directory": spill})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, and drop what it holds."""
        self._connection.close()
        self._stack.__exit__(kind, error, trace)

    def store(self, graph_set: GraphSet, purpose: str, batches: Iterable[pa.RecordBatch]) -> int:
        """Keep rows in a table; returns how many there are.

        They are cast to the set's schema, because an engine may return no batch at all, or narrower numbers.
        """
        wanted = held_schema(graph_set) if purpose == "held" else schema(graph_set, operation=purpose == "difference")
        return self._keep(_name(graph_set, purpose), wanted, batches)

    def store_together(self, parts: Mapping[tuple[GraphSet, str], Part], batches: Iterable[pa.RecordBatch]) -> None:
        """Keep rows that were selected by `slots.joined` in a table each.

        Args:
            parts: by set and purpose, which table; their names in the rows are the sets'.
            batches: the rows.
        """
        by_name = {graph_set.name: part for (graph_set, _), part in parts.items()}
        self._keep("together", joined_schema(by_name), batches)
        for (graph_set, purpose), part in parts.items():
            listed = (f"{slot} as {name}" for slot, name in zip(slots(part.schema), part.schema.names, strict=True))
            self._connection.execute(
                f"create or replace table {_name(graph_set, purpose)} as "
                f"select {', '.join(listed)} from together where {NAME} = '{graph_set.name}'"
            )
        self._connection.execute("drop table together")

    def count(self, graph_set: GraphSet, purpose: str) -> int:
        """How many rows a table has."""
        return self._count(_name(graph_set, purpose))

    def _keep(self, table: str, wanted: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
        errors: list[Exception] = []

        def incoming() -> Iterator[pa.RecordBatch]:
            try:
                for batch in batches:
                    yield batch.cast(wanted)
            except Exception as error:
                errors.append(error)
                raise

        # A cursor is a connection of its own, so that several sets can be stored at the same time.
        connection = self._connection.cursor()
        connection.register("incoming", pa.RecordBatchReader.from_batches(wanted, incoming()))
        try:
            connection.execute(f"create or replace table {table} as from incoming")
        except duckdb.Error:
            if errors:
                # Callers can react to what stopped the rows, and not to DuckDB's complaint that none came.
                raise errors[0] from None
            raise
        return self._count(table)

    def _count(self, table: str) -> int:
        # A result must be fetched to its end before its connection does anything else.
        ((count,),) = self._connection.cursor().execute(f"select count(*) from {table}").fetchall()
        return int(count)

    def compare(self, graph_set: GraphSet) -> None:
        """Make the table `difference` out of `new` and `held`.

        Where a pair of nodes has several relationships of the type, these are removed and one is added anew.
        """
        connection, keys = self._connection, ", ".join(key_columns(graph_set))
        new, held, copies = (_name(graph_set, purpose) for purpose in ("new", "held", "copies"))
        if isinstance(graph_set, RelationshipSet):
            connection.execute(
                f"create table {copies} as select {keys} from {held} group by {keys} having count(*) > 1"
            )
            connection.execute(f"delete from {held} where ({keys}) in (from {copies})")
        sql = difference(graph_set, f"from {new}", f"from {held}", held=True)
        connection.execute(f"create table {_name(graph_set, 'difference')} as {sql}")
        if isinstance(graph_set, RelationshipSet):
            connection.execute(
                f"insert into {_name(graph_set, 'difference')} by name "
                f"select '{REMOVED}' as {OPERATION}, {keys} from {copies}"
            )
        for table in (new, held):
            connection.execute(f"drop table {table}")

    def keys(self, graph_set: GraphSet) -> tuple[str, ...]:
        """The keys of the table `new`."""
        keys = self._connection.execute(f"select k from {_name(graph_set, 'new')} order by k").fetchall()
        return tuple(str(key) for (key,) in keys)

    def counts(self, graph_set: GraphSet) -> dict[str, int]:
        """How many rows each operation has."""
        table = _name(graph_set, "difference")
        sql = f"select {OPERATION}, count(*) from {table} group by {OPERATION}"
        return dict(self._connection.cursor().execute(sql).fetchall())

    def rows(self, graph_set: GraphSet, operation: str) -> Iterator[pa.RecordBatch]:
        """The rows of an operation, sorted."""
        sql = (
            f"select {', '.join(columns(graph_set))} from {_name(graph_set, 'difference')} "
            f"where {OPERATION} = '{operation}' order by {order(graph_set)}"
        )
        yield from self._connection.cursor().sql(sql).to_arrow_reader(50_000)


def _name(graph_set: GraphSet, purpose: str) -> str:
    return f'"{purpose}_{graph_set.name}"'
