"""Reads dumps in tests, and turns what a server shows of a value into what Arrow gives for it."""

import datetime
import decimal
import io
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from recograph.dumps import DumpReader


def read(dump: bytes, **options: Any) -> dict[str, pa.Table]:
    """Every table of a dump; those without rows too."""
    with DumpReader(io.BytesIO(dump), name="test.sql", **options) as reader:
        batches: dict[str, list[pa.RecordBatch]] = {}
        for table, batch in reader:
            batches.setdefault(table, []).append(batch)
        tables = {name: pa.Table.from_batches(batches.get(name, []), schema) for name, schema in reader.schemas.items()}
    for name, table in tables.items():
        table.validate(full=True)
        assert reader.tables[name].rows == table.num_rows
    return tables


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of a table as Python values."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def value_of(shown: bytes | None, kind: pa.DataType) -> Any:
    """The value that a server shows as text, without any code of the reader."""
    if shown is None or pa.types.is_binary(kind):
        return shown
    text = shown.decode()
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_decimal(kind):
        return decimal.Decimal(text)
    if pa.types.is_floating(kind):
        return pa.scalar(float(text), kind).as_py()
    if pa.types.is_boolean(kind):
        return {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}[text]
    if pa.types.is_date(kind):
        return None if text.startswith("0000-00-00") else datetime.date.fromisoformat(text)
    if pa.types.is_timestamp(kind):
        if text.startswith("0000-00-00"):
            return None
        moment = datetime.datetime.fromisoformat(text)
        if kind.tz is None:
            return moment
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(ZoneInfo(kind.tz))
    if pa.types.is_time(kind):
        return datetime.time.fromisoformat(text)
    assert pa.types.is_string(kind), kind
    return text
