"""The tables of a sample platform, wide as in life, as data.

Each line of a table declares one column: name, type, `!` for NOT NULL, and `= CONSTANT` when every row has the same
value there; without it the platform's rows have the values. A line that begins with `?` is an extra column that only
some customers have. Types are the dialects' common ground: int, bigint, smallint, bool, double, text, datetime,
varchar(N), decimal(N,M), tinyint.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Protocol, TypeAlias

from recograph.sample_data.draws import Draws, Ints

Values: TypeAlias = Ints | list[str | None] | list[str]
Chunk: TypeAlias = dict[str, Values]
"""Some rows of a table as whole columns by name: arrays of whole numbers for numbers and booleans (`NULL` for none),
epoch milliseconds for datetime columns, lists of strings (or None) for text. Columns that all rows share aren't in it.
"""

_LINE = re.compile(
    r"(?P<extra>\?)?\s*(?P<name>\w+)\s+(?P<type>[\w(),]+)(?P<required>\s+!)?(?:\s*=\s*(?P<constant>.+))?"
)


@dataclass(frozen=True)
class SampleColumn:
    """A column; `constant` is None when the values are made row by row."""

    name: str
    type: str
    required: bool = False
    constant: str | None = None
    """The text of the value that every row has, `NULL` for none."""
    extra: bool = False


@dataclass(frozen=True)
class SampleTable:
    """A table with its primary key and its other indexes, each a tuple of column names."""

    name: str
    columns: tuple[SampleColumn, ...]
    primary_key: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()

    def of_customer(self, customer: str) -> "SampleTable":
        """The table as that customer's platform has it: own column order, and own choice of extra columns."""
        draws = Draws(customer, self.name)
        rank = draws.order("column order", len(self.columns)).tolist()
        ordered = [self.columns[0], *(column for _, column in sorted(zip(rank[1:], self.columns[1:], strict=True)))]
        wanted = draws.order("extra columns", len(self.columns)) % 2 == 0
        extra = {column.name for column, keep in zip(self.columns, wanted, strict=True) if keep}
        return replace(self, columns=tuple(c for c in ordered if not c.extra or c.name in extra))


def _columns(text: str) -> tuple[SampleColumn, ...]:
    columns = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _LINE.fullmatch(line)
        assert match, line
        columns.append(
            SampleColumn(match["name"], match["type"], bool(match["required"]), match["constant"], bool(match["extra"]))
        )
    return tuple(columns)


def read_table(package: str, name: str, primary_key: tuple[str, ...] = (), *indexes: tuple[str, ...]) -> SampleTable:
    """A table as `tables/NAME.txt` of a package declares it."""
    text = files(package).joinpath("tables", f"{name}.txt").read_text(encoding="utf-8")
    return SampleTable(name, _columns(text), primary_key, indexes)


def read_tables(package: str, file: str) -> dict[str, SampleTable]:
    """The tables of a file by name: blocks of lines, the table's name first; `id` is the primary key of all."""
    blocks = files(package).joinpath(file).read_text(encoding="utf-8").strip().split("\n\n")
    named = (block.split("\n", 1) for block in blocks)
    return {name: SampleTable(name, _columns(columns), ("id",)) for name, columns in named}


class SampleTables(Protocol):
    """The tables of one sample customer."""

    @property
    def tables(self) -> Sequence[SampleTable]:
        """The tables that the customer has, in the order in which dumps have them."""

    def of(self, table: str, day: int) -> Iterator[Chunk]:
        """The rows of a table at the end of a day, chunk after chunk."""
