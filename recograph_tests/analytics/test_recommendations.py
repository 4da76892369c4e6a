"""The lists of all users as a mart, on marts written by hand."""

from pathlib import Path

import pyarrow as pa
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.local.folder_lake import LocalLake
from recograph.adapters.local.parquet_catalog import ParquetCatalog
from recograph.analytics.kinds import RECOMMENDATIONS
from recograph.analytics.recommendations import SCHEMA, recommend_all
from recograph.errors import RecographError
from recograph.lake.marts import publish_mart
from recograph_tests.graph.marts import Rows, Snapshot

C = "customer_1"
DAY1, DAY2, DAY3 = "2026-11-01", "2026-11-02", "2026-11-03"
FIRST: dict[str, Rows] = {
    "users": [(user, None, True, None) for user in (1, 2, 3, 4)],
    "user_languages": [(1, "italian"), (2, "german"), (4, "german")],
    "courses": [
        (10, "A", 1, None, None, 2),
        (11, "B", 1, None, None, 2, None, None, "german"),
        (12, "C", 1, None, None, 0),
        (13, "D", 1, None, None, None),
    ],
    "course_enrolments": [(1, 10, 2, 9), (2, 10, 2, 9), (3, 10, 2, 9), (3, 13, 2, 9), (2, 99, 2, 9), (9, 13, 2, 9)],
    "course_similarity": [(10, 11, 0.5), (10, 12, 0.9), (10, 13, 0.25), (13, 11, 0.75)],
}


def listed(rows: pa.Table, user: int) -> list[tuple[int, float, int | None, str]]:
    of_user = [row for row in rows.to_pylist() if row["user_id"] == user]
    assert [row["place"] for row in of_user] == list(range(1, len(of_user) + 1))
    return [(row["item_id"], row["score"], row["because_of"], row["since"]) for row in of_user]


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    return LocalLake(root=str(tmp_path), home=str(tmp_path / "home"))


def test_every_user_who_is_there_has_a_list(lake: LocalLake) -> None:
    Snapshot(FIRST).write(Path(lake.root), C, DAY1)
    rows = recommend_all(DuckDBWarehouse(lake=lake.root), C, DAY1, None)
    assert rows.schema == SCHEMA
    assert set(rows["user_id"].to_pylist()) == {1, 2, 3, 4}, "user 9 has left"
    # 12 isn't published, and 11 is in German.
    assert listed(rows, 1) == [(13, 0.25, 10, DAY1)]
    assert listed(rows, 2) == [(11, 0.5, 10, DAY1), (13, 0.25, 10, DAY1)]
    assert listed(rows, 3) == [(11, 1.25, 13, DAY1)], "13 weighs more than 10"
    # Who speaks German took 10; the others are equal.
    assert listed(rows, 4) == [(10, 0, None, DAY1), (11, 0, None, DAY1), (13, 0, None, DAY1)]
    assert listed(recommend_all(DuckDBWarehouse(lake=lake.root), C, DAY1, None, k=1), 2) == [(11, 0.5, 10, DAY1)]


def test_a_list_that_stays_the_same_keeps_its_date(lake: LocalLake) -> None:
    warehouse, catalog = DuckDBWarehouse(lake=lake.root), ParquetCatalog(lake=lake)
    changed = FIRST | {"course_similarity": [(10, 11, 0.4), (10, 13, 0.5), (13, 11, 0.75)]}
    before = None
    for day, marts in ((DAY1, FIRST), (DAY2, changed), (DAY3, changed)):
        Snapshot(marts).write(Path(lake.root), C, day)
        rows = recommend_all(warehouse, C, day, before)
        publish_mart(lake, catalog, RECOMMENDATIONS, C, day, rows)
        before = day
    assert {since for _, _, _, since in listed(rows, 1)} == {DAY1}
    assert {since for _, _, _, since in listed(rows, 2)} == {DAY2}, "its order has changed"
    assert {since for _, _, _, since in listed(rows, 3)} == {DAY1}


def test_what_is_missing_is_named(lake: LocalLake) -> None:
    with pytest.raises(RecographError, match=r"customer_1 has no marts/courses, .* of 2026-11-01"):
        recommend_all(DuckDBWarehouse(lake=lake.root), C, DAY1, None)
