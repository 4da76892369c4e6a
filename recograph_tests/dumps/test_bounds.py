"""Moments and numbers beyond what the whole chain can carry break a contract, or become NULL where it says so."""

import io

import pyarrow as pa
import pytest

from recograph.dumps import DumpError, DumpReader
from recograph.dumps.bounds import EPOCH, OUT_OF_BOUNDS

MYSQL = "CREATE TABLE `t` (`a` {});\nINSERT INTO `t` VALUES (NULL),({}),(1);\n"
COPY = "CREATE TABLE public.t (a {}, b text);\nALTER TABLE t OWNER TO x;\n"
COPY += "COPY public.t (a, b) FROM stdin;\n\\N\t\n{}\t\n1\t\n\\.\n"


def rows(dump: str, kind: pa.DataType, **metadata: str) -> tuple[list[object], int]:
    field = pa.field("a", kind, metadata=metadata)
    with DumpReader(io.BytesIO(dump.encode()), name="test.sql", schemas={"t": pa.schema([field])}) as reader:
        values = [value for _, batch in reader for value in batch.column(0).to_pylist()]
    return values, reader.tables["t"].out_of_bounds


@pytest.mark.parametrize(
    ("dump", "kind", "epoch"),
    [
        (MYSQL.format("bigint", "9223372036854775807"), pa.int64(), "ms"),
        (MYSQL.format("bigint", "253402300800000"), pa.int64(), "ms"),
        (MYSQL.format("bigint", "-62135596801"), pa.int64(), "s"),
        (COPY.format("double precision", "NaN"), pa.float64(), None),
        (COPY.format("double precision", "-Infinity"), pa.float64(), None),
        (COPY.format("real", "Infinity"), pa.float32(), None),
        (COPY.format("bigint", "253402300800000"), pa.int64(), "ms"),
    ],
)
def test_what_is_out_of_bounds_breaks_the_contract_or_becomes_null(
    dump: str, kind: pa.DataType, epoch: str | None
) -> None:
    metadata = {EPOCH.decode(): epoch} if epoch else {}
    with pytest.raises(DumpError, match=r"^test\.sql: table t, column a, row 2 \(byte \d+\): the (moment|value) is"):
        rows(dump, kind, **metadata)
    assert rows(dump, kind, **metadata, **{OUT_OF_BOUNDS.decode(): "null"}) == ([None, None, 1], 1)


@pytest.mark.parametrize(("value", "year"), [("0001-01-01 00:00:00", 1), ("9999-12-31 23:59:59", 9999)])
def test_the_first_and_the_last_year_are_within_bounds(value: str, year: int) -> None:
    (_, day, _), count = rows(
        f"CREATE TABLE `t` (`a` datetime);\nINSERT INTO `t` VALUES (NULL),('{value}'),(NULL);\n", pa.timestamp("us")
    )
    assert (day.year, count) == (year, 0)  # type: ignore[attr-defined]
