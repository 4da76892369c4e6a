"""INSERT statements: where the values of their rows lie.

A window of many rows is looked at as a whole. Its separators outside of strings, reshaped to rows by columns, are the
borders of all values; that every row ends with a parenthesis exactly there proves the shape. Statements that repeat
the same header row by row are read as if they were one. Where the shape isn't proven, because there are comments, other
quotes or clauses behind the rows, `rows` reads them one by one, or says what is wrong.
"""

import re
from collections.abc import Iterator

import numpy as np

from recograph.dumps.buffer import Buffer
from recograph.dumps.dialects import Dialect
from recograph.dumps.fields import WINDOW_BYTES, Fields
from recograph.dumps.headers import DataHeader
from recograph.dumps.holes import check_holes
from recograph.dumps.joint import FIRST_LOOK, Joint
from recograph.dumps.message import Place
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.rows import SlowRows, skip_slowly
from recograph.dumps.scan import QUOTE, Bytes, Positions, Structure, find_semicolons, structure
from recograph.dumps.settings import Session

_MOST_SPACES = 64
_OPEN, _CLOSE = b"()"
_SPACES = np.isin(np.arange(256), list(b" \t\r\n"))
_FIRST_QUOTE = re.compile(rb"['\"]")


class _MisshapenError(Exception):
    """The shape of the rows isn't proven by a look at the window as a whole."""


