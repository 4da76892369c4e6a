"""PostgreSQL's SQL, as pg_dump, pg_dumpall and many others write it."""

import functools
import re

import pyarrow as pa

from recograph.dumps.charsets import postgresql_codec
from recograph.dumps.dialects.rules import (
    Dialect,
    Effect,
    End,
    Evidence,
    Lexing,
    Literals,
    Settable,
    StatementKind,
    any_of,
    decimal_type,
    translation,
)
from recograph.dumps.names import NAME, unquote

_MOST_DIGITS = 1000

_ESCAPED = rb"'(?:[^'\\]++|\\.|'')*+'"
_STRING = rb"'(?:[^']++|'')*+'"
_QUOTED_NAME = rb'"(?:[^"]++|"")*+"'
_DOLLAR = rb"\$(?P<tag>(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?)\$.*?\$(?P=tag)\$"


@functools.cache
def _ends(backslashes: bool, _names: bool, delimiter: bytes) -> re.Pattern[bytes]:
    string = _ESCAPED if backslashes else _STRING
    whole = rb"\b[eE]%s|%s|%s|--[^\r\n]*+[\r\n]|%s" % (_ESCAPED, string, _QUOTED_NAME, _DOLLAR)
    opening = rb"['\"]|--|/\*|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?\$"
    rest = rb"(?P<end>%s)|(?P<parenthesis>[()])|(?P<word>\b(?:BEGIN\s+ATOMIC|CASE|END)\b)" % re.escape(delimiter)
    return re.compile(rb"(?P<whole>%s)|(?P<open>%s)|%s" % (whole, opening, rest), re.S | re.I)


@functools.cache
def _hidden(backslashes: bool, _names: bool) -> re.Pattern[bytes]:
    string = _ESCAPED if backslashes else _STRING
    strings = rb"\b[eE]%s|%s|%s" % (_ESCAPED, string, _DOLLAR)
    # Comments nest; deeper than this nobody writes them within a statement.
    comment = rb"/\*(?:[^*/]++|\*(?!/)|/(?!\*)|/\*(?:[^*]++|\*(?!/))*+\*/)*+\*/|--[^\r\n]*+"
    return re.compile(rb"(?P<string>%s)|(?P<name>%s)|%s" % (strings, _QUOTED_NAME, comment), re.S)


_OBJECTS = (
    r"(?:SCHEMA|EXTENSION|TYPE|DOMAIN|FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|OPERATOR|CAST|COLLATION|"
    r"(?:DEFAULT )?CONVERSION|TEXT SEARCH|SERVER|FOREIGN DATA WRAPPER|USER|ROLE|GROUP|DATABASE|TABLESPACE|"
    r"(?:TRUSTED |PROCEDURAL )*LANGUAGE|(?:RECURSIVE )?VIEW|MATERIALIZED VIEW|(?:UNIQUE )?INDEX|"
    r"(?:CONSTRAINT )?TRIGGER|EVENT TRIGGER|RULE|POLICY|PUBLICATION|SUBSCRIPTION|SEQUENCE|STATISTICS|"
    r"ACCESS METHOD|TRANSFORM|LARGE OBJECT|DEFAULT PRIVILEGES|SYSTEM|PROPERTY GRAPH)"
)
_FUNCTIONS = (
    r"(?:SET_CONFIG|SETVAL|NEXTVAL|LO_[A-Z]+|LOWRITE|PG_EXTENSION_CONFIG_DUMP|PG_RESTORE_[A-Z_]+_STATS|"
    r"BINARY_UPGRADE_[A-Z_]+|TIMESCALEDB_(?:PRE|POST)_RESTORE|PG_NOTIFY|PG_SLEEP)"
)
_ELSEWHERE = (
    "Its rows are in another file. Give the archive that it belongs to (pg_dump --format=custom, directory or tar), or "
    "make a plain dump, pg_dump --format=plain."
)
_NONE, _SETTING, _TABLE, _ROWS = Effect.NONE, Effect.SETTING, Effect.TABLE, Effect.ROWS
KINDS = (
    StatementKind(r"DISCARD ALL\b", _SETTING),
    StatementKind(r"ALTER SCHEMA\b.*\bRENAME TO\b", _ROWS),
    StatementKind(r"SET\b|RESET\b", _SETTING),
    StatementKind(rf"SELECT (?:PG_CATALOG ?\. ?|PUBLIC ?\. ?)?{_FUNCTIONS} ?\(", _SETTING),
    StatementKind(r"COPY\b.*\bTO\b", _NONE),
    StatementKind(r"COPY\b", _ROWS, "COPY FROM a file", _ELSEWHERE),
    StatementKind(r"(?:START TRANSACTION|BEGIN|COMMIT|END|SAVEPOINT|RELEASE)\b", _NONE),
    StatementKind(r"DROP (?:SCHEMA|DATABASE|OWNED|EXTENSION|TYPE|DOMAIN)\b", _TABLE),
    # Rules and triggers act on rows when a dump is loaded; those that it holds are as they had left them.
    StatementKind(rf"(?:CREATE|ALTER) (?:OR REPLACE )?(?:TEMP(?:ORARY)? |UNLOGGED )?{_OBJECTS}\b", _NONE),
    StatementKind(rf"DROP (?!TABLE){_OBJECTS}\b", _NONE),
    StatementKind(r"CREATE (?:GLOBAL |LOCAL )?(?:TEMP(?:ORARY)? |UNLOGGED |FOREIGN )?TABLE\b", _TABLE),
    StatementKind(r"ALTER (?:FOREIGN )?TABLE\b|DROP (?:FOREIGN )?TABLE\b|TRUNCATE\b", _TABLE),
    StatementKind(
        r"(?:COMMENT|GRANT|REVOKE|SECURITY LABEL|LOCK|ANALYZE|VACUUM|REINDEX|CLUSTER|CHECKPOINT|NOTIFY|LISTEN)\b", _NONE
    ),
    StatementKind(r"(?:REFRESH MATERIALIZED|DISCARD|REASSIGN|LOAD|SHOW)\b", _NONE),
    StatementKind(r"INSERT\b.*\bSELECT\b", _ROWS, "INSERT ... SELECT"),
)
KEYWORDS = frozenset(
    b"""ABORT ALTER ANALYSE ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE
    DELETE DISCARD DO DROP END EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY PREPARE
    REASSIGN REFRESH REINDEX RELEASE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE
    UNLISTEN UPDATE VACUUM VALUES WITH""".split()
)

