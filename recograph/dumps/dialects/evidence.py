"""Which server's SQL a dump is in, decided on evidence: what only one server's programs write.

Only what stands before the first rows is looked at, for values may say anything. Titles and unmistakable statements
decide; where there are none, what is less certain does, if all of it points to one server. Evidence that contradicts
itself, or none at all, is refused: the dialect is asked for then.
"""

import re

from recograph.dumps.dialects import DIALECTS, Dialect
from recograph.dumps.dialects.rules import any_of
from recograph.dumps.message import Kind, Name, Place
from recograph.dumps.report import DumpError

_ROWS = re.compile(
    rb"(?:^|;)[ \t]*(?:INSERT|REPLACE)[ \t]+(?:INTO[ \t]|IGNORE[ \t])"
    rb"|^[ \t]*COPY[ \t][^\n;]{1,2000}[ \t]FROM[ \t]+stdin[^\n;]{0,80};",
    re.I | re.M,
)
_STRING = re.compile(rb"'[^'\\\n]*+'")
_HEADER = 4000
"""How much of the first statement of rows may tell something: its names, up to the first quote of a string."""
_OTHERS = {
    "SQLite": any_of(
        rb"^PRAGMA ", rb"\bsqlite_(?:sequence|master|schema)\b", rb"\bAUTOINCREMENT\b", rb"\bWITHOUT ROWID\b"
    ),
    "SQL Server": any_of(
        rb"^GO[ \t]*\r?$",
        rb"^SET (?:IDENTITY_INSERT|ANSI_NULLS|QUOTED_IDENTIFIER)\b",
        rb"\[dbo\]\.",
        rb"^USE \[",
        rb"^(?:INSERT(?: INTO)?|CREATE TABLE) \[",
        rb"\bIDENTITY ?\(\d+, ?\d+\)",
    ),
    "Oracle": any_of(
        rb"\bVARCHAR2[ \t]*\(",
        rb"^(?:REM|PROMPT) ",
        rb"^SET (?:DEFINE|SCAN|SQLBLANKLINES) O(?:FF|N)\b",
        rb"Source Server Type[ \t]*:[ \t]*Oracle",
        rb"\b(?:SEGMENT CREATION|PCTFREE|USING INDEX PCTFREE)\b",
        rb"^Insert into \S+ \([^\n']{1,2000}\) values \([^\n;]{0,2000}\bto_(?:date|timestamp)\(",
    ),
}
"""What the programs of servers write whose SQL isn't read."""

_SQL = re.compile(
    rb"^[ \t]*(?:--|/\*|#|\\\w|(?:SET|CREATE|DROP|INSERT|REPLACE|COPY|USE|BEGIN|START|ALTER|SELECT)[ \t])", re.I | re.M
)


def before_rows(head: bytes) -> bytes:
    """What of a dump's beginning can be evidence: all before the first rows, and their header up to a value."""
    rows = _ROWS.search(head)
    if rows is None:
        return head
    header = head[rows.start() : rows.start() + _HEADER]
    values = re.search(rb"\bVALUES?\b|;", header, re.I)
    return head[: rows.start()] + header[: values.end() if values else 0]


def dialect_of(head: bytes, name: str, declared: str | None = None) -> Dialect:
    """The dialect that a dump's beginning shows, or that is declared.

    Args:
        head: the beginning.
        name: what messages call the dump.
        declared: the dialect's name, if whoever gives the dump knows it.

    Raises:
        DumpError: it is another server's script, or the evidence decides nothing.
    """
    if declared is not None:
        if declared not in DIALECTS:
            raise DumpError(
                "{dump}: the dialect {declared} isn't known; it is one of {known}.",
                dump=Place(name),
                declared=Name(declared),
                known=Kind.joined(DIALECTS, ", "),
            )
        return DIALECTS[declared]
    prelude = before_rows(head)
    dialects = {dialect.name for dialect in DIALECTS.values() if dialect.evidence.titles.search(prelude)}
    dialects -= {DIALECTS[name].evidence.beside for name in dialects}
    others = [server for server, pattern in _OTHERS.items() if pattern.search(prelude)]
    if not dialects and not others:
        bare = _STRING.sub(b"''", prelude)
        hints = {dialect.name: dialect.evidence.hints for dialect in DIALECTS.values()}
        dialects = {name for name, pattern in hints.items() if pattern and pattern.search(bare)}
    servers = [dialect.server for dialect in DIALECTS.values() if dialect.name in dialects] + others
    if len(servers) > 1:
        raise _at_once(servers, name)
    if dialects:
        return DIALECTS[dialects.pop()]
    if others:
        raise DumpError(
            "{dump}: this is a script of {server}, which isn't read. A dump of one of these is needed: {known}.",
            dump=Place(name),
            server=Kind(others[0]),
            known=Kind.joined((dialect.server for dialect in DIALECTS.values()), ", "),
        )
    if not _SQL.search(head):
        raise DumpError(
            "{dump}: this isn't a SQL dump. A dump of mysqldump, mariadb-dump or pg_dump is needed.", dump=Place(name)
        )
    raise DumpError(
        "{dump}: nothing in the dump tells which server's SQL it is. "
        "Declare its dialect with --dialect, or for a customer in customers.yaml.",
        dump=Place(name),
    )


def check_title(line: bytes, dialect: Dialect, name: str) -> None:
    """Check a comment between statements: the title of another server's program tells that its dump was joined.

    Args:
        line: the comment.
        dialect: whose SQL the dump is read as.
        name: what messages call the dump.

    Raises:
        DumpError: it is such a title.
    """
    for other in DIALECTS.values():
        if other.lexing is not dialect.lexing and other.evidence.titles.search(line):
            raise _at_once([dialect.server, other.server], name)


def _at_once(servers: list[str], name: str) -> DumpError:
    return DumpError(
        "{dump}: the dump looks like {servers} at once. Two dumps may have been joined: split them; or declare "
        "its dialect with --dialect, or for a customer in customers.yaml.",
        dump=Place(name),
        servers=Kind.joined(servers, " and "),
    )
