"""The tables of a dump while it is read: what they are called, what is wanted of them, and their batches."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pyarrow as pa

from recograph.ahead import in_order
from recograph.dumps.bounds import BoundsError, within_bounds
from recograph.dumps.casts import CastError, cast
from recograph.dumps.copy import Lines
from recograph.dumps.ddl import ColumnDef
from recograph.dumps.escapes import LiteralError
from recograph.dumps.fields import Fields
from recograph.dumps.lines import DumpColumn, read_lines, read_natively
from recograph.dumps.literals import cut_singly
from recograph.dumps.message import Kind, Name, Names, Place, Reject, Rejects
from recograph.dumps.reading import Nulled, Reading, typed
from recograph.dumps.report import DumpError, RejectedError, TableReport
from recograph.dumps.scan import Positions

_REASONS = 3
_MOST_BYTES = 16 << 20
"""How much of the dump may be held for threads to decode."""


@dataclass
class Table:
    """A table of the dump that is wanted, and the rows that wait for their batch to be full."""

    report: TableReport
    schema: pa.Schema
    dump: str
    """Name of the dump, for messages."""
    columns: list[ColumnDef]
    """In the order of the current rows."""
    contracted: bool = False
    """Whether the schema was asked for, or is the dump's own."""
    source: list[int | None] = field(default_factory=list)
    """Where each field of the schema stands in the rows; None where the rows lack it."""
    defaults: dict[str, ColumnDef] = field(default_factory=dict)
    """Fields of the schema that the rows leave to a default which is known, or which only the server knew."""
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    waiting_rows: int = 0

    @property
    def place(self) -> Place:
        """Dump and table, for messages."""
        return Place(self.dump, self.report.name)

    @property
    def wanted(self) -> list[int]:
        """Positions of the columns to cut out."""
        return [at for at in self.source if at is not None]

    def bind(self, columns: list[ColumnDef], defaults: Mapping[str, ColumnDef] | None = None) -> None:
        """Match the schema's fields with the columns of the rows that come: exact names first, else any case.

        Args:
            columns: of the rows.
            defaults: the columns that they leave to their defaults, by their names in one case.

        Raises:
            DumpError: a required column is missing.
        """
        exact = {column.name: at for at, column in enumerate(columns)}
        folded = {column.name.casefold(): at for at, column in enumerate(columns)}
        self.columns = columns
        self.source = [exact.get(name, folded.get(name.casefold())) for name in self.schema.names]
        absent = [name for name, at in zip(self.schema.names, self.source, strict=True) if at is None]
        left = {name: (defaults or {}).get(name.casefold()) for name in absent}
        self.defaults = {name: column for name, column in left.items() if column and column.default != b"NULL"}
        missing = [name for name in absent if name not in self.defaults or self.defaults[name].default is None]
        unknown = [name for name in missing if name in self.defaults]
        self._leave(unknown)
        for name in missing:
            if not self.schema.field(name).nullable:
                raise DumpError(
                    "{table}: the required column {name} is missing; the table has {columns}. "
                    "Ask for a dump with it, or change the contract.",
                    table=self.place,
                    name=Name(name),
                    columns=Names.of(column.name for column in columns if column.name),
                )
        taken = set(self.source)
        self.report.columns = tuple(column.name for column in columns if column.name)
        self.report.dropped_columns = tuple(c.name for at, c in enumerate(columns) if c.name and at not in taken)
        self.report.missing_columns = tuple(missing)

    def _leave(self, columns: Iterable[str]) -> None:
        """Take in that rows leave columns to what only the server knew."""
        self.report.left_columns += tuple(name for name in columns if name not in self.report.left_columns)

    def decode(self, pool: Executor, windows: Iterable[Fields | Lines], reading: Reading) -> Iterator[pa.RecordBatch]:
        """The typed values of windows of rows, in their order; the report counts them.

        Args:
            pool: decodes some windows at once.
            windows: where the rows lie.
            reading: how their values are written.

        Raises:
            DumpError: a value that its type can't hold, or NULL in a required column.
        """
        decode = partial(self._decode, reading=reading)
        try:
            for batch, nulled in in_order(pool, decode, windows, lambda window: window.size, _MOST_BYTES):
                self.report.rows += batch.num_rows
                self.report.zero_dates += nulled.zero_dates
                self.report.out_of_bounds += nulled.out_of_bounds
                self._leave(nulled.left)
                yield batch
        except RejectedError as error:
            self.report.rejected = error.rejects.number
            self.report.reasons = [str(reject) for reject in error.rejects.first]
            raise

    def _decode(self, window: Fields | Lines, reading: Reading) -> tuple[pa.RecordBatch, Nulled]:
        """One window's batch, and what became null in it."""
        if isinstance(window, Lines):
            nulled = Nulled()
            if reading.dialect.copies and (arrays := self._decode_lines(window, reading, nulled)):
                return pa.RecordBatch.from_arrays(arrays, schema=self.schema), nulled
            window = window.fields(self.wanted)
        return self._decode_fields(window, reading)

    def _decode_lines(self, lines: Lines, reading: Reading, nulled: Nulled) -> list[pa.Array] | None:
        """The values of a COPY block by Arrow's CSV reader; None where it can't, so that `_decode_fields` must look."""
        wanted = []
        for target, position in zip(self.schema, self.source, strict=True):
            if position is not None:
                native = target.type == self.columns[position].type and read_natively(target.type)
                wanted.append(DumpColumn(position, target.type if native else pa.binary()))
        try:
            read = read_lines(lines.data, lines.start, lines.end, lines.columns, wanted)
            if read is None:
                return None
            given, arrays = iter(read), []
            for target, position in zip(self.schema, self.source, strict=True):
                if position is None:
                    arrays.append(self._absent(target, lines.rows, reading))
                    continue
                array = next(given)
                origin = reading.origin(self.columns[position])
                raw = array
                if array.type != target.type or origin.bytea:
                    array, _ = cast(array, target.type, origin)
                reading.look(raw, array, origin)
                array = self._bounded(array, target, nulled)
                if array.null_count and not target.nullable:
                    return None
                arrays.append(array)
        except (CastError, LiteralError, BoundsError):
            return None
        return arrays

    def _bounded(self, array: pa.Array, target: pa.Field, nulled: Nulled) -> pa.Array:
        if not self.contracted:
            return array
        array, count = within_bounds(array, target)
        nulled.out_of_bounds += count
        return array

    def _decode_fields(self, fields: Fields, reading: Reading) -> tuple[pa.RecordBatch, Nulled]:
        arrays, at, nulled = [], 0, Nulled()
        for target, position in zip(self.schema, self.source, strict=True):
            if position is None:
                arrays.append(self._absent(target, fields.rows, reading))
                continue
            starts, ends = fields.starts[at], fields.ends[at]
            before = nulled.out_of_bounds
            try:
                column = self.columns[position]
                values, array = typed(fields.data, starts, ends, target.type, column, reading, nulled)
                reading.look(values, array, reading.origin(column))
                array = self._bounded(array, target, nulled)
            except LiteralError as error:
                raise self._rejected(target, fields, starts, [(error.row, error.reason)]) from None
            except CastError as error:
                raise self._rejected(target, fields, starts, error.rejects) from None
            except BoundsError as error:
                raise self._rejected(target, fields, starts, [(row, error.reason) for row in error.rows]) from None
            if array.null_count and not target.nullable:
                row = array.is_null().index(True).as_py()
                what = Kind("NULL")
                if values[row].as_py() is not None:
                    what = Kind("a zero date" if nulled.out_of_bounds == before else "what is out of bounds")
                reason = Kind.of("{what} isn't allowed, the column is required", what=what)
                raise self._rejected(target, fields, starts, [(row, reason)])
            arrays.append(array)
            at += 1
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema) if arrays else _no_columns(fields.rows)
        return batch, nulled

    def _absent(self, target: pa.Field, rows: int, reading: Reading) -> pa.Array:
        """The values of a column that the rows lack: its default where it is known, NULL otherwise.

        Raises:
            DumpError: its type can't hold the default.
        """
        column = self.defaults.get(target.name)
        if column is None or column.default is None:
            return pa.nulls(rows, target.type)
        syntax = replace(reading.syntax, copy=False, literals=reading.dialect.literals)
        borders = np.array([0]), np.array([len(column.default)])
        try:
            values = cut_singly(column.default, *borders, syntax, is_text=False)
            array, _ = cast(values, target.type, reading.origin(column))
        except (LiteralError, CastError):
            raise DumpError(
                "{place}: the rows leave the column to its default, which isn't read. "
                "Make the dump with all columns in its rows.",
                place=Place(self.dump, self.report.name, target.name),
            ) from None
        return pa.repeat(array[0], rows)

    def default_row(self) -> pa.RecordBatch:
        """The row that INSERT ... DEFAULT VALUES makes.

        Raises:
            DumpError: the table has columns, whose defaults a dump's reader can't know.
        """
        if len(self.schema):
            raise DumpError(
                "{table}: a row of default values can't be read, for the values aren't in the dump.", table=self.place
            )
        self.report.rows += 1
        return _no_columns(1)

    def _rejected(
        self, target: pa.Field, fields: Fields, starts: Positions, rejects: list[tuple[int, Kind]]
    ) -> RejectedError:
        first = [
            Reject(fields.before + row + 1, int(starts[row]) + fields.base, reason)
            for row, reason in rejects[:_REASONS]
        ]
        remedy = Kind("change the column's type in the contract")
        if not self.contracted:
            remedy = Kind.of("read it as text (--text {name})", name=Name(f"{self.report.name}.{target.name}"))
        return RejectedError(
            "{place}, {rejects}. Mend it at the source, or {remedy}.",
            place=Place(self.dump, self.report.name, target.name),
            rejects=Rejects(tuple(first), len(rejects)),
            remedy=remedy,
        )

    def flush(self) -> Iterator[pa.RecordBatch]:
        """The rows that wait, as one batch."""
        if self.waiting_rows:
            yield self.waiting[0] if len(self.waiting) == 1 else pa.concat_batches(self.waiting)
        self.waiting, self.waiting_rows = [], 0


def _no_columns(rows: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))
