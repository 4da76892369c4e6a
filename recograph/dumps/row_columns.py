"""The columns that rows have: those that their header lists, or else those of the table's definition."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import pyarrow as pa

from recograph.dumps.ddl import ColumnDef, TableDef
from recograph.dumps.headers import DataHeader
from recograph.dumps.message import Name, Place
from recograph.dumps.report import DumpError

_OID = ColumnDef("", "oid", pa.uint32())
"""The OID before a row's values, which is no column of the table."""


def columns_of(definition: TableDef | None, header: DataHeader, place: Place) -> list[ColumnDef]:
    """The columns of rows, in their order.

    Args:
        definition: of the table, where the dump defines it.
        header: what stands before the rows.
        place: dump and table, for messages.

    Raises:
        DumpError: nothing names them, or they contradict the definition.
    """
    if header.columns is not None:
        columns = [_column(definition, name, place) for name in header.columns]
    elif definition and (definition.columns or not definition.partial):
        columns = [_OID] * header.has_oids + [column for column in definition.columns if not column.invisible]
    else:
        raise DumpError(
            "{place}: neither CREATE TABLE nor the rows name the columns. "
            "Make the dump with --complete-insert, or without --no-create-info.",
            place=place,
        )
    return [replace(column, transport=header.transports.get(column.name, "")) for column in columns]


def shown_columns(defined: Sequence[ColumnDef], rows: Iterable[ColumnDef], listed: Collection[str]) -> list[ColumnDef]:
    """All columns that are defined or stand in the rows, but for hidden ones that the rows lack.

    Args:
        defined: the columns of the table's definition.
        rows: those of the rows, in their order.
        listed: the names of those that the rows have.
    """
    known = {column.name for column in defined}
    columns = [column for column in defined if column.name in listed or not (column.generated or column.invisible)]
    return columns + [column for column in rows if column.name and column.name not in known]


def defaults_of(definition: TableDef | None, columns: Collection[ColumnDef]) -> dict[str, ColumnDef]:
    """The columns that rows leave to their defaults, by their names in one case.

    Args:
        definition: of the table, where the dump defines it.
        columns: those that the rows have.
    """
    given = {column.name for column in columns}
    defined = definition.columns if definition else ()
    return {c.name.casefold(): c for c in defined if c.name not in given and not c.generated}


def _column(definition: TableDef | None, name: str, place: Place) -> ColumnDef:
    """The column that rows name; of text, where the table isn't defined."""
    if definition is not None and name:
        for column in definition.columns:
            if column.name == name:
                return column
        for column in definition.columns:
            if column.name.casefold() == name.casefold():
                return column
        if definition.columns and not definition.partial:
            raise DumpError(
                "{place}: the rows name a column {name}, which the table's definition lacks. "
                "The dump was edited or damaged; make it again.",
                place=place,
                name=Name(name),
            )
    return ColumnDef(name, "text", pa.string(), default=b"NULL")
