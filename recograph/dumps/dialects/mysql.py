"""MySQL's SQL, as mysqldump, mysqlpump, mydumper, phpMyAdmin, HeidiSQL and many others write it."""

import functools
import re

import pyarrow as pa

from recograph.dumps.charsets import mysql_codec
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
    is_count,
    translation,
)

_MOST_DIGITS = 65
_MOST_BITS = 64

_STRING = rb"'(?:[^'\\]++|\\.|'')*+'"
_PLAIN_STRING = rb"'(?:[^']++|'')*+'"
_DOUBLE = rb'"(?:[^"\\]++|\\.|"")*+"'
_PLAIN_DOUBLE = rb'"(?:[^"]++|"")*+"'
_QUOTED_NAME = rb"`(?:[^`]++|``)*+`"
_LINE_COMMENT = rb"(?:--(?=[\x00-\x20])|\#)[^\r\n]*+\r*+(?![^\n])"


def _strings(backslashes: bool, names: bool) -> tuple[bytes, bytes]:
    """What strings and quoted names look like."""
    single = _STRING if backslashes else _PLAIN_STRING
    double = _DOUBLE if backslashes else _PLAIN_DOUBLE
    if names:
        return single, rb"%s|%s" % (_PLAIN_DOUBLE, _QUOTED_NAME)
    return rb"%s|%s" % (single, double), _QUOTED_NAME


@functools.cache
def _ends(backslashes: bool, names: bool, delimiter: bytes) -> re.Pattern[bytes]:
    string, name = _strings(backslashes, names)
    # What only a version of the far future executes is a comment to every server; to find where a statement ends, so is
    # what MariaDB alone executes.
    whole = rb"%s|%s|%s\n|/\*(?!M?!(?!9\d{5})).*?\*/|\*/|/\*M?!(?!9\d{5})" % (string, name, _LINE_COMMENT)
    opening = rb"['\"`\#]|--(?:[\x00-\x20]|\Z)|/\*"
    return re.compile(rb"(?P<whole>%s)|(?P<open>%s)|(?P<end>%s)" % (whole, opening, re.escape(delimiter)), re.S)


@functools.cache
def _hidden(backslashes: bool, names: bool) -> re.Pattern[bytes]:
    string, name = _strings(backslashes, names)
    comment = rb"/\*M?!9\d{5}.*?\*/|/\*M?!(?:\d{5,6})?[ ]?|\*/|/\*.*?\*/|%s" % _LINE_COMMENT
    return re.compile(rb"(?P<string>%s)|(?P<name>%s)|%s" % (string, name, comment), re.S)


