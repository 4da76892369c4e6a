"""CREATE TABLE as servers and tools write it: the columns of a table and their types."""

import re
from dataclasses import dataclass, replace

import pyarrow as pa

from recograph.dumps.dialects import Dialect
from recograph.dumps.message import Place
from recograph.dumps.names import NAME, QUALIFIED, names, unquote
from recograph.dumps.report import DumpError

_CREATE = re.compile(
    rb"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL)\s+)?(?:TEMPORARY\s+|TEMP\s+|UNLOGGED\s+|FOREIGN\s+)?"
    rb"TABLE\s+(?P<lenient>IF\s+NOT\s+EXISTS\s+)?(?P<table>%s)\s*" % QUALIFIED,
    re.I,
)
_LIKE = re.compile(rb"\(?\s*LIKE\s+(?P<model>%s)\s*\)?\s*$" % QUALIFIED, re.I)
_QUERY = re.compile(rb"\b(?:SELECT|AS\s+TABLE|AS\s+VALUES|AS\s+EXECUTE|WITH\s+\w+\s+AS)\b", re.I)
_VERSIONED = re.compile(rb"\bWITH\s+SYSTEM\s+VERSIONING\b", re.I)
_PARTITIONED = re.compile(rb"\bPARTITION\s+BY\b", re.I)
_TEMPORARY = re.compile(rb"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL)\s+)?TEMP", re.I)
_PLAIN_NAME = re.compile(rb"[\w$\x80-\xff]+")
_COLUMN = re.compile(rb"(%s)\s*(.*)" % NAME, re.S)
_INHERITS = re.compile(rb"\s*INHERITS\s*\(([^)]*)\)", re.I)
_PARTITION_OF = re.compile(rb"\s*(?:PARTITION\s+OF|OF)\b", re.I)
_GENERATED = re.compile(r"\b(?:GENERATED\s+ALWAYS\s+)?AS\s*\(", re.I)
_DEFAULT = re.compile(rb"\bDEFAULT\s+", re.I)
_DEFAULT_LITERAL = re.compile(rb"[bB]?'(?:[^'\\]|\\.|'')*'|[-+]?\d[\w.]*|(?:NULL|TRUE|FALSE)\b", re.I | re.S)
_NO_NULL = re.compile(rb"\bNOT\s+NULL\b|\bAS\s*(?:\(|IDENTITY\b)|\bAUTO_INCREMENT\b|\b(?:big|small)?serial\d?\b", re.I)
"""Without a default, something else than NULL comes to be in such a column."""
_CHARSET = re.compile(r"\b(?:CHARACTER SET|CHARSET) (\w+)", re.I)
_TABLE_CHARSET = re.compile(rb"\b(?:CHARSET|CHARACTER\s+SET)\s*=?\s*(\w+)", re.I)
_INVISIBLE = re.compile(r"\bINVISIBLE\b", re.I)
_NAMED_TYPE = re.compile(r"(?P<name>[a-z]\w*(?: precision| varying)?)", re.I)


@dataclass(frozen=True)
class ColumnDef:
    """A column as its table's definition states it."""

    name: str
    sql_type: str
    type: pa.DataType
    generated: bool = False
    invisible: bool = False
    charset: str | None = None
    """Character set of MySQL, where the definition names one."""
    transport: str = ""
    """How bytes are written, if not as themselves: base64 or hex."""
    default: bytes | None = None
    """The literal that DEFAULT stands for; None where it is no literal."""


@dataclass(frozen=True)
class TableDef:
    """A table as its definition states it."""

    path: list[str]
    columns: tuple[ColumnDef, ...]
    inherits: tuple[list[str], ...] = ()
    model: list[str] | None = None
    """The table whose columns it copies."""
    lenient: bool = False
    """Whether it is created only if there is no table of its name (IF NOT EXISTS)."""
    temporary: bool = False
    partial: bool = False
    """Whether it has columns that aren't named here."""
    is_partitioned: bool = False
    """Whether its rows are those of other tables, its partitions."""


def parse_table(statement: bytes, dialect: Dialect, most_columns: int, place: Place, encoding: str) -> TableDef | None:
    """The table that a statement creates, or None where it is another statement.

    Args:
        statement: without comments.
        dialect: whose SQL it is.
        most_columns: how many columns it may have.
        place: where it is, for messages.
        encoding: of names that aren't UTF-8.

    Raises:
        DumpError: its rows come from a query, it has too many columns, or a type has a length that none can have.
    """
    match = _CREATE.match(statement)
    if not match:
        return None
    path = names(match["table"], encoding)
    table = Place(place.file, ".".join(path), byte=place.byte, line=place.line)
    lenient, temporary = match["lenient"] is not None, _TEMPORARY.match(statement) is not None
    if like := _LIKE.match(statement, match.end()):
        return TableDef(path, (), model=names(like["model"], encoding), lenient=lenient, temporary=temporary)
    opening = statement[match.end() : match.end() + 1]
    hidden = dialect.lexing.hidden(dialect.backslash_escapes, dialect.schemas)
    if opening != b"(":
        if _PARTITION_OF.match(statement, match.end()):
            return None
        raise _from_query(table)
    items, end = _split(statement, match.end() + 1, hidden, most_columns, table)
    tail = hidden.sub(b" ", statement[end:])
    if _QUERY.search(tail):
        raise _from_query(table)
    default = None if dialect.schemas else _TABLE_CHARSET.search(statement, end)
    charset = default[1].decode().lower() if default else None
    columns = tuple(
        column for item in items if (column := _parse_column(item, dialect, hidden, encoding, charset, table))
    )
    if len(columns) > most_columns:
        raise _too_wide(table, most_columns)
    parents = _INHERITS.match(statement, end) if dialect.schemas else None
    inherits = tuple(names(parent, encoding) for parent in parents[1].split(b",")) if parents else ()
    partial = (
        bool(inherits) or _VERSIONED.search(tail) is not None or any(re.match(rb"LIKE\b", item, re.I) for item in items)
    )
    return TableDef(
        path,
        columns,
        inherits,
        lenient=lenient,
        temporary=temporary,
        partial=partial,
        is_partitioned=dialect.schemas and _PARTITIONED.search(tail) is not None,
    )


