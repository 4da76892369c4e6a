"""Session settings that a dump makes and that change how its rows are read."""

import codecs
import re

import pyarrow as pa

from recograph.dumps.ddl import ColumnDef
from recograph.dumps.report import DumpError

_NAMES = re.compile(rb"\s*SET\s+(?:NAMES|CHARACTER\s+SET|CHARSET)\s+['\"]?(\w+)", re.I)
_SQL_MODE = re.compile(rb"\bSQL_MODE\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|@)", re.I)
_TIME_ZONE = re.compile(rb"\bTIME_ZONE\s*=\s*'([^']*)'", re.I)
_CLIENT_ENCODING = re.compile(rb"\s*SET\s+client_encoding\s*(?:=|TO)\s*'([^']*)'", re.I)
_CONFORMING = re.compile(rb"\s*SET\s+standard_conforming_strings\s*(?:=|TO)\s*'?(\w+)", re.I)
_SEARCH_PATH = re.compile(rb"\s*SET\s+search_path\s*(?:=|TO)\s*([\w\"]+)", re.I)

_LATIN1 = "recograph-mysql-latin1"
_MYSQL_CHARSETS = {
    **dict.fromkeys(["utf8", "utf8mb3", "utf8mb4", "ascii", "binary"], "utf-8"),
    "latin1": _LATIN1,
    "latin2": "iso8859-2",
    "latin5": "iso8859-9",
    "latin7": "iso8859-13",
    "greek": "iso8859-7",
    "hebrew": "iso8859-8",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1256": "cp1256",
    "cp1257": "cp1257",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp866": "cp866",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
}
_POSTGRESQL_ENCODINGS = {
    **dict.fromkeys(["UTF8", "UNICODE", "SQL_ASCII"], "utf-8"),
    **{f"LATIN{n}": f"iso8859-{part}" for n, part in enumerate((1, 2, 3, 4, 9, 10, 13, 14, 15, 16), 1)},
    **{f"WIN{page}": f"cp{page}" for page in (866, 874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)},
    "KOI8R": "koi8-r",
    "KOI8U": "koi8-u",
    "ISO_8859_5": "iso8859-5",
    "ISO_8859_7": "iso8859-7",
}


def _mysql_latin1(name: str) -> codecs.CodecInfo | None:
    """MySQL's latin1 is Windows' code page 1252, with its five holes filled by control characters."""
    if name.replace("_", "-") != _LATIN1:
        return None
    table = {at: bytes([at]).decode("cp1252", errors="replace").replace("\ufffd", chr(at)) for at in range(256)}
    back = {ord(character): at for at, character in table.items()}
    decoding = {at: ord(character) for at, character in table.items()}
    return codecs.CodecInfo(
        lambda text, errors="strict": codecs.charmap_encode(text, errors, back),
        lambda data, errors="strict": codecs.charmap_decode(data, errors, decoding),
        name=_LATIN1,
    )


codecs.register(_mysql_latin1)


class Session:
    """The settings in force where the reader is."""

    def __init__(self, name: str, postgresql: bool):
        self._name = name
        self._postgresql = postgresql
        self.encoding = "utf-8"
        self.backslash_escapes = not postgresql
        self.utc = False

    def statement(self, text: bytes) -> bool:
        """Take in a statement; tells whether it was one of settings."""
        return self._postgresql_setting(text) if self._postgresql else self._mysql_setting(text)

    def _mysql_setting(self, text: bytes) -> bool:
        if text[:64].lstrip()[:4].upper() != b"SET ":
            return False
        if match := _NAMES.match(text):
            self.encoding = self._known(_MYSQL_CHARSETS, match[1].decode().lower(), "--default-character-set=utf8mb4")
        if match := _SQL_MODE.search(text):
            self.backslash_escapes = b"NO_BACKSLASH_ESCAPES" not in (match[1] or match[2] or b"").upper()
        if match := _TIME_ZONE.search(text):
            self.utc = match[1] in (b"+00:00", b"UTC")
        return True

    def _postgresql_setting(self, text: bytes) -> bool:
        if match := _CLIENT_ENCODING.match(text):
            self.encoding = self._known(_POSTGRESQL_ENCODINGS, match[1].decode().upper(), "--encoding=UTF8")
            return True
        if match := _CONFORMING.match(text):
            self.backslash_escapes = match[1].lower() == b"off"
            return True
        return text[:64].lstrip()[:4].upper() == b"SET "

    def _known(self, encodings: dict[str, str], name: str, option: str) -> str:
        if name not in encodings:
            raise DumpError(f"{self._name}: the dump's character set {name} can't be read. Make it with {option}.")
        return encodings[name]

    def adjusted(self, column: ColumnDef) -> pa.DataType:
        """A column's type, where it depends on the session: TIMESTAMP of MySQL is in UTC if the dump says so."""
        if not self._postgresql and column.sql_type == "timestamp" and self.utc:
            return pa.timestamp("us", "UTC")
        return column.type
