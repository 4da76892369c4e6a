"""Raw values to Arrow arrays of a wanted type."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

_BOOLEANS = {
    b"1": True,
    b"t": True,
    b"true": True,
    b"\x01": True,
    b"0": False,
    b"f": False,
    b"false": False,
    b"\0": False,
}


def is_zero_date(value: bytes) -> bool:
    """Whether it is MySQL's zero date, which no calendar has."""
    return value.startswith(b"0000-00-00")


def convert(values: Sequence[bytes | None], wanted: pa.Field) -> tuple[pa.Array | None, int | None]:
    """Values as an array of the wanted type, or the index of the first value that the field can't hold."""
    if not wanted.nullable and None in values:
        return None, list(values).index(None)
    try:
        return _array(values, wanted.type), None
    except (pa.ArrowInvalid, ValueError, KeyError):
        return None, next(index for index, value in enumerate(values) if not _fits(value, wanted.type))


def _fits(value: bytes | None, type_: pa.DataType) -> bool:
    try:
        _array([value], type_)
    except (pa.ArrowInvalid, ValueError, KeyError):
        return False
    return True


def _array(values: Sequence[bytes | None], type_: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(type_):
        return pa.array([None if value is None else _BOOLEANS[value.lower()] for value in values], type_)
    texts = pa.array(values, pa.binary()).cast(pa.string())
    if pa.types.is_string(type_):
        return texts
    if pa.types.is_timestamp(type_):
        zoned = pc.any(pc.match_substring_regex(texts, r"[+-]\d\d(:?\d\d)?$")).as_py()
        if zoned:
            texts = pc.replace_substring_regex(texts, r"([+-]\d\d)$", r"\1:00")
            return texts.cast(pa.timestamp(type_.unit, "UTC")).cast(type_)
    return texts.cast(type_)
