"""What a dump says of itself: dialect, server version, and whether it is whole."""

import re

from recograph.dumps.report import DumpError

_TITLE = re.compile(
    rb"^(?:(?P<postgresql>-- PostgreSQL database (?:cluster )?dump)|(?P<mariadb>-- MariaDB dump|/\*M!999999"
    rb"|-- Server version\s+\S*MariaDB)|(?P<mysql>-- MySQL dump|-- Server version\s))",
    re.M,
)
_DIALECTS = (
    (
        re.compile(
            rb"^COPY [^;]+ FROM stdin;|^SET (?:standard_conforming_strings|client_encoding|search_path)\b", re.M
        ),
        "postgresql",
    ),
    (re.compile(rb"pg_catalog\.|^CREATE TABLE \w+\.\w+|^INSERT INTO (?:\w+|\"\w+\")\.", re.M), "postgresql"),
    (re.compile(rb"^/\*!\d{5}|`|^\) ENGINE=|^LOCK TABLES", re.M), "mysql"),
    (re.compile(rb'^CREATE TABLE "|^INSERT INTO "', re.M), "postgresql"),
)
_SQL = re.compile(
    rb"(?:^|;)\s*(?:--|/\*|#|SET|CREATE|DROP|INSERT|REPLACE|COPY|USE|LOCK|BEGIN|START|ALTER|SELECT|\\\w)", re.I | re.M
)
_VERSIONS = (
    re.compile(rb"-- Server version\s+(\S+)"),
    re.compile(rb"-- Dumped from database version (\S+)"),
)
_BEGINS = re.compile(rb"-- (?:MySQL dump|MariaDB dump|PostgreSQL database (?:cluster )?dump$)")
_ENDS = re.compile(rb"-- (?:Dump completed|PostgreSQL database (?:cluster )?dump complete)")
_DATABASE = re.compile(rb"-- Host: .*?\s+Database: (\S+)")


def dialect_of(head: bytes, name: str) -> str:
    """The dialect that a dump's beginning shows.

    Raises:
        DumpError: it isn't SQL.
    """
    if title := _TITLE.search(head):
        return str(title.lastgroup)
    for pattern, dialect in _DIALECTS:
        if pattern.search(head):
            return dialect
    if _SQL.search(head):
        return "mysql"
    raise DumpError(f"{name}: this isn't a SQL dump. A plain dump of mysqldump, mariadb-dump or pg_dump is needed.")


class Header:
    """Gathers what the comments of a dump say."""

    def __init__(self, head: bytes, name: str):
        self.name = name
        self.dialect = dialect_of(head, name)
        self.server_version: str | None = None
        self.database: str | None = None
        self._begun = self._ended = 0
        self._saved = self._restored = False
        self.has_statements = False

    def comment(self, line: bytes) -> None:
        """Take in one comment line."""
        for pattern in _VERSIONS:
            if (match := pattern.match(line)) and not self.server_version:
                self.server_version = match[1].decode(errors="replace")
                if self.dialect == "mysql" and b"mariadb" in match[1].lower():
                    self.dialect = "mariadb"
        if (match := _DATABASE.match(line)) and not self.database:
            self.database = match[1].decode(errors="replace")
        self._begun += _BEGINS.match(line) is not None
        self._ended += _ENDS.match(line) is not None

    def statement(self, text: bytes) -> None:
        """Take in one statement: dumps without comments still save a setting at the top and restore it at the end."""
        self._saved |= b"@OLD_SQL_NOTES=@@SQL_NOTES" in text
        self._restored |= b"SQL_NOTES=@OLD_SQL_NOTES" in text

    def check_end(self) -> None:
        """Check that the dump is whole.

        Raises:
            DumpError: what stands at the end of a whole dump is missing.
        """
        if not self.has_statements:
            raise DumpError(f"{self.name}: the dump holds nothing but comments. It was cut; fetch or make it again.")
        if self._ended < self._begun:
            trailer = "PostgreSQL database dump complete" if self.dialect == "postgresql" else "Dump completed"
            raise DumpError(
                f'{self.name}: the closing comment "-- {trailer}" is missing, so the dump was cut, or the export '
                "failed before its end. Fetch or make it again."
            )
        if self._saved and not self._restored:
            raise DumpError(
                f"{self.name}: the settings saved at the top aren't restored at the end, so the dump was cut, or the "
                "export failed before its end. Fetch or make it again."
            )
