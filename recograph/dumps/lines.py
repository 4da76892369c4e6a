"""Lines of a COPY block through Arrow's CSV reader, which splits and types them two to three times as fast.

COPY's text format is CSV without quotes, whose separators never stand in values. Only what both read alike is left to
the CSV reader: borders, NULL, integers, floats, booleans and timestamps. All else is cut out as bytes and goes the way
that values of INSERTs go. What the CSV reader refuses is read again by the general way, which accepts it or says why
not. The CSV reader splits all columns even where few are wanted, so it pays only from about a quarter of them on.
"""

from dataclasses import dataclass

import pyarrow as pa
from pyarrow import csv

from recograph.dumps.escapes import COPY_LITERALS, Syntax, unescape
from recograph.dumps.scan import PIECE_BYTES, find_pairs

_BEFORE_NUMBER = b"\t\n-+"


@dataclass(frozen=True)
class DumpColumn:
    """A column that is wanted: where it stands in the lines, and its type if the CSV reader may type it."""

    position: int
    kind: pa.DataType


def read_natively(kind: pa.DataType) -> bool:
    """Whether the CSV reader reads a type from exactly the texts that `casts` does, hexadecimal integers apart."""
    if pa.types.is_timestamp(kind):
        return kind.tz in (None, "UTC")
    is_float = pa.types.is_float32(kind) or pa.types.is_float64(kind)
    return bool(pa.types.is_integer(kind) or is_float or pa.types.is_boolean(kind))


def read_lines(data: bytes, start: int, end: int, columns: int, wanted: list[DumpColumn]) -> list[pa.Array] | None:
    """The wanted columns of whole lines, or None where the general way must look.

    Args:
        data: what the lines lie in.
        start: where the first begins.
        end: where the last ends.
        columns: how many values a line has.
        wanted: the columns; those of binary type come with all escapes resolved.
    """
    if 4 * len(wanted) < columns:
        return None
    # A lone carriage return ends a line of CSV; a line of one column may be empty.
    if columns < 2 or end - start > PIECE_BYTES or data.find(b"\r", start, end) >= 0 or _has_hex(data, start, end):
        return None
    names = [str(at) for at in range(columns)]
    try:
        table = csv.read_csv(
            pa.BufferReader(pa.py_buffer(data).slice(start, end - start)),
            read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=2 * PIECE_BYTES),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types={names[column.position]: column.kind for column in wanted},
                include_columns=[names[column.position] for column in wanted],
                null_values=["\\N"],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    arrays = [column.chunk(0) for column in table.columns]
    syntax = Syntax(COPY_LITERALS, copy=True)
    return [unescape(array, syntax) if pa.types.is_binary(array.type) else array for array in arrays]


def _has_hex(data: bytes, start: int, end: int) -> bool:
    """Whether a value may begin as a hexadecimal integer, which the CSV reader takes and SQL doesn't."""
    if data.find(b"x", start, end) < 0 and data.find(b"X", start, end) < 0:
        return False
    marks = find_pairs(data, b"0x", start, end, any_case=True)
    return any(at == start or data[at - 1] in _BEFORE_NUMBER for at in marks.tolist())
