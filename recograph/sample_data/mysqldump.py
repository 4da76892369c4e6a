"""Dumps in the text form of mysqldump 8.0 and of mariadb-dump 10.11."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import IO

import numpy as np

from recograph.sample_data.literals import Literals, tuples
from recograph.sample_data.schema import Chunk, SampleColumn, SampleTable

_NET_BUFFER_LENGTH = 1_046_528
_ESCAPES = str.maketrans({"\0": "\\0", "\n": "\\n", "\r": "\\r", "\\": "\\\\", "'": "\\'", '"': '\\"', "\x1a": "\\Z"})
_LITERALS = Literals(null="NULL", false="0", true="1", quote="'", escapes=_ESCAPES)


@dataclass(frozen=True)
class Flavour:
    """In what the two tools, and the servers they talk to, differ."""

    first_lines: str
    server: str
    charset_since: str
    """From which server version on a comment with the character set is executed."""
    types: dict[str, str]
    explicit: bool
    """Whether a column's collation and the quotes around a numeric default are spelt out."""
    values_break: str
    row_break: str


MYSQL = Flavour(
    first_lines="-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n",
    server="8.0.36",
    charset_since="50503",
    types={"bool": "tinyint(1)"},
    explicit=True,
    values_break=" ",
    row_break="",
)
MARIADB = Flavour(
    first_lines="/*M!999999\\- enable the sandbox mode */ \n"
    "-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)\n",
    server="10.11.19-MariaDB-0+deb12u1",
    charset_since="40101",
    types={
        "bool": "tinyint(1)",
        "int": "int(11)",
        "bigint": "bigint(20)",
        "smallint": "smallint(6)",
        "tinyint": "tinyint(4)",
    },
    explicit=False,
    values_break="\n",
    row_break="\n",
)
_COLLATION = "utf8mb4_unicode_ci"


class MySqlDump:
    """Writes one dump: header, then tables, then footer."""

    def __init__(self, out: IO[bytes], flavour: Flavour, database: str, taken: datetime) -> None:
        self._out, self._flavour, self._database, self._taken = out, flavour, database, taken

    def _write(self, text: str) -> None:
        self._out.write(text.encode())

    def header(self) -> None:
        """Write what comes before the first table."""
        flavour = self._flavour
        self._write(
            f"{flavour.first_lines}--\n-- Host: db.example.org    Database: {self._database}\n"
            f"-- {'-' * 54}\n-- Server version\t{flavour.server}\n\n"
            "/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n"
            "/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;\n"
            "/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;\n"
            f"/*!{flavour.charset_since} SET NAMES utf8mb4 */;\n"
            "/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;\n"
            "/*!40103 SET TIME_ZONE='+00:00' */;\n"
            "/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;\n"
            "/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;\n"
            "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n"
            "/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;\n"
        )

    def table(self, table: SampleTable, chunks: Iterable[Chunk]) -> None:
        """Write a table's definition and its rows."""
        self._write(self._definition(table))
        self._write(
            f"\n--\n-- Dumping data for table `{table.name}`\n--\n\nLOCK TABLES `{table.name}` WRITE;\n"
            f"/*!40000 ALTER TABLE `{table.name}` DISABLE KEYS */;\n"
        )
        self._insert(table, chunks)
        self._write(f"/*!40000 ALTER TABLE `{table.name}` ENABLE KEYS */;\nUNLOCK TABLES;\n")

    def footer(self) -> None:
        """Write what comes after the last table."""
        self._write(
            "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n"
            "/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;\n"
            "/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;\n"
            "/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\n"
            "/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;\n"
            "/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;\n"
            "/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n"
            f"-- Dump completed on {self._taken:%Y-%m-%d} {self._taken.hour:2d}:{self._taken:%M:%S}\n"
        )

    def _insert(self, table: SampleTable, chunks: Iterable[Chunk]) -> None:
        """Multi-row statements as long as the real tools make them, which count 2 more per row and 4 at the start."""
        flavour = self._flavour
        head = f"INSERT INTO `{table.name}` VALUES{flavour.values_break}".encode()
        between = f",{flavour.row_break}".encode()
        opening, length = head, _NET_BUFFER_LENGTH
        for chunk in chunks:
            rows = [row.encode() for row in tuples(table.columns, chunk, _LITERALS, "(", ",", ")")]
            ends = np.cumsum([0, *(len(row) + 2 for row in rows)])
            written = 0
            while written < len(rows):
                stop = int(np.searchsorted(ends, ends[written] + _NET_BUFFER_LENGTH - length)) - 1
                if stop > written:
                    self._out.write(between + between.join(rows[written:stop]))
                else:
                    stop = written + 1
                    self._out.write(opening + rows[written])
                    opening, length = b";\n" + head, len(head) + 4
                length += int(ends[stop] - ends[written])
                written = stop
        if opening is not head:
            self._out.write(b";\n")

    def _definition(self, table: SampleTable) -> str:
        flavour = self._flavour
        keys = [f"PRIMARY KEY ({_names(table.primary_key)})"] if table.primary_key else []
        keys += [f"KEY `idx_{'_'.join(index)}` ({_names(index)})" for index in table.indexes]
        lines = ",\n".join(f"  {line}" for line in (*map(self._column, table.columns), *keys))
        return (
            f"\n--\n-- Table structure for table `{table.name}`\n--\n\nDROP TABLE IF EXISTS `{table.name}`;\n"
            "/*!40101 SET @saved_cs_client     = @@character_set_client */;\n"
            f"/*!{flavour.charset_since} SET character_set_client = utf8mb4 */;\n"
            f"CREATE TABLE `{table.name}` (\n{lines}\n"
            f") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={_COLLATION};\n"
            "/*!40101 SET character_set_client = @saved_cs_client */;\n"
        )

    def _column(self, column: SampleColumn) -> str:
        flavour = self._flavour
        text = column.type.startswith(("varchar", "text"))
        parts = [f"`{column.name}`", flavour.types.get(column.type, column.type)]
        if text and flavour.explicit:
            parts.append(f"COLLATE {_COLLATION}")
        if column.required:
            parts.append("NOT NULL")
        if column.constant not in (None, "NULL") and column.type != "text":
            value = _LITERALS.constant(column).strip("'")
            quoted = text or flavour.explicit
            parts.append(f"DEFAULT '{value}'" if quoted else f"DEFAULT {value}")
        elif not column.required and not (column.type == "text" and flavour.explicit):
            parts.append("DEFAULT NULL")
        return " ".join(parts)


def _names(columns: tuple[str, ...]) -> str:
    return ",".join(f"`{name}`" for name in columns)
