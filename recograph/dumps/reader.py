"""One pass over a dump: statements that matter are understood, rows become record batches, the rest is skipped."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self

import pyarrow as pa

from recograph.dumps.archives.parts import Part, RowsOnly
from recograph.dumps.buffer import Buffer
from recograph.dumps.catalog import Catalog
from recograph.dumps.charsets import mysql_codec
from recograph.dumps.copy import CopyRows, Lines, copy_header, skip_block
from recograph.dumps.ddl import parse_table, without_markers
from recograph.dumps.escapes import Syntax
from recograph.dumps.header import Header
from recograph.dumps.insert import DataHeader, InsertRows, insert_header, skip_rows
from recograph.dumps.lexer import Lexer
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.settings import Session
from recograph.dumps.source import CHUNK_BYTES, Openable, Source
from recograph.dumps.tables import Table
from recograph.dumps.tsv import BEFORE, END, as_copy

BATCH_ROWS = 128 << 10
BATCH_BYTES = 16 << 20
_MOST_WAITING = 64
_THREADS = 2
"""How many windows are decoded at once, while the next are found: by far most of the work is in decoding."""

if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
    # Threads that make and drop thousands of arrays hold a third less memory with it. Not every build of Arrow has it.
    with suppress(NotImplementedError):
        pa.set_memory_pool(pa.jemalloc_memory_pool())

_DATA = re.compile(rb"INSERT\s|REPLACE\s|COPY\s", re.I)


class DumpReader:
    """Reads a SQL dump of mysqldump, mariadb-dump or pg_dump into Arrow record batches, in one pass, in bounded memory.

    Iterating gives pairs of table name and batch, in the order of the dump. A dump is data and never executed.

    Attributes:
        dialect: "mysql", "mariadb" or "postgresql".
        server_version: of the server that was dumped, where the dump says it.
        form: what kind of dump it is: "plain", "pg_dump custom", "mydumper", ...
        tables: what was read of each table that the dump has and that was asked for; complete after iteration.
        tables_in_dump: how many tables the dump has, wanted or not.
    """

    def __init__(
        self,
        source: Openable,
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
            source: a path of a file or folder, a binary stream, such as of an object in S3, or a folder of another
                store; a stream isn't closed.
            name: what messages call the dump; the path by default.
            schemas: an allow-list: only these tables and columns are decoded, to these types. A field that isn't
                nullable is required. Without it everything is read, typed from the dump's own definitions.
            only: names of the tables to read, where `schemas` isn't given.
            database: the database, or in PostgreSQL the schema, to read; its tables have no qualifier then.
            as_text: columns, as TABLE.COLUMN, to read as text instead of their type in the dump.
            limits: bounds on what the dump may cost.
            batch_rows: most rows of a batch.
            batch_bytes: batches are given when they hold about as much together.
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
        self.form = self._source.form
        try:
            self._header = Header(self._source.head, self.name)
        except DumpError:
            self._source.close()
            raise
        self._postgresql = self._header.dialect == "postgresql"
        self._batch_rows, self._batch_bytes = batch_rows, batch_bytes
        self._on_progress = on_progress
        self._decode = decode
        self._session = Session(self.name, self._postgresql)
        self._catalog = Catalog(
            self._header, self._session, self._limits, schemas=schemas, only=only, database=database, as_text=as_text
        )
        self.tables = self._catalog.tables
        self._waiting: dict[str, Table] = {}
        self._waiting_bytes = 0
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
    def compression(self) -> str:
        """The compressions that were met, told by content; none where there is none."""
        return self._source.compression

    @property
    def tables_in_dump(self) -> int:
        """How many tables were seen, wanted or not."""
        return len(self._catalog)

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

    @property
    def schemas(self) -> dict[str, pa.Schema]:
        """The schemas of the tables' batches; complete after iteration."""
        return {table.report.name: table.schema for table in self._catalog.wanted.values()}

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
        with ThreadPoolExecutor(_THREADS, "dump-decode") as self._pool:
            for part in self._source.parts(self._catalog.wants):
                yield from self._read(part)
        self._header.check_end()
        yield from self._flush(*self._waiting.values())

    def _read(self, part: Part) -> Iterator[tuple[str, pa.RecordBatch]]:
        if part.rows:
            yield from self._rows_only(part, part.rows)
            return
        self._catalog.check_counts(part.counts)
        buffer = Buffer(self._progressing(part.chunks))
        lexer = Lexer(buffer, self.name, self._limits, self._comment)
        lexer.postgresql = self._postgresql
        while lexer.seek():
            self._header.has_statements = True
            lexer.backslash_escapes = self._session.backslash_escapes
            if _DATA.match(buffer.data, buffer.pos):
                header = copy_header(buffer, self.name, self._session.encoding) if self._postgresql else None
                is_copy = header is not None
                header = header or insert_header(buffer, self._session.encoding)
                if header:
                    yield from self._rows(buffer, header, is_copy)
                    continue
            self._statement(lexer.statement())

    def _progressing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            if self._on_progress:
                self._on_progress(self._source.read_bytes, self._source.size)

    def _comment(self, line: bytes) -> None:
        self._header.comment(line)
        self._catalog.comment(line)

    def _statement(self, text: bytes) -> None:
        self._header.statement(text)
        if not self._postgresql:
            text = without_markers(text)
        if self._session.statement(text):
            return
        if table := parse_table(text, self._postgresql, self._session.encoding):
            self._catalog.define(table)
        else:
            self._catalog.statement(text)

    def _rows(self, buffer: Buffer, header: DataHeader, is_copy: bool) -> Iterator[tuple[str, pa.RecordBatch]]:
        place = self._catalog.place(header)
        table = self._catalog.target(header)
        escapes = self._session.backslash_escapes
        if header.default_row:
            if table:
                yield from self._batches(table, table.default_row())
        elif table is None:
            if is_copy:
                skip_block(buffer, place)
            else:
                skip_rows(buffer, escapes, place)
        else:
            start = buffer.offset
            wanted = table.wanted if self._decode else []
            rows: CopyRows | InsertRows
            if is_copy:
                rows = CopyRows(buffer, len(table.columns), self._limits, place)
            else:
                rows = InsertRows(buffer, header, len(table.columns), wanted, escapes, self._limits, place)
            rows.rows = table.report.rows
            syntax = Syntax(self._postgresql, escapes, is_copy, self._session.encoding, self._session.encoded_by_column)
            if self._decode:
                for batch in table.decode(self._pool, rows, syntax):
                    yield from self._batches(table, batch)
            else:
                for window in rows:
                    table.report.rows += (window.fields([]) if isinstance(window, Lines) else window).rows
            table.report.bytes += buffer.offset - start

    def _rows_only(self, part: Part, given: RowsOnly) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The rows of a file that holds nothing else, in the escapes of MySQL."""
        columns = None if given.columns is None else list(given.columns)
        table = self._catalog.target(DataHeader(list(given.table), columns, b"", transports=given.transports))
        if table is None:
            return
        place = f"{part.name}: table {'.'.join(given.table)}"
        buffer = Buffer(as_copy(self._progressing(part.chunks), part.name, given.expected))
        buffer.extend()
        rows = CopyRows(buffer, len(table.columns), self._limits, place)
        rows.rows = table.report.rows
        session = self._session
        codec = mysql_codec(given.encoding, of_dump=True) if given.encoding else None
        by_column = session.encoded_by_column if given.encoding is None else given.encoding == "binary"
        syntax = Syntax(False, True, True, codec or session.encoding, by_column)
        if self._decode:
            for batch in table.decode(self._pool, rows, syntax):
                yield from self._batches(table, batch)
        else:
            for lines in rows:
                table.report.rows += lines.fields([]).rows
        if buffer.data[buffer.pos :].strip() or buffer.extend():
            raise DumpError(f"{place}: something follows the last row. The file was edited or damaged; make it again.")
        table.report.bytes += buffer.offset - len(BEFORE) - len(END)

    def _batches(self, table: Table, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Let rows wait until their batch is full, or all that wait take as much as a batch may."""
        for at in range(0, batch.num_rows, self._batch_rows):
            part = batch.slice(at, self._batch_rows)
            if table.waiting and table.waiting_rows + part.num_rows > self._batch_rows:
                yield from self._flush(table)
            table.waiting.append(part)
            table.waiting_rows += part.num_rows
            self._waiting[table.report.name] = table
            self._waiting_bytes += part.nbytes
            if self._waiting_bytes >= self._batch_bytes or len(self._waiting) > _MOST_WAITING:
                yield from self._flush(*self._waiting.values())

    def _flush(self, *tables: Table) -> Iterator[tuple[str, pa.RecordBatch]]:
        for table in tables:
            del self._waiting[table.report.name]
            self._waiting_bytes -= sum(part.nbytes for part in table.waiting)
            yield from ((table.report.name, batch) for batch in table.flush())