def with_parents(table: TableDef, parents: list[TableDef]) -> TableDef:
    """A table with the columns that it inherits before its own; those it defines anew keep their inherited place."""
    columns = {column.name: column for parent in parents for column in parent.columns}
    return replace(table, columns=tuple((columns | {column.name: column for column in table.columns}).values()))


def split_list(statement: bytes, start: int, hidden: re.Pattern[bytes], most: int = 0) -> tuple[list[bytes], int]:
    """The items between commas from a place on, up to the parenthesis that closes them, and where that stands behind.

    Args:
        statement: what they stand in.
        start: where the first begins.
        hidden: finds strings and names.
        most: more items than this aren't looked for.
    """
    items, begin, depth, end = [], start, 1, len(statement)
    token = _tokens(hidden)
    for match in token.finditer(statement, start):
        text = match["mark"]
        if text is None:
            continue
        if text == b"(":
            depth += 1
        elif text == b")":
            depth -= 1
        if depth == 0 or (text == b"," and depth == 1):
            items.append(statement[begin : match.start()].strip())
            begin = match.end()
        if depth == 0:
            return items, match.end()
        if most and len(items) > most:
            return items, end
    items.append(statement[begin:].strip())
    return items, end


_TOKENS: dict[re.Pattern[bytes], re.Pattern[bytes]] = {}


def _tokens(hidden: re.Pattern[bytes]) -> re.Pattern[bytes]:
    if hidden not in _TOKENS:
        _TOKENS[hidden] = re.compile(hidden.pattern + rb"|(?P<mark>[(),])", re.S)
    return _TOKENS[hidden]


def _split(
    statement: bytes, start: int, hidden: re.Pattern[bytes], most_columns: int, table: Place
) -> tuple[list[bytes], int]:
    """The definitions between a table's parentheses, and where these end."""
    # Keys and constraints are among them.
    items, end = split_list(statement, start, hidden, 4 * most_columns)
    if len(items) > 4 * most_columns:
        raise _too_wide(table, most_columns)
    return items, end


def _parse_column(
    item: bytes, dialect: Dialect, hidden: re.Pattern[bytes], encoding: str, charset: str | None, table: Place
) -> ColumnDef | None:
    match = _COLUMN.match(item)
    if not match or dialect.not_a_column.match(item):
        return None
    name = unquote(match[1], encoding)
    is_quoted = match[1][:1] in (b"`", b'"')
    # A line of one word that isn't SQL would take the next line's definition for its type.
    takes_next_line = item[match.end(1) : match.start(2)].startswith((b"\n", b"\r\n"))
    if not is_quoted and (takes_next_line or not _PLAIN_NAME.fullmatch(match[1])):
        raise DumpError(
            "{table}: the definition holds something that is no column. The dump was edited or damaged; make it again.",
            table=table,
        )
    bare = hidden.sub(lambda token: b"''" if token["string"] else token[0], match[2]).decode(errors="replace")
    try:
        kind = dialect.column_type(bare)
    except ValueError:
        raise DumpError(
            "{place}: the type of the column has a length that no server knows. "
            "The dump was edited or damaged; make it again.",
            place=Place(table.file, table.table, name, byte=table.byte, line=table.line),
        ) from None
    named = _NAMED_TYPE.match(bare.removeprefix('"'))
    charset = charset if dialect.schemas or not (own := _CHARSET.search(bare)) else own[1].lower()
    return ColumnDef(
        name,
        named["name"].lower() if named else bare,
        kind,
        generated=bool(_GENERATED.search(bare)),
        invisible=not dialect.schemas and bool(_INVISIBLE.search(bare)),
        charset=charset,
        default=_default(match[2], hidden),
    )


def _default(definition: bytes, hidden: re.Pattern[bytes]) -> bytes | None:
    """The literal that DEFAULT as a value stands for, NULL where the definition has no default, None if it's none."""
    masked = hidden.sub(lambda match: b"'" + b" " * (len(match[0]) - 2) + b"'", definition)
    default = _DEFAULT.search(masked)
    if default is None:
        return None if _NO_NULL.search(masked) else b"NULL"
    literal = _DEFAULT_LITERAL.match(definition, default.end())
    return literal[0] if literal else None


def _from_query(table: Place) -> DumpError:
    return DumpError(
        "{table}: the table's rows come from a query, which isn't run. "
        "Make the dump with the server's own program, which writes rows as they are.",
        table=table,
    )


def _too_wide(table: Place, most: int) -> DumpError:
    return DumpError(
        "{table} has more than {most} columns. Raise the limit columns if it is right.", table=table, most=most
    )
