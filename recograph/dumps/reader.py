"""One pass over a dump: statements that matter are understood, rows become record batches, the rest is skipped."""

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa

from recograph.dumps.buffer import Buffer
from recograph.dumps.copy import CopyRows, copy_header, skip_block
from recograph.dumps.ddl import ColumnDef, TableDef, parse_table, with_parents
from recograph.dumps.header import Header
from recograph.dumps.insert import DataHeader, Fields, InsertRows, insert_header, skip_rows
from recograph.dumps.lexer import Lexer
from recograph.dumps.literals import Syntax
from recograph.dumps.names import QUALIFIED, names
from recograph.dumps.report import DumpError, Limits, TableReport
from recograph.dumps.settings import Session
from recograph.dumps.source import CHUNK_BYTES, Source
from recograph.dumps.tables import Table, match_table

BATCH_ROWS = 128 << 10
BATCH_BYTES = 32 << 20

_DATA = re.compile(rb"INSERT\s|REPLACE\s|COPY\s", re.I)
_USE = re.compile(rb"\s*USE\s+(%s)\s*$" % QUALIFIED, re.I)
_CONNECT = re.compile(rb"\\connect\s+(?:-reuse-previous=on\s+)?(.+)")
_ATTACH = re.compile(rb"\s*ALTER\s+TABLE\s+(?:ONLY\s+)?(%s)\s+ATTACH\s+PARTITION\s+(%s)" % (QUALIFIED, QUALIFIED), re.I)
_DROP = re.compile(
    rb"\s*(?:DROP\s+(?:TABLE|VIEW)|TRUNCATE)\s+(?:TABLE\s+)?(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(%s)" % QUALIFIED, re.I
)
_MARKERS = re.compile(rb"/\*M?!\d*|\*/")


