"""One pass over a dump: statements that matter are understood, rows become record batches, the rest is skipped."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import pyarrow as pa

from recograph.dumps.archives.parts import Part, RowsOnly, Wants
from recograph.dumps.asked import Asked
from recograph.dumps.batches import Batches
from recograph.dumps.buffer import Buffer
from recograph.dumps.cautions import cautions
from recograph.dumps.completeness import Completeness
from recograph.dumps.copy import copy_header, skip_block
from recograph.dumps.definitions import Definitions
from recograph.dumps.dialects import MARIADB, MYSQL
from recograph.dumps.dialects.evidence import check_title, dialect_of
from recograph.dumps.dialects.rules import Effect
from recograph.dumps.headers import DataHeader, insert_header
from recograph.dumps.insert import skip_rows
from recograph.dumps.lexer import Lexer, PassedOver
from recograph.dumps.memory import keep_memory
from recograph.dumps.message import Place
from recograph.dumps.mojibake import TextEvidence
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.row_reader import RowReader
from recograph.dumps.settings import Declared, Session
from recograph.dumps.source import CHUNK_BYTES, Openable, Source
from recograph.dumps.statements import read_statement

BATCH_ROWS = 128 << 10
BATCH_BYTES = 16 << 20
_THREADS = 2
"""How many windows are decoded at once, while the next are found: by far most of the work is in decoding."""

_DATA = re.compile(rb"INSERT\s|REPLACE\s|COPY\s", re.I)
_ESCAPES_LINE_ENDS = re.compile(
    rb"-- (?:(?:MySQL|MariaDB) dump |phpMyAdmin SQL|HeidiSQL Version|Adminer [\d.]+\S* M|MySQL Script)|# Sequel "
)
"""The titles of programs that never end a line within a string."""


class DumpReader:
    """Reads a SQL dump into Arrow record batches, in one pass, in bounded memory.

    Iterating gives pairs of table name and batch, in the order of the dump. A dump is data and never executed.

    Attributes:
        dialect: "mysql", "mariadb" or "postgresql".
        server_version: of the server that was dumped, where the dump says it.
        form: what kind of dump it is: "plain", "pg_dump custom", "mydumper", ...
        tables: what was read of each table that the dump has and that was asked for; complete after iteration.
        tables_in_dump: how many tables the dump has, wanted or not.
        passed_over: the lines between statements that aren't SQL but messages of programs.
        is_complete: whether the dump says at its end that it is whole; None before that.
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
        declared: Declared | None = None,
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
            declared: what is known of the dump beforehand: dialect, encoding, time zone.
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
        keep_memory()
        self._limits = limits or Limits()
        self._source = Source(source, name, self._limits, chunk_bytes, digest)
        self.name = self._source.name
        self.form = self._source.form
        declared = declared or Declared()
        try:
            self._dialect = dialect_of(self._source.head, self.name, declared.dialect)
            self._session = Session(self.name, self._dialect, declared)
        except DumpError:
            self._source.close()
            raise
        self._is_dialect_declared = declared.dialect is not None
        self._batches = Batches(batch_rows, batch_bytes)
        self._texts = TextEvidence() if declared.encoding is None else None
        self._on_progress = on_progress
        self._decode = decode
        self._completeness = Completeness(self.name)
        self._escapes_line_ends = False
        self._asked = Asked(schemas, only, as_text)
        self._definitions = Definitions(
            self.name, self._dialect, self._completeness, self._session, self._limits, self._asked, database
        )
        self.tables = self._definitions.tables
        self.passed_over: list[PassedOver] = []
        self.is_complete: bool | None = None
        self._started = False

    @property
    def dialect(self) -> str:
        """The dialect: mysql, mariadb or postgresql."""
        version = self._completeness.server_version or ""
        return MARIADB.name if self._dialect is MYSQL and "mariadb" in version.lower() else self._dialect.name

    @property
    def server_version(self) -> str | None:
        """The version of the server that was dumped, where the dump says it."""
        return self._completeness.server_version

    @property
    def warnings(self) -> list[str]:
        """What whoever uses the rows should know, in sentences; complete after iteration."""
        return cautions(
            self.passed_over,
            self._source,
            self._texts,
            self._definitions.untyped.values(),
            self._definitions.left_out.cautions(
                self._definitions.with_rows_of_their_own(), tells_empty=self._source.tells_empty_tables
            ),
            self.tables.values(),
            is_complete=self.is_complete,
        )

    @property
    def compression(self) -> str:
        """The compressions that were met, told by content; none where there is none."""
        return self._source.compression

    @property
    def tables_in_dump(self) -> int:
        """How many tables were seen, wanted or not."""
        return len(self._definitions)

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
        return {table.report.name: table.schema for table in self._definitions.wanted.values()}

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
            raise DumpError("{dump}: a dump is read once; open it again to read it again.", dump=Place(self.name))
        self._started = True
        with ThreadPoolExecutor(_THREADS, "dump-decode") as pool:
            rows = RowReader(
                self._dialect,
                self._session,
                self._limits,
                self._batches,
                pool if self._decode else None,
                self._texts,
            )
            for part in self._source.parts(Wants(self._definitions.wants, self._asked.may_be)):
                yield from self._read(part, rows)
        self.is_complete = self._completeness.check() and self._source.tells_all_rows
        if self._texts:
            self._texts.check(self.name)
        yield from self._batches.rest()

    def _read(self, part: Part, rows: RowReader) -> Iterator[tuple[str, pa.RecordBatch]]:
        if part.rows:
            yield from self._outfile(part, part.rows, rows)
            return
        self._definitions.check_counts(part.counts)
        buffer = Buffer(self._progressing(part.chunks))
        lexer = Lexer(buffer, self.name, self._dialect, self._session, self._limits, self._comment)
        lexer.passed_over = self.passed_over
        while lexer.seek():
            self._completeness.has_statements = True
            if _DATA.match(buffer.data, buffer.pos):
                is_copy, header = False, None
                if self._dialect.copies:
                    header = copy_header(buffer, self.name, self._session.encoding)
                    is_copy = header is not None
                header = header or insert_header(buffer, self._session.encoding)
                if header:
                    self._completeness.rows()
                    yield from self._rows(buffer, header, is_copy, rows)
                    continue
            place = lexer.place()
            self._statement(lexer.statement(), place)

    def _progressing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            if self._on_progress:
                self._on_progress(self._source.read_bytes, self._source.size)

    def _comment(self, line: bytes) -> None:
        if not self._is_dialect_declared:
            check_title(line, self._dialect, self.name)
        self._escapes_line_ends |= _ESCAPES_LINE_ENDS.match(line) is not None
        self._completeness.comment(line)
        self._definitions.comment(line)

    def _statement(self, raw: bytes, place: Place) -> None:
        statement = read_statement(raw, self._dialect, self._session, place)
        self._completeness.statement(statement.text)
        self._definitions.left_out.statement(statement.text)
        if statement.kind.effect is Effect.SETTING:
            self._session.statement(statement.text)
        elif statement.kind.effect is Effect.TABLE:
            self._definitions.statement(statement, place)

    def _rows(
        self, buffer: Buffer, header: DataHeader, is_copy: bool, rows: RowReader
    ) -> Iterator[tuple[str, pa.RecordBatch]]:
        self._session.check_known()
        place = self._definitions.place(header)
        table = self._definitions.target(header)
        if header.default_row:
            if table:
                yield from self._batches.add(table, table.default_row())
        elif table is None:
            if is_copy:
                skip_block(buffer, place)
            else:
                skip_rows(buffer, header, self._dialect, self._session, self._limits, place)
        else:
            self._session.check_rows(place, may_be_former=not self._asked.is_contract)
            start = buffer.offset
            if is_copy:
                yield from rows.copy(buffer, table, place)
            else:
                yield from rows.inserts(buffer, header, table, place, escapes_line_ends=self._escapes_line_ends)
            table.report.bytes += buffer.offset - start

    def _outfile(self, part: Part, given: RowsOnly, rows: RowReader) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The rows of a file that holds nothing else."""
        columns = None if given.columns is None else list(given.columns)
        table = self._definitions.target(DataHeader(list(given.table), columns, b"", transports=given.transports))
        if table is not None:
            yield from rows.outfile(self._progressing(part.chunks), part.name, given, table)
