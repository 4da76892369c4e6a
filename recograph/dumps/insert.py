"""INSERT statements: where the values of their rows lie.

A window of many rows is looked at as a whole. Its separators outside of strings, reshaped to rows by columns, are the
borders of all values; that every row ends with a parenthesis exactly there proves the shape. Statements that repeat
the same header row by row are read as if they were one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from recograph.dumps.buffer import Buffer
from recograph.dumps.names import COLUMN_LIST, QUALIFIED, names
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.scan import Bytes, Positions, Structure, find_pairs, find_semicolon, structure

WINDOW_BYTES = 2 << 20
"""How much of the rows is decoded in one go: with half as much, two threads took a quarter longer."""
HEADER_BYTES = 1 << 20
"""Longest statement up to its rows."""
_MOST_SPACES = 64
_OPEN, _CLOSE = b"()"
_SPACES = np.isin(np.arange(256), list(b" \t\r\n"))
_HEADER = re.compile(
    rb"(?:INSERT|REPLACE)\s++(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s++)*+(?:INTO\s++)?(?P<table>%s)\s*+"
    rb"(?P<columns>%s)?+\s*+(?:OVERRIDING\s++(?:SYSTEM|USER)\s++VALUE\s++)?VALUES?+\s*+(?=\()"
    % (QUALIFIED, COLUMN_LIST),
    re.I,
)
_DEFAULT_VALUES = re.compile(rb"INSERT\s++INTO\s++(?P<table>%s)\s++DEFAULT\s++VALUES\s*+;" % QUALIFIED, re.I)
_HARMLESS_TAIL = re.compile(rb"\)\s*(?:ON\s+CONFLICT\s+DO\s+NOTHING\s*)?", re.I)


@dataclass(frozen=True)
class DataHeader:
    """What stands before rows: the table, and the columns where they are listed."""

    table: list[str]
    columns: list[str] | None
    text: bytes
    default_row: bool = False
    """Whether it is a row of defaults, which has no values at all."""
    transports: Mapping[str, str] = field(default_factory=dict)
    """Columns whose values come as text for their bytes: base64 or hex."""


@dataclass(frozen=True)
class Fields:
    """Where the values of some rows lie in `data`: arrays of columns by rows."""

    data: bytes
    starts: Positions
    ends: Positions
    rows: int
    base: int
    """Where `data` begins in the dump, in bytes."""
    before: int
    """How many rows of the table stand before these."""

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return len(self.data)

    @classmethod
    def between(
        cls,
        data: bytes,
        start: int,
        matrix: Positions,
        opening: Positions,
        closing: Positions,
        wanted: list[int],
        *,
        base: int,
        before: int,
    ) -> "Fields":
        """The wanted values between separators.

        Args:
            data: what the values lie in.
            start: where in the data the window begins that positions count from.
            matrix: positions of the separators behind the values, rows by columns.
            opening: position of the byte before each row's first value.
            closing: position of the byte behind each row's last value.
            wanted: the columns.
            base: where the data begins in the dump.
            before: how many rows of the table stand before these.
        """
        rows, columns = matrix.shape
        # Half the bytes make everything that follows nearly twice as fast; a buffer is never that long.
        starts = np.empty((len(wanted), rows), np.int32)
        ends = np.empty_like(starts)
        for at, column in enumerate(wanted):
            np.add(matrix[:, column - 1] if column else opening, start + 1, out=starts[at], casting="unsafe")
            np.add(matrix[:, column] if column < columns - 1 else closing, start, out=ends[at], casting="unsafe")
        return cls(data, starts, ends, rows, base, before)


def insert_header(buffer: Buffer, encoding: str) -> DataHeader | None:
    """Consume the header of an INSERT or REPLACE; None, and nothing consumed, where it isn't one of rows."""
    while True:
        if match := _HEADER.match(buffer.data, buffer.pos):
            buffer.pos = match.end()
            columns = names(match["columns"], encoding) if match["columns"] else None
            return DataHeader(names(match["table"], encoding), columns, match[0])
        if match := _DEFAULT_VALUES.match(buffer.data, buffer.pos):
            buffer.pos = match.end()
            return DataHeader(names(match["table"], encoding), None, match[0], default_row=True)
        if buffer.left > HEADER_BYTES or not buffer.extend():
            return None


