"""From the borders of values to Arrow binary arrays: what kind each literal is, cut out, escapes resolved.

Cutting out is Arrow's `take` on an array whose offsets are the borders themselves: no byte is touched in Python and
it costs 20 ns a value. Escapes are resolved in the column that was cut out, all values at once, and only where there
are any. Most of the time goes into looking at the first and the last byte of each value, so each is looked up once, and
what is rare (NULL, prefixes, spaces) is searched only where these bytes allow it.
"""

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recograph.dumps.charsets import mysql_codec
from recograph.dumps.escapes import (
    COPY_ESCAPES,
    MYSQL_ESCAPES,
    STRING_ESCAPES,
    LiteralError,
    Syntax,
    parts,
    unescape,
    with_parts,
)
from recograph.dumps.scan import QUOTE, Bytes, Positions

Mask = npt.NDArray[np.bool_]

_SPACES = np.isin(np.arange(256), list(b" \t\r\n"))
_PLAIN = np.isin(np.arange(256), list(b"0123456789+-.tTfFiInN"))
_LEAST, _MOST = b"-9"
_PREFIXED = re.compile(rb"(?P<kind>[xXbBnNeE]?)'(?P<text>.*)'", re.S)
_INTRODUCER = re.compile(rb"_(?P<charset>\w+)\s*(?=['0xXbBnN])")
_HEX = re.compile(rb"0[xX](?P<digits>[0-9A-Fa-f]*)")
_BARE = rb"^(?i:[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|true|false|[-+]?(?:inf|infinity)|nan)$"
_BARE_WHOLE = re.compile(_BARE[:-1] + rb"\Z")
_NO_LITERAL = "holds something else than a literal"
_BITS = re.compile(rb"0b(?P<digits>[01]*)")


def cut(data: bytes, starts: Positions, ends: Positions, syntax: Syntax, *, is_text: bool = True) -> pa.BinaryArray:
    """Cut one column's values out of a window, NULL as null.

    Args:
        data: what the borders are positions in.
        starts: where the values begin.
        ends: where they end.
        syntax: how literals are written.
        is_text: whether the values stay text or bytes, so that nobody else finds out what isn't a literal.

    Raises:
        LiteralError: something is neither a string, a number nor NULL.
    """
    window = np.frombuffer(data, np.uint8)
    size = ends - starts
    if syntax.copy:
        null = _matching(window, starts, size == 2, b"\\N")
        escapes = COPY_ESCAPES if syntax.postgresql else MYSQL_ESCAPES
        return unescape(_take(data, starts, ends, null), escapes, syntax)
    escapes = STRING_ESCAPES if syntax.postgresql else MYSQL_ESCAPES
    first, last = window[starts], window[ends - 1]
    quoted = (first == QUOTE) & (last == QUOTE) & (size > 1)
    null = None if quoted.all() else _matching(window, starts, size == 4, b"null")
    if (quoted if null is None else quoted | null).all():
        return unescape(_take(data, starts + 1, ends - 1, null), escapes, syntax)
    if _SPACES[first].any() or _SPACES[last].any():
        starts, ends = _trimmed(window, starts, ends)
        first, last, size = window[starts], window[ends - 1], ends - starts
        quoted = (first == QUOTE) & (last == QUOTE) & (size > 1)
        null = _matching(window, starts, size == 4, b"null")
    plain = _PLAIN[first] & (size > 0) & (last != QUOTE)
    prefixed = np.flatnonzero((first == ord("0")) & (size > 1))
    if not (quoted | plain).all() or ((window[starts[prefixed] + 1] & 0xDF) > ord("9")).any():
        return _cut_odd(data, starts, ends, syntax, is_text)
    if is_text and (bare := plain if null is None else plain & ~null).any():
        _check_bare(data, starts, ends, bare)
    if quoted.any():
        starts, ends = starts + quoted, ends - quoted
    return unescape(_take(data, starts, ends, null), escapes, syntax)


def cut_numbers(data: bytes, starts: Positions, ends: Positions) -> pa.BinaryArray | None:
    """Cut out a column of an INSERT that holds nothing but bare decimal numbers and NULL; None where it holds more.

    The bytes that were cut out tell it, so that borders needn't be looked at one by one.
    """
    null = _matching(np.frombuffer(data, np.uint8), starts, ends - starts == 4, b"null")
    values = _take(data, starts, ends, null)
    # From minus to nine: all digits, the point and the slash, which no cast to a number takes.
    return values if (parts(values)[1] - np.uint8(_LEAST) <= _MOST - _LEAST).all() else None


def _matching(window: Bytes, starts: Positions, candidates: Mask, word: bytes) -> Mask | None:
    """Marks the candidates that are a word, None if there are none; a word in lower case may come in any."""
    at = np.flatnonzero(candidates)
    folded = 32 if word.islower() else 0
    for offset, byte in enumerate(word):
        if not len(at):
            return None
        at = at[window[starts[at] + offset] | folded == byte]
    if not len(at):
        return None
    marks: Mask = np.zeros(len(starts), np.bool_)
    marks[at] = True
    return marks


def _check_bare(data: bytes, starts: Positions, ends: Positions, bare: Mask) -> None:
    values = _take(data, starts[bare], ends[bare], None)
    is_literal = pc.match_substring_regex(values, _BARE)
    if (row := is_literal.index(pa.scalar(False)).as_py()) >= 0:
        raise LiteralError(int(np.flatnonzero(bare)[row]), _NO_LITERAL)


