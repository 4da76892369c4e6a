"""CREATE TABLE as mysqldump and pg_dump write it: the columns of a table and their types."""

import re
from dataclasses import dataclass, replace

import pyarrow as pa

from recograph.dumps.names import NAME, QUALIFIED, names, unquote

_CREATE = re.compile(
    rb"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL)\s+)?(?:TEMPORARY\s+|UNLOGGED\s+|FOREIGN\s+)?"
    rb"TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(%s)\s*\(" % QUALIFIED,
    re.I,
)
_QUOTED = rb"""'(?:[^'\\]++|\\.|'')*+'|"(?:[^"]++|"")*+"|`(?:[^`]++|``)*+`|--[^\n]*+"""
_MARKERS = re.compile(rb"(?P<kept>%s)|/\*M?!\d*|\*/" % _QUOTED, re.S)
_REST = rb"""|[(),]|[^'"`(),\-]++|-"""
_TOKEN = re.compile(_QUOTED + _REST, re.S)
_POSTGRESQL_TOKEN = re.compile(rb"""'(?:[^']++|'')*+'|"(?:[^"]++|"")*+"|--[^\n]*+""" + _REST, re.S)
# What may be the name of a column, such as key and index in PostgreSQL, isn't here.
_NOT_A_COLUMN = re.compile(
    rb"(?:PRIMARY|UNIQUE|FULLTEXT|SPATIAL|KEY|INDEX|CONSTRAINT|FOREIGN|CHECK|LIKE|PERIOD\s+FOR|VECTOR\s+(?:KEY|INDEX))\b",
    re.I,
)
_POSTGRESQL_NOT_A_COLUMN = re.compile(rb"(?:PRIMARY|UNIQUE|CONSTRAINT|FOREIGN|CHECK|LIKE)\b", re.I)
_COLUMN = re.compile(rb"(%s)\s*(.*)" % NAME, re.S)
_INHERITS = re.compile(rb"\)\s*INHERITS\s*\(([^)]*)\)", re.I)
_TYPE = re.compile(r"(?P<name>[a-z]\w*(?: precision| varying)?)\s*(?:\((?P<size>[^)]*)\))?(?P<rest>.*)", re.I | re.S)
_GENERATED = re.compile(r"\b(?:GENERATED\s+ALWAYS\s+)?AS\s*\(", re.I)
_CHARSET = re.compile(r"\bCHARACTER SET (\w+)", re.I)
_TABLE_CHARSET = re.compile(rb"\bCHARSET=(\w+)", re.I)
_INVISIBLE = re.compile(r"\bINVISIBLE\b", re.I)

