"""From statements to Arrow: which columns of which rows leave the dump, and with which types."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import pyarrow as pa

from recograph.dumps.errors import DumpError
from recograph.dumps.source import Source
from recograph.dumps.statements import Rows, Table, Value, missing_values, statements
from recograph.dumps.values import convert, is_zero_date

BATCH_ROWS = 20_000

_TRAILERS = {"postgresql": b"-- PostgreSQL database dump complete", "mysql": b"-- Dump completed"}
_HEADERS = {"postgresql": b"-- PostgreSQL database dump", "mysql": b"-- MySQL dump", "mariadb": b"-- MariaDB dump"}
_VERSION = re.compile(rb"Server version\s+(\S+)|Dumped from database version (\S+)")


@dataclass
class TableReport:
    """What was seen of a table."""

    columns: list[str] = field(default_factory=list)
    """All columns in the dump."""
    dropped_columns: list[str] = field(default_factory=list)
    """Columns that weren't asked for."""
    rows: int = 0
    zero_dates: int = 0
    """Zero dates (0000-00-00) that became NULL."""


class DumpReader:
    """Reads a dump once, from front to back, as (table, record batch) pairs.

    Args:
        source: a path or a binary stream.
        name: what messages call the dump; the path by default.
        schemas: the tables and columns to read, with their types; a field that isn't nullable must be there and never
            NULL. Without schemas, every column of every table is read, as text.
        on_progress: called with the bytes read of the file, and its size where it is known.

    Raises:
        DumpError: while iterating: the dump is cut off, isn't a dump, or holds a value that its column can't.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        *,
        name: str | None = None,
        schemas: Mapping[str, pa.Schema] | None = None,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self._opened = Path(source).open("rb") if isinstance(source, str | os.PathLike) else None  # noqa: SIM115
        stream = self._opened or source
        assert not isinstance(stream, str | os.PathLike)
        self.name = name or (str(source) if isinstance(source, str | os.PathLike) else "the dump")
        self._schemas = schemas
        self.tables: dict[str, TableReport] = {}
        """Reports by table name, as the schemas spell it; complete after iteration."""
        self._source = Source(stream, self.name, on_progress)
        self.compression = self._source.compression
        head = self._source.data[:4096]
        self.dialect = next((dialect for dialect, header in _HEADERS.items() if header in head), "")
        version = _VERSION.search(head)
        self.server_version = (version[1] or version[2]).decode() if version else None
        if not self.dialect:
            self.dialect = _guess(head, self.name)
            self._trailer = None  # without its heading comment a dump has no closing one either
        else:
            self._trailer = _TRAILERS["postgresql" if self.dialect == "postgresql" else "mysql"]

    def __enter__(self) -> "DumpReader":
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file where the reader opened it."""
        if self._opened:
            self._opened.close()

    def __iter__(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The record batches, in the order of the dump."""
        tail = _Tail(self._source)
        for statement in statements(tail, self.dialect):
            if isinstance(statement, Table):
                name = self._wanted_name(statement.name)
                self.tables.setdefault(name, TableReport()).columns = statement.columns
                if self._schemas and name in self._schemas:
                    self._pick(name, statement.columns)
            else:
                yield from self._read(statement)
        if self._trailer and self._trailer not in tail.last:
            raise DumpError(
                f"{self.name} is cut off: its closing comment ({self._trailer.decode()}) is missing. "
                "Ask for the whole dump again."
            )

    def _wanted_name(self, name: str) -> str:
        """A table's name as the schemas spell it; case doesn't matter."""
        return next((wanted for wanted in self._schemas or () if wanted.lower() == name.lower()), name)

    def _read(self, statement: Rows) -> Iterator[tuple[str, pa.RecordBatch]]:
        name = self._wanted_name(statement.table)
        report = self.tables.setdefault(name, TableReport())
        columns = statement.columns or report.columns
        report.columns = report.columns or columns
        picked = self._pick(name, columns)
        batch: list[Sequence[Value]] = []
        for row in statement.rows:
            report.rows += 1
            if len(row) != len(columns):
                raise missing_values(self._source, name, report.rows, row, len(columns))
            if picked is None:
                continue
            batch.append([row[position] for position, _ in picked])
            if len(batch) == BATCH_ROWS:
                yield name, self._batch(name, report, picked, batch)
                batch = []
        if batch and picked is not None:
            yield name, self._batch(name, report, picked, batch)

    def _pick(self, name: str, columns: list[str]) -> list[tuple[int, pa.Field]] | None:
        """Positions and fields of the columns to read, or None for a table that nobody wants."""
        report = self.tables[name]
        if self._schemas is None:
            return [(position, pa.field(column, pa.string())) for position, column in enumerate(columns)]
        if name not in self._schemas:
            return None
        positions = {column.lower(): position for position, column in enumerate(columns)}
        schema = self._schemas[name]
        if missing := [wanted.name for wanted in schema if wanted.name.lower() not in positions]:
            raise DumpError(
                f"{self.name}: table {name} has no column {', '.join(missing)}, which its contract needs. "
                f"It has: {', '.join(columns)}. Ask for a dump with it, or change recograph/contracts/tables.py."
            )
        wanted_names = {wanted.name.lower() for wanted in schema}
        report.dropped_columns = [column for column in columns if column.lower() not in wanted_names]
        return [(positions[wanted.name.lower()], wanted) for wanted in schema]

    def _batch(
        self, name: str, report: TableReport, picked: list[tuple[int, pa.Field]], rows: list[Sequence[Value]]
    ) -> pa.RecordBatch:
        first = report.rows - len(rows) + 1
        arrays = []
        for index, (_, wanted) in enumerate(picked):
            values = [row[index] for row in rows]
            if pa.types.is_timestamp(wanted.type):
                zero = [value is not None and is_zero_date(value) for value in values]
                report.zero_dates += sum(zero)
                values = [None if is_zero else value for value, is_zero in zip(values, zero, strict=True)]
            array, bad = convert(values, wanted)
            if bad is not None:
                value = values[bad]
                what = "is NULL" if value is None else f"is {_shortened(value)}, which is no {wanted.type}"
                raise DumpError(
                    f"{self.name}: table {name}, column {wanted.name}, row {first + bad}: the value {what}. "
                    "Nothing of this dump was taken; mend it at its source, or change recograph/contracts/tables.py."
                )
            arrays.append(array)
        return pa.record_batch(arrays, schema=pa.schema([wanted for _, wanted in picked]))


class _Tail(Source):
    """The same source, remembering the last lines for the closing comment."""

    def __init__(self, source: Source) -> None:
        self.__dict__ = source.__dict__
        self.last = b""

    def line(self) -> bytes | None:
        """See `Source.line`."""
        line = super().line()
        if line is not None and line.startswith(b"-- "):
            self.last = line
        return line


def _guess(head: bytes, name: str) -> str:
    if re.search(rb"COPY .* FROM stdin;|SET standard_conforming_strings|pg_catalog", head):
        return "postgresql"
    if re.search(rb"(?i)(INSERT INTO|CREATE TABLE|DROP TABLE|LOCK TABLES|/\*!\d|/\*M!)", head) and b"\0" not in head:
        return "mysql"
    raise DumpError(f"{name} isn't an SQL dump. Write it with mysqldump, mariadb-dump or `pg_dump --format=plain`.")


def _shortened(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    return repr(text if len(text) <= 40 else text[:40] + "...")
