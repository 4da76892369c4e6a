"""The form of a contract, and the schemas that follow from it."""

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recograph.dumps.bounds import EPOCH, OUT_OF_BOUNDS


@dataclass(frozen=True)
class Column:
    """A column that may leave the dump, under its name there."""

    name: str
    type: pa.DataType
    description: str
    required: bool = False
    """A required column must be in the dump and never NULL."""
    optional: bool = False
    """Whether some versions of the platform lack the column: it is NULL then, and nobody is warned."""
    epoch: str | None = None
    """For whole numbers that are times since 1970: their unit, s, ms or us. They must be within the years 1 to 9999."""
    lenient: bool = False
    """Whether a time or number out of bounds becomes NULL, and is counted, instead of breaking the contract."""

    @property
    def metadata(self) -> dict[str, str]:
        """What the reader of dumps, and whoever reads the landed table, should know."""
        bounds = {OUT_OF_BOUNDS.decode(): "null"} if self.lenient else {}
        return {"description": self.description, **({EPOCH.decode(): self.epoch} if self.epoch else {}), **bounds}


@dataclass(frozen=True)
class Person:
    """How a table says which person a row is about."""

    column: str
    """The column that has the user's id."""
    where: tuple[str, int] | None = None
    """For tables that also have rows about nobody: a column, and the value that it has in rows about people."""

    @property
    def columns(self) -> list[str]:
        """The columns that say which person a row is about."""
        return [self.column, self.where[0]] if self.where else [self.column]


@dataclass(frozen=True)
class Contract:
    """What the pipeline takes of one source table."""

    table: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    """Columns that name a row. Of rows with the same key only the last in the dump is kept; without a key, all rows."""
    optional: bool = False
    """Whether a customer may lack the table."""
    person: str | None = None
    """The column that says which user a row is about; a user's rows are deleted when the user asks for it."""
    person_where: tuple[str, int] | None = None
    """See `Person.where`."""
    only: tuple[str, str] | None = None
    """A column, and the value that it has in the rows that may leave the dump; None: all rows may."""

    @property
    def about(self) -> Person | None:
        """How the table says which person a row is about; None for a table about no person."""
        return Person(self.person, self.person_where) if self.person else None

    def admitted(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Those rows of a batch that may leave the dump."""
        if self.only is None:
            return rows
        column, value = self.only
        return rows.filter(pc.equal(rows.column(column), value))

    def lacked(self, missing: Collection[str]) -> tuple[str, ...]:
        """Those of the missing columns that every dump should have."""
        optional = {column.name for column in self.columns if column.optional}
        return tuple(name for name in missing if name not in optional)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the landed table; a required column is a field that isn't nullable."""
        return pa.schema([pa.field(c.name, c.type, nullable=not c.required, metadata=c.metadata) for c in self.columns])
