"""Rows of INSERTs read token by token: this reads any rows rightly, but is twenty times as slow as `insert`.

Comments between values, strings in either quotes, calls such as UNHEX('..') and clauses behind the rows are seen here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from recograph.dumps.buffer import Buffer
from recograph.dumps.dialects import Dialect
from recograph.dumps.fields import WINDOW_BYTES, Fields
from recograph.dumps.message import Count, Kind, Place
from recograph.dumps.noise import noise_of
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.settings import Session

_MOST_ROWS = 16 << 10
_TAIL = re.compile(
    rb"\s*(?:ON\s+(?:DUPLICATE\s+KEY\s+UPDATE|CONFLICT)\b|AS\s+\S+\s*(?:\([^)]*\)\s*)?ON\s+DUPLICATE\s+KEY\s+UPDATE\b)",
    re.I,
)
_LONGEST_TAIL = 256
_STATEMENT = re.compile(rb"(?:INSERT|CREATE|COPY|DELETE|DROP|ALTER|LOCK|UNLOCK|TRUNCATE|COMMIT|SELECT)\Z", re.I)
_INTRODUCER = re.compile(rb"(?:_\w+|[xXbBnNeE]|U&)\Z", re.I)


class _Tokens:
    """The tokens of rows from a place in the buffer on."""

    def __init__(self, dialect: Dialect, session: Session):
        hidden = dialect.lexing.hidden(session.backslash_escapes, session.quoted_names)
        self._pattern = re.compile(
            hidden.pattern + rb"|(?P<space>[\s]++)|(?P<mark>[(),;])|(?P<word>[^\s'\"`(),;/\#\-]++|.)", re.S
        )

    def __call__(self, data: bytes, pos: int) -> Iterator[re.Match[bytes]]:
        return self._pattern.finditer(data, pos)


def _is_open(match: re.Match[bytes]) -> bool:
    """Whether a token is a quote or a mark whose end isn't there."""
    return match[0] in (b"'", b'"', b"`") or (match[0] == b"/" and match.string[match.end() : match.end() + 1] == b"*")


def _is_torn(before: re.Match[bytes] | None, match: re.Match[bytes]) -> bool:
    """Whether a string touches a word that doesn't belong to it, so that a quote isn't what it seems."""
    if before is None or before.end() != match.start():
        return False
    kinds = before.lastgroup, match.lastgroup
    return kinds == ("string", "word") or (kinds == ("word", "string") and not _INTRODUCER.match(before[0]))


def _is_message(match: re.Match[bytes]) -> bool:
    """Whether a line begins with a token that a program is known to print."""
    data, start = match.string, match.start()
    if data[start - 1 : start] != b"\n":
        return False
    end = data.find(b"\n", start)
    return noise_of(data[start : end if end >= 0 else len(data)]) is not None