class InsertRows:
    """The rows of an INSERT whose header was consumed, and of those that follow with the same header.

    Args:
        buffer: what they lie in.
        header: what was consumed.
        columns: how many values a row has.
        wanted: the columns that are to be cut out.
        dialect: whose SQL it is.
        session: the settings in force.
        limits: how long a row may be.
        place: dump and table.
        escapes_line_ends: whether the program that wrote the dump never ends a line within a string.
    """

    def __init__(
        self,
        buffer: Buffer,
        header: DataHeader,
        columns: int,
        wanted: list[int],
        *,
        dialect: Dialect,
        session: Session,
        limits: Limits,
        place: Place,
        escapes_line_ends: bool = False,
    ):
        self._buffer = buffer
        self._columns = columns
        self._wanted = wanted
        self._dialect, self._session = dialect, session
        self._escapes = session.backslash_escapes
        self._limits = limits
        self._place = place
        self._escapes_line_ends = escapes_line_ends
        self.quote = _quote(buffer, session)
        self._again = Joint(buffer, header)
        self.rows = 0

    def __iter__(self) -> Iterator[Fields]:
        """The rows, window by window."""
        buffer, least = self._buffer, 0
        while True:
            end = self._end(least)
            try:
                fields, is_end = self._parse(end)
            except _MisshapenError:
                yield from self._slowly()
                return
            if fields.rows:
                self.rows += fields.rows
                least = 0
                yield fields
            if is_end:
                return
            if not fields.rows:
                least = 2 * (end - buffer.pos)
            if end == len(buffer.data):
                self._more()

    def _slowly(self) -> Iterator[Fields]:
        rows = SlowRows(
            self._buffer,
            self._columns,
            self._wanted,
            self._dialect,
            self._session,
            self._limits,
            self._place,
            self.rows,
        )
        for fields in rows:
            self.rows += fields.rows
            yield fields

    def _more(self) -> None:
        if self._buffer.left > self._limits.value_bytes:
            raise DumpError(
                "{place}: the row is longer than {most} bytes. "
                "A quote may be unbalanced; raise the limit value_bytes if it is right.",
                place=self._where(),
                most=self._limits.value_bytes,
            )
        if not self._buffer.extend():
            raise DumpError(
                "{place}: the dump ends within the row. It was cut; fetch or make it again.", place=self._where()
            )

    def _where(self) -> Place:
        place = self._place
        return Place(place.file, place.table, row=self.rows + 1, byte=self._buffer.offset, is_after=True)

    def _end(self, least: int) -> int:
        """Where to end the window: behind what may be the end of the statement, if that isn't far."""
        data, pos = self._buffer.data, self._buffer.pos
        return self._again.end(data, pos + least, min(pos + max(WINDOW_BYTES, least), len(data)))

    def _parse(self, end: int) -> tuple[Fields, bool]:
        """Find the values of the rows that are complete in the window, and consume them; tells whether it was all."""
        buffer, columns, base = self._buffer, self._columns, self._buffer.pos
        if self._escapes_line_ends or self._dialect.copies:
            # Others may write a byte of zero as it is.
            check_holes(buffer.data, base, end, self._where())
        window: Bytes = np.frombuffer(buffer.data, np.uint8, end - base, base)
        outline = structure(window, self._escapes, self.quote)
        if outline.is_odd:
            raise _MisshapenError
        if outline.broken >= 0 and self._escapes_line_ends and _is_wrapped(buffer.data, base + outline.broken):
            raise DumpError(
                "{place}: a line ends within a string, which the program that wrote the dump never does. "
                "The dump was edited, wrapped or damaged; make it again.",
                place=self._where(),
            )
        separators, joints, is_end = self._statements(outline, base)
        rows = len(separators) // columns
        matrix = separators[: rows * columns].reshape(rows, columns)
        opening = self._opening(window, matrix[:, -1], joints)
        closing = matrix[:, -1] - 1
        closing -= _SPACES[window[closing]]
        bad = (window[opening] != _OPEN) | (window[closing] != _CLOSE)
        if columns > 1:
            bad |= (window[matrix[:, :-1] - 1] == _CLOSE).any(axis=1)
        if bad.any() or (is_end and len(separators) % columns):
            raise _MisshapenError
        # A clause behind the rows may look like the end of the last value; programs write it behind all or none.
        for row in {0, rows - 1} if rows else ():
            if _CLAUSE.search(buffer.data, base + int(opening[row]), base + int(matrix[row, -1])):
                raise _MisshapenError
        fields = Fields.between(
            buffer.data, base, matrix, opening, closing, self._wanted, base=buffer.base, before=self.rows
        )
        if is_end:
            buffer.pos = base + int(separators[-1]) + 1
        elif rows:
            last = int(matrix[-1, -1])
            is_joint = len(joints) and joints[-1] == last
            buffer.pos = base + last + (self._again.size if is_joint else 1)
            self._skip_spaces()
        return fields, is_end

    def _statements(self, outline: Structure, base: int) -> tuple[Positions, Positions, bool]:
        """The separators of rows up to the end of the last statement with this header, and whether it was found.

        Where a statement with the same header follows another, their semicolon separates rows: these semicolons are
        given, and the commas of the repeated headers are left out.
        """
        joints, stop = self._again.split(np.frombuffer(self._buffer.data, np.uint8), outline.semicolons + base)
        joints, stop = joints - base, None if stop is None else stop - base
        separators, is_end = outline.separators, stop is not None
        if stop is not None:
            separators = separators[: np.searchsorted(separators, stop) + 1]
        if len(joints) and self._again.separators:
            first = np.searchsorted(separators, joints) + 1
            # The last header may reach beyond the window.
            headers = (first[:, None] + np.arange(self._again.separators)).ravel()
            separators = np.delete(separators, headers[headers < len(separators)])
        return separators, joints, is_end

    def _opening(self, window: Bytes, ends: Positions, joints: Positions) -> Positions:
        """Where each row's opening parenthesis should be: behind the separator and spaces, or the repeated header."""
        opening = np.zeros(len(ends), np.int64)
        opening[1:] = ends[:-1] + 1
        if len(joints):
            rows = np.searchsorted(ends, joints) + 1
            follows = rows < len(ends)
            opening[rows[follows]] = joints[follows] + self._again.size
        for _ in range(_MOST_SPACES):
            spaces = _SPACES[window[opening]]
            if not spaces.any():
                break
            opening += spaces
        return opening

    def _skip_spaces(self) -> None:
        buffer = self._buffer
        while buffer.left or buffer.extend():
            if not _SPACES[buffer.data[buffer.pos]]:
                return
            buffer.pos += 1


