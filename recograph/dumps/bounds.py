"""What may be in a column that a contract asks for: moments of the years 1 to 9999, and numbers that are numbers.

Beyond these no calendar of a warehouse, a graph or a program goes. A field's metadata says whether whole numbers are
moments too, and whether what is out of bounds becomes NULL, counted, instead of breaking the contract.
"""

import datetime

import pyarrow as pa
import pyarrow.compute as pc

from recograph.dumps.message import Kind

EPOCH = b"recograph.epoch"
"""Metadata of a field of whole numbers that count from 1970: the unit, as s, ms or us."""
OUT_OF_BOUNDS = b"recograph.out_of_bounds"
"""Metadata of a field: `null` where what is out of bounds becomes NULL."""

_FIRST = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
_LAST = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_MOST = 2**63 - 1
_NOTHING = Kind("")


class BoundsError(ValueError):
    """Values beyond their bounds: the rows within the window."""

    def __init__(self, rows: list[int], reason: Kind):
        super().__init__(str(reason))
        self.rows = rows
        self.reason = reason


def within_bounds(array: pa.Array, field: pa.Field) -> tuple[pa.Array, int]:
    """A column's values, and how many of them became NULL since they are out of bounds.

    Raises:
        BoundsError: there are such, and the field doesn't let them become NULL.
    """
    metadata = field.metadata or {}
    outside, reason = _outside(array, field.type, metadata.get(EPOCH))
    if outside is None or not (count := pc.sum(outside).as_py()):
        return array, 0
    if metadata.get(OUT_OF_BOUNDS) != b"null":
        raise BoundsError(pc.indices_nonzero(outside).to_pylist(), reason)
    return pc.if_else(outside, pa.scalar(None, array.type), array), count


def _outside(array: pa.Array, kind: pa.DataType, epoch: bytes | None) -> tuple[pa.BooleanArray | None, Kind]:
    """Marks the values that are out of bounds, None where there are none, and what is wrong with them."""
    if pa.types.is_floating(kind):
        finite = pc.is_finite(array)
        if not finite.false_count:
            return None, _NOTHING
        # A scalar of Arrow imports pandas where that is installed, in 0.3 s, so none is made without need.
        return (pc.fill_null(pc.invert(finite), False), Kind("the value is no finite number"))
    unit = kind.unit if pa.types.is_timestamp(kind) else epoch.decode() if epoch else None
    if unit is None or not (pa.types.is_timestamp(kind) or pa.types.is_int64(kind)):
        return None, _NOTHING
    numbers = array.cast(pa.int64()) if pa.types.is_int64(kind) else array.view(pa.int64())
    least = max(int(_FIRST.timestamp()) * _PER_SECOND[unit], -_MOST)
    most = min((int(_LAST.timestamp()) + 1) * _PER_SECOND[unit] - 1, _MOST)
    extremes = pc.min_max(numbers).as_py()
    if extremes["min"] is None or (extremes["min"] >= least and extremes["max"] <= most):
        return None, _NOTHING
    outside = pc.or_(pc.less(numbers, least), pc.greater(numbers, most))
    return pc.fill_null(outside, False), Kind("the moment is beyond the years 1 to 9999")