class DumpReader:
    """Reads a SQL dump of mysqldump, mariadb-dump or pg_dump into Arrow record batches, in one pass, in bounded memory.

    Iterating gives pairs of table name and batch, in the order of the dump. A dump is data and never executed.

    Attributes:
        dialect: "mysql", "mariadb" or "postgresql".
        server_version: of the server that was dumped, where the dump says it.
        compression: "none", "gzip", "zstd" or "bzip2", told by content.
        tables: what was read of each table that the dump has and that was asked for; complete after iteration.
        tables_in_dump: how many tables the dump has, wanted or not.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        *,
        name: str | None = None,
        schemas: Mapping[str, pa.Schema] | None = None,
        only: Collection[str] | None = None,
        database: str | None = None,
        as_text: Collection[str] = (),
        limits: Limits | None = None,
        batch_rows: int = BATCH_ROWS,
        batch_bytes: int = BATCH_BYTES,
        chunk_bytes: int = CHUNK_BYTES,
        on_progress: Callable[[int, int | None], None] | None = None,
        decode: bool = True,
        digest: bool = False,
    ):
        """Open a dump and look at its beginning.

        Args:
            source: a path, or a binary stream, such as of an object in S3; a stream isn't closed.
            name: what messages call the dump; the path by default.
            schemas: an allow-list: only these tables and columns are decoded, to these types. A field that isn't
                nullable is required. Without it everything is read, typed from the dump's own definitions.
            only: names of the tables to read, where `schemas` isn't given.
            database: the database (MySQL) or schema (PostgreSQL) to read; its tables have no qualifier then.
            as_text: columns, as TABLE.COLUMN, to read as text instead of their type in the dump.
            limits: bounds on what the dump may cost.
            batch_rows: most rows of a batch.
            batch_bytes: a batch is given when it holds about as much.
            chunk_bytes: how much is read at a time.
            on_progress: called with the bytes of the file that were read, and its size where it is known.
            decode: whether to give batches; without, rows are only counted.
            digest: whether to compute the file's SHA-256 on the way.

        Raises:
            DumpError: the file isn't a dump that can be read; the message says what to do.
        """
        self._limits = limits or Limits()
        self._source = Source(source, name, self._limits, chunk_bytes, digest)
        self.name = self._source.name
        self.compression = self._source.compression
        try:
            self._header = Header(self._source.head, self.name)
        except DumpError:
            self._source.close()
            raise
        self._postgresql = self._header.dialect == "postgresql"
        self._schemas = schemas
        self._only = None if only is None else frozenset(only)
        self._database = database
        self._as_text = frozenset(as_text)
        self._batch_rows, self._batch_bytes = batch_rows, batch_bytes
        self._on_progress = on_progress
        self._decode = decode
        self._session = Session(self.name, self._postgresql)
        self._home = database or ("public" if self._postgresql else None)
        self._current: str | None = None
        self._definitions: dict[tuple[str | None, str], TableDef] = {}
        self._roots: dict[tuple[str | None, str], tuple[str | None, str]] = {}
        self._wanted: dict[tuple[str | None, str], Table] = {}
        self._seen: dict[tuple[str | None, str], None] = {}
        self.tables: dict[str, TableReport] = {}
        self._started = False

    @property
    def dialect(self) -> str:
        """The dialect: mysql, mariadb or postgresql."""
        return self._header.dialect

    @property
    def server_version(self) -> str | None:
        """The version of the server that was dumped, where the dump says it."""
        return self._header.server_version

    @property
    def tables_in_dump(self) -> int:
        """How many tables were seen, wanted or not."""
        return len(self._seen)

    @property
    def size(self) -> int | None:
        """Size of the file in bytes, where it is known."""
        return self._source.size

    @property
    def read_bytes(self) -> int:
        """Bytes of the file that were read so far."""
        return self._source.read_bytes

    @property
    def sha256(self) -> str | None:
        """Digest of the file, where asked for; complete after iteration."""
        return self._source.sha256

    def schema(self, table: str) -> pa.Schema:
        """The schema of a table's batches."""
        for wanted in self._wanted.values():
            if wanted.report.name == table:
                return wanted.schema
        raise KeyError(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, where this opened it."""
        self._source.close()

    def __iter__(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Read the dump; possible once.

        Raises:
            DumpError: the dump is cut, broken, beyond a limit, or holds a value that doesn't fit its column.
        """
        if self._started:
            raise DumpError(f"{self.name}: a dump is read once; open it again to read it again.")
        self._started = True
        buffer = Buffer(self._progressing())
        lexer = Lexer(buffer, self.name, self._limits, self._comment)
        lexer.postgresql = self._postgresql
        while lexer.seek():
            lexer.backslash_escapes = self._session.backslash_escapes
            if _DATA.match(buffer.data, buffer.pos):
                header = copy_header(buffer, self.name) if self._postgresql else None
                is_copy = header is not None
                header = header or insert_header(buffer)
                if header:
                    yield from self._rows(buffer, header, is_copy)
                    continue
            self._statement(lexer.statement())
        self._header.check_end()
        for table in self._wanted.values():
            for batch in table.flush():
                yield table.report.name, batch

    def _progressing(self) -> Iterator[bytes]:
        for chunk in self._source:
            yield chunk
            if self._on_progress:
                self._on_progress(self._source.read_bytes, self._source.size)

    def _comment(self, line: bytes) -> None:
        self._header.comment(line)
        if match := _CONNECT.match(line):
            self._current = match[1].decode(errors="replace")

    def _statement(self, text: bytes) -> None:
        self._header.statement(text)
        bare = text if self._postgresql else _MARKERS.sub(b" ", text)
        if self._session.statement(bare):
            return
        if match := _USE.match(bare):
            self._current = names(match[1])[0]
            if not self._postgresql:
                self._home = self._home or self._current
        elif table := parse_table(text, self._postgresql):
            self._define(table)
        elif self._postgresql and (match := _ATTACH.match(text)):
            self._attach(self._key(names(match[1])), self._key(names(match[2])))
        elif match := _DROP.match(bare):
            self._drop(self._key(names(match[1])))

    def _key(self, path: list[str]) -> tuple[str | None, str]:
        if len(path) > 1:
            return path[-2], path[-1]
        return ("public" if self._postgresql else self._current), path[-1]

    def _define(self, table: TableDef) -> None:
        key = self._key(table.path)
        if table.inherits:
            parents = [self._definitions[p] for path in table.inherits if (p := self._key(path)) in self._definitions]
            table = with_parents(table, parents)
        self._see(key)
        if len(table.columns) > self._limits.columns:
            raise DumpError(
                f"{self.name}: table {key[1]} has more than {self._limits.columns} columns. "
                "Raise the limit columns if it is right."
            )
        self._definitions[key] = table
        if key not in self._wanted:
            self._want(key, None)

    def _see(self, key: tuple[str | None, str]) -> None:
        self._seen[key] = None
        if len(self._seen) > self._limits.tables:
            raise DumpError(
                f"{self.name}: more than {self._limits.tables} tables. Raise the limit tables if it is right."
            )

    def _attach(self, root: tuple[str | None, str], part: tuple[str | None, str]) -> None:
        """Rows of a partition belong to the table that it is a partition of."""
        self._roots[part] = root
        self._seen.pop(part, None)
        if table := self._wanted.pop(part, None):
            self.tables.pop(table.report.name, None)

    def _drop(self, key: tuple[str | None, str]) -> None:
        table = self._wanted.get(key)
        if table is None:
            return
        if table.report.rows:
            raise DumpError(
                f"{table.place}: the dump drops or empties the table after filling it, so its rows wouldn't be there. "
                "Two dumps may have been joined; split them."
            )
        del self._wanted[key]
        self._seen.pop(key, None)
        self._definitions.pop(key, None)
        self.tables.pop(table.report.name, None)

    def _want(self, key: tuple[str | None, str], header: DataHeader | None) -> Table | None:
        """The table, if its rows are wanted."""
        if (
            self._database is not None
            and key[0] != self._database
            and (key[0] or self._header.database) != self._database
        ):
            return None
        bare = key[1]
        name = bare if key[0] in (None, self._home) else f"{key[0]}.{bare}"
        definition = self._definitions.get(key)
        if self._schemas is None:
            if self._only is not None and name not in self._only:
                return None
            columns = definition.columns if definition else tuple(_texts(header))
            listed = set(header.columns or ()) if header else set()
            schema = pa.schema(
                [
                    self._typed(name, c)
                    for c in columns
                    if not (c.generated and self._postgresql and c.name not in listed)
                ]
            )
        else:
            found = match_table(name, bare, self._schemas)
            if found is None:
                return None
            name, schema = found, self._schemas[found]
        if name in self.tables:
            raise DumpError(
                f"{self.name}: more than one table answers to {name} (the second is {'.'.join(filter(None, key))}). "
                "Name the database, or in a dump of PostgreSQL the schema, that is meant."
            )
        table = Table(TableReport(name), schema, self.name, [])
        self._wanted[key] = table
        self.tables[name] = table.report
        if definition:
            table.bind(list(definition.columns))
        return table

    def _typed(self, table: str, column: ColumnDef) -> pa.Field:
        is_text = f"{table}.{column.name}" in self._as_text
        kind = pa.string() if is_text else self._session.adjusted(column)
        return pa.field(column.name, kind)

    def _rows(self, buffer: Buffer, header: DataHeader, is_copy: bool) -> Iterator[tuple[str, pa.RecordBatch]]:
        key = self._key(header.table)
        key = self._roots.get(key, key)
        while key in self._roots:
            key = self._roots[key]
        place = f"{self.name}: table {'.'.join(header.table)}"
        self._see(key)
        table = self._wanted.get(key) or self._want(key, header)
        if header.default_row:
            if table:
                table.report.rows += 1
            return
        if table is None:
            if is_copy:
                skip_block(buffer, place)
            else:
                skip_rows(buffer, self._session.backslash_escapes, place)
            return
        columns = self._columns_of(header, key, place)
        table.bind(columns)
        wanted = table.wanted if self._decode else []
        start = buffer.offset
        rows: CopyRows | InsertRows
        if is_copy:
            rows = CopyRows(buffer, len(columns), wanted, self._limits, place)
        else:
            rows = InsertRows(
                buffer, header, len(columns), wanted, self._session.backslash_escapes, self._limits, place
            )
        rows.rows = table.report.rows
        syntax = Syntax(self._postgresql, self._session.backslash_escapes, is_copy)
        for fields in rows:
            yield from self._batches(table, fields, syntax)
        table.report.bytes += buffer.offset - start

    def _columns_of(self, header: DataHeader, key: tuple[str | None, str], place: str) -> list[ColumnDef]:
        definition = self._definitions.get(key)
        if header.columns:
            known = {column.name: column for column in definition.columns} if definition else {}
            return [known.get(name) or _text_column(name) for name in header.columns]
        if not definition:
            raise DumpError(
                f"{place}: neither CREATE TABLE nor the rows name the columns. "
                "Make the dump with --complete-insert, or without --no-create-info."
            )
        return [column for column in definition.columns if not column.invisible]

    def _batches(self, table: Table, fields: Fields, syntax: Syntax) -> Iterator[tuple[str, pa.RecordBatch]]:
        if not self._decode:
            table.report.rows += fields.rows
            return
        batch = table.decode(fields, syntax, self._session.encoding)
        for at in range(0, batch.num_rows, self._batch_rows):
            part = batch.slice(at, self._batch_rows)
            if table.waiting_rows + part.num_rows > self._batch_rows:
                for full in table.flush():
                    yield table.report.name, full
            table.add(part)
            if table.waiting_bytes >= self._batch_bytes:
                for full in table.flush():
                    yield table.report.name, full


def _text_column(name: str) -> ColumnDef:
    return ColumnDef(name, "text", pa.string())


def _texts(header: DataHeader | None) -> list[ColumnDef]:
    return [_text_column(name) for name in (header.columns or ())] if header else []
