"""From cut out text to typed Arrow arrays.

Arrow casts whole columns. Only where it refuses are values looked at one by one: to accept what the type can hold in
another notation, or to say which row can't be held, and why.
"""

import binascii
import decimal
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recograph.dumps.escapes import LiteralError, parts, unhex
from recograph.dumps.message import Kind, Name
from recograph.dumps.moments import days, microseconds

_LONGEST_NUMBER = 1000
_BOOLEANS = {
    **dict.fromkeys([b"1", b"t", b"true", b"T", b"TRUE", b"True", b"\x01"], True),
    **dict.fromkeys([b"0", b"f", b"false", b"F", b"FALSE", b"False", b"\x00"], False),
}
_WORDS = pa.Array.from_buffers(
    pa.binary(),
    len(_BOOLEANS),
    [None, pa.py_buffer(np.cumsum([0, *map(len, _BOOLEANS)], dtype=np.int32)), pa.py_buffer(b"".join(_BOOLEANS))],
)
_TRUTHS = pa.Array.from_buffers(
    pa.bool_(), len(_BOOLEANS), [None, pa.py_buffer(np.packbits(list(_BOOLEANS.values()), bitorder="little"))]
)
"""The words for booleans, and what they mean. pa.array would import pandas where that is installed, in 0.3 s."""
_ZERO_DATE = r"^0000-00-00( 00:00:00(\.0+)?)?$"


@dataclass(frozen=True)
class Origin:
    """What a value's cast must know of the column that it comes from."""

    encoding: str = "utf-8"
    """The character encoding of text in the dump."""
    bits: bool = False
    """Whether numbers come as bytes, as BIT columns of MySQL do."""
    bytea: bool = False
    """Whether binary values come in PostgreSQL's notation."""
    zero_dates: bool = False
    """Whether 0000-00-00 stands for no date."""
    transport: str = ""
    """How bytes are written, if not as themselves: base64 or hex."""
    zoneless: bool = False
    """Whether the column's moments have no time zone, so that servers differ in what they make of an offset."""
    zone: str | None = None
    """The time zone of moments that are written without one, where it is known and isn't UTC."""


class CastError(ValueError):
    """Values that their type can't hold: row within the window, and reason."""

    def __init__(self, rejects: list[tuple[int, Kind]]):
        super().__init__(str(rejects[0][1]))
        self.rejects = rejects


def cast(values: pa.BinaryArray, target: pa.DataType, origin: Origin) -> tuple[pa.Array, int]:
    """Cast a column's bytes to its type.

    Returns:
        The typed array, and how many zero dates became null in it.

    Raises:
        CastError: a value doesn't fit the type.
    """
    if len(values) == values.null_count:
        return pa.nulls(len(values), target), 0
    if origin.transport:
        values = _carried(values, origin.transport)
    try:
        return _cast(values, target, origin), 0
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, LiteralError):
        pass
    zero_dates = 0
    if origin.zero_dates and (pa.types.is_date(target) or pa.types.is_timestamp(target)):
        is_zero = pc.fill_null(pc.match_substring_regex(values, _ZERO_DATE), fill_value=False)
        zero_dates = pc.sum(is_zero).as_py()
        if zero_dates:
            values = pc.if_else(is_zero, pa.scalar(None, pa.binary()), values)
            try:
                return _cast(values, target, origin), zero_dates
            except pa.ArrowInvalid:
                pass
    return _cast_singly(values, target, origin), zero_dates


def cast_numbers(values: pa.BinaryArray, target: pa.DataType) -> pa.Array | None:
    """Cast a column of bare decimal numbers to integers or floats; None where `cast` must look at them."""
    if len(values) == values.null_count:
        return pa.nulls(len(values), target)
    try:
        return _text(values).cast(target)
    except pa.ArrowInvalid:
        return None


def is_text(target: pa.DataType) -> bool:
    """Whether a type takes any text or bytes, so that its cast checks nothing."""
    return bool(pa.types.is_string(target) or pa.types.is_binary(target))


def is_number(target: pa.DataType) -> bool:
    """Whether a type is one of integers or floats."""
    return bool(pa.types.is_integer(target) or pa.types.is_float32(target) or pa.types.is_float64(target))


def _text(values: pa.BinaryArray) -> pa.StringArray:
    """The values as text without a look at their encoding, which casts to numbers and dates check themselves."""
    return pa.Array.from_buffers(pa.string(), len(values), values.buffers(), values.null_count, values.offset)


def _cast(values: pa.BinaryArray, target: pa.DataType, origin: Origin) -> pa.Array:
    if pa.types.is_string(target):
        return _decode(values, origin.encoding)
    if pa.types.is_binary(target):
        return _bytea(values) if origin.bytea else values
    if pa.types.is_boolean(target):
        at = pc.index_in(values, _WORDS)
        if at.null_count != values.null_count:
            raise pa.ArrowInvalid("not a boolean")
        return _TRUTHS.take(at)
    if origin.bits:
        raise pa.ArrowInvalid("bits are cast singly")
    if pa.types.is_integer(target):
        if (parts(values)[1] > ord("9")).any():
            raise pa.ArrowInvalid("Arrow takes hexadecimal notation for integers; SQL doesn't")
        return _text(values).cast(target)
    if pa.types.is_timestamp(target):
        return _cast_moments(_text(values), target, origin)
    if pa.types.is_time(target):
        moments = pc.binary_join_element_wise("1970-01-01 ", _text(values), "")
        return moments.cast(pa.timestamp(target.unit)).cast(target)
    return _text(values).cast(target)