_MYSQL_TYPES: dict[str, pa.DataType] = {
    "float": pa.float32(),
    "double": pa.float64(),
    "double precision": pa.float64(),
    "real": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "timestamp": pa.timestamp("us"),
    "year": pa.int16(),
    "bool": pa.int8(),
    "boolean": pa.int8(),
    **dict.fromkeys(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"], pa.binary()),
    **dict.fromkeys(["geometry", "point", "linestring", "polygon", "multipoint", "multilinestring"], pa.binary()),
    **dict.fromkeys(["multipolygon", "geometrycollection", "geomcollection"], pa.binary()),
}
_MYSQL_INTEGERS = {
    "tinyint": (pa.int8(), pa.uint8()),
    "smallint": (pa.int16(), pa.uint16()),
    "mediumint": (pa.int32(), pa.uint32()),
    "int": (pa.int32(), pa.uint32()),
    "integer": (pa.int32(), pa.uint32()),
    "bigint": (pa.int64(), pa.uint64()),
}
_POSTGRESQL_TYPES: dict[str, pa.DataType] = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "oid": pa.uint32(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "bytea": pa.binary(),
    "date": pa.date32(),
}


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
    """What bytes come as, where not as themselves: base64 or hex."""


@dataclass(frozen=True)
class TableDef:
    """A table as its definition states it."""

    path: list[str]
    columns: tuple[ColumnDef, ...]
    inherits: tuple[list[str], ...] = ()


def without_markers(statement: bytes) -> bytes:
    """A statement of MySQL without the marks of conditional comments; what they hold stays."""
    return _MARKERS.sub(lambda match: match["kept"] or b" ", statement)


def parse_table(statement: bytes, postgresql: bool, encoding: str = "utf-8") -> TableDef | None:
    """The table that a statement creates, or None where it is another statement.

    Args:
        statement: in MySQL without the marks of conditional comments.
        postgresql: whether it is PostgreSQL's SQL, or MySQL's.
        encoding: of names that aren't UTF-8.
    """
    match = _CREATE.match(statement)
    if not match:
        return None
    items, end = _split(statement, match.end(), postgresql)
    default = None if postgresql else _TABLE_CHARSET.search(statement, end)
    charset = default[1].decode().lower() if default else None
    columns = tuple(column for item in items if (column := _parse_column(item, postgresql, encoding, charset)))
    parents = _INHERITS.match(statement, end - 1) if postgresql else None
    inherits = tuple(names(parent, encoding) for parent in parents[1].split(b",")) if parents else ()
    return TableDef(names(match[1], encoding), columns, inherits)


def with_parents(table: TableDef, parents: list[TableDef]) -> TableDef:
    """A table with the columns that it inherits before its own; those it defines anew keep their inherited place."""
    columns = {column.name: column for parent in parents for column in parent.columns}
    return replace(table, columns=tuple((columns | {column.name: column for column in table.columns}).values()))


def _split(statement: bytes, start: int, postgresql: bool) -> tuple[list[bytes], int]:
    """The definitions between a table's parentheses, and where these end."""
    items, begin, depth, end = [], start, 1, len(statement)
    for token in (_POSTGRESQL_TOKEN if postgresql else _TOKEN).finditer(statement, start):
        text = token[0]
        if text == b"(":
            depth += 1
        elif text == b")":
            depth -= 1
        if depth == 0 or (text == b"," and depth == 1):
            items.append(statement[begin : token.start()].strip())
            begin = token.end()
        if depth == 0:
            end = token.end()
            break
    return items, end


def _parse_column(item: bytes, postgresql: bool, encoding: str, charset: str | None) -> ColumnDef | None:
    match = _COLUMN.match(item)
    if not match or (_POSTGRESQL_NOT_A_COLUMN if postgresql else _NOT_A_COLUMN).match(item):
        return None
    definition = match[2].decode(errors="replace")
    if postgresql:
        # Types of users are named with their schema, so this is one of PostgreSQL itself.
        definition = re.sub(r'^"(\w+)"(?!\.)', r"\1", definition)
    string = r"'(?:[^']|'')*'" if postgresql else r"'(?:[^'\\]|\\.|'')*'"
    bare = re.sub(string, "''", definition, flags=re.S)
    kind = _postgresql_type(definition) if postgresql else _mysql_type(bare)
    found = _TYPE.match(bare)
    charset = charset if postgresql or not (own := _CHARSET.search(bare)) else own[1].lower()
    return ColumnDef(
        unquote(match[1], encoding),
        found["name"].lower() if found else bare,
        kind,
        generated=bool(_GENERATED.search(bare)),
        invisible=not postgresql and bool(_INVISIBLE.search(bare)),
        charset=charset,
    )


def _mysql_type(definition: str) -> pa.DataType:
    match = _TYPE.match(definition)
    if not match:
        return pa.string()
    name, size, rest = match["name"].lower(), match["size"] or "", match["rest"].lower()
    if name in _MYSQL_INTEGERS:
        unsigned = re.match(r"\s*(unsigned|zerofill)", rest) is not None
        return _MYSQL_INTEGERS[name][unsigned]
    if name in ("decimal", "numeric", "dec", "fixed"):
        precision, _, scale = size.partition(",")
        return _decimal(int(precision or 10), int(scale or 0))
    if name == "bit":
        return pa.bool_() if int(size or 1) == 1 else pa.uint64()
    return _MYSQL_TYPES.get(name, pa.string())


def _postgresql_type(definition: str) -> pa.DataType:
    match = _TYPE.match(definition)
    if not match or match["rest"].startswith(("[", ".")):
        return pa.string()
    name, size, rest = match["name"].lower(), match["size"], match["rest"]
    if rest.strip().startswith("[") or re.match(r"\s*with(?:out)? time zone\[", rest):
        return pa.string()
    if name == "timestamp":
        return pa.timestamp("us", "UTC" if rest.strip().startswith("with time zone") else None)
    if name == "time":
        return pa.string() if rest.strip().startswith("with time zone") else pa.time64("us")
    if name == "numeric" and size:
        precision, _, scale = size.partition(",")
        return _decimal(int(precision), int(scale or 0))
    return _POSTGRESQL_TYPES.get(name, pa.string())


def _decimal(precision: int, scale: int) -> pa.DataType:
    if not 0 <= scale <= precision:
        return pa.string()
    if precision <= 38:
        return pa.decimal128(precision, scale)
    return pa.decimal256(precision, scale) if precision <= 76 else pa.string()
