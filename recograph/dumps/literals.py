"""From the borders of values to Arrow binary arrays: what kind each literal is, cut out, escapes resolved.

Cutting out is Arrow's `take` on an array whose offsets are the borders themselves: no byte is touched in Python and
it costs 20 ns per value. Escapes are resolved in the column that was cut out, all values at once, and only where there
are any. Most of the time goes into looking at the first and the last byte of each value, so each is looked up once, and
what is rare (NULL, prefixes, spaces) is searched only where these bytes allow it.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recograph.dumps.charsets import mysql_codec
from recograph.dumps.escapes import LiteralError, Syntax, parts, unescape, unhex
from recograph.dumps.message import Kind
from recograph.dumps.scan import Bytes, Mask, Positions

_SPACES = np.isin(np.arange(256), list(b" \t\r\n"))
_PLAIN = np.isin(np.arange(256), list(b"0123456789+-.tTfFiInN"))
_LEAST, _MOST = b"-9"
_BEGINS = re.compile(rb"(?P<kind>[xXbBnNeE]?)(?P<quote>['\"])")
_STRINGS = {
    (quote, slashes): re.compile(
        rb"(?P<kind>[xXbBnNeE]?)%s(?P<text>(?:%s|%s%s)*+)%s"
        % (quote, rb"[^%s\\]++|\\." % quote if slashes else rb"[^%s]++" % quote, quote, quote, quote),
        re.S,
    )
    for quote in (b"'", b'"')
    for slashes in (False, True)
}
_COMMENT = rb"/\*.*?\*/|(?:--(?=[\s]|\Z)|\#)[^\n]*+"
_AROUND = re.compile(rb"(?:\s++|%s)*+" % _COMMENT, re.S)
_AFTER_CAST = re.compile(rb"(?:::[\w. \"]+(?:\([\d, ]*\))?(?:\[\])?|\s++|%s)*+" % _COMMENT, re.S)
_WORD = re.compile(rb"([A-Za-z]+)\b")
_CALL = re.compile(rb"(?P<hex>UNHEX)\s*\((?P<value>.*)\)\s*", re.I | re.S)
_CONVERTED = re.compile(rb"CONVERT\s*\((?P<value>.*)\sUSING\s+utf8(?:mb[34])?\s*\)\s*", re.I | re.S)
"""As mydumper writes JSON, which is in UTF-8 whatever the connection is."""
_MOMENT = re.compile(rb"(?:\{\s*(?:ts|t|d)|TIMESTAMP|DATETIME|DATE|TIME)\s*(?P<value>'[^']*')\s*\}?\s*", re.I)
_INTRODUCER = re.compile(rb"_(?P<charset>\w+)\s*(?=['\"0xXbBnN])")
_HEX = re.compile(rb"0[xX](?P<digits>[0-9A-Fa-f]*)(?!\w)")
_BARE = rb"^(?i:[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|true|false|[-+]?(?:inf|infinity)|nan)$"
_AS_SHOWN = rb"^-?(?:0|[1-9]\d*)(?:\.\d+)?$"
"""Numbers that MySQL shows as they are written, so that text holds the same; it shows TRUE as 1, and 007 as 7."""
_BARE_PART, _SHOWN_PART = (re.compile(pattern[1:-1] + rb"(?![\w.])") for pattern in (_BARE, _AS_SHOWN))
_NO_LITERAL = Kind("holds something else than a literal")
_BITS = re.compile(rb"0b(?P<digits>[01]*)(?!\w)")


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
        return unescape(_take(data, starts, ends, null), syntax)
    first, last = window[starts], window[ends - 1]
    quoted = (first == syntax.quote) & (last == syntax.quote) & (size > 1)
    null = None if quoted.all() else _matching(window, starts, size == 4, b"null")
    if (quoted if null is None else quoted | null).all():
        return unescape(_take(data, starts + 1, ends - 1, null), syntax)
    if _SPACES[first].any() or _SPACES[last].any():
        starts, ends = trimmed(data, starts, ends)
        first, last, size = window[starts], window[ends - 1], ends - starts
        quoted = (first == syntax.quote) & (last == syntax.quote) & (size > 1)
        null = _matching(window, starts, size == 4, b"null")
    plain = _PLAIN[first] & (size > 0) & (last != syntax.quote)
    prefixed = np.flatnonzero((first == ord("0")) & (size > 1))
    if not (quoted | plain).all() or ((window[starts[prefixed] + 1] & 0xDF) > ord("9")).any():
        return _cut_odd(data, starts, ends, syntax, is_text)
    if is_text and (bare := plain if null is None else plain & ~null).any():
        _check_bare(data, starts, ends, bare, syntax)
    if quoted.any():
        starts, ends = starts + quoted, ends - quoted
    return unescape(_take(data, starts, ends, null), syntax)


def cut_numbers(data: bytes, starts: Positions, ends: Positions) -> pa.BinaryArray | None:
    """Cut out a column of an INSERT that holds nothing but bare decimal numbers and NULL; None where it holds more.

    The bytes that were cut out tell it, so that borders needn't be looked at one by one.
    """
    null = _matching(np.frombuffer(data, np.uint8), starts, ends - starts == 4, b"null")
    values = _take(data, starts, ends, null)
    # From minus to nine: all digits, the point and the slash, which no cast to a number takes.
    return values if (parts(values)[1] - np.uint8(_LEAST) <= _MOST - _LEAST).all() else None


def are_defaults(data: bytes, starts: Positions, ends: Positions) -> bool:
    """Whether DEFAULT stands for all values of a column of an INSERT."""
    marks = _matching(np.frombuffer(data, np.uint8), starts, ends - starts == len(b"default"), b"default")
    return marks is not None and bool(marks.all())


def _matching(window: Bytes, starts: Positions, candidates: Mask, word: bytes) -> Mask | None:
    """Marks the candidates that are a word, None if there are none; a word in lower case may stand in either case."""
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


def _check_bare(data: bytes, starts: Positions, ends: Positions, bare: Mask, syntax: Syntax) -> None:
    values = _take(data, starts[bare], ends[bare], None)
    is_literal = pc.match_substring_regex(values, _BARE if syntax.literals.by_number else _AS_SHOWN)
    if (row := is_literal.index(pa.scalar(False)).as_py()) >= 0:
        raise LiteralError(int(np.flatnonzero(bare)[row]), _NO_LITERAL)


def trimmed(data: bytes, starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
    """The borders of values without the spaces around them."""
    window = np.frombuffer(data, np.uint8)
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
    for prefix in (b"_binary %c" % syntax.quote, b"0x"):
        is_prefixed = _begins(window, starts, size, prefix)
        empty = (size == 2) & (window[starts] == syntax.quote)
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
    return cut_singly(data, starts, ends, syntax, is_text=is_text)


def cut_singly(
    data: bytes, starts: Positions, ends: Positions, syntax: Syntax, default: bytes | None = None, *, is_text: bool
) -> pa.BinaryArray:
    """Cut one column's values out of a window, each looked at by itself: comments, calls and defaults are seen.

    Args:
        data: what the borders are positions in.
        starts: where the values begin.
        ends: where they end.
        syntax: how literals are written.
        default: the literal that DEFAULT stands for, where it is one.
        is_text: see `cut`.

    Raises:
        LiteralError: something isn't a literal.
    """
    values = []
    for row, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        try:
            values.append(_literal(data[start:end], syntax, default, is_text=is_text))
        except ValueError as error:
            # Only what is raised here has words of its own; others quote the value.
            reason = error.reason if isinstance(error, _NoLiteralError) else _NO_LITERAL
            raise LiteralError(row, reason) from None
    return pa.array(values, pa.binary())


def _begins(window: Bytes, starts: Positions, size: Positions, prefix: bytes) -> Mask:
    begins: Mask = size >= len(prefix)
    for at, byte in enumerate(prefix):
        begins &= window[np.minimum(starts + at, len(window) - 1)] == byte
    return begins


class _NoLiteralError(ValueError):
    """Something that isn't a literal, and why."""

    def __init__(self, reason: Kind):
        super().__init__(str(reason))
        self.reason = reason