@dataclass
class _Row:
    """One row: where its values are, and where it ends."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    after: int = 0


class SlowRows:
    """The rows of an INSERT from a row on that begins at the buffer's place; see `InsertRows`."""

    def __init__(
        self,
        buffer: Buffer,
        columns: int,
        wanted: list[int],
        dialect: Dialect,
        session: Session,
        limits: Limits,
        place: Place,
        rows: int,
    ):
        self._buffer = buffer
        self._columns = columns
        self._wanted = wanted
        self._tokens = _Tokens(dialect, session)
        self._limits = limits
        self._place = place
        self.rows = rows

    def __iter__(self) -> Iterator[Fields]:
        """The rows, some at a time; the statement is consumed with what stands behind them."""
        buffer, pos = self._buffer, self._buffer.pos
        rows: list[_Row] = []
        while True:
            step = self._step(pos, len(rows))
            if step is not None:
                row, pos, is_last = step
                rows.append(row)
                if not is_last and len(rows) < _MOST_ROWS and pos - buffer.pos < WINDOW_BYTES:
                    continue
            if rows:
                fields = self._fields(rows)
                buffer.pos, rows = pos, []
                self.rows += fields.rows
                yield fields
            if step is None:
                self._more()
                pos = buffer.pos
            elif is_last:
                return

    def _step(self, pos: int, before: int) -> tuple[_Row, int, bool] | None:
        """The row at a place, where the next one begins, and whether it was the last; None where the buffer ends."""
        row = self._row(pos, before)
        follows = self._follows(row.after) if row else None
        return (row, *follows) if row and follows else None

    def _fields(self, rows: list[_Row]) -> Fields:
        starts = np.array([[row.starts[at] for row in rows] for at in self._wanted], np.int32)
        ends = np.array([[row.ends[at] for row in rows] for at in self._wanted], np.int32)
        shape = (len(self._wanted), len(rows))
        return Fields(
            self._buffer.data, starts.reshape(shape), ends.reshape(shape), len(rows), self._buffer.base, self.rows
        )

    def _row(self, pos: int, before: int) -> _Row | None:
        """The row that begins at a place; None where the buffer ends before it does."""
        data, row, depth, is_empty, last = self._buffer.data, _Row(), 0, True, None
        for match in self._tokens(data, pos):
            if self._is_cut(match):
                return None
            if match.lastgroup in (None, "space"):
                continue
            token, start = match[0], match.start()
            if depth == 0:
                if token != b"(":
                    raise self._misshapen(row, before, "no beginning", start)
                depth = 1
                continue
            if match.lastgroup == "mark":
                depth += (token == b"(") - (token == b")")
                if token == b";":
                    raise self._misshapen(row, before, "no end", start)
                if depth == 0 or (token == b"," and depth == 1):
                    if is_empty and (token == b"," or row.starts):
                        raise self._misshapen(row, before, "an empty value", start)
                    if depth == 0:
                        row.after = match.end()
                        return self._checked(row, before)
                    is_empty = True
                    continue
            if _is_torn(last, match):
                raise self._misshapen(row, before, "a quote within a value", start)
            if is_empty:
                row.starts.append(start)
                row.ends.append(start)
                is_empty = False
            row.ends[-1] = match.end()
            last = match
        return None

    def _is_cut(self, match: re.Match[bytes]) -> bool:
        """Whether a token may go on behind the buffer."""
        return _is_open(match) or (match.end() == len(self._buffer.data) and not self._buffer.eof)

    def _checked(self, row: _Row, before: int) -> _Row:
        if len(row.starts) != self._columns and not (self._columns == 0 and not row.starts):
            raise self._misshapen(row, before, None, row.after)
        return row

    def _follows(self, pos: int) -> tuple[int, bool] | None:
        """Where the next row begins behind one, or the statement ends; None where the buffer ends before."""
        data = self._buffer.data
        for match in self._tokens(data, pos):
            if match[0] == b";":
                return match.end(), True
            if self._is_cut(match):
                return None
            if match.lastgroup in (None, "space"):
                continue
            if match[0] == b",":
                return match.end(), False
            if _TAIL.match(data, match.start()):
                end = self._statement_end(match.end())
                return None if end is None else (end, True)
            if len(data) - match.start() < _LONGEST_TAIL and not self._buffer.eof:
                return None
            raise self._misshapen(_Row(), 0, "no separator behind it", match.start())
        return None

    def _statement_end(self, pos: int) -> int | None:
        for match in self._tokens(self._buffer.data, pos):
            if _is_open(match):
                return None
            if match.lastgroup == "mark" and match[0] == b";":
                return match.end()
            if _STATEMENT.match(match[0]):
                raise self._misshapen(_Row(), 0, "no end", match.start())
        return None

    def _misshapen(self, row: _Row, before: int, what: str | None, at: int) -> DumpError:
        place = self._place
        return DumpError(
            "{place}: the row has {values} where {columns} columns are expected, or holds something "
            "else than literals. The dump was edited or damaged; make it again.",
            place=Place(
                place.file, place.table, row=self.rows + before + 1, byte=self._buffer.base + at, is_after=True
            ),
            values=Kind(what) if what else Count(len(row.starts), Kind("values")),
            columns=self._columns,
        )

    def _more(self) -> None:
        place = Place(self._place.file, self._place.table, row=self.rows + 1, byte=self._buffer.offset, is_after=True)
        if self._buffer.left > self._limits.value_bytes:
            raise DumpError(
                "{place}: the row is longer than {most} bytes. "
                "A quote may be unbalanced; raise the limit value_bytes if it is right.",
                place=place,
                most=self._limits.value_bytes,
            )
        if not self._buffer.extend():
            raise DumpError("{place}: the dump ends within the row. It was cut; fetch or make it again.", place=place)


def skip_slowly(buffer: Buffer, dialect: Dialect, session: Session, limits: Limits, place: Place) -> None:
    """Consume the rest of an INSERT token by token, from outside of a string on.

    Raises:
        DumpError: it has no end, or another statement stands in it, or a quote is unbalanced.
    """
    tokens, last = _Tokens(dialect, session), None
    while True:
        for match in tokens(buffer.data, buffer.pos):
            if match[0] == b";":
                buffer.pos = match.end()
                return
            if _is_open(match) or (match.end() == len(buffer.data) and not buffer.eof):
                break
            is_word = match.lastgroup == "word"
            if _is_torn(last, match) or (is_word and (_STATEMENT.match(match[0]) or _is_message(match))):
                raise DumpError(
                    "{place}: the rows aren't rows of literals up to their end. "
                    "The dump was edited or damaged; make it again.",
                    place=Place(place.file, place.table, byte=buffer.base + match.start(), is_after=True),
                )
            buffer.pos, last = match.end(), match
        # What was matched lies in a buffer that is about to be gone.
        last = None
        if buffer.left > limits.value_bytes or not buffer.extend():
            raise DumpError(
                "{place}: the dump ends within the rows. It was cut, or a quote is unbalanced; fetch or make it again.",
                place=Place(place.file, place.table, byte=buffer.offset),
            )
