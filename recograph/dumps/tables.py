"""The tables of a dump while it is read: what they are called, what is wanted of them, and their batches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from recograph.dumps.casts import CastError, Origin, cast
from recograph.dumps.ddl import ColumnDef
from recograph.dumps.insert import Fields
from recograph.dumps.literals import LiteralError, Syntax, cut
from recograph.dumps.report import DumpError, TableReport

_REASONS = 3


@dataclass
class Table:
    """A table of the dump that is wanted, and the rows that wait for their batch to be full."""

    report: TableReport
    schema: pa.Schema
    dump: str
    """Name of the dump, for messages."""
    columns: list[ColumnDef]
    """In the order of the current rows."""
    source: list[int | None] = field(default_factory=list)
    """Where each field of the schema stands in the rows; None where the dump lacks it."""
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    waiting_rows: int = 0
    waiting_bytes: int = 0

    @property
    def place(self) -> str:
        """Dump and table, for messages."""
        return f"{self.dump}: table {self.report.name}"

    @property
    def wanted(self) -> list[int]:
        """Positions of the columns to cut out."""
        return [at for at in self.source if at is not None]

    def bind(self, columns: list[ColumnDef]) -> None:
        """Match the schema's fields with the columns of the rows that come: exact names first, else any case.

        Raises:
            DumpError: a required column is missing.
        """
        exact = {column.name: at for at, column in enumerate(columns)}
        folded = {column.name.casefold(): at for at, column in enumerate(columns)}
        self.columns = columns
        self.source = [exact.get(name, folded.get(name.casefold())) for name in self.schema.names]
        missing = [name for name, at in zip(self.schema.names, self.source, strict=True) if at is None]
        for name in missing:
            if not self.schema.field(name).nullable:
                raise DumpError(
                    f"{self.place}: the required column {name} is missing; the table has "
                    f"{_listed([column.name for column in columns])}. Ask for a dump with it, or change the contract."
                )
        taken = set(self.source)
        self.report.columns = tuple(column.name for column in columns)
        self.report.dropped_columns = tuple(c.name for at, c in enumerate(columns) if at not in taken)
        self.report.missing_columns = tuple(missing)

    def decode(self, fields: Fields, syntax: Syntax, encoding: str) -> pa.RecordBatch:
        """The typed values of some rows.

        Raises:
            DumpError: a value that its type can't hold, or NULL in a required column.
        """
        arrays, at = [], 0
        for target, position in zip(self.schema, self.source, strict=True):
            if position is None:
                arrays.append(pa.nulls(fields.rows, target.type))
                continue
            column = self.columns[position]
            origin = _origin(column, syntax, encoding)
            try:
                values = cut(fields.data, fields.starts[at], fields.ends[at], syntax)
                array, zero_dates = cast(values, target.type, origin)
            except LiteralError as error:
                raise self._rejected(target, [(error.row, str(error))]) from None
            except CastError as error:
                raise self._rejected(target, error.rejects) from None
            if array.null_count and not target.nullable:
                row = array.is_null().index(True).as_py()
                what = "NULL" if values[row].as_py() is None else "a zero date"
                raise self._rejected(target, [(row, f"{what} isn't allowed, the column is required")])
            self.report.zero_dates += zero_dates
            arrays.append(array)
            at += 1
        self.report.rows += fields.rows
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema) if arrays else _no_columns(fields.rows)

    def _rejected(self, target: pa.Field, rejects: list[tuple[int, str]]) -> DumpError:
        report = self.report
        reasons = [f"row {report.rows + row + 1}: {reason}" for row, reason in rejects[:_REASONS]]
        report.rejected, report.reasons = len(rejects), [f"column {target.name}, {reason}" for reason in reasons]
        more = f" ({len(rejects)} such rows in this batch)" if len(rejects) > 1 else ""
        return DumpError(
            f"{self.place}, column {target.name}, {reasons[0]}{more}. Mend it at the source, or change the column's "
            "type in the contract, or read it as text."
        )

    def add(self, batch: pa.RecordBatch) -> None:
        """Let rows wait for their batch to be full."""
        self.waiting.append(batch)
        self.waiting_rows += batch.num_rows
        self.waiting_bytes += batch.nbytes

    def flush(self) -> Iterator[pa.RecordBatch]:
        """The rows that wait, as one batch."""
        if self.waiting_rows:
            yield pa.concat_batches(self.waiting)
        self.waiting, self.waiting_rows, self.waiting_bytes = [], 0, 0


def _no_columns(rows: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))


def _origin(column: ColumnDef, syntax: Syntax, encoding: str) -> Origin:
    mysql = not syntax.postgresql
    return Origin(
        encoding=encoding,
        bits=mysql and column.sql_type == "bit",
        bytea=not mysql and column.sql_type == "bytea",
        zero_dates=mysql,
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def match_table(name: str, bare: str, schemas: Mapping[str, pa.Schema]) -> str | None:
    """The key in `schemas` that a table answers to: its name, exactly or in another case, with or without qualifier."""
    for candidate in (name, bare):
        if candidate in schemas:
            return candidate
    folded = {key.casefold(): key for key in schemas}
    return folded.get(name.casefold()) or folded.get(bare.casefold())
