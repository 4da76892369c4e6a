"""What backslashes, doubled quotes and hexadecimal digits stand for, resolved in all values of a column at once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recograph.dumps.dialects import MYSQL
from recograph.dumps.dialects.rules import Literals, translation
from recograph.dumps.message import Kind
from recograph.dumps.scan import BACKSLASH, PIECE_BYTES, QUOTE, Bytes, escaped_positions, quote_map, safe_end


@dataclass(frozen=True)
class Syntax:
    """How literals are written in a dump."""

    literals: Literals = MYSQL.literals
    backslash_escapes: bool = True
    copy: bool = False
    quote: int = QUOTE
    """What most strings begin and end with."""
    double_quoted: bool = False
    """Whether double quotes are of strings too, or of names."""
    encoding: str = "utf-8"
    """The character encoding of text."""
    encoded_by_column: bool = False
    """Whether text comes in the character set of its column instead."""


COPY_LITERALS = Literals(
    escapes=translation(b=8, f=12, n=10, r=13, t=9, v=11),
    by_number=True,
    kept=b"",
    bits_are_bytes=False,
    national_escapes=False,
)
"""How values are written in COPY blocks."""
_NUMERIC_ESCAPES = list(b"01234567xuU")


class LiteralError(ValueError):
    """Something that isn't a literal stands where a literal must; has the row within its window."""

    def __init__(self, row: int, reason: Kind):
        super().__init__(str(reason))
        self.row, self.reason = row, reason


def parts(array: pa.BinaryArray) -> tuple[npt.NDArray[np.int32], Bytes]:
    """The offsets and the bytes of a binary array that isn't a slice."""
    _, offsets, data = array.buffers()
    size = len(array)
    positions = np.frombuffer(offsets, np.int32, size + 1) if size else np.zeros(1, np.int32)
    values = np.frombuffer(data, np.uint8) if data and data.size else np.zeros(0, np.uint8)
    return positions, values[: positions[-1]]


def with_parts(array: pa.BinaryArray, offsets: npt.NDArray[np.integer], data: Bytes) -> pa.BinaryArray:
    """An array with the nulls of another and values of its own."""
    buffers = [array.buffers()[0], pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(array), buffers, array.null_count)


def unescape(array: pa.BinaryArray, syntax: Syntax) -> pa.BinaryArray:
    """Resolve backslashes and doubled quotes in all values at once.

    Raises:
        LiteralError: a single quote stands in a value, so it isn't one string.
    """
    offsets, data = parts(array)
    slashes = syntax.backslash_escapes or syntax.copy
    has_slashes = slashes and bool((data == BACKSLASH).any())
    has_quotes = not syntax.copy and bool((data == syntax.quote).any())
    if not has_slashes and not has_quotes:
        return array
    if len(data) > PIECE_BYTES:
        return pa.array([None if v is None else _unescape_long(v, syntax) for v in _values(array)], pa.binary())
    literals = syntax.literals
    keep, out = np.ones(len(data), np.bool_), data
    if has_slashes:
        escaped = escaped_positions(data)
        after = data[escaped]
        if literals.by_number and np.isin(after, _NUMERIC_ESCAPES).any():
            return _unescape_slowly(array, syntax)
        if literals.kept and not syntax.copy:
            escaped = escaped[~np.isin(after, list(literals.kept))]
        keep[escaped - 1] = False
        out = data.copy()
        out[escaped] = literals.escapes[data[escaped]]
    if has_quotes:
        quotes = np.flatnonzero(quote_map(data, slashes, syntax.quote))
        single = len(quotes) % 2 or (np.diff(quotes)[::2] != 1).any()
        if single:
            gaps = np.flatnonzero(np.diff(quotes)[::2] != 1)
            at = quotes[2 * gaps[0] if len(gaps) else -1]
            raise LiteralError(int(np.searchsorted(offsets, at, "right")) - 1, Kind("holds an unbalanced quote"))
        keep[quotes[::2]] = False
    dropped = np.flatnonzero(~keep)
    return with_parts(array, offsets - np.searchsorted(dropped, offsets), out[keep])


def _values(array: pa.BinaryArray) -> Iterator[bytes | None]:
    for at in range(len(array)):
        value = array[at]
        yield value.as_py() if value.is_valid else None


def _unescape_long(value: bytes, syntax: Syntax) -> bytes:
    """Resolve a value piece by piece, in the memory of a piece."""
    if syntax.literals.by_number and _NUMERIC.search(value):
        return bytes(_unescape_slowly(pa.array([value], pa.binary()), syntax)[0].as_py())
    pieces, at = [], 0
    while at < len(value):
        piece = value[at : at + PIECE_BYTES]
        if at + len(piece) < len(value):
            piece = piece[: safe_end(piece, syntax.backslash_escapes or syntax.copy, syntax.quote)]
        pieces.append(unescape(pa.array([piece], pa.binary()), syntax)[0].as_py())
        at += len(piece)
    return b"".join(pieces)


_BY_NUMBER = rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))"
_NUMERIC = re.compile(rb"\\[0-7xuU]")
_IN_COPY = re.compile(_BY_NUMBER, re.S)
_IN_STRING = re.compile(_BY_NUMBER + rb"|''", re.S)


def _unescape_slowly(array: pa.BinaryArray, syntax: Syntax) -> pa.BinaryArray:
    """PostgreSQL's escapes by number, which pg_dump itself doesn't write."""
    pattern, escapes = _IN_COPY if syntax.copy else _IN_STRING, syntax.literals.escapes

    def replacement(match: re.Match[bytes]) -> bytes:
        octal, short, unicode, wide, character = match.groups()
        if octal:
            return bytes([int(octal, 8) & 255])
        if short:
            return bytes([int(short, 16)])
        if unicode or wide:
            return chr(int(unicode or wide, 16)).encode()
        return bytes([escapes[character[0]]]) if character else b"'"

    return pa.array(
        [value if value is None else pattern.sub(replacement, value) for value in array.to_pylist()], pa.binary()
    )


def unhex(array: pa.BinaryArray) -> pa.BinaryArray:
    """Turn pairs of hexadecimal digits into bytes.

    Raises:
        LiteralError: something else than digits, or half a pair.
    """
    offsets, data = parts(array)
    nibbles = _NIBBLES[data]
    odd = np.diff(offsets) % 2 != 0
    if odd.any():
        raise LiteralError(int(odd.argmax()), Kind("has half a hexadecimal pair"))
    if (nibbles > 15).any():
        at = int((nibbles > 15).argmax())
        row = int(np.searchsorted(offsets, at, "right")) - 1
        raise LiteralError(row, Kind("has something else than hexadecimal digits"))
    pairs = (nibbles[0::2] << 4 | nibbles[1::2]).astype(np.uint8)
    return with_parts(array, offsets // 2, pairs)


_NIBBLES = np.full(256, 255, np.uint8)
for _digit in b"0123456789abcdefABCDEF":
    _NIBBLES[_digit] = int(chr(_digit), 16)
