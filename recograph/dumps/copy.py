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
from recograph.dumps.fields import WINDOW_BYTES, Fields
from recograph.dumps.headers import HEADER_BYTES, DataHeader
from recograph.dumps.joint import FIRST_LOOK
from recograph.dumps.message import Place
from recograph.dumps.names import COLUMN_LIST, QUALIFIED, names
from recograph.dumps.noise import noise_of
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.scan import Bytes, Positions, count_line_ends, find_pairs

_TAB, _LINE_END, _RETURN = b"\t\n\r"
_HEADER = re.compile(
    rb"COPY\s++(?P<table>%s)\s*+(?P<columns>%s)?+\s*+(?P<oids>WITH\s++OIDS\s++)?+"
    rb"FROM\s++stdin(?P<options>[^;]*+);[ \t\r]*+\n" % (QUALIFIED, COLUMN_LIST),
    re.I,
)
_LONGEST_HEADER = 8000
_END = b"\\."
"""What the last line begins with; no row does, as a backslash in a value is doubled."""


_WITH_OIDS = re.compile(rb"\s*WITH\s+OIDS\s*|\s*WITH\s*\(\s*OIDS(?:\s+(?:true|on|1))?\s*\)\s*", re.I)
_FROM = b" FROM stdin;"
_OTHER_HEADER = re.compile(rb"COPY [^\t\n]+ FROM stdin;\r?\n")
_OID = ""
"""What the column of a row's OID is called, which no column of a table can be."""


def copy_header(buffer: Buffer, name: str, encoding: str) -> DataHeader | None:
    """Consume the header of a COPY block; None, and nothing consumed, where it isn't one.

    Raises:
        DumpError: the block isn't in COPY's text format.
    """
    while True:
        if match := _HEADER.match(buffer.data, buffer.pos):
            has_oids = match["oids"] is not None or _WITH_OIDS.fullmatch(match["options"]) is not None
            if match["options"].strip() and not _WITH_OIDS.fullmatch(match["options"]):
                raise DumpError(
                    "{place}: COPY has options. Only COPY's text format is read, as pg_dump writes it.",
                    place=Place(name, byte=buffer.offset, line=buffer.line),
                )
            buffer.pos = match.end()
            columns = names(match["columns"], encoding) if match["columns"] else None
            if has_oids and columns is not None:
                columns = [_OID, *columns]
            return DataHeader(names(match["table"], encoding), columns, match[0], has_oids=has_oids)
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
    place: Place
    """Dump and table."""

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return len(self.data)

    @cached_property
    def rows(self) -> int:
        """How many lines they are."""
        return count_line_ends(self.data, self.start, self.end)

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
        if self.data.find(b"\r", start, self.end) >= 0:
            closing = closing - self._returns(window, closing)
        return Fields.between(self.data, start, matrix, opening, closing, wanted, base=self.base, before=self.before)

    def _returns(self, window: Bytes, closing: Positions) -> int:
        """How many carriage returns end each line: one or none.

        Args:
            window: the lines.
            closing: where the line ends are.

        Raises:
            DumpError: some lines end with one, or one stands elsewhere, where COPY always writes it as an escape.
        """
        ends = window[closing - 1] == _RETURN
        within = np.setdiff1d(np.flatnonzero(window == _RETURN), closing[ends] - 1)
        if not len(within) and ends.all() == ends.any():
            return int(ends.all())
        wrong = within if len(within) else closing[~ends]
        row = self.before + int(np.searchsorted(closing, wrong[0])) + 1
        raise DumpError(
            "{place}: some lines end with a carriage return, or one is within a value, where COPY writes an escape. "
            "The dump was edited or damaged; make it again.",
            place=Place(self.place.file, self.place.table, row=row),
        )

    def _misshapen(self, lines: Bytes, separators: Positions) -> DumpError:
        counts = np.diff(np.flatnonzero(lines[separators]), prepend=-1)
        row = int((counts != self.columns).argmax())
        return DumpError(
            "{place}: the row has {values} values where {columns} columns are expected. "
            "The dump was edited or damaged; make it again.",
            place=Place(
                self.place.file,
                self.place.table,
                row=self.before + row + 1,
                byte=self.base + self.start - 1,
                is_after=True,
            ),
            values=int(counts[row]),
            columns=self.columns,
        )

    def check(self) -> None:
        """Check lines of a single column, whose number of values can't show that they are something else.

        Raises:
            DumpError: a line is one that programs print, or begins another block.
        """
        if self.columns > 1:
            return
        _check_block(self.data, self.start, self.end, self.base, self.place)
        for row, line in enumerate(self.data[self.start : self.end].split(b"\n")):
            if b": " in line and noise_of(line) is not None:
                raise DumpError(
                    "{place}: the row looks like a message of a program, not a row. "
                    "Make the dump again, with messages kept out of it (no 2>&1).",
                    place=Place(self.place.file, self.place.table, row=self.before + row + 1),
                )


