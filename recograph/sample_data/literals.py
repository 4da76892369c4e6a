"""Values as the text of a dump, a column at a time."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recograph.sample_data.histories import NULL
from recograph.sample_data.schema import Chunk, SampleColumn, Values


@dataclass(frozen=True)
class Literals:
    """How a dialect writes values."""

    null: str
    false: str
    true: str
    quote: str
    escapes: dict[int, str]

    def text(self, value: str) -> str:
        """One text, escaped and quoted."""
        return f"{self.quote}{value.translate(self.escapes)}{self.quote}"

    def constant(self, column: SampleColumn) -> str:
        """The value that every row has in a column."""
        constant = column.constant
        assert constant is not None
        if constant == "NULL":
            return self.null
        if constant.startswith("'"):
            return self.text(constant[1:-1].replace("''", "'"))
        if column.type == "bool":
            return self.true if constant == "1" else self.false
        return constant

    def column(self, column: SampleColumn, values: Values) -> Sequence[object]:
        """A column's values; whole numbers stay numbers, for their text is the same everywhere."""
        if isinstance(values, list):
            return self._texts(values)
        known = values != NULL
        if column.type == "bool":
            return [(self.false, self.true, self.null)[i] for i in np.where(known, values, 2).tolist()]
        cells: list[object]
        if column.type == "datetime":
            moments = np.datetime_as_string((np.where(known, values, 0) // 1000).astype("datetime64[s]"))
            cells = [f"{self.quote}{moment[:10]} {moment[11:]}{self.quote}" for moment in moments.tolist()]
        else:
            cells = values.tolist()
        for i in np.flatnonzero(~known).tolist():
            cells[i] = self.null
        return cells

    def _texts(self, values: Sequence[str | None]) -> list[str]:
        """Texts, of which only those that need it are escaped, for that is the slow part."""
        special, escapes, null, quote = self._special, self.escapes, self.null, self.quote
        if not special.search("".join(filter(None, values))):
            return [null if value is None else f"{quote}{value}{quote}" for value in values]
        return [
            null if value is None else f"{quote}{value.translate(escapes) if special.search(value) else value}{quote}"
            for value in values
        ]

    @cached_property
    def _special(self) -> re.Pattern[str]:
        return re.compile("[" + re.escape("".join(map(chr, self.escapes))) + "]")


def tuples(
    columns: Sequence[SampleColumn], chunk: Chunk, literals: Literals, begin: str, separator: str, end: str
) -> Iterator[str]:
    """The rows of a chunk as text."""
    made = [column for column in columns if column.constant is None]
    cells = ["%s" if column.constant is None else literals.constant(column).replace("%", "%%") for column in columns]
    template = f"{begin}{separator.join(cells)}{end}"
    return map(template.__mod__, zip(*(literals.column(column, chunk[column.name]) for column in made), strict=True))