def _trimmed(window: Bytes, starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
    while (spaces := _SPACES[window[starts]] & (starts < ends)).any():
        starts = starts + spaces
    while (spaces := _SPACES[window[ends - 1]] & (starts < ends)).any():
        ends = ends - spaces
    return starts, ends


def _take(data: bytes, starts: Positions, ends: Positions, null: Mask | None) -> pa.BinaryArray:
    """Copy ranges of `data` into an array: every other value of an array whose offsets are the borders."""
    rows = len(starts)
    if not rows:
        return pa.array([], pa.binary())
    borders = np.empty(2 * rows, np.int32)
    borders[0::2], borders[1::2] = starts, ends
    parent = pa.Array.from_buffers(pa.binary(), 2 * rows - 1, [None, pa.py_buffer(borders), pa.py_buffer(data)])
    # Of buffers, for pa.array would import pandas where that is installed, in 0.3 s.
    valid = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    every_other = np.arange(0, 2 * rows, 2, dtype=np.int32)
    return parent.take(pa.Array.from_buffers(pa.int32(), rows, [valid, pa.py_buffer(every_other)]))


def _cut_odd(data: bytes, starts: Positions, ends: Positions, syntax: Syntax, is_text: bool) -> pa.BinaryArray:
    """Columns that hold other literals than strings and numbers: hexadecimal, bits, with introducers."""
    window = np.frombuffer(data, np.uint8)
    size = ends - starts
    null = _matching(window, starts, size == 4, b"null")
    for prefix in (b"_binary '", b"0x"):
        is_prefixed = _begins(window, starts, size, prefix)
        empty = (size == 2) & (window[starts] == QUOTE)
        others = empty if null is None else empty | null
        if not (is_prefixed | others).all():
            continue
        if prefix == b"0x":
            digits = _take(data, starts + 2, ends, null)
            if not (np.diff(parts(digits)[0]) % 2).any():
                return unhex(digits)
        else:
            starts = starts + np.where(is_prefixed, len(prefix) - 1, 0)
            return cut(data, starts, ends, syntax, is_text=is_text)
    values = []
    for row, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        try:
            values.append(_literal(data[start:end], syntax))
        except ValueError as error:
            raise LiteralError(row, str(error)) from None
    return pa.array(values, pa.binary())


def _begins(window: Bytes, starts: Positions, size: Positions, prefix: bytes) -> Mask:
    begins: Mask = size >= len(prefix)
    for at, byte in enumerate(prefix):
        begins &= window[np.minimum(starts + at, len(window) - 1)] == byte
    return begins


def unhex(array: pa.BinaryArray) -> pa.BinaryArray:
    """Turn pairs of hexadecimal digits into bytes.

    Raises:
        LiteralError: something else than digits, or half a pair.
    """
    offsets, data = parts(array)
    nibbles = _NIBBLES[data]
    odd = np.diff(offsets) % 2 != 0
    if odd.any():
        raise LiteralError(int(odd.argmax()), "has half a hexadecimal pair")
    if (nibbles > 15).any():
        at = int((nibbles > 15).argmax())
        raise LiteralError(int(np.searchsorted(offsets, at, "right")) - 1, "has something else than hexadecimal digits")
    pairs = (nibbles[0::2] << 4 | nibbles[1::2]).astype(np.uint8)
    return with_parts(array, offsets // 2, pairs)


_NIBBLES = np.full(256, 255, np.uint8)
for _digit in b"0123456789abcdefABCDEF":
    _NIBBLES[_digit] = int(chr(_digit), 16)


def _literal(text: bytes, syntax: Syntax) -> bytes | None:
    """One literal in any form that a dump may hold.

    Raises:
        ValueError: it isn't a literal.
    """
    if text.upper() == b"NULL":
        return None
    if introducer := _INTRODUCER.match(text):
        value = _literal(text[introducer.end() :], syntax)
        codec = mysql_codec(introducer["charset"].decode().lower())
        if value is None or codec is None or codec == syntax.encoding or syntax.encoded_by_column:
            return value
        return value.decode(codec).encode(syntax.encoding)
    if match := _HEX.fullmatch(text):
        digits = match["digits"]
        return bytes.fromhex((b"0" * (len(digits) % 2) + digits).decode())
    if match := _BITS.fullmatch(text):
        return _bits(match["digits"])
    match = _PREFIXED.fullmatch(text)
    if not match:
        if _BARE_WHOLE.match(text):
            return text
        raise ValueError(_NO_LITERAL)
    kind, inner = match["kind"].lower(), match["text"]
    if kind == b"x":
        return bytes.fromhex(inner.decode())
    if kind == b"b":
        return inner if syntax.postgresql else _bits(inner)
    slashes = kind == b"e" or (syntax.backslash_escapes and not (kind == b"n" and syntax.postgresql))
    one = pa.array([inner], pa.binary())
    escapes = STRING_ESCAPES if syntax.postgresql else MYSQL_ESCAPES
    result: bytes = unescape(one, escapes, Syntax(syntax.postgresql, slashes))[0].as_py()
    return result


def _bits(digits: bytes) -> bytes:
    return int(digits or b"0", 2).to_bytes(max(1, (len(digits) + 7) // 8), "big")
