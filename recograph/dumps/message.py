"""What a message about a dump may show: names, places, kinds and counts, each a type of its own; never a value.

A message is a constant sentence with facts in it. A bare string is no fact, so what a dump holds can't get into one;
names are shortened and rid of what a terminal would obey.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_LONGEST_NAME = 80
_MOST_NAMES = 20
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def shown(name: str) -> str:
    """A name as people may see it: shortened, and with escapes for characters that control a terminal."""
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    return "".join(c.encode("unicode_escape").decode() if unicodedata.category(c) in _HIDDEN else c for c in short)


@dataclass(frozen=True)
class Name:
    """A name of a table, a column, a character set, a program or a file."""

    text: str
    whole: bool = False
    """Whether it may be long, as paths are."""

    def __str__(self) -> str:
        if self.whole:
            return "".join(shown(self.text[at : at + 40]) for at in range(0, len(self.text), 40))
        return shown(self.text)


@dataclass(frozen=True)
class Names:
    """Some names, the first of them shown."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Names":
        """Names of anything that can be iterated over."""
        return cls(tuple(texts))

    def __str__(self) -> str:
        more = f" and {len(self.texts) - _MOST_NAMES} more" if len(self.texts) > _MOST_NAMES else ""
        return ", ".join(shown(text) for text in self.texts[:_MOST_NAMES]) + more


@dataclass(frozen=True)
class Kind:
    """A kind of thing, in words that stand in recograph's own code."""

    words: str

    @classmethod
    def joined(cls, words: Iterable[str], by: str) -> "Kind":
        """Several of them as one."""
        return cls(by.join(words))

    @classmethod
    def of(cls, template: str, **facts: "Fact") -> "Kind":
        """Words with facts in them."""
        return cls(sentence(template, facts))

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Count:
    """How many there are of something."""

    number: int
    what: Kind

    def __str__(self) -> str:
        return f"{self.number} {self.what}"


@dataclass(frozen=True)
class Reject:
    """A value that can't be read: where it is, and why, without the value."""

    row: int
    byte: int
    reason: Kind

    def __str__(self) -> str:
        return f"row {self.row} (byte {self.byte}): {self.reason}"


@dataclass(frozen=True)
class Rejects:
    """Some such values, the first of them shown."""

    first: tuple[Reject, ...]
    number: int

    def __str__(self) -> str:
        more = f" ({self.number} such values in this batch)" if self.number > len(self.first) else ""
        return "; ".join(map(str, self.first)) + more


@dataclass(frozen=True)
class Place:
    """Where something is: as much of file, table, column, row, line and byte as is known."""

    file: str
    table: str | None = None
    column: str | None = None
    row: int | None = None
    byte: int | None = None
    line: int | None = None
    is_after: bool = False
    """Whether the byte that is named lies before the place that is meant."""

    def __str__(self) -> str:
        parts = [f"table {shown(self.table)}"] if self.table is not None else []
        parts += [f"column {shown(self.column)}"] if self.column is not None else []
        parts += [f"row {self.row}"] if self.row is not None else []
        spot = [f"line {self.line}"] if self.line is not None else []
        spot += [f"{'after ' * self.is_after}byte {self.byte}"] if self.byte is not None else []
        where = ", ".join(parts)
        if spot:
            where = f"{where} ({', '.join(spot)})" if where else ", ".join(spot)
        return f"{Name(self.file, whole=True)}: {where}" if where else str(Name(self.file, whole=True))


Fact = Name | Names | Kind | Count | Reject | Rejects | Place | int
"""What may stand in a message."""


def sentence(template: str, facts: dict[str, Fact]) -> str:
    """A constant sentence with its facts.

    Raises:
        TypeError: something is no fact.
    """
    for key, fact in facts.items():
        if not isinstance(fact, Fact):
            raise TypeError(f"{key} is no fact that a message may show")
    return template.format(**facts)