def _check_block(data: bytes, start: int, end: int, base: int, place: Place) -> None:
    """Refuse rows that hold the beginning of another block: the end of this one was lost."""
    at = data.find(_FROM, start, end)
    while at >= 0:
        line = max(data.rfind(b"\n", start, at) + 1, start)
        if _OTHER_HEADER.match(data, line):
            raise DumpError(
                "{place}: the end of the block is missing, for another one begins in it. "
                "The dump was edited or damaged; make it again.",
                place=Place(place.file, place.table, byte=base + line),
            )
        at = data.find(_FROM, at + 1, end)


class CopyRows:
    """The rows of a COPY block whose header was consumed."""

    def __init__(self, buffer: Buffer, columns: int, limits: Limits, place: Place):
        self._buffer = buffer
        self._columns = columns
        self._limits = limits
        self._place = place
        self.rows = 0

    def __iter__(self) -> Iterator[Lines]:
        """The rows, window by window."""
        buffer, least = self._buffer, 0
        while True:
            data, first = buffer.data, buffer.pos
            far = first + max(WINDOW_BYTES, least)
            if len(data) - far < WINDOW_BYTES // 2:
                # Windows much smaller than others cost more per row.
                far = len(data)
            if (end := _find_end(data, first, far)) >= 0:
                if first < end:
                    yield self._window(first, end)
                buffer.pos = end + len(_END)
                return
            last = data.rfind(b"\n", first, far) + 1
            if last > first:
                yield self._window(first, last)
                buffer.pos, least = last, 0
            else:
                least = 2 * (far - first)
            if far == len(data):
                self._more()

    def _more(self) -> None:
        if self._buffer.left > self._limits.value_bytes:
            raise DumpError(
                "{place}: the row is longer than {most} bytes. Raise the limit value_bytes if it is right.",
                place=self._where(),
                most=self._limits.value_bytes,
            )
        if not self._buffer.extend():
            raise DumpError(
                "{place}: the dump ends within the block. It was cut; fetch or make it again.", place=self._where()
            )

    def _where(self) -> Place:
        place = self._place
        return Place(place.file, place.table, row=self.rows + 1, byte=self._buffer.offset, is_after=True)

    def _window(self, start: int, end: int) -> Lines:
        buffer = self._buffer
        lines = Lines(buffer.data, start, end, self._columns, buffer.base, self.rows, self._place)
        lines.check()
        self.rows += lines.rows
        return lines


def skip_block(buffer: Buffer, place: Place) -> None:
    """Consume a COPY block without looking at its rows, in constant memory.

    Raises:
        DumpError: it has no end, or another block begins in it.
    """
    # The line end behind the header, so that the place is always one behind which a line may begin.
    buffer.pos -= 1
    while (end := _find_end(buffer.data, buffer.pos + 1, len(buffer.data))) < 0:
        _check_block(buffer.data, buffer.pos, len(buffer.data), buffer.base, place)
        # The header of another block may lie across the border.
        buffer.pos = max(buffer.pos, buffer.data.rfind(b"\n", buffer.pos, len(buffer.data) - len(_END)))
        if len(buffer.data) - buffer.pos > _LONGEST_HEADER:
            buffer.pos = len(buffer.data) - len(_END)
        if not buffer.extend():
            raise DumpError(
                "{place}: the dump ends within the block. It was cut; fetch or make it again.",
                place=Place(place.file, place.table, byte=buffer.offset),
            )
    _check_block(buffer.data, buffer.pos, end, buffer.base, place)
    buffer.pos = end + len(_END)


def _find_end(data: bytes, start: int, end: int) -> int:
    """Where the last line begins, at or behind the beginning of a line; -1 where it isn't there."""
    begin, size = start, FIRST_LOOK
    while begin < end:
        at: int
        for at in find_pairs(data, _END, begin, min(begin + size, end)).tolist():
            if at == start or data[at - 1] == _LINE_END:
                return at
        # A pair may lie across the border.
        begin, size = begin + size - 1, size * 4
    return -1
