"""Session settings that a dump makes and that change how its rows are read."""

import re

import pyarrow as pa

from recograph.dumps.charsets import mysql_codec, postgresql_codec
from recograph.dumps.ddl import ColumnDef
from recograph.dumps.names import NAME, unquote
from recograph.dumps.report import DumpError

_NAMES = re.compile(rb"\s*SET\s+(?:NAMES|CHARACTER\s+SET|CHARSET)\s+['\"]?(\w+)", re.I)
_SQL_MODE = re.compile(rb"\bSQL_MODE\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|@)", re.I)
_TIME_ZONE = re.compile(rb"\bTIME_ZONE\s*=\s*'([^']*)'", re.I)
_CLIENT_ENCODING = re.compile(rb"\s*SET\s+client_encoding\s*(?:=|TO)\s*'([^']*)'", re.I)
_CONFORMING = re.compile(rb"\s*SET\s+standard_conforming_strings\s*(?:=|TO)\s*'?(\w+)", re.I)
_SEARCH_PATH = re.compile(rb"\s*SET\s+search_path\s*(?:=|TO)\s*(%s)" % NAME, re.I)


class Session:
    """The settings in force where the reader is.

    Attributes:
        encoding: of text.
        encoded_by_column: whether text comes in the character set of its column instead.
        backslash_escapes: whether a backslash escapes what follows it in strings.
        utc: whether TIMESTAMP values of MySQL are in UTC.
        search_path: the schema (PostgreSQL) of tables that are named without one.
    """

    def __init__(self, name: str, postgresql: bool):
        self._name = name
        self._postgresql = postgresql
        self.encoding = "utf-8"
        self.encoded_by_column = False
        self.backslash_escapes = not postgresql
        self.utc = False
        self.search_path = "public"

    def statement(self, text: bytes) -> bool:
        """Take in a statement; tells whether it was one of settings."""
        return self._postgresql_setting(text) if self._postgresql else self._mysql_setting(text)

    def _mysql_setting(self, text: bytes) -> bool:
        if text[:64].lstrip()[:4].upper() != b"SET ":
            return False
        if match := _NAMES.match(text):
            charset = match[1].decode().lower()
            self.encoded_by_column = charset == "binary"
            codec = "utf-8" if self.encoded_by_column else mysql_codec(charset, of_dump=True)
            self.encoding = self._known(codec, charset, "--default-character-set=utf8mb4")
        if match := _SQL_MODE.search(text):
            self.backslash_escapes = b"NO_BACKSLASH_ESCAPES" not in (match[1] or match[2] or b"").upper()
        if match := _TIME_ZONE.search(text):
            self.utc = match[1] in (b"+00:00", b"UTC")
        return True

    def _postgresql_setting(self, text: bytes) -> bool:
        if match := _CLIENT_ENCODING.match(text):
            name = match[1].decode(errors="replace")
            self.encoding = self._known(postgresql_codec(name), name, "--encoding=UTF8")
            return True
        if match := _CONFORMING.match(text):
            self.backslash_escapes = match[1].lower() == b"off"
            return True
        if match := _SEARCH_PATH.match(text):
            self.search_path = unquote(match[1], self.encoding)
            return True
        return text[:64].lstrip()[:4].upper() == b"SET "

    def _known(self, codec: str | None, name: str, option: str) -> str:
        if codec is None:
            raise DumpError(f"{self._name}: the dump's character set {name} can't be read. Make it with {option}.")
        return codec

    def adjusted(self, column: ColumnDef) -> pa.DataType:
        """A column's type, where it depends on the session: TIMESTAMP of MySQL is in UTC if the dump says so."""
        if not self._postgresql and column.sql_type == "timestamp" and self.utc:
            return pa.timestamp("us", "UTC")
        return column.type
