"""Athena's SQL: what kind of statement a text is, and the statement for Trino that does the same."""

import itertools
import re
from dataclasses import dataclass, field

from recograph_tests.aws.trino import CATALOG

LONGEST_QUERY = 262_144
NAME = r'(?:[`"]?[\w$-]+[`"]?\s*\.\s*){0,2}[`"]?[\w$-]+[`"]?'
"""A table's name as Athena takes it in DDL: up to three parts, each plain or quoted with ` or "."""

_QUOTED_OR_MARK = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|[()\[\],]", re.DOTALL)
_LEADING_COMMENT = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/\s*)", re.DOTALL)
_CTAS_PROPERTIES = {
    *("table_type", "is_external", "external_location", "format", "partitioned_by", "bucketed_by", "bucket_count"),
    *("write_compression", "parquet_compression", "orc_compression", "compression_level", "field_delimiter"),
}
_CODECS = ("write_compression", "parquet_compression", "orc_compression")


class RefusedError(Exception):
    """Athena refuses the statement; the message is the reason that it gives."""


@dataclass(frozen=True)
class Statement:
    """A statement without comments around it, with Athena's names for what it does."""

    sql: str
    type: str
    subtype: str


@dataclass(frozen=True)
class TrinoStatement:
    """What Trino shall run; `location` is where a CTAS or UNLOAD writes, `scratch` an UNLOAD's table to drop."""

    sql: str
    session: dict[str, str] = field(default_factory=dict)
    location: str | None = None
    scratch: str | None = None


def parse(text: str) -> Statement:
    """Tell what a statement is.

    Raises:
        RefusedError: Athena takes no such statement.
    """
    if len(text.encode()) > LONGEST_QUERY:
        raise RefusedError(f"Query string is longer than {LONGEST_QUERY} bytes")
    while comment := _LEADING_COMMENT.match(text):
        text = text[comment.end() :]
    sql = text.strip().rstrip(";").rstrip()
    words = re.findall(r"[a-z_]+", sql[:200].lower())
    first, second = (*words[:2], "", "")[:2]
    if first == "create" and words[1:3] == ["or", "replace"]:
        second = words[3] if len(words) > 3 else ""
    if first in ("select", "with", "values"):
        return Statement(sql, "DML", "SELECT")
    if first in ("insert", "unload"):
        return Statement(sql, "DML", first.upper())
    if first == "create" and second == "table":
        return Statement(sql, "DDL", "CREATE_TABLE_AS_SELECT")
    if first in ("show", "describe", "explain"):
        return Statement(sql, "UTILITY", first.upper())
    if first in ("create", "drop", "alter", "msck"):
        return Statement(sql, "DDL", f"{first}_{second}".upper())
    raise RefusedError(f"line 1:1: mismatched input '{first}'. Expecting: a statement that Athena takes")


def to_trino(statement: Statement, query_id: str, database: str, staging: str) -> TrinoStatement:
    """The statement that Trino runs for one of Athena's.

    Raises:
        RefusedError: Athena refuses it.
    """
    if "`" in re.sub(r"'[^']*'", "", statement.sql):
        raise RefusedError("Queries of this type are not supported: backquoted identifiers; use double quotes")
    match statement.subtype:
        case "CREATE_TABLE_AS_SELECT":
            return _create_table(statement.sql, f"{staging}tables/{query_id}/")
        case "UNLOAD":
            return _unload(statement.sql, f'{CATALOG}."{database}"."unload_{query_id.replace("-", "_")}"')
        case _ if statement.type == "DDL" and not statement.subtype.endswith("_VIEW"):
            raise RefusedError("Queries of this type are not supported")
        case _:
            return TrinoStatement(statement.sql)


def _create_table(sql: str, default_location: str) -> TrinoStatement:
    head = re.match(rf"create\s+table\s+(?:if\s+not\s+exists\s+)?{NAME}\s*", sql, re.IGNORECASE)
    if not head or not re.search(r"\bas\b", sql, re.IGNORECASE):
        raise RefusedError("FAILED: ParseException: a table is external (CREATE EXTERNAL TABLE) or made by CTAS")
    rest, given = sql[head.end() :], {}
    if opening := re.match(r"with\s*\(", rest, re.IGNORECASE):
        end = closing(rest, opening.end() - 1)
        given, rest = _properties(rest[opening.end() : end]), rest[end + 1 :]
    if unknown := sorted(set(given) - _CTAS_PROPERTIES):
        raise RefusedError(f"Unable to create table: table property '{unknown[0]}' does not exist")
    if _unquoted(given.get("table_type", "hive")).lower() != "hive":
        raise RefusedError("The stand-in for Athena has Hive tables only")
    location = _unquoted(given.get("external_location", default_location))
    kept = {"format": f"'{_unquoted(given.get('format', 'PARQUET')).upper()}'", "external_location": f"'{location}'"}
    kept |= {name: given[name] for name in ("partitioned_by", "bucketed_by", "bucket_count") if name in given}
    codec = next((given[name] for name in _CODECS if name in given), "GZIP")
    return TrinoStatement(f"{head[0]} WITH ({_written(kept)}) {rest}", _compression(codec), location)


def _unload(sql: str, table: str) -> TrinoStatement:
    start = sql.index("(") if "(" in sql else len(sql)
    end = closing(sql, start)
    tail = re.fullmatch(r"\s*to\s*'([^']+)'\s*with\s*\((.*)\)\s*", sql[end + 1 :], re.IGNORECASE | re.DOTALL)
    if not tail:
        raise RefusedError("mismatched input. Expecting: UNLOAD (SELECT ...) TO 's3://...' WITH (format = '...')")
    given, location = _properties(tail[2]), tail[1].rstrip("/") + "/"
    if "format" not in given:
        raise RefusedError("UNLOAD needs the property 'format'")
    kept = {"format": f"'{_unquoted(given['format']).upper()}'", "external_location": f"'{location}'"}
    kept |= {name: given[name] for name in ("partitioned_by",) if name in given}
    select = f"CREATE TABLE {table} WITH ({_written(kept)}) AS {sql[start + 1 : end]}"
    return TrinoStatement(select, _compression(given.get("compression", "GZIP")), location, scratch=table)


def closing(text: str, start: int) -> int:
    """The index of the bracket that closes the one at `start`; brackets in quotes and comments don't count.

    Raises:
        RefusedError: none does.
    """
    depth = 0
    for mark in _QUOTED_OR_MARK.finditer(text, start):
        depth += (mark[0] in "([") - (mark[0] in ")]")
        if depth == 0:
            return mark.start()
    raise RefusedError("mismatched input '<EOF>'")


def split(text: str) -> list[str]:
    """The parts between commas, but those in quotes, comments and brackets."""
    cuts, depth = [-1], 0
    for mark in _QUOTED_OR_MARK.finditer(text):
        depth += (mark[0] in "([") - (mark[0] in ")]")
        if mark[0] == "," and depth == 0:
            cuts.append(mark.start())
    cuts.append(len(text))
    return [part for a, b in itertools.pairwise(cuts) if (part := text[a + 1 : b].strip())]


def _properties(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in split(text))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _written(properties: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in properties.items())


def _unquoted(value: str) -> str:
    return value.strip().strip("'")


def _compression(codec: str) -> dict[str, str]:
    return {f"{CATALOG}.compression_codec": _unquoted(codec).upper()}