_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(["smallint", "int2", "smallserial", "serial2"], pa.int16()),
    **dict.fromkeys(["integer", "int", "int4", "serial", "serial4"], pa.int32()),
    **dict.fromkeys(["bigint", "int8", "bigserial", "serial8"], pa.int64()),
    "oid": pa.uint32(),
    **dict.fromkeys(["real", "float4"], pa.float32()),
    **dict.fromkeys(["double precision", "float8"], pa.float64()),
    **dict.fromkeys(["boolean", "bool"], pa.bool_()),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", "UTC"),
}
_TYPE = re.compile(r"(?P<name>[a-z]\w*(?: precision| varying)?)\s*(?:\((?P<size>[^)]*)\))?(?P<rest>.*)", re.I | re.S)
_QUOTED_TYPE = re.compile(r'^(?:"?pg_catalog"?\s*\.\s*)?(?:"(\w+)"(?!\s*\.)|)')


def column_type(definition: str) -> pa.DataType:
    """See `Dialect.column_type`.

    Raises:
        ValueError: its length is none.
    """
    # Types of users are named with their schema, so this is one of PostgreSQL itself.
    definition = _QUOTED_TYPE.sub(lambda match: match[1] or "", definition, count=1)
    match = _TYPE.match(definition)
    if not match or match["rest"].startswith(("[", ".")):
        return pa.string()
    name, size, rest = match["name"].lower(), match["size"], match["rest"]
    if rest.strip().startswith("[") or re.match(r"\s*(?:with(?:out)? time zone)?\s*(?:\[|array\b)", rest, re.I):
        return pa.string()
    zoned = rest.strip().lower().startswith("with time zone")
    if name == "timestamp":
        return pa.timestamp("us", "UTC" if zoned else None)
    if name == "time":
        return pa.string() if zoned else pa.time64("us")
    if name in ("numeric", "decimal") and size:
        precision, _, scale = size.partition(",")
        return decimal_type(precision, scale or "0", _MOST_DIGITS)
    return _TYPES.get(name, pa.string())


_CLIENT_ENCODING = re.compile(
    rb"\s*SET\s+(?:SESSION\s+|LOCAL\s+)?(?:client_encoding\s*(?:=|TO)|NAMES)\s*'?([\w-]+)", re.I
)
_CONFORMING = re.compile(rb"\s*SET\s+(?:SESSION\s+|LOCAL\s+)?standard_conforming_strings\s*(?:=|TO)\s*'?(\w+)", re.I)
# A schema of the user's own name is rarely there.
_SEARCH_PATH = re.compile(
    rb"\s*SET\s+(?:SESSION\s+|LOCAL\s+)?(?:search_path\s*(?:=|TO)|SCHEMA)\s*(?:['\"]*\$user['\"]*\s*,\s*)?'?(%s)"
    % NAME,
    re.I,
)
_CONFIGURED = re.compile(
    rb"\s*SELECT\s+(?:pg_catalog\.)?set_config\(\s*'(?P<setting>\w+)'\s*,\s*'(?P<value>[^']*)", re.I
)
_RESET = re.compile(
    rb"\s*(?P<word>RESET|DISCARD)\s+(?:ALL|standard_conforming_strings|client_encoding|search_path)\b", re.I
)
_TRUE = (b"on", b"true", b"yes", b"1")
_FALSE = (b"off", b"false", b"no", b"0")