def _cast_moments(text: pa.StringArray, target: pa.TimestampType, origin: Origin) -> pa.Array:
    try:
        naive = text.cast(pa.timestamp(target.unit))
    except pa.ArrowInvalid:
        if origin.zoneless:
            raise
        return text.cast(pa.timestamp(target.unit, "UTC")).cast(target)
    if origin.zone is not None:
        # An hour that comes twice in autumn is the first one; what a clock skips in spring is the next.
        moments = pc.assume_timezone(naive, origin.zone, ambiguous="earliest", nonexistent="latest")
        return moments.cast(pa.timestamp(target.unit, "UTC")).cast(target)
    return naive if target.tz is None else pc.assume_timezone(naive, "UTC").cast(target)


def _decode(values: pa.BinaryArray, encoding: str) -> pa.StringArray:
    if encoding != "utf-8" and (parts(values)[1] > 127).any():
        return pa.array([None if v is None else v.decode(encoding) for v in values.to_pylist()], pa.string())
    return values.cast(pa.string())


def _carried(values: pa.BinaryArray, transport: str) -> pa.BinaryArray:
    """The bytes that came as text."""
    decode = binascii.a2b_base64 if transport == "base64" else binascii.unhexlify
    carried, rejects = [], []
    for row, value in enumerate(values.to_pylist()):
        try:
            carried.append(None if value is None else decode(value))
        except ValueError:
            rejects.append((row, Kind.of("a value is not in {transport}", transport=Name(transport))))
    if rejects:
        raise CastError(rejects)
    return pa.array(carried, pa.binary())


def _bytea(values: pa.BinaryArray) -> pa.BinaryArray:
    if not pc.all(pc.starts_with(values, rb"\x")).as_py():
        raise pa.ArrowInvalid("not in hexadecimal notation")
    return unhex(pc.binary_slice(values, 2))


def _cast_singly(values: pa.BinaryArray, target: pa.DataType, origin: Origin) -> pa.Array:
    convert = _converter(target, origin)
    out, rejects = [], []
    for row, value in enumerate(values.to_pylist()):
        try:
            out.append(None if value is None else convert(value))
        except (ValueError, ArithmeticError):
            rejects.append((row, _reason(target, origin)))
    if rejects:
        raise CastError(rejects)
    return pa.array(out, target)


def _reason(target: pa.DataType, origin: Origin) -> Kind:
    """Why a value isn't taken, without the value."""
    if pa.types.is_string(target):
        return Kind.of(
            "the text isn't in {encoding} (declare its encoding with --encoding, or for a customer in customers.yaml)",
            encoding=Name(origin.encoding),
        )
    return Kind.of("the value is none of type {type}", type=Name(str(target)))


def _converter(target: pa.DataType, origin: Origin) -> Callable[[bytes], Any]:
    if pa.types.is_string(target):
        return lambda value: value.decode(origin.encoding)
    if pa.types.is_binary(target):
        return _bytea_singly if origin.bytea else bytes
    if pa.types.is_boolean(target):
        return lambda value: _boolean(value, origin)
    if pa.types.is_integer(target):
        return lambda value: _integer(value, target, origin)
    if pa.types.is_floating(target):
        return lambda value: pa.scalar(value.decode().strip().lstrip("+")).cast(target).as_py()
    if pa.types.is_decimal(target):
        return lambda value: pa.scalar(decimal.Decimal(value.decode()), target).as_py()
    if pa.types.is_timestamp(target):
        if origin.zone is not None:
            return _no
        times, divisor = _PER_MICROSECOND[target.unit], _DIVISOR[target.unit]
        return lambda value: _in_range(microseconds(value, zoneless=origin.zoneless) * times // divisor)
    if pa.types.is_date(target):
        return days
    if pa.types.is_time(target):
        return _no
    raise TypeError(f"dumps aren't read to type {target}")


_PER_MICROSECOND = {"s": 1, "ms": 1, "us": 1, "ns": 1000}
_DIVISOR = {"s": 1_000_000, "ms": 1000, "us": 1, "ns": 1}


def _boolean(value: bytes, origin: Origin) -> bool:
    if origin.bits:
        number = int.from_bytes(value, "big")
        return bool(number) if number < 2 else _no(value)
    return _BOOLEANS[value.strip()] if value.strip() in _BOOLEANS else _no(value)


def _in_range(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise ValueError(number)
    return number


def _no(value: bytes) -> Any:
    raise ValueError(value)


def _integer(value: bytes, target: pa.DataType, origin: Origin) -> int:
    if origin.bits:
        number = int.from_bytes(value, "big")
    else:
        exact = decimal.Decimal(value.decode().strip()) if len(value) < _LONGEST_NUMBER else _no(value)
        if not exact.is_finite() or abs(exact.adjusted()) > 40 or exact != exact.to_integral_value():
            raise ValueError(value)
        number = int(exact)
    try:
        return int(pa.scalar(number, target).as_py())
    except (pa.ArrowInvalid, OverflowError) as error:
        raise ValueError(value) from error


def _bytea_singly(value: bytes) -> bytes:
    if value.startswith(rb"\x"):
        return bytes.fromhex(value[2:].decode())
    return re.sub(rb"\\(?:([0-7]{3})|\\)", lambda m: bytes([int(m[1], 8)]) if m[1] else b"\\", value)
