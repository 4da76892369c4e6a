"""The form of a dialect: everything in which the SQL of one server differs from that of another, as data."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Pattern = re.Pattern[bytes]


class Effect(Enum):
    """What a statement does to rows."""

    NONE = "none"
    """Nothing: it may be passed over."""
    SETTING = "setting"
    """It may change how rows are read."""
    TABLE = "table"
    """It makes, drops or arranges tables, which the definitions follow."""
    ROWS = "rows"
    """It changes rows in a way that isn't read."""


@dataclass(frozen=True)
class StatementKind:
    """A kind of statement: the words it begins with, what people call it, and what it does."""

    begins: str
    """Regular expression on the statement's first words, which are in upper case with one space between them."""
    effect: Effect
    name: str = ""
    """What a message calls it; its first words by default."""
    remedy: str = "Make the dump with the server's own program, which writes rows as they are."


def any_of(*patterns: bytes) -> Pattern:
    """A pattern for any of several, in either case, whose ^ and $ are those of lines."""
    return re.compile(b"|".join(b"(?:%s)" % pattern for pattern in patterns), re.I | re.M)


@dataclass(frozen=True)
class Evidence:
    """What the programs of only one server write before the first rows, so that a dump is known to be in its SQL."""

    titles: Pattern
    """Titles and unmistakable statements."""
    hints: Pattern | None = None
    """What is less certain, and counts where no server's titles are there."""
    beside: str = ""
    """The dialect whose titles stand in such dumps too, and then don't count."""


@dataclass(frozen=True)
class End:
    """How a program's dumps begin and end: a comment for each."""

    title: Pattern
    closing: Pattern
    words: str
    """The closing comment as a message shows it."""


@dataclass(frozen=True)
class Lexing:
    """How text is split into statements."""

    comment: Pattern
    """A comment to the end of the line, where it begins."""
    nested: bool
    """Whether comments in slashes and stars nest."""
    conditional: Pattern | None
    """The mark of a comment that is executed, where there are such."""
    ends: Callable[[bool, bool, bytes], Pattern]
    """Given whether backslashes escape and whether double quotes are of names, and the delimiter: finds what could
    hide a delimiter, and the delimiter. Groups: whole, open, end, parenthesis, word."""
    hidden: Callable[[bool, bool], Pattern]
    """Given the same: finds strings (group string), quoted names (group name) and comments (any other match)."""
    commands: Pattern
    """Commands of the server's client, one per line."""
    delimiter: Pattern | None
    """The command that changes the delimiter, where there is one."""
    routine: Pattern
    """Statements that may hold others."""


@dataclass(frozen=True)
class Literals:
    """How values are written."""

    escapes: npt.NDArray[np.uint8]
    """What a byte behind a backslash stands for."""
    by_number: bool
    """Whether a backslash may stand before digits, x or u."""
    kept: bytes
    """Bytes before which a backslash stays."""
    bits_are_bytes: bool
    """Whether bits, b'101', are read as the bytes of a number; if not, as text."""
    national_escapes: bool
    """Whether backslashes escape in N'...' as in other strings."""


class Settable(Protocol):
    """What a statement of settings can change; see `recograph.dumps.settings.Session`."""

    encoding: str
    encoded_by_column: bool
    backslash_escapes: bool
    quoted_names: bool
    search_path: str
    time_zone: str | None
    client: str | None
    """The character set that what follows is in, where it is set alone, as around definitions."""
    modes: dict[bytes, tuple[bool, bool]]
    """Of each variable that keeps a mode of the server: `backslash_escapes` and `quoted_names` in it."""
    zones: dict[bytes, str | None]
    """The same of the time zone."""
    has_history: bool
    """Whether rows are written together with those that they once were, as MariaDB's server keeps them."""
    texts: dict[bytes, list[bytes]]
    """Of each other variable the strings that it may hold."""

    def encode(self, codec: str | None, name: str) -> None:
        """Take in the codec of text."""

    def forget(self, statement: str) -> None:
        """Take in that a statement makes settings what only the server knows."""

    def set_time_zone(self, name: str) -> None:
        """Take in the time zone of moments."""

    def unknown(self, setting: str) -> Exception:
        """That a setting has a value that isn't known."""

    def unread(self, statement: str) -> Exception:
        """That a statement may change rows in a way that isn't read."""


@dataclass(frozen=True)
class Dialect:
    """One server's SQL, as its dumps are written in it."""

    name: str
    server: str
    evidence: Evidence
    dump_ends: tuple[End, ...]
    """Of the programs that close a dump with a comment."""
    lexing: Lexing
    literals: Literals
    keywords: frozenset[bytes]
    """The first words of statements; text that begins with none of them is no statement."""
    kinds: tuple[StatementKind, ...]
    """Kinds of statements; the first that fits holds."""
    not_a_column: Pattern
    """What a table's definition holds besides columns."""
    column_type: Callable[[str], pa.DataType]
    """The type that a column's definition, without its name and strings, states."""
    setting: Callable[[Settable, bytes], None]
    """Takes in a statement of settings."""
    codec: Callable[[str], str | None]
    """Python's codec of a character set that a whole dump may be in."""
    options: str
    """The options of the server's own program that make a dump that can be read: of its character set."""
    backslash_escapes: bool
    """Whether a backslash escapes what follows it in strings, at the beginning."""
    schemas: bool
    """Whether tables lie in schemas of a database; the first is `public`."""
    copies: bool
    """Whether there are COPY blocks."""
    writes_generated: bool
    """Whether values of generated columns are in dumps."""
    has_zero_dates: bool
    """Whether 0000-00-00 stands for no date."""
    bit_type: str | None
    """The SQL type whose values are written as the bytes of a number; None where the server has none."""
    bytea_type: str | None
    """The SQL type whose values are written in PostgreSQL's notation of bytes; None where the server has none."""
    local_type: str | None
    """The SQL type of times that are written in the session's time zone; None where the server has none."""


def translation(**escapes: int) -> npt.NDArray[np.uint8]:
    """A table of what each byte stands for behind a backslash: itself, except for the bytes that are given."""
    table = np.arange(256, dtype=np.uint8)
    for character, byte in escapes.items():
        table[ord(character)] = byte
    return table


def is_count(text: str, most: int) -> bool:
    """Whether a text is a whole number up to a limit; of any length, for definitions may be hostile."""
    return len(text) <= len(str(most)) and text.isascii() and text.isdecimal() and int(text) <= most


def decimal_type(precision: str, scale: str, most: int) -> pa.DataType:
    """The type of decimals of so many digits, of which some are behind the point.

    Raises:
        ValueError: a number isn't one, or is too large for any server.
    """
    precision, scale = precision.strip(), scale.strip()
    if not is_count(precision, most) or not is_count(scale.removeprefix("-"), most):
        raise ValueError("length")
    digits, behind = int(precision), int(scale)
    if not 0 <= behind <= digits:
        return pa.string()
    if digits <= 38:
        return pa.decimal128(digits, behind)
    return pa.decimal256(digits, behind) if digits <= 76 else pa.string()