_OBJECTS = (
    "VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|INDEX|USER|ROLE|SERVER|SEQUENCE|PACKAGE(?: BODY)?|"
    "(?:UNDO )?TABLESPACE|LOGFILE GROUP|SPATIAL REFERENCE SYSTEM|RESOURCE GROUP"
)
_BEFORE_OBJECT = (
    r"(?:OR REPLACE |[A-Z_]+ ?= ?\S+ |SQL SECURITY [A-Z]+ |AGGREGATE |UNIQUE |FULLTEXT |SPATIAL |TEMPORARY )*"
)
_ELSEWHERE = "Its rows are in another file. Make the dump with mysqldump or mariadb-dump, which write rows into it."
_NONE, _SETTING, _TABLE, _ROWS = Effect.NONE, Effect.SETTING, Effect.TABLE, Effect.ROWS
KINDS = (
    StatementKind(r"SET STATEMENT\b", _ROWS),
    StatementKind(r"SET\b", _SETTING),
    StatementKind(r"(?:LOCK|UNLOCK) (?:TABLES?|INSTANCE)\b", _NONE),
    StatementKind(r"START (?:TRANSACTION|SLAVE|REPLICA|ALL|GROUP_REPLICATION)\b|BEGIN(?: WORK)?$|COMMIT\b", _NONE),
    StatementKind(r"(?:RELEASE )?SAVEPOINT\b", _NONE),
    StatementKind(rf"(?:CREATE|ALTER) {_BEFORE_OBJECT}(?:DATABASE|SCHEMA|{_OBJECTS})\b", _NONE),
    StatementKind(rf"DROP (?:{_OBJECTS}|PREPARE)\b", _NONE),
    StatementKind(r"DROP (?:DATABASE|SCHEMA)\b", _TABLE),
    StatementKind(r"CREATE (?:OR REPLACE |TEMPORARY )*TABLE\b", _TABLE),
    StatementKind(r"(?:DROP (?:TEMPORARY )?TABLES?|TRUNCATE|USE)\b", _TABLE),
    StatementKind(r"ALTER (?:ONLINE |IGNORE )*TABLE\b", _TABLE),
    StatementKind(
        r"(?:GRANT|REVOKE|FLUSH|ANALYZE|CHECK|OPTIMIZE|REPAIR|INSTALL|UNINSTALL|CHANGE|STOP|PURGE|SHOW)\b", _NONE
    ),
    StatementKind(r"RESET (?:MASTER|SLAVE|REPLICA|BINARY)\b", _NONE),
    StatementKind(r"DO SETVAL ?\(", _NONE),
    StatementKind(r"SELECT (?:@|SETVAL ?\(|NEXTVAL ?\(|LASTVAL ?\(|''|COUNT ?\(\*\) INTO @)", _NONE),
    # Percona's mysqldump prepares settings that MyRocks alone has; `setting` looks at their text.
    StatementKind(r"PREPARE\b", _SETTING),
    StatementKind(r"(?:EXECUTE (?!IMMEDIATE)|DEALLOCATE PREPARE\b)", _NONE),
    StatementKind(r"LOAD (?:DATA|XML)\b", _ROWS, "LOAD DATA", _ELSEWHERE),
    StatementKind(r"(?:SOURCE|\\\.)", _ROWS, "SOURCE", _ELSEWHERE),
    StatementKind(r"IMPORT TABLE\b", _ROWS, "IMPORT TABLE", _ELSEWHERE),
    StatementKind(r"INSERT\b.*\bSELECT\b", _ROWS, "INSERT ... SELECT"),
)
KEYWORDS = frozenset(
    b"""ALTER ANALYZE BACKUP BEGIN CALL CHANGE CHECK CHECKSUM CLONE COMMIT CREATE DEALLOCATE DELETE DESC DESCRIBE DO
    DROP EXECUTE EXPLAIN FLUSH GET GRANT HANDLER HELP IMPORT INSERT INSTALL KILL LOAD LOCK MERGE OPTIMIZE PREPARE PURGE
    RELEASE RENAME REPAIR REPLACE RESET RESIGNAL RESTART REVOKE ROLLBACK SAVEPOINT SELECT SET SHOW SHUTDOWN SIGNAL
    SOURCE START STOP TABLE TRUNCATE UNINSTALL UNLOCK UPDATE USE VALUES WITH XA""".split()
)

