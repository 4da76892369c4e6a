"""The rows of a file that holds nothing else, as SELECT ... INTO OUTFILE writes them: windows of lines, checked."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from recograph.dumps.archives.parts import RowsOnly
from recograph.dumps.buffer import Buffer
from recograph.dumps.charsets import mysql_codec
from recograph.dumps.copy import CopyRows, Lines
from recograph.dumps.dialects import Dialect
from recograph.dumps.escapes import Syntax
from recograph.dumps.message import Place
from recograph.dumps.report import DumpError, Limits
from recograph.dumps.settings import Session
from recograph.dumps.tab_options import TabOptions
from recograph.dumps.tables import Table
from recograph.dumps.tsv import as_copy


class OutfileRows:
    """The rows of one file, window by window."""

    def __init__(self, chunks: Iterable[bytes], name: str, given: RowsOnly, table: Table, limits: Limits):
        """Nothing is read yet.

        Args:
            chunks: the file.
            name: what messages call it.
            given: what the dump tells of it.
            table: where the rows belong, bound to their columns.
            limits: how long a row may be.
        """
        self._given, self._table = given, table
        self._place = Place(name, ".".join(given.table))
        self._buffer = Buffer(as_copy(chunks, name, given.expected, is_form_assumed=given.is_form_assumed))
        self._rows = CopyRows(self._buffer, len(table.columns), limits, self._place)
        self._rows.rows = table.report.rows

    def __iter__(self) -> Iterator[Lines]:
        """The rows; what they take is counted at their end.

        Raises:
            DumpError: the file is cut, written in a form that nothing tells, or something follows its last row.
        """
        columns = self._table.columns
        texts = [at for at, column in enumerate(columns) if pa.types.is_string(column.type) or _is_bytes(column.type)]
        options = TabOptions(texts, len(columns), self._place) if self._given.is_form_assumed else None
        self._buffer.extend()
        for lines in self._rows:
            if options:
                options.look(lines)
            yield lines
        if self._buffer.data[self._buffer.pos :].strip() or self._buffer.extend():
            raise DumpError(
                "{place}: something follows the last row. The file was edited or damaged; make it again.",
                place=self._place,
            )
        if options:
            options.check()
        self._table.report.bytes += self._buffer.offset

    def syntax(self, dialect: Dialect, session: Session) -> Syntax:
        """How the values are written."""
        encoding = self._given.encoding
        codec = mysql_codec(encoding, of_dump=True) if encoding else None
        return Syntax(
            literals=dialect.literals,
            copy=True,
            encoding=codec or session.encoding,
            encoded_by_column=session.encoded_by_column if encoding is None else encoding == "binary",
        )


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind))