def _literal(text: bytes, syntax: Syntax, default: bytes | None = None, *, is_text: bool = False) -> bytes | None:
    """One literal in any form that a dump may hold.

    Raises:
        ValueError: it isn't a literal.
    """
    text = _AROUND.sub(b"", text, count=1)
    if match := _WORD.match(text):
        word, rest = match[1].upper(), match.end()
        if word == b"NULL" and _AROUND.fullmatch(text, rest):
            return None
        if word == b"DEFAULT" and _AROUND.fullmatch(text, rest):
            if default is None:
                raise _NoLiteralError(Kind("holds DEFAULT, and the table's definition doesn't say which value that is"))
            return _literal(default, syntax)
    if introducer := _INTRODUCER.match(text):
        value = _literal(text[introducer.end() :], syntax)
        codec = mysql_codec(introducer["charset"].decode().lower())
        if value is None or codec is None or codec == syntax.encoding or syntax.encoded_by_column:
            return value
        return value.decode(codec).encode(syntax.encoding)
    if match := _CALL.fullmatch(text) or _CONVERTED.fullmatch(text) or _MOMENT.fullmatch(text):
        value = _literal(match["value"], syntax)
        is_hex = "hex" in match.re.groupindex
        return bytes.fromhex(value.decode()) if is_hex and value is not None else value
    if match := _HEX.match(text):
        digits, rest = match["digits"], match.end()
        result = bytes.fromhex((b"0" * (len(digits) % 2) + digits).decode())
    elif match := _BITS.match(text):
        result, rest = _bits(match["digits"]), match.end()
    elif match := _string(text, syntax):
        quote = match[0][-1]
        result, rest = _unquoted(match["kind"].lower(), match["text"], quote, syntax), match.end()
    elif match := (_SHOWN_PART if is_text and not syntax.literals.by_number else _BARE_PART).match(text):
        result, rest = match[0], match.end()
    else:
        raise _NoLiteralError(_NO_LITERAL)
    if not (_AFTER_CAST if syntax.literals.by_number else _AROUND).fullmatch(text, rest):
        raise _NoLiteralError(_NO_LITERAL)
    return result


def _string(text: bytes, syntax: Syntax) -> re.Match[bytes] | None:
    """The string that a text begins with, with what introduces it."""
    match = _BEGINS.match(text)
    if match is None or (match["quote"] == b'"' and not syntax.double_quoted):
        return None
    slashes = syntax.backslash_escapes or match["kind"] in (b"e", b"E")
    return _STRINGS[match["quote"], slashes].match(text)


def _unquoted(kind: bytes, inner: bytes, quote: int, syntax: Syntax) -> bytes:
    literals = syntax.literals
    if kind == b"x":
        return bytes.fromhex(inner.decode())
    if kind == b"b":
        return _bits(inner) if literals.bits_are_bytes else inner
    slashes = kind == b"e" or (syntax.backslash_escapes and (kind != b"n" or literals.national_escapes))
    one = pa.array([inner], pa.binary())
    return bytes(unescape(one, Syntax(literals, slashes, quote=quote))[0].as_py())


def _bits(digits: bytes) -> bytes:
    return int(digits or b"0", 2).to_bytes(max(1, (len(digits) + 7) // 8), "big")