_TYPES: dict[str, pa.DataType] = {
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
_INTEGERS = {
    "tinyint": (pa.int8(), pa.uint8()),
    "smallint": (pa.int16(), pa.uint16()),
    "mediumint": (pa.int32(), pa.uint32()),
    "int": (pa.int32(), pa.uint32()),
    "integer": (pa.int32(), pa.uint32()),
    "bigint": (pa.int64(), pa.uint64()),
}
_TYPE = re.compile(r"(?P<name>[a-z]\w*(?: precision)?)\s*(?:\((?P<size>[^)]*)\))?(?P<rest>.*)", re.I | re.S)


def column_type(definition: str) -> pa.DataType:
    """See `Dialect.column_type`.

    Raises:
        ValueError: its length is none.
    """
    match = _TYPE.match(definition)
    if not match:
        return pa.string()
    name, size, rest = match["name"].lower(), (match["size"] or "").strip(), match["rest"].lower()
    if name in _INTEGERS:
        unsigned = re.match(r"\s*(?:signed\s+)?(?:unsigned|zerofill)", rest) is not None
        return _INTEGERS[name][unsigned]
    if name in ("decimal", "numeric", "dec", "fixed"):
        precision, _, scale = size.partition(",")
        return decimal_type(precision or "10", scale or "0", _MOST_DIGITS)
    if name == "bit":
        if size and not is_count(size, _MOST_BITS):
            raise ValueError("length")
        return pa.bool_() if int(size or 1) == 1 else pa.uint64()
    return _TYPES.get(name, pa.string())


_CHARSET = re.compile(rb"\s*SET\s+(?:NAMES|CHARACTER\s+SET|CHARSET)\s+['\"]?(\w+)", re.I)
_CLIENT = re.compile(rb"\bCHARACTER_SET_CLIENT\s*:?=\s*(?:['\"]?(?P<name>\w+)|@)", re.I)
_SQL_MODE = re.compile(
    rb"(?<!GLOBAL[ .])\bSQL_MODE\s*:?=\s*"
    rb"(?:(?P<quote>['\"])(?P<listed>.*?)(?P=quote)|(?P<word>[A-Z_]+)(?!\w|\s*\()|0(?!\w)|"
    rb"(?:IFNULL\s*\(\s*)?@(?P<saved>\w+)|(?P<other>.*))",
    re.I | re.S,
)
_SAVED = re.compile(rb"@(?P<name>\w+)\s*:?=\s*@@(?:SESSION\.)?(?:(?P<mode>SQL_MODE)|TIME_ZONE)\b", re.I)
_CHANGES_STRINGS = re.compile(rb"NO_BACKSLASH_ESCAPES|ANSI|EMPTY_STRING|\d", re.I)
_QUOTE_NAMES = frozenset(b"ANSI_QUOTES ANSI DB2 MAXDB MSSQL ORACLE POSTGRESQL".split())
_TIME_ZONE = re.compile(
    rb"(?<!GLOBAL[ .])\bTIME_ZONE`?\s*:?=\s*"
    rb"(?:'([^']*)'|\"([^\"]*)\"|(?:IFNULL\s*\(\s*)?@(?P<saved>\w+)|DEFAULT\b|SYSTEM\b)",
    re.I,
)
_TEXTS = re.compile(rb"\s*SET\s+@(\w+)\s*:?=", re.I)
_PREPARED = re.compile(rb"\s*PREPARE\s+\w+\s+FROM\s+(?:@(?P<name>\w+)\s*$)?", re.I)
_HARMLESS = re.compile(
    rb"'(?:SELECT \d+|SELECT COUNT\(\*\) INTO @\w+ FROM [^;]*|SET (?:SESSION )?(?:@|rocksdb_)\w+ *= *@?\w+)'", re.I
)


def setting(session: Settable, text: bytes) -> None:
    """See `Dialect.setting`."""
    if match := _CHARSET.match(text):
        charset, session.client = match[1].decode().lower(), None
        session.encoded_by_column = charset == "binary"
        if charset != "default":
            session.encode("utf-8" if session.encoded_by_column else mysql_codec(charset, of_dump=True), charset)
    if match := _CLIENT.search(text):
        session.client = match["name"].decode().lower() if match["name"] else None
    for saved in _SAVED.finditer(text):
        name = saved["name"].lower()
        if saved["mode"]:
            session.modes[name] = (session.backslash_escapes, session.quoted_names)
        else:
            session.zones[name] = session.time_zone
    _set_mode(session, text)
    if (match := _TIME_ZONE.search(text)) and match["saved"]:
        session.time_zone = session.zones.get(match["saved"].lower(), session.time_zone)
    elif match:
        session.set_time_zone((match[1] or match[2] or b"").decode(errors="replace"))
    if match := _TEXTS.match(text):
        session.texts[match[1].lower()] = re.findall(_STRING, text, re.S)
    elif match := _PREPARED.match(text):
        texts = session.texts.get((match["name"] or b"").lower(), [])
        if not texts or not all(map(_HARMLESS.fullmatch, texts)):
            raise session.unread("PREPARE")


def _set_mode(session: Settable, text: bytes) -> None:
    """Take in the mode that a statement sets, for it says what backslashes and double quotes are."""
    if (match := _SQL_MODE.search(text)) is None:
        return
    words = (match["listed"] or match["word"] or b"").upper().replace(b" ", b"").split(b",")
    # Most expressions add to the mode, or take from it, what changes no strings.
    if _CHANGES_STRINGS.search(match["other"] or b"") or b"EMPTY_STRING_IS_NULL" in words:
        raise session.unknown("sql_mode")
    if match["other"] is not None:
        return
    own = b"NO_BACKSLASH_ESCAPES" not in words, not _QUOTE_NAMES.isdisjoint(words)
    session.backslash_escapes, session.quoted_names = session.modes.get((match["saved"] or b"").lower(), own)


_EVIDENCE = Evidence(
    titles=any_of(
        rb"^-- MySQL dump ",
        rb"^-- Server version:?[ \t]+[5-9]\.",
        rb"^/\*!\d{5}",
        rb"^-- Dump created by MySQL pump",
        rb"^-- phpMyAdmin SQL Dump",
        rb"^-- Adminer [\d.]+\S* MySQL",
        rb"^# (?:Sequel (?:Pro|Ace) SQL dump|Host: )",
        rb"^SQLyog |^/\*[ \t]*SQLyog|^[ \t]*SQLyog ",
        rb"^-- MySQL Workbench|^-- MySQL Script generated by MySQL Workbench",
        rb"Source Server Type[ \t]*:[ \t]*MySQL",
        rb"^\)[^\n;']{0,200}\bENGINE[ \t]*=",
        rb"^(?:UN)?LOCK TABLES\b",
        rb"^SET (?:SQL_MODE|FOREIGN_KEY_CHECKS|UNIQUE_CHECKS|@OLD_\w+|@@SESSION\.)\b",
        rb"^-- HeidiSQL Version",
    ),
    hints=any_of(
        rb"^[ \t]*(?:(?:CREATE|DROP|ALTER) TABLE|(?:INSERT|REPLACE) INTO|USE|CREATE DATABASE)[^\n;'\"]{0,300}`",
        rb"\bAUTO_INCREMENT\b",
        rb"\bENGINE[ \t]*=[ \t]*(?:InnoDB|MyISAM|Aria|MEMORY)\b",
        rb"\b(?:tiny|medium|long)(?:int|text|blob)\b",
        rb"\b(?:int|bigint|smallint)(?:\([0-9]+\))?[ \t]+unsigned\b",
        rb"^SET NAMES utf8mb[34]",
        rb"^DELIMITER ",
    ),
)
_DUMP_ENDS = (
    End(re.compile(rb"-- (?:MySQL|MariaDB) dump "), re.compile(rb"-- Dump completed"), "-- Dump completed"),
    End(re.compile(rb"-- Dump created by MySQL pump"), re.compile(rb"-- Dump end time:"), "-- Dump end time"),
)

MYSQL = Dialect(
    name="mysql",
    server="MySQL",
    evidence=_EVIDENCE,
    dump_ends=_DUMP_ENDS,
    lexing=Lexing(
        comment=re.compile(rb"--(?=[\x00-\x20]|\Z)|#"),
        nested=False,
        conditional=re.compile(rb"/\*M?!(?!9\d{5})"),
        ends=_ends,
        hidden=_hidden,
        commands=re.compile(rb"use[ \t]", re.I),
        delimiter=re.compile(rb"delimiter[ \t]+", re.I),
        routine=re.compile(rb"CREATE\b.*?\b(?:FUNCTION|PROCEDURE|TRIGGER|EVENT|PACKAGE)\b", re.I | re.S),
    ),
    literals=Literals(
        escapes=translation(**{"b": 8, "n": 10, "r": 13, "t": 9, "Z": 26, "0": 0}),
        by_number=False,
        kept=b"%_",
        bits_are_bytes=True,
        national_escapes=True,
    ),
    keywords=KEYWORDS,
    kinds=KINDS,
    not_a_column=re.compile(
        rb"(?:PRIMARY|UNIQUE|FULLTEXT|SPATIAL|KEY|INDEX|CONSTRAINT|FOREIGN|CHECK|LIKE|PERIOD\s+FOR|VECTOR\s+(?:KEY|INDEX))\b",
        re.I,
    ),
    column_type=column_type,
    setting=setting,
    codec=mysql_codec,
    options="--default-character-set=utf8mb4",
    backslash_escapes=True,
    schemas=False,
    copies=False,
    writes_generated=False,
    has_zero_dates=True,
    bit_type="bit",
    bytea_type=None,
    local_type="timestamp",
)
