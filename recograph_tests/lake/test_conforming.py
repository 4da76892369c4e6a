"""Landed files of an earlier contract: brought along where that can be done, told where it can't."""

import dataclasses
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recograph.adapters.local.folder_lake import LocalLake
from recograph.errors import RecographError
from recograph.lake.conforming import conform
from recograph.lake.layout import landing_key
from recograph.platforms import Column, Contract

DAY = "2026-11-01"
ID = Column("id", pa.int64(), "", required=True)
THEN = Contract("t", "A table", (ID, Column("note", pa.string(), "")))


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    return LocalLake(root=str(tmp_path / "lake"), home=str(tmp_path))


def landed(lake: LocalLake, rows: list[dict[str, Any]]) -> Path:
    """The file of a day that was landed with the contract of then."""
    file = Path(lake.root, landing_key("c", "t", DAY))
    file.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, THEN.schema), file)
    return file


def now(*columns: Column) -> Contract:
    return dataclasses.replace(THEN, columns=columns)


def test_a_file_that_is_as_the_contract_says_is_left_alone(lake: LocalLake) -> None:
    file = landed(lake, [{"id": 1, "note": "a"}])
    before = file.stat().st_mtime_ns
    assert conform(lake, "c", DAY, THEN) == (1, ())
    assert file.stat().st_mtime_ns == before


def test_columns_are_added_removed_and_retyped(lake: LocalLake) -> None:
    file = landed(lake, [{"id": 1, "note": "7"}, {"id": 2, "note": None}])
    text_id = Column("id", pa.string(), "", required=True)
    changed = now(Column("note", pa.int64(), ""), text_id, Column("new", pa.bool_(), ""))
    assert conform(lake, "c", DAY, changed) == (2, ())
    assert pq.read_table(file, partitioning=None).to_pylist() == [
        {"note": 7, "id": "1", "new": None},
        {"note": None, "id": "2", "new": None},
    ]
    assert conform(lake, "c", DAY, now(text_id)) == (2, ())
    assert pq.read_schema(file).names == ["id"]


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (Column("note", pa.int64(), ""), "t.note is string, and the contract says int64."),
        (Column("id", pa.timestamp("us"), ""), "t.id is int64, and the contract says timestamp[us]."),
        (Column("id", pa.bool_(), ""), "t.id is int64, and the contract says bool."),
        (Column("new", pa.int64(), "", required=True), "t.new is missing, and may not be NULL."),
    ],
)
def test_what_stands_in_the_way_is_told_and_the_file_left_as_it_was(lake: LocalLake, column: Column, told: str) -> None:
    file = landed(lake, [{"id": 1, "note": "seven"}])
    before = file.read_bytes()
    columns = [column] if column.name == "id" else [ID, column]
    assert conform(lake, "c", DAY, now(*columns)) == (1, (f"{told} Land the day again from its dump.",))
    assert file.read_bytes() == before


def test_a_file_that_is_missing_or_broken_is_named(lake: LocalLake) -> None:
    with pytest.raises(RecographError, match=r"isn't there\. Materialize the landing of t for c\|2026-11-01 first\."):
        conform(lake, "c", DAY, THEN)
    landed(lake, []).write_bytes(b"PAR1 and then nothing")
    with pytest.raises(
        RecographError,
        match=r"isn't a whole Parquet file .* Make it again: recograph run -",
    ):
        conform(lake, "c", DAY, THEN)