def setting(session: Settable, text: bytes) -> None:
    """See `Dialect.setting`."""
    if configured := _CONFIGURED.match(text):
        # An empty search path is what pg_dump sets, before names with their schemas.
        text = b"SET %s = %s" % (configured["setting"], configured["value"].strip())
    if match := _CLIENT_ENCODING.match(text):
        name = match[1].decode(errors="replace")
        session.encode(postgresql_codec(name), name)
    elif match := _CONFORMING.match(text):
        if match[1].lower() not in (*_TRUE, *_FALSE):
            raise session.unknown("standard_conforming_strings")
        session.backslash_escapes = match[1].lower() in _FALSE
    elif match := _SEARCH_PATH.match(text):
        session.search_path = unquote(match[1].strip(b"'"), session.encoding)
    elif match := _RESET.match(text):
        session.forget(match["word"].decode().upper())


_EVIDENCE = Evidence(
    titles=any_of(
        rb"^-- PostgreSQL database (?:cluster )?dump",
        rb"^-- Dumped (?:from database|by pg_dump) version",
        rb"^SET (?:standard_conforming_strings|client_encoding|search_path|default_table_access_method|row_security)\b",
        rb"^SELECT pg_catalog\.set_config\(",
        rb"^COPY [^;\n]{1,2000} FROM stdin",
        rb"^-- Adminer [\d.]+\S* PostgreSQL",
        rb"Source Server Type[ \t]*:[ \t]*PostgreSQL",
        rb"^ALTER TABLE (?:ONLY )?[^\n;]{1,300}\s{1,80}OWNER TO ",
        rb"^\\(?:un)?restrict ",
        rb"^-- Name: [^\n]{1,300}; Type: [A-Z ]+; Schema: ",
    ),
    hints=any_of(
        rb"\bcharacter varying\b|\btimestamp(?:\([0-6]\))? with(?:out)? time zone\b|\bdouble precision\b",
        rb"\b(?:timestamptz|jsonb|bytea|bigserial|int[248]|float[48]|_text|_int4)\b",
        rb"\b(?:nextval\(|owner to |pg_catalog\b|CREATE EXTENSION\b|set_config\()",
        rb"::(?:text|regclass|character varying|bpchar|timestamp|integer|jsonb?)\b",
        rb"^SET search_path\b|\bUSING btree\b|\bWITH \(oids\b",
        rb"^[ \t]*serial\b|[ \t]serial(?:[ \t]|,|$)",
    ),
)
_DUMP_END = End(
    # Beside pg_dump's those of YugabyteDB and Greenplum.
    re.compile(rb"-- (?:PostgreSQL|YSQL|Greenplum Database) database (?:cluster )?dump\s*$"),
    re.compile(rb"-- (?:PostgreSQL|YSQL|Greenplum Database) database (?:cluster )?dump complete"),
    "-- PostgreSQL database dump complete",
)

POSTGRESQL = Dialect(
    name="postgresql",
    server="PostgreSQL",
    evidence=_EVIDENCE,
    dump_ends=(_DUMP_END,),
    lexing=Lexing(
        comment=re.compile(rb"--"),
        nested=True,
        conditional=None,
        ends=_ends,
        hidden=_hidden,
        commands=re.compile(rb"\\"),
        delimiter=None,
        routine=re.compile(rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b", re.I),
    ),
    literals=Literals(
        escapes=translation(b=8, f=12, n=10, r=13, t=9),
        by_number=True,
        kept=b"",
        bits_are_bytes=False,
        national_escapes=False,
    ),
    keywords=KEYWORDS,
    kinds=KINDS,
    # What may be the name of a column here, such as key and index, isn't among them.
    not_a_column=re.compile(rb"(?:PRIMARY|UNIQUE|CONSTRAINT|FOREIGN|CHECK|LIKE|EXCLUDE(?=\s+USING|\s*\())\b", re.I),
    column_type=column_type,
    setting=setting,
    codec=postgresql_codec,
    options="--encoding=UTF8",
    backslash_escapes=False,
    schemas=True,
    copies=True,
    writes_generated=False,
    has_zero_dates=False,
    bit_type=None,
    bytea_type="bytea",
    local_type=None,
)
