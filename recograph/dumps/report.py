"""The limits of reading a dump, its errors, and the report on each table."""

from dataclasses import dataclass, field

from recograph.dumps.message import Fact, Rejects, sentence
from recograph.errors import RecographError

MOST_VALUE_BYTES = 1 << 29


class DumpError(RecographError):
    """A dump can't be read exactly; the message names file, table, row and place, and says what to do.

    Args:
        message: a constant sentence, with facts' names in braces.
        facts: what the sentence shows; nothing else of a dump gets into it.
    """

    def __init__(self, message: str, **facts: Fact):
        super().__init__(sentence(message, facts) if facts else message)


class RejectedError(DumpError):
    """Values can't be held by their types: how many, and why the first few can't."""

    def __init__(self, message: str, *, rejects: Rejects, **facts: Fact):
        super().__init__(message, rejects=rejects, **facts)
        self.rejects = rejects


@dataclass(frozen=True)
class Limits:
    """Bounds on what a dump may cost; they hold for hostile files too."""

    value_bytes: int = 64 << 20
    """Largest row, and largest statement that holds no rows; memory is a small multiple of it at worst."""
    total_bytes: int = 1 << 40
    """Largest dump, decompressed."""
    ratio: int = 250
    """Largest ratio of decompressed to compressed size, held against what exceeds `ratio_from` bytes."""
    ratio_from: int = 256 << 20
    """Decompressed size up to which no ratio is too large."""
    window_bytes: int = 256 << 20
    """How far back zstd may refer, which it holds in memory; `zstd --long=28` is as far."""
    tables: int = 100_000
    """The greatest number of tables in a dump."""
    columns: int = 5_000
    """The greatest number of columns in a table; PostgreSQL allows 1,600 and MySQL 4,096."""

    def __post_init__(self) -> None:
        # Positions in a buffer have 32 bits, and it may hold a little more than twice the largest row.
        if self.value_bytes > MOST_VALUE_BYTES:
            raise DumpError("The limit value_bytes can't be more than {most}.", most=MOST_VALUE_BYTES)


@dataclass
class TableReport:
    """The report on reading one table; complete when the dump is read to its end."""

    name: str
    columns: tuple[str, ...] = ()
    """Columns in the dump, in its order."""
    rows: int = 0
    """Rows read; also counted for tables that nobody asked for."""
    bytes: int = 0
    """Bytes that the table's rows take in the dump, decompressed."""
    rejected: int = 0
    """Rows of the failing batch that hold a value which their type can't; the dump is refused then."""
    reasons: list[str] = field(default_factory=list)
    """Why the first few of them were rejected."""
    zero_dates: int = 0
    """Zero dates (0000-00-00) that became NULL."""
    out_of_bounds: int = 0
    """Moments beyond the years 1 to 9999, and numbers that aren't finite, that became NULL."""
    dropped_columns: tuple[str, ...] = ()
    """Columns in the dump that no schema asked for."""
    missing_columns: tuple[str, ...] = ()
    """Columns asked for that the dump lacks; they are all NULL."""
    left_columns: tuple[str, ...] = ()
    """Columns that rows leave to a default which only the server knew; they are NULL."""
    counted: bool = True
    """Whether `rows` is known: rows of tables that nobody asked for are skipped faster than they can be counted."""
