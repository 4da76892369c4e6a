"""How the values of a statement are written, and what becomes of them: bytes that are cut out, and types."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from recograph.dumps.casts import CastError, Origin, cast, cast_numbers, is_number, is_text
from recograph.dumps.charsets import mysql_codec
from recograph.dumps.ddl import ColumnDef
from recograph.dumps.dialects import Dialect
from recograph.dumps.escapes import LiteralError, Syntax
from recograph.dumps.literals import are_defaults, cut, cut_numbers, cut_singly, trimmed
from recograph.dumps.message import Kind
from recograph.dumps.mojibake import TextEvidence
from recograph.dumps.scan import Positions
from recograph.dumps.settings import Session

_CHOICES = ("enum", "set")
"""Types of MySQL whose values are members of a list."""


@dataclass(frozen=True)
class Reading:
    """How the values of a statement are written."""

    dialect: Dialect
    syntax: Syntax
    session: Session
    texts: TextEvidence | None = None
    """Looks at the encoding of text, where it isn't declared."""

    def look(self, values: pa.BinaryArray, array: pa.Array, origin: Origin) -> None:
        """Let a column's bytes tell whether its text is in the encoding that the dump says."""
        if self.texts is None or not pa.types.is_string(array.type):
            return
        if self.syntax.encoded_by_column:
            # What the server itself holds contradicts nothing, but may be encoded twice.
            self.texts.look(array.cast(pa.binary()), "utf-8")
        else:
            self.texts.look(values, origin.encoding)

    def origin(self, column: ColumnDef) -> Origin:
        """What a column's casts must know."""
        dialect, syntax = self.dialect, self.syntax
        own = mysql_codec(column.charset) if column.charset and column.sql_type != "json" else None
        zone = self.session.zone_of(column)
        return Origin(
            encoding=own if own and syntax.encoded_by_column else syntax.encoding,
            bits=column.sql_type == dialect.bit_type,
            bytea=column.sql_type == dialect.bytea_type,
            zero_dates=dialect.has_zero_dates,
            transport=column.transport,
            zoneless=column.type == pa.timestamp("us"),
            zone=None if zone == "UTC" else zone,
        )


@dataclass
class Nulled:
    """How many values of a window became null."""

    zero_dates: int = 0
    out_of_bounds: int = 0
    left: list[str] = field(default_factory=list)
    """Columns that are left to what only the server knew."""


def typed(
    data: bytes,
    starts: Positions,
    ends: Positions,
    target: pa.DataType,
    column: ColumnDef,
    reading: Reading,
    nulled: Nulled,
) -> tuple[pa.BinaryArray, pa.Array]:
    """A column's values as bytes and as their type.

    Args:
        data: what the values lie in.
        starts: where they begin.
        ends: where they end.
        target: the type.
        column: which column it is.
        reading: how the values are written.
        nulled: counts the values that become null.

    Raises:
        LiteralError: a value isn't a literal.
        CastError: a value is none of the type.
    """
    syntax, origin = reading.syntax, reading.origin(column)
    if column.generated and not syntax.copy and are_defaults(data, starts, ends):
        # As mariadb-dump writes generated columns from 13.1 on.
        nulled.left.append(column.name)
        return pa.nulls(len(starts), pa.binary()), pa.nulls(len(starts), target)
    if not syntax.copy and not origin.bits and is_number(target):
        numbers = cut_numbers(data, starts, ends)
        if numbers is not None and (array := cast_numbers(numbers, target)) is not None:
            return numbers, array
    if column.sql_type in _CHOICES and not syntax.copy:
        _check_choices(data, starts, ends)
    try:
        values = cut(data, starts, ends, syntax, is_text=is_text(target))
        array, zero_dates = cast(values, target, origin)
    except (CastError, LiteralError):
        if syntax.copy:
            raise
        values = cut_singly(data, starts, ends, syntax, column.default, is_text=is_text(target))
        array, zero_dates = cast(values, target, origin)
    nulled.zero_dates += zero_dates
    return values, array


def _check_choices(data: bytes, starts: Positions, ends: Positions) -> None:
    """Check that no bare number stands where MySQL would take it for a place in the column's list.

    Raises:
        LiteralError: one does.
    """
    starts, ends = trimmed(data, starts, ends)
    first = np.frombuffer(data, np.uint8)[starts]
    for row in np.flatnonzero((first >= ord("0")) & (first <= ord("9"))).tolist():
        if data[starts[row] : ends[row]].isdigit():
            raise LiteralError(row, Kind("holds a number, which stands for a place in the column's list"))
