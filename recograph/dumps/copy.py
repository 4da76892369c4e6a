"""COPY blocks of PostgreSQL: where the values of their rows lie.

Tabs and line ends inside of values are always escaped, so every one that is there separates values; reshaped to rows
by columns they are the borders of all values. A window is cut at a line end without a look at its separators: they are
found where its values are decoded, in a thread of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recograph.dumps.buffer import Buffer
from recograph.dumps.insert import HEADER_BYTES, WINDOW_BYTES, DataHeader, Fields
from recograph.dumps.names import COLUMN_LIST, QUALIFIED, names
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.scan import Bytes, Positions, find_pairs

_TAB, _LINE_END, _RETURN = b"\t\n\r"
_HEADER = re.compile(
    rb"COPY\s++(?P<table>%s)\s*+(?P<columns>%s)?+\s*+FROM\s++stdin(?P<options>[^;]*+);[ \t\r]*+\n"
    % (QUALIFIED, COLUMN_LIST),
    re.I,
)
_END = b"\\."
"""What the last line begins with; no row does, as a backslash in a value is doubled."""


def copy_header(buffer: Buffer, name: str, encoding: str) -> DataHeader | None:
    """Consume the header of a COPY block; None, and nothing consumed, where it isn't one.

    Raises:
        DumpError: the block isn't in COPY's text format.
    """
    while True:
        if match := _HEADER.match(buffer.data, buffer.pos):
            if match["options"].strip():
                options = match["options"].decode(errors="replace")[:80]
                raise DumpError(
                    f"{name}: COPY at byte {buffer.offset} has options ({options}). "
                    "Only COPY's text format is read, as pg_dump writes it."
                )
            # The line end stays, so that the end of the block always stands behind one.
            buffer.pos = match.end() - 1
            columns = names(match["columns"], encoding) if match["columns"] else None
            return DataHeader(names(match["table"], encoding), columns, match[0])
        if buffer.left > HEADER_BYTES or not buffer.extend():
            return None


@dataclass(frozen=True)
class Lines:
    """Whole lines of a COPY block: `data` from `start` to `end`."""

    data: bytes
    start: int
    end: int
    columns: int
    base: int
    """Where `data` begins in the dump, in bytes."""
    before: int
    """How many rows of the table stand before these."""
    place: str
    """Dump and table, for messages."""

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return len(self.data)

    @cached_property
    def rows(self) -> int:
        """How many lines they are."""
        return int(np.count_nonzero(np.frombuffer(self.data, np.uint8, self.end - self.start, self.start) == _LINE_END))

    def fields(self, wanted: list[int]) -> Fields:
        """Where the values of the wanted columns lie.

        Raises:
            DumpError: a row has too few or too many values.
        """
        columns, start = max(self.columns, 1), self.start
        window: Bytes = np.frombuffer(self.data, np.uint8, self.end - start, start)
        lines = window == _LINE_END
        rows = int(np.count_nonzero(lines))
        separators = np.flatnonzero(lines | (window == _TAB))
        if len(separators) != rows * columns or not lines[separators[columns - 1 :: columns]].all():
            raise self._misshapen(lines, separators)
        matrix = separators.reshape(rows, -1)
        opening = np.concatenate(([-1], matrix[:-1, -1]))
        closing = matrix[:, -1]
        if rows and window[separators[columns - 1] - 1] == _RETURN:
            closing = closing - 1
        return Fields.between(self.data, start, matrix, opening, closing, wanted, base=self.base, before=self.before)

    def _misshapen(self, lines: Bytes, separators: Positions) -> DumpError:
        counts = np.diff(np.flatnonzero(lines[separators]), prepend=-1)
        row = int((counts != self.columns).argmax())
        return DumpError(
            f"{self.place}, row {self.before + row + 1} (after byte {self.base + self.start - 1}): the row has "
            f"{counts[row]} values where {self.columns} columns are expected. "
            "The dump was edited or damaged; make it again."
        )


class CopyRows:
    """The rows of a COPY block whose header was consumed."""

    def __init__(self, buffer: Buffer, columns: int, limits: Limits, place: str):
        self._buffer = buffer
        self._columns = columns
        self._limits = limits
        self._place = place
        self.rows = 0

    def __iter__(self) -> Iterator[Lines]:
        """The rows, window by window."""
        buffer, least = self._buffer, 0
        while True:
            data, first = buffer.data, buffer.pos + 1
            far = min(buffer.pos + max(WINDOW_BYTES, least), len(data))
            if (end := _find_end(data, first, far)) >= 0:
                if first < end:
                    yield self._window(first, end)
                buffer.pos = end + len(_END)
                return
            last = data.rfind(b"\n", first, far) + 1
            if last > first:
                yield self._window(first, last)
                buffer.pos, least = last - 1, 0
            else:
                least = 2 * (far - buffer.pos)
            if far == len(data):
                self._more()

    def _more(self) -> None:
        if self._buffer.left > self._limits.value_bytes:
            raise DumpError(
                f"{self._where()}: the row is longer than {self._limits.value_bytes} bytes. "
                "Raise the limit value_bytes if it is right."
            )
        if not self._buffer.extend():
            raise DumpError(f"{self._where()}: the dump ends within the block. It was cut; fetch or make it again.")

    def _where(self) -> str:
        return f"{self._place}, row {self.rows + 1} (after byte {self._buffer.offset})"

    def _window(self, start: int, end: int) -> Lines:
        buffer = self._buffer
        lines = Lines(buffer.data, start, end, self._columns, buffer.base, self.rows, self._place)
        self.rows += lines.rows
        return lines


def skip_block(buffer: Buffer, place: str) -> None:
    """Consume a COPY block without looking at its rows, in constant memory."""
    while (end := _find_end(buffer.data, buffer.pos + 1, len(buffer.data))) < 0:
        buffer.pos = max(buffer.pos, len(buffer.data) - len(_END))
        if not buffer.extend():
            raise DumpError(f"{place}: the dump ends within the block. It was cut; fetch or make it again.")
    buffer.pos = end + len(_END)


def _find_end(data: bytes, start: int, end: int) -> int:
    """Where the last line begins, at or behind a start that isn't the first byte; -1 where it isn't there."""
    at: int
    for at in find_pairs(data, _END, start, end).tolist():
        if data[at - 1] == _LINE_END:
            return at
    return -1
