"""Rows of wanted tables, from where they stand in a dump to batches."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace

import pyarrow as pa

from recograph.dumps.archives.parts import RowsOnly
from recograph.dumps.batches import Batches
from recograph.dumps.buffer import Buffer
from recograph.dumps.copy import CopyRows, Lines
from recograph.dumps.dialects import Dialect
from recograph.dumps.dialects.rules import Literals
from recograph.dumps.escapes import COPY_LITERALS, Syntax
from recograph.dumps.fields import Fields
from recograph.dumps.headers import DataHeader
from recograph.dumps.holes import check_holes
from recograph.dumps.insert import InsertRows
from recograph.dumps.message import Place
from recograph.dumps.mojibake import TextEvidence
from recograph.dumps.outfile import OutfileRows
from recograph.dumps.reading import Reading
from recograph.dumps.report import Limits
from recograph.dumps.scan import QUOTE
from recograph.dumps.settings import Session
from recograph.dumps.tables import Table

_Batches = Iterator[tuple[str, pa.RecordBatch]]


class RowReader:
    """Decodes windows of rows in a pool, or only counts them."""

    def __init__(
        self,
        dialect: Dialect,
        session: Session,
        limits: Limits,
        batches: Batches,
        pool: Executor | None,
        texts: TextEvidence | None,
    ):
        """Begin where nothing was read.

        Args:
            dialect: whose SQL it is.
            session: the settings in force.
            limits: how long a row may be.
            batches: joins what was decoded.
            pool: decodes several windows at once; None where rows are only to be counted.
            texts: looks at the encoding of text, where it isn't declared.
        """
        self._dialect, self._session, self._limits = dialect, session, limits
        self._batches, self._pool, self._texts = batches, pool, texts

    def copy(self, buffer: Buffer, table: Table, place: Place) -> _Batches:
        """The rows of a COPY block whose header was consumed.

        Raises:
            DumpError: the block is cut or misshapen, or a value is none of its type.
        """
        rows = CopyRows(buffer, len(table.columns), self._limits, place)
        rows.rows = table.report.rows
        yield from self._windows(table, _whole(rows), self._reading(COPY_LITERALS, QUOTE, is_copy=True))

    def inserts(
        self, buffer: Buffer, header: DataHeader, table: Table, place: Place, *, escapes_line_ends: bool
    ) -> _Batches:
        """The rows of an INSERT whose header was consumed, and of those that follow with the same header.

        Raises:
            DumpError: the rows are cut or misshapen, or a value is none of its type.
        """
        rows = InsertRows(
            buffer,
            header,
            len(table.columns),
            table.wanted if self._pool else [],
            dialect=self._dialect,
            session=self._session,
            limits=self._limits,
            place=place,
            escapes_line_ends=escapes_line_ends,
        )
        rows.rows = table.report.rows
        yield from self._windows(table, rows, self._reading(self._dialect.literals, rows.quote, is_copy=False))

    def outfile(self, chunks: Iterable[bytes], name: str, given: RowsOnly, table: Table) -> _Batches:
        """The rows of a file that holds nothing else.

        Raises:
            DumpError: the file is cut or misshapen, or a value is none of its type.
        """
        rows = OutfileRows(chunks, name, given, table, self._limits)
        syntax = rows.syntax(self._dialect, self._session)
        yield from self._windows(table, rows, Reading(self._dialect, syntax, self._session, self._texts))

    def _windows(self, table: Table, windows: Iterable[Fields | Lines], reading: Reading) -> _Batches:
        """The rows of windows as batches; only counted, where they aren't to be decoded."""
        if self._pool:
            for batch in table.decode(self._pool, windows, reading):
                yield from self._batches.add(table, batch)
        else:
            for window in windows:
                table.report.rows += (window.fields([]) if isinstance(window, Lines) else window).rows

    def _reading(self, literals: Literals, quote: int, *, is_copy: bool) -> Reading:
        session = self._session
        syntax = Syntax(
            literals=literals,
            backslash_escapes=session.backslash_escapes,
            copy=is_copy,
            quote=quote,
            double_quoted=not session.quoted_names,
            encoding=session.encoding,
            encoded_by_column=session.encoded_by_column,
        )
        return Reading(self._dialect, syntax, session, self._texts)


def _whole(windows: Iterable[Lines]) -> Iterator[Lines]:
    """The windows of a COPY block, which have no holes; a file of `mariadb-dump --tab` may hold bytes of zero."""
    for window in windows:
        check_holes(window.data, window.start, window.end, replace(window.place, row=window.before + 1))
        yield window
