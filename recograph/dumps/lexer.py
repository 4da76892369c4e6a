"""Finds where statements begin and end, outside of rows.

Rows, which are nearly all of a dump, never come here: see `insert` and `copy`. What is left is small, so one regular
expression finds the next thing that could hide a delimiter: a string, a quoted name, a comment, a dollar quote.
"""

import re
from collections.abc import Callable

from recograph.dumps.buffer import Buffer
from recograph.dumps.report import DumpError, Limits

_SPACE = b" \t\r\n\f\v"
_ROUTINE = re.compile(rb"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b", re.I)
_CONDITIONAL = re.compile(rb"/\*M?!(\d*)")
_FROM_THE_FUTURE = 900_000
"""Conditional comments of such a version are comments for every server, such as MariaDB's sandbox line."""

_STRING = rb"'(?:[^'\\]++|\\.|'')*+'"
_PLAIN_STRING = rb"'(?:[^']++|'')*+'"
_MYSQL = rb"""(?P<whole>%s|"(?:[^"\\]++|\\.|"")*+"|`(?:[^`]++|``)*+`|(?:--[ \t\r\n]|\#)[^\n]*+\n
|/\*(?!M?!).*?\*/|\*/|/\*M?!)|(?P<open>['"`\#]|--[ \t\r\n]|/\*)|(?P<end>%s)"""
_POSTGRESQL = rb"""(?P<whole>\b[eE]'(?:[^'\\]++|\\.|'')*+'|%s|"(?:[^"]++|"")*+"|--[^\n]*+\n
|\$(?P<tag>(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?)\$.*?\$(?P=tag)\$)
|(?P<open>['"]|--|/\*|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?\$)|(?P<end>;)|(?P<parenthesis>[()])|(?P<word>\b(?:BEGIN\s+ATOMIC|CASE|END)\b)"""


class Lexer:
    """Splits a dump into statements; `on_comment` sees every comment line that stands between them."""

    def __init__(self, buffer: Buffer, name: str, limits: Limits, on_comment: Callable[[bytes], None]):
        self._buffer = buffer
        self._name = name
        self._limits = limits
        self._on_comment = on_comment
        self.postgresql = False
        self.backslash_escapes = True
        self._delimiter = b";"

    def seek(self) -> bool:
        """Skip to the next statement; False at the end of the dump."""
        buffer = self._buffer
        while True:
            data, pos, end = buffer.data, buffer.pos, len(buffer.data)
            while pos < end and data[pos] in _SPACE:
                pos += 1
            buffer.pos = pos
            buffer.ensure(16)
            if not buffer.left:
                return False
            data, pos = buffer.data, buffer.pos
            first = data[pos : pos + 2]
            if first == b"--" or (first[:1] == b"#" and not self.postgresql):
                self._on_comment(buffer.take_line())
            elif first == b"/*" and not self._is_conditional():
                self._skip_comment()
            elif first[:1] == b"\\" and self.postgresql:
                self._on_comment(buffer.take_line())
            elif not self.postgresql and data[pos : pos + 10].upper() == b"DELIMITER ":
                self._delimiter = buffer.take_line()[10:].strip() or b";"
            elif data.startswith(self._delimiter, pos):
                buffer.pos += len(self._delimiter)
            elif first[:1] not in _SPACE:
                return True

    def _is_conditional(self) -> bool:
        match = _CONDITIONAL.match(self._buffer.data, self._buffer.pos)
        return bool(match and not self.postgresql and int(match[1] or 0) < _FROM_THE_FUTURE)

    def _skip_comment(self) -> None:
        """Skip a comment in slashes and stars; PostgreSQL's nest."""
        buffer, depth, at = self._buffer, 1, self._buffer.offset
        buffer.pos += 2
        token = re.compile(rb"\*/|/\*" if self.postgresql else rb"\*/")
        while depth:
            match = token.search(buffer.data, buffer.pos)
            if match:
                depth += 1 if match[0] == b"/*" else -1
                buffer.pos = match.end()
                continue
            buffer.pos = max(buffer.pos, len(buffer.data) - 1)
            if not buffer.extend():
                raise DumpError(f"{self._name}: the dump ends in a comment that began at byte {at}. It was cut.")

    def statement(self) -> bytes:
        """Consume the statement at hand and return it without its delimiter.

        Raises:
            DumpError: it doesn't end, or is larger than the limit.
        """
        buffer = self._buffer
        while True:
            end = self._find_end()
            if end >= 0:
                text = buffer.data[buffer.pos : end]
                buffer.pos = end + len(self._delimiter)
                return text
            if buffer.left > self._limits.value_bytes:
                raise DumpError(
                    f"{self._name}: the statement at byte {buffer.offset} ({self.shown()}) is longer than "
                    f"{self._limits.value_bytes} bytes. A quote may be unbalanced before it; "
                    "raise the limit value_bytes if it is right."
                )
            if not buffer.extend():
                raise DumpError(
                    f"{self._name}: the dump ends within the statement that began at byte {buffer.offset} "
                    f"({self.shown()}). It was cut, or a quote is unbalanced; fetch or make it again."
                )

    def shown(self) -> str:
        """The first words of the statement at hand, without anything that may be a value."""
        head = self._buffer.data[self._buffer.pos : self._buffer.pos + 200]
        words = re.match(rb"[\s\w.`\"]{1,80}", head)
        return " ".join((words[0] if words else head[:1]).decode(errors="replace").split())

    def _find_end(self) -> int:
        buffer = self._buffer
        data, pos, depth = buffer.data, buffer.pos, 0
        pattern = self._pattern()
        routine = self.postgresql and _ROUTINE.match(data, pos)
        while match := pattern.search(data, pos):
            pos = match.end()
            kind = match.lastgroup
            if kind == "end":
                if depth == 0:
                    return match.start()
            elif kind == "open":
                if match[0] != b"/*":
                    return -1
                pos = self._comment_end(pos)
                if pos < 0:
                    return -1
            elif kind == "parenthesis":
                # As in psql: a rule holds whole statements in parentheses.
                depth = max(depth + (1 if match[0] == b"(" else -1), 0)
            elif kind == "word" and routine:
                word = match[0].upper()
                depth += -1 if word == b"END" and depth else 1 if word.startswith(b"BEGIN") or depth else 0
        return -1

    def _comment_end(self, pos: int) -> int:
        if not self.postgresql:
            return -1
        depth = 1
        while depth:
            match = re.compile(rb"\*/|/\*").search(self._buffer.data, pos)
            if not match:
                return -1
            depth += 1 if match[0] == b"/*" else -1
            pos = match.end()
        return pos

    def _pattern(self) -> re.Pattern[bytes]:
        string = _STRING if self.backslash_escapes else _PLAIN_STRING
        if self.postgresql:
            return re.compile(_POSTGRESQL % string, re.S | re.X | re.I)
        return re.compile(_MYSQL % (string, re.escape(self._delimiter)), re.S | re.X)
