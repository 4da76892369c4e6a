"""What kind a statement is, and whether it may be passed over.

A statement is understood, or of a kind that its dialect declares to change no rows, or it is refused.
"""

import re
from dataclasses import dataclass

from recograph.dumps.dialects import Dialect
from recograph.dumps.dialects.rules import Effect, StatementKind
from recograph.dumps.message import Kind, Place
from recograph.dumps.noise import noise_of
from recograph.dumps.report import DumpError
from recograph.dumps.settings import Session

_HEAD = 4000
_WORD = re.compile(rb"[A-Za-z]+")
_NEW_STATEMENT = re.compile(
    rb"\n(?:(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\b|COPY\s[^\n]*\bFROM\b|(?:CREATE|ALTER|DROP)\s+(?!COLUMN|INDEX|KEY|"
    rb"FOREIGN|CONSTRAINT|PRIMARY|PARTITION|CHECK)[A-Z]|(?:UN)?LOCK\s+TABLES|USE\s+[`\w]|DELIMITER\s|SET\s+[@A-Z]|TRUNCATE\s|"
    rb"COMMENT\s+ON\s|GRANT\s|REVOKE\s|COMMIT\b|START\s+TRANS)",
    re.I,
)
_NEW_ROWS = re.compile(
    rb"\n(?:INSERT\s+(?:IGNORE\s+)?INTO\s[^\n]*\bVALUES|COPY\s[^\n]*\sFROM\s+stdin|LOCK\s+TABLES\s"
    rb"|CREATE\s+TABLE\s|/\*!4\d{4} )|-- (?:MySQL|MariaDB) dump \d|-- PostgreSQL database dump\s",
    re.I,
)
_CHANGE_WITHIN = re.compile(
    rb"\S\s+(?:(?:INSERT|REPLACE)\s+(?:[A-Z_]+\s+)?INTO\s|COPY\s[^;]{1,2000}\sFROM\s+STDIN\b|DELETE\s+FROM\s"
    rb"|(?<!ON\s)UPDATE\s+\S+\s+SET\s)",
    re.I,
)
"""What changes rows behind the beginning of a statement that lost its end; rules and routines hold such."""
_RULE = re.compile(r"CREATE (?:OR REPLACE )?RULE\b")
_NEW_DELIMITER = re.compile(rb"\nDELIMITER(?:[ \t]|\Z)|-- (?:MySQL|MariaDB) dump \d", re.I)


@dataclass(frozen=True)
class Statement:
    """A statement without comments."""

    text: bytes
    """With its strings and names."""
    outline: bytes
    """With empty ones in their place."""
    kind: StatementKind


def read_statement(raw: bytes, dialect: Dialect, session: Session, place: Place) -> Statement:
    """Look at a statement that ended at its delimiter.

    Raises:
        DumpError: it changes rows in a way that isn't read, or isn't known; or another statement stands in it, so
            that its end was lost.
    """
    hidden = dialect.lexing.hidden(session.backslash_escapes, session.quoted_names)
    text = hidden.sub(lambda match: match[0] if match["string"] or match["name"] else b" ", raw)
    outline = hidden.sub(_emptied, raw)
    head = b" ".join(outline[:_HEAD].split()).upper().decode(errors="replace")
    is_routine = dialect.lexing.routine.match(head.encode()) is not None
    # An unbalanced quote may hide what follows in a string, so that is looked at as well.
    hidden_too = (_NEW_DELIMITER if is_routine else _NEW_ROWS).search(raw.rstrip())
    if hidden_too or (not is_routine and (_NEW_STATEMENT.search(outline.rstrip()) or _has_message(raw))):
        raise _endless(dialect, head, place)
    for kind in dialect.kinds:
        if re.match(kind.begins, head):
            if kind.effect is Effect.ROWS:
                raise refused(dialect, head, place, kind)
            # Within parentheses a semicolon ends nothing, and no table is defined with one or with open ones.
            is_open = outline.count(b"(") != outline.count(b")")
            has_change = not (is_routine or _RULE.match(head)) and _CHANGE_WITHIN.search(outline)
            if has_change or (kind.effect is Effect.TABLE and (is_open or b";" in outline.rstrip(b"; \t\r\n"))):
                raise _endless(dialect, head, place)
            return Statement(text, outline, kind)
    raise refused(dialect, head, place)


def _endless(dialect: Dialect, head: str, place: Place) -> DumpError:
    """The error about a statement that lost its end."""
    return DumpError(
        "{place}: the end of the statement {kind} is missing, for another one, or a message of a program, stands "
        "in it. The dump was edited or damaged; make it again, and keep messages out of it (no 2>&1).",
        place=place,
        kind=Kind(_words(dialect, head)),
    )


def _has_message(raw: bytes) -> bool:
    """Whether a line of a statement, but for the first, is one that a program is known to print."""
    return any(noise_of(line) is not None for line in raw.split(b"\n")[1:])


def _emptied(match: re.Match[bytes]) -> bytes:
    if match["string"] is not None:
        return b"''"
    if match["name"] is not None:
        return b"`n`"
    # What is executed conditionally may be a statement: its first word stays at the line's beginning.
    is_first = match[0].startswith((b"/*!", b"/*M!")) and match.string[match.start() - 1 : match.start()] == b"\n"
    return b"" if is_first else b" "


def refused(dialect: Dialect, head: str, place: Place, kind: StatementKind | None = None) -> DumpError:
    """The error about a statement that may change rows and isn't read."""
    return DumpError(
        "{place}: the statement {kind} may change rows in a way that isn't read. {remedy}",
        place=place,
        kind=Kind(kind.name if kind and kind.name else _words(dialect, head)),
        remedy=Kind(kind.remedy if kind else StatementKind("", Effect.ROWS).remedy),
    )


def _words(dialect: Dialect, head: str) -> str:
    """A statement's first words, as far as they are the dialect's own."""
    words = []
    for word in head.split()[:2]:
        if word.encode() not in dialect.keywords and word not in _SECOND_WORDS:
            break
        words.append(word)
    return " ".join(words) or "here"


_SECOND_WORDS = frozenset({"TABLE", "INTO", "FROM", "DATA", "SCHEMA", "DATABASE", "TABLES", "TRANSACTION", "ONLY"})


def begins_statement(data: bytes, pos: int, dialect: Dialect) -> bool:
    """Whether a statement's first word stands here."""
    match = _WORD.match(data, pos)
    if not match:
        return dialect.lexing.conditional is not None and dialect.lexing.conditional.match(data, pos) is not None
    return match[0].upper() in dialect.keywords
