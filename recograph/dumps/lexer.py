"""Finds where statements begin and end, outside of rows.

Rows, which are nearly all of a dump, never come here: see `insert` and `copy`. What is left is small, so one regular
expression finds the next thing that could hide a delimiter: a string, a quoted name, a comment, a dollar quote. What
begins no statement is passed over where it is a line that some program is known to print, and refused otherwise.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from recograph.dumps.buffer import Buffer
from recograph.dumps.dialects import Dialect
from recograph.dumps.message import Kind, Name, Place
from recograph.dumps.noise import noise_of, prompt_length
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.settings import Session
from recograph.dumps.statements import begins_statement

_SPACES = re.compile(rb"[ \t\r\n\f\v]*+")
_COMMENT_ENDS = {nested: re.compile(rb"\*/|/\*" if nested else rb"\*/") for nested in (False, True)}
_HARMLESS_COMMANDS = re.compile(
    rb"\\(?:connect|c|restrict|unrestrict|encoding|set|unset|echo|qecho|warn|timing|pset|x|a|t|if|endif|conninfo)(?:\s|$)"
)
_ENCODING = re.compile(rb"\\encoding\s+'?([\w-]+)")
_SHORTEST_LOOK = 64
_LONGEST_COMMAND = 1000
_DEEPEST = 2
"""How deeply comments may be nested within a statement."""


@dataclass(frozen=True)
class PassedOver:
    """A line between statements that isn't SQL."""

    line: int
    who: str
    """Which program printed it, as far as it is known."""

    def __str__(self) -> str:
        """One sentence for people."""
        return f"Line {self.line} is a message of {self.who}, not SQL, and was passed over."