class InsertRows:
    """The rows of an INSERT whose header was consumed, and of those that follow with the same header."""

    def __init__(
        self,
        buffer: Buffer,
        header: DataHeader,
        columns: int,
        wanted: list[int],
        escapes: bool,
        limits: Limits,
        place: str,
    ):
        self._buffer = buffer
        self._columns = columns
        self._wanted = wanted
        self._escapes = escapes
        self._limits = limits
        self._place = place
        # A quote in a name would turn the parity of all quotes behind it.
        self._again = re.compile(
            rb";\s*" + re.escape(header.text) + rb"(?=\()" if b"'" not in header.text else rb"(?!)"
        )
        self._separators_in_header = sum(header.text.count(byte) for byte in (b",", b";"))
        self.rows = 0

    def __iter__(self) -> Iterator[Fields]:
        """The rows, window by window."""
        buffer, least = self._buffer, 0
        while True:
            end = self._end(least)
            fields, done = self._parse(end)
            if fields.rows:
                self.rows += fields.rows
                least = 0
                yield fields
            if done:
                return
            if not fields.rows:
                least = 2 * (end - buffer.pos)
            if end == len(buffer.data):
                self._more()

    def _more(self) -> None:
        if self._buffer.left > self._limits.value_bytes:
            raise DumpError(
                f"{self._where(0)}: the row is longer than {self._limits.value_bytes} bytes. "
                "A quote may be unbalanced; raise the limit value_bytes if it is right."
            )
        if not self._buffer.extend():
            raise DumpError(f"{self._where(0)}: the dump ends within the row. It was cut; fetch or make it again.")

    def _where(self, row: int) -> str:
        return f"{self._place}, row {self.rows + row + 1} (after byte {self._buffer.offset})"

    def _end(self, least: int) -> int:
        """Where to end the window: behind what may be the end of the statement, if that isn't far."""
        data, pos = self._buffer.data, self._buffer.pos
        far = min(pos + max(WINDOW_BYTES, least), len(data))
        at: int
        for at in find_pairs(data, b";\n", pos + least, far).tolist():
            if not self._again.match(data, at):
                return at + 1
        return far

    def _parse(self, end: int) -> tuple[Fields, bool]:
        """Find the values of the rows that are complete in the window, and consume them; tells whether it was all."""
        buffer, columns, base = self._buffer, self._columns, self._buffer.pos
        window: Bytes = np.frombuffer(buffer.data, np.uint8, end - base, base)
        found = structure(window, self._escapes)
        separators, joints, done = self._statements(found, base, end)
        rows = len(separators) // columns
        matrix = separators[: rows * columns].reshape(rows, columns)
        opening = self._opening(window, matrix[:, -1], joints)
        closing = self._closing(window, matrix[:, -1])
        bad = (window[opening] != _OPEN) | (window[closing] != _CLOSE)
        if columns > 1:
            bad |= (window[matrix[:, :-1] - 1] == _CLOSE).any(axis=1)
        if bad.any() or (done and len(separators) % columns):
            raise self._misshapen(window, separators, int(bad.argmax()) if bad.any() else rows)
        fields = Fields.between(
            buffer.data, base, matrix, opening, closing, self._wanted, base=buffer.base, before=self.rows
        )
        if done:
            buffer.pos = base + int(separators[-1]) + 1
        elif rows:
            last = int(matrix[-1, -1])
            buffer.pos = base + joints.get(last, last + 1)
            self._skip_spaces()
        return fields, done

    def _statements(self, found: Structure, base: int, end: int) -> tuple[Positions, dict[int, int], bool]:
        """The separators of rows up to the end of the last statement with this header, and whether it was found.

        Where a statement with the same header follows another, their semicolon separates rows: it is given with the
        position of the row behind the repeated header, whose own commas are left out.
        """
        separators, joints, done, after = found.separators, {}, False, 0
        for semicolon in found.semicolons.tolist():
            if semicolon < after:
                continue
            again = self._again.match(self._buffer.data, base + semicolon)
            if not again or again.end() >= end:
                separators = separators[: np.searchsorted(separators, semicolon) + 1]
                done = True
                break
            after = joints[semicolon] = again.end() - base
        if joints and self._separators_in_header:
            first = np.searchsorted(separators, np.fromiter(joints, np.int64, len(joints))) + 1
            separators = np.delete(separators, first[:, None] + np.arange(self._separators_in_header))
        return separators, joints, done

    def _opening(self, window: Bytes, ends: Positions, joints: dict[int, int]) -> Positions:
        """Where each row's opening parenthesis should be: behind the separator and spaces, or the repeated header."""
        opening = np.zeros(len(ends), np.int64)
        opening[1:] = ends[:-1] + 1
        if joints:
            semicolons = np.fromiter(joints, np.int64, len(joints))
            rows = np.searchsorted(ends, semicolons) + 1
            follows = rows < len(ends)
            opening[rows[follows]] = np.fromiter(joints.values(), np.int64, len(joints))[follows]
        for _ in range(_MOST_SPACES):
            spaces = _SPACES[window[opening]]
            if not spaces.any():
                break
            opening += spaces
        return opening

    def _closing(self, window: Bytes, ends: Positions) -> Positions:
        """Where each row's closing parenthesis should be: before the separator, spaces and harmless clauses."""
        closing = ends - 1
        for row in np.flatnonzero(window[closing] != _CLOSE).tolist():
            before = window[max(ends[row] - 100, 0) : ends[row]].tobytes()
            if (at := before.rfind(b")")) >= 0 and _HARMLESS_TAIL.fullmatch(before, at):
                closing[row] -= len(before) - at - 1
        return closing

    def _misshapen(self, window: Bytes, separators: Positions, row: int) -> DumpError:
        closes = np.flatnonzero(window[separators[row * self._columns :] - 1] == _CLOSE)
        found = f"{closes[0] + 1} values" if len(closes) else "no end"
        return DumpError(
            f"{self._where(row)}: the row has {found} where {self._columns} columns are expected, or holds something "
            "else than literals. The dump was edited or damaged; make it again."
        )

    def _skip_spaces(self) -> None:
        buffer = self._buffer
        while buffer.left or buffer.extend():
            if not _SPACES[buffer.data[buffer.pos]]:
                return
            buffer.pos += 1


def skip_rows(buffer: Buffer, escapes: bool, place: str) -> None:
    """Consume the rows of an INSERT without looking at them, in constant memory."""
    inside = False
    while True:
        end = min(buffer.pos + WINDOW_BYTES, len(buffer.data))
        if escapes:
            tail = buffer.data[buffer.pos : end]
            end -= (len(tail) - len(tail.rstrip(b"\\"))) % 2
        window: Bytes = np.frombuffer(buffer.data, np.uint8, end - buffer.pos, buffer.pos)
        at, inside = find_semicolon(window, escapes, inside)
        if at >= 0:
            buffer.pos += at + 1
            return
        buffer.pos = end
        if len(buffer.data) - end < 2 and not buffer.extend():
            raise DumpError(f"{place}: the dump ends within the rows. It was cut; fetch or make it again.")
