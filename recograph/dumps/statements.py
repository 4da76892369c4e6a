"""The statements of a dump that matter: CREATE TABLE, INSERT and COPY; all others are passed over.

Rows come as lists of raw values: None for NULL, else the bytes of the text that the server held.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recograph.dumps.errors import DumpError
from recograph.dumps.source import Source

Value = bytes | None

_HEAD = 1 << 16
"""Bytes that hold the head of any INSERT, its list of columns included."""

_NAME = rb'(?:`(?:[^`]|``)+`|"(?:[^"]|"")+"|[\w$]+)'
_CREATE = re.compile(rb"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?((?:%s\.)?%s) \(" % (_NAME, _NAME))
_INSERT = re.compile(
    rb"(?:INSERT|REPLACE) (?:IGNORE )?INTO ((?:%s\.)?%s)\s*(?:\(([^)]*)\))?\s*(?:OVERRIDING SYSTEM VALUE )?VALUES\s*"
    % (_NAME, _NAME)
)
_COPY = re.compile(rb"COPY ((?:%s\.)?%s) \(([^)]*)\) FROM stdin;" % (_NAME, _NAME))
_COLUMN = re.compile(rb"\s*(%s)\s+\S" % _NAME)
_NOT_A_COLUMN = re.compile(rb"\s*(PRIMARY|UNIQUE|KEY|INDEX|CONSTRAINT|FULLTEXT|SPATIAL|FOREIGN|CHECK|PERIOD)\b")
_MYSQL_VALUE = re.compile(rb"\s*(?:_\w+ )?(?:'((?:[^'\\]|\\.|'')*)'|([^,()']+))\s*([,)])", re.DOTALL)
_STANDARD_VALUE = re.compile(rb"\s*(?:'((?:[^']|'')*)'(?:::[\w ]+)?|([^,()']+))\s*([,)])", re.DOTALL)
_MYSQL_ESCAPE = re.compile(rb"\\(.)|''", re.DOTALL)
_MYSQL_ESCAPES = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}
_COPY_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_COPY_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True)
class Table:
    """A CREATE TABLE: the table's name and its columns in order."""

    name: str
    columns: list[str]


@dataclass(frozen=True)
class Rows:
    """An INSERT or COPY whose rows are about to be read."""

    table: str
    columns: list[str] | None
    """As the statement lists them, or None where it lists none."""
    rows: Iterator[list[Value]]


def statements(source: Source, dialect: str) -> Iterator[Table | Rows]:
    """Walk through a dump; the rows of a `Rows` must be consumed before the next statement is asked for."""
    delimited = False
    while True:
        if not delimited and (match := _insert_ahead(source)):
            source.position = match.end()
            columns = _names(match[2]) if match[2] else None
            table = _plain_name(match[1])
            yield Rows(table, columns, _insert_rows(source, table, mysql=dialect != "postgresql"))
            continue
        if (line := source.line()) is None:
            return
        if line.startswith(b"DELIMITER "):
            delimited = line.split()[1:2] != [b";"]
        elif delimited:
            continue
        elif match := _CREATE.match(line):
            yield _table(source, _plain_name(match[1]))
        elif match := _COPY.match(line):
            table = _plain_name(match[1])
            yield Rows(table, _names(match[2]), _copy_rows(source, table))


def _insert_ahead(source: Source) -> re.Match[bytes] | None:
    """The head of an INSERT at the position, without its line: one line may hold gigabytes of rows."""
    if len(source.data) - source.position < _HEAD:
        source.more()
    return _INSERT.match(source.data, source.position)


def _table(source: Source, name: str) -> Table:
    columns = []
    while (line := source.line()) is not None and not line.startswith(b")"):
        if not _NOT_A_COLUMN.match(line) and (match := _COLUMN.match(line)):
            columns.append(_plain_name(match[1]))
    return Table(name, columns)


def _insert_rows(source: Source, table: str, mysql: bool) -> Iterator[list[Value]]:
    pattern = _MYSQL_VALUE if mysql else _STANDARD_VALUE
    number = 0
    while True:
        start = _skip_space(source)
        if source.data[start : start + 1] != b"(":
            raise _cut(source, table, number)
        row: list[Value] = []
        position = start + 1
        while True:
            match = pattern.match(source.data, position)
            if match is None or match.end() == len(source.data):
                if source.more():  # the tuple is read again from its start with more text behind it
                    row, position = [], source.position + 1
                    continue
                if match is None:
                    raise _cut(source, table, number)
            row.append(_value(match, mysql))
            position = match.end()
            if match[3] == b")":
                break
        source.position = position
        number += 1
        yield row
        _skip_space(source)
        separator = source.data[source.position : source.position + 1]
        source.position += 1
        if separator == b";":
            source.line()
            return
        if separator != b",":
            raise _cut(source, table, number)


def _skip_space(source: Source) -> int:
    while True:
        while source.data[source.position : source.position + 1] in (b"\n", b"\r", b" ") and source.position < len(
            source.data
        ):
            source.position += 1
        if source.position < len(source.data) or not source.more():
            return source.position


def _value(match: re.Match[bytes], mysql: bool) -> Value:
    text, bare = match[1], match[2]
    if bare is not None:
        bare = bare.strip()
        if bare == b"NULL":
            return None
        return bytes.fromhex(bare[2:].decode()) if bare.startswith(b"0x") else bare
    if mysql and b"\\" in text:
        return _MYSQL_ESCAPE.sub(lambda m: _MYSQL_ESCAPES.get(m[1], m[1]) if m[1] is not None else b"'", text)
    return text.replace(b"''", b"'")


def _copy_rows(source: Source, table: str) -> Iterator[list[Value]]:
    number = 0
    while (line := source.line()) is not None:
        if line.rstrip(b"\r\n") == b"\\.":
            return
        if not line.endswith(b"\n"):
            break
        number += 1
        fields = line.rstrip(b"\r\n").split(b"\t")
        yield [_copy_value(field) if b"\\" in field else field for field in fields]
    raise _cut(source, table, number)


def _copy_value(field: bytes) -> Value:
    if field == b"\\N":
        return None
    return _COPY_ESCAPE.sub(_unescaped, field)


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code.isdigit():
        return bytes([int(code, 8) & 255])
    return _COPY_ESCAPES.get(code, code)


def _cut(source: Source, table: str, rows: int) -> DumpError:
    return DumpError(
        f"{source.name}: the dump is cut off or damaged in table {table} after row {rows} "
        f"(byte {source.offset} of the text). Ask for the whole dump again."
    )


def _plain_name(name: bytes) -> str:
    last = re.findall(_NAME, name)[-1]
    text: str = last.decode("utf-8", "replace")
    if text[0] in '`"':
        return text[1:-1].replace(text[0] * 2, text[0])
    return text


def _names(listed: bytes) -> list[str]:
    return [_plain_name(name) for name in re.findall(_NAME, listed)]


def missing_values(source: Source, table: str, number: int, values: Sequence[Value], columns: int) -> DumpError:
    """The error for a row with too few or too many values."""
    return DumpError(
        f"{source.name}: row {number} of table {table} has {len(values)} values, but the table has {columns} columns. "
        "The dump is damaged: ask for it again."
    )