class Lexer:
    """Splits a dump into statements; `on_comment` sees every comment line that stands between them."""

    def __init__(
        self,
        buffer: Buffer,
        name: str,
        dialect: Dialect,
        session: Session,
        limits: Limits,
        on_comment: Callable[[bytes], None],
    ):
        self._buffer = buffer
        self._name = name
        self._dialect = dialect
        self._rules = dialect.lexing
        self._session = session
        self._limits = limits
        self._on_comment = on_comment
        self._delimiter = b";"
        self.passed_over: list[PassedOver] = []

    def place(self) -> Place:
        """Where the reader is."""
        return Place(self._name, byte=self._buffer.offset, line=self._buffer.line)

    def seek(self) -> bool:
        """Skip to the next statement; False at the end of the dump.

        Raises:
            DumpError: something stands there that is no statement, and that no program is known to print.
        """
        buffer, rules = self._buffer, self._rules
        while True:
            match = _SPACES.match(buffer.data, buffer.pos)
            buffer.pos = match.end() if match else buffer.pos
            if buffer.left < _SHORTEST_LOOK and buffer.extend():
                continue
            if not buffer.left:
                return False
            data, pos = buffer.data, buffer.pos
            if rules.comment.match(data, pos):
                self._comment()
            elif data.startswith(b"/*", pos) and not (rules.conditional and rules.conditional.match(data, pos)):
                self._skip_comment()
            elif data.startswith(self._delimiter, pos):
                buffer.pos += len(self._delimiter)
            elif rules.delimiter and (command := rules.delimiter.match(data, pos)):
                self._delimiter = buffer.take_line()[command.end() - pos :].strip().split(b" ")[0] or b";"
            elif rules.commands.match(data, pos) and not self._is_statement():
                self._command()
            elif begins_statement(data, pos, self._dialect):
                return True
            else:
                self._pass_over()

    def _comment(self) -> None:
        """Consume a comment to the end of its line.

        Raises:
            DumpError: a carriage return is in it, so that servers differ in where it ends.
        """
        place, line = self.place(), self._buffer.take_line()
        if b"\r" in line:
            raise DumpError(
                "{place}: a carriage return stands within a comment, which may hide what follows it. The dump's line "
                "ends were changed; make it again, or end its lines as on Unix or Windows.",
                place=place,
            )
        self._on_comment(line)

    def _is_statement(self) -> bool:
        """Whether what looks like a command of the client holds a delimiter, so that others may stand behind it."""
        buffer = self._buffer
        if buffer.data.startswith(b"\\", buffer.pos):
            return False
        while buffer.left < _LONGEST_COMMAND and buffer.extend():
            pass
        line, _, _ = buffer.data[buffer.pos : buffer.pos + _LONGEST_COMMAND].partition(b"\n")
        return self._delimiter in line

    def _command(self) -> None:
        """Consume a command of the server's client, one per line."""
        place, line = self.place(), self._buffer.take_line()
        if line.startswith(b"\\"):
            if not _HARMLESS_COMMANDS.match(line):
                raise DumpError(
                    "{place}: a command of psql may read rows from elsewhere, which isn't done. "
                    "Make the dump with pg_dump, which writes rows into it.",
                    place=place,
                )
            if encoding := _ENCODING.match(line):
                name = encoding[1].decode()
                self._session.encode(self._dialect.codec(name), name)
        self._on_comment(line)

    def _pass_over(self) -> None:
        """Consume a line that is no SQL.

        Raises:
            DumpError: no program is known to print it, or it tells of a failure.
        """
        place, line_number = self.place(), self._buffer.line
        if length := prompt_length(self._buffer.data[self._buffer.pos : self._buffer.pos + 200]):
            self._buffer.pos += length
            self.passed_over.append(PassedOver(line_number, "a program that asks for a password"))
            return
        noise = noise_of(self._buffer.take_line())
        if noise is None:
            raise DumpError(
                "{place}: this is no statement of {server}. The dump was edited or damaged, or the line before lost "
                "its end; make the dump again, and keep what programs print out of it (no 2>&1).",
                place=place,
                server=Kind(self._dialect.server),
            )
        if noise.is_failure:
            raise DumpError(
                "{place}: a message of {who} tells of a failure, so rows may be missing. "
                "Mend it, and make the dump again with messages kept out of it (no 2>&1).",
                place=place,
                who=Name(noise.who),
            )
        self.passed_over.append(PassedOver(line_number, noise.who))

    def _skip_comment(self) -> None:
        """Skip a comment in slashes and stars; where a dump was cut within one, the title of the next stands in it."""
        buffer, place, depth = self._buffer, self.place(), 1
        buffer.pos += 2
        token = _COMMENT_ENDS[self._rules.nested]
        while depth:
            match = token.search(buffer.data, buffer.pos)
            end = match.end() if match else len(buffer.data)
            for line in buffer.data[buffer.pos : end].split(b"\n"):
                # Marked as hidden, it opens a dump wherever a title is in it, but says nothing else.
                self._on_comment(b"/*" + line)
            if match:
                depth += 1 if match[0] == b"/*" else -1
                buffer.pos = end
                continue
            # A title, or the comment's end, may lie across the border.
            buffer.pos = max(buffer.pos, end - _SHORTEST_LOOK)
            if not buffer.extend():
                raise DumpError("{place}: the dump ends in a comment that began here. It was cut.", place=place)

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
                    "{place}: the statement is longer than {most} bytes. A quote may be unbalanced before it; "
                    "raise the limit value_bytes if it is right.",
                    place=self.place(),
                    most=self._limits.value_bytes,
                )
            if not buffer.extend():
                raise DumpError(
                    "{place}: the dump ends within the statement that began here. "
                    "It was cut, or a quote is unbalanced; fetch or make it again.",
                    place=self.place(),
                )

    def _find_end(self) -> int:
        buffer = self._buffer
        data, pos, depth = buffer.data, buffer.pos, 0
        session = self._session
        pattern = self._rules.ends(session.backslash_escapes, session.quoted_names, self._delimiter)
        routine = self._rules.nested and self._rules.routine.match(data, pos)
        while match := pattern.search(data, pos):
            pos = match.end()
            kind = match.lastgroup
            if kind == "end":
                if depth == 0:
                    return match.start()
            elif kind == "open":
                if match[0] != b"/*" or (pos := self._comment_end(pos)) < 0:
                    return -1
            elif kind == "parenthesis":
                # As in psql: a rule holds whole statements in parentheses.
                depth = max(depth + (1 if match[0] == b"(" else -1), 0)
            elif kind == "word" and routine:
                word = match[0].upper()
                depth += -1 if word == b"END" and depth else 1 if word.startswith(b"BEGIN") or depth else 0
        return -1

    def _comment_end(self, pos: int) -> int:
        if not self._rules.nested:
            return -1
        depth = 1
        while depth:
            match = _COMMENT_ENDS[True].search(self._buffer.data, pos)
            if not match:
                return -1
            depth += 1 if match[0] == b"/*" else -1
            if depth > _DEEPEST:
                raise DumpError("{place}: comments are nested too deeply in the statement.", place=self.place())
            pos = match.end()
        return pos