_CLAUSE = re.compile(rb"\)\s*(?:AS\s+\S+\s+(?:\([^)]*\)\s*)?)?ON\s+(?:DUPLICATE|CONFLICT)\b", re.I)


def _is_wrapped(data: bytes, line_end: int) -> bool:
    """Whether no line before a line end is longer than the one that it ends, as when all were cut to one length.

    Programs cut by bytes or by characters.
    """
    *before, line = data[:line_end].split(b"\n")
    longest = max(map(len, before), default=0)
    return len(line) >= longest or _characters(line) >= max(map(_characters, before))


def _characters(line: bytes) -> int:
    return len(line.decode(errors="replace"))


def _quote(buffer: Buffer, session: Session) -> int:
    """What strings in the rows at hand are quoted with: tools that take double quotes take them throughout."""
    match = None if session.quoted_names else _FIRST_QUOTE.search(buffer.data, buffer.pos, buffer.pos + WINDOW_BYTES)
    return match[0][0] if match else QUOTE


def skip_rows(
    buffer: Buffer, header: DataHeader, dialect: Dialect, session: Session, limits: Limits, place: Place
) -> None:
    """Consume the rows of an INSERT, and of those that follow with the same header, without decoding them.

    What is checked is that every string begins where a value does, and that no other statement begins before the end;
    where that isn't so, the rows are looked at token by token.

    Raises:
        DumpError: they have no end, or another statement stands in them.
    """
    escapes, quote, joint = session.backslash_escapes, _quote(buffer, session), Joint(buffer, header)
    inside, before, size = False, ord("("), FIRST_LOOK
    while True:
        start = buffer.pos
        end = joint.end(buffer.data, start, min(start + size, len(buffer.data)))
        if escapes and buffer.data[end - 1 : end] == b"\\":
            tail = buffer.data[start:end]
            end -= (len(tail) - len(tail.rstrip(b"\\"))) % 2
        window: Bytes = np.frombuffer(buffer.data, np.uint8, end - start, start)
        semicolons = find_semicolons(window, escapes, inside, before, quote)
        joints, stop = joint.split(np.frombuffer(buffer.data, np.uint8), semicolons.positions + start)
        is_whole = stop is not None and (joint.size < len(buffer.data) - stop or buffer.eof)
        words = len(joints) - semicolons.line_words
        is_closed = stop is None or buffer.data[start:stop].rstrip()[-1:] in (b")", b"")
        if semicolons.is_odd or not is_closed or not 0 <= words <= (stop is None):
            if inside:
                raise DumpError(
                    "{place}: a quote is unbalanced in the rows. The dump was edited or damaged; make it again.",
                    place=Place(place.file, place.table, byte=buffer.offset),
                )
            skip_slowly(buffer, dialect, session, limits, place)
            return
        if stop is not None and is_whole:
            buffer.pos = stop + 1
            return
        size = min(4 * size, WINDOW_BYTES)
        is_all = end >= len(buffer.data)
        if stop is None:
            if semicolons.last_comma >= 0:
                buffer.pos, inside, before = start + semicolons.last_comma + 1, False, ord(",")
            elif end > start:
                inside, before = semicolons.inside, buffer.data[end - 1]
                buffer.pos = end
        is_stuck = stop is not None or buffer.pos == start
        if (is_stuck or buffer.left < FIRST_LOOK) and not buffer.extend() and stop is None and (is_all or is_stuck):
            raise DumpError(
                "{place}: the dump ends within the rows. It was cut; fetch or make it again.",
                place=Place(place.file, place.table, byte=buffer.offset),
            )
