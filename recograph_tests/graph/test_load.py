import shutil
import time as time_module
from pathlib import Path
from typing import Any

import neo4j
import pytest
from neo4j import ManagedTransaction

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.errors import RecographError
from recograph.graph import plan
from recograph.graph.checks import check_constraints, check_customer
from recograph.graph.load import load
from recograph.graph.refusals import BackwardsError, GuardError
from recograph.graph.report import LoadOptions
from recograph.graph.state import growth
from recograph_tests.graph.marts import BilledWarehouse, Snapshot, actual, expected, time

DAY1, DAY2, DAY3 = "2026-11-01", "2026-11-02", "2026-11-03"

FIRST = Snapshot(
    {
        "users": [(1, True, True, time(1)), (2, None, False, None), (3, False, True, time(3))],
        "languages": [("english", "English"), ("italian", "Italian")],
        "user_languages": [(1, "english"), (2, "italian"), (9, "english")],
        "courses": [
            (1, "Étude d'anglais", 7, "elearning", "medium", 2, time(1)),
            (2, "", None, None, None, None, None),
        ],
        "course_enrolments": [(1, 1, 0, 9), (1, 2, -2, 1), (2, 1, None, 5), (3, 8, 0, 9), (7, 1, 0, 9)],
        "course_ratings": [(1, 1, 4.0), (2, 1, None)],
        "assets": [(1, "Intro", 2, time(5))],
        "asset_views": [(1, 1, 3)],
        "asset_ratings": [(1, 1, 2.5)],
        "course_similarity": [(1, 2, 0.5), (2, 1, 0.5)],
    }
)
SECOND = Snapshot(
    {
        "users": [(1, True, False, time(1)), (3, False, True, None), (4, None, None, time(9))],
        "languages": [("english", "English"), ("german", "German")],
        "user_languages": [(1, "german"), (3, "english"), (4, "english")],
        "courses": [
            (1, "Study of English", 7, "elearning", "medium", 2, time(1)),
            (8, "New", 1, "webinar", None, 0, None),
        ],
        "course_enrolments": [(1, 1, 2, 9), (3, 8, 0, 9), (4, 1, 0, 9), (4, 8, 0, 9)],
        "course_ratings": [(1, 1, None), (4, 1, 5.0)],
        "assets": [],
        "asset_views": [(1, 1, 3)],
        "course_similarity": [(1, 8, 0.25)],
    }
)


def test_first_load_gives_the_snapshot_and_counts_dangling_rows(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    report = load(neo4j, warehouse, "customer_1", DAY1)
    assert actual(neo4j) == expected({"customer_1": FIRST})
    enrolled = report.sets["relationships/IS_ENROLLED"]
    assert (enrolled.rows, enrolled.added, enrolled.total, enrolled.dangling, enrolled.how) == (5, 3, 3, 2, "created")
    assert all(check.passed for check in check_customer(neo4j, warehouse, "customer_1", DAY1))
    assert check_constraints(neo4j).passed


def test_a_day_that_was_loaded_by_another_declaration_is_not_read_again(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY2)
    load(neo4j, warehouse, "customer_1", DAY1)
    for file in Path(lake).rglob(f"snapshot_date={DAY1}/*.parquet"):
        file.write_bytes(b"columns of other types, which no engine reads as what they are now")
    monkeypatch.setattr(plan, "signature", lambda graph_set: f"changed {graph_set.name}")
    report = load(neo4j, warehouse, "customer_1", DAY2)
    assert report.sets["nodes/User"].how == "compared with graph"
    assert actual(neo4j) == expected({"customer_1": SECOND})


@pytest.mark.parametrize("batch_rows", [1, 10_000])
def test_the_seconds_of_a_set_are_those_that_sending_it_took(
    neo4j: neo4j.Driver,
    warehouse: DuckDBWarehouse,
    lake: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch_rows: int,
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    run = ManagedTransaction.run

    def slow(tx: ManagedTransaction, query: Any, *args: Any, **kwargs: Any) -> Any:
        if "AS written" in query:
            time_module.sleep(0.2)
        return run(tx, query, *args, **kwargs)

    monkeypatch.setattr(ManagedTransaction, "run", slow)
    report = load(neo4j, warehouse, "customer_1", DAY1, options=LoadOptions(batch_rows=batch_rows))
    assert all(of_set.seconds >= 0.2 for of_set in report.sets.values() if of_set.added)


def test_next_day_sends_the_difference(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY2)
    load(neo4j, warehouse, "customer_1", DAY1)
    report = load(neo4j, warehouse, "customer_1", DAY2)
    assert actual(neo4j) == expected({"customer_1": SECOND})
    users = report.sets["nodes/User"]
    assert (users.added, users.changed, users.removed, users.unchanged, users.how) == (1, 2, 1, 0, "difference")
    assert all(check.passed for check in check_customer(neo4j, warehouse, "customer_1", DAY2))


def test_where_statements_have_a_price_one_asks_for_all_sets_but_the_large_ones(
    neo4j: neo4j.Driver, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY2)
    FIRST.write(lake, "customer_1", DAY3)
    warehouse = BilledWarehouse(lake=str(lake))
    asked = []
    for day, snapshot, options in (
        (DAY1, FIRST, LoadOptions()),
        (DAY2, SECOND, LoadOptions()),
        (DAY2, SECOND, LoadOptions(repair=True)),
        (DAY2, SECOND, LoadOptions()),
    ):
        load(neo4j, warehouse, "customer_1", day, options=options)
        assert actual(neo4j) == expected({"customer_1": snapshot})
        asked.append(len(warehouse.streamed))
    assert asked == [1, 2, 3, 3]
    monkeypatch.setattr(plan, "_LARGE_ROWS", 5)
    load(neo4j, warehouse, "customer_1", DAY3, options=LoadOptions(max_removed_share=1))
    assert actual(neo4j) == expected({"customer_1": FIRST})
    assert len(warehouse.streamed) == 5  # the five enrolments alone


def test_same_day_again_changes_nothing(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    load(neo4j, warehouse, "customer_1", DAY1)
    report = load(neo4j, warehouse, "customer_1", DAY1)
    assert report.changes == 0
    assert {of_set.how for of_set in report.sets.values()} == {"unchanged"}
    assert actual(neo4j) == expected({"customer_1": FIRST})


def test_going_back_is_refused_until_allowed(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY2)
    load(neo4j, warehouse, "customer_1", DAY2)
    with pytest.raises(BackwardsError, match=r"holds a later snapshot \(2026-11-02\).* `allow_older: true` in the run"):
        load(neo4j, warehouse, "customer_1", DAY1)
    assert actual(neo4j) == expected({"customer_1": SECOND})
    report = load(neo4j, warehouse, "customer_1", DAY1, options=LoadOptions(allow_older=True))
    assert actual(neo4j) == expected({"customer_1": FIRST})
    assert report.sets["nodes/User"].how == "difference"


def test_earlier_marts_that_are_gone_are_replaced_by_what_the_graph_holds(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    load(neo4j, warehouse, "customer_1", DAY1)
    shutil.rmtree(lake)
    SECOND.write(lake, "customer_1", DAY2)
    report = load(neo4j, warehouse, "customer_1", DAY2)
    assert actual(neo4j) == expected({"customer_1": SECOND})
    users = report.sets["nodes/User"]
    assert (users.added, users.changed, users.removed, users.how) == (1, 2, 1, "compared with graph")


def test_marts_built_anew_with_other_rows_for_the_same_date_are_loaded(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    load(neo4j, warehouse, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY1)
    load(neo4j, warehouse, "customer_1", DAY1)
    assert actual(neo4j) == expected({"customer_1": SECOND})
    # Then the day before which the graph would be compared has other rows than those that were loaded.
    FIRST.write(lake, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY2)
    load(neo4j, warehouse, "customer_1", DAY2)
    assert actual(neo4j) == expected({"customer_1": SECOND})


@pytest.mark.parametrize("batch_rows", [1, 10_000])
@pytest.mark.parametrize(
    ("meddling", "message"),
    [
        ("MATCH (u:User {id: 3}) DETACH DELETE u", r"Someone else changed the graph of customer_1"),
        ("MATCH (c:Course {id: 1}) DETACH DELETE c", r"Someone else changed the graph of customer_1"),
        ("CREATE (:User {customer_id: 'customer_1', id: 4})", r"already has such a node .* Run this again"),
    ],
)
def test_what_others_did_to_the_graph_is_noticed_and_mended_by_the_next_load(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, meddling: str, message: str, batch_rows: int
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY2)
    load(neo4j, warehouse, "customer_1", DAY1)
    neo4j.execute_query(meddling)
    options = LoadOptions(batch_rows=batch_rows)
    with pytest.raises(RecographError, match=message):
        load(neo4j, warehouse, "customer_1", DAY2, options=options)
    load(neo4j, warehouse, "customer_1", DAY2, options=options)
    assert actual(neo4j) == expected({"customer_1": SECOND})


def test_a_snapshot_that_would_remove_much_is_stopped_before_anything_changes(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path
) -> None:
    whole = Snapshot({"users": [(id_, True, True, None) for id_ in range(100)]})
    cut = Snapshot({"users": [(id_, False, True, None) for id_ in range(70)]})
    whole.write(lake, "customer_1", DAY1)
    cut.write(lake, "customer_1", DAY2)
    load(neo4j, warehouse, "customer_1", DAY1)
    with pytest.raises(
        GuardError, match=r"30 of 100 nodes/User.*`max_removed_share: 0.31` in the run config"
    ) as caught:
        load(neo4j, warehouse, "customer_1", DAY2)
    assert caught.value.removed == {"nodes/User": (30, 100), "relationships/WORKS_AT": (30, 100)}
    assert actual(neo4j) == expected({"customer_1": whole})
    load(neo4j, warehouse, "customer_1", DAY2, options=LoadOptions(max_removed_share=0.31))
    assert actual(neo4j) == expected({"customer_1": cut})


def test_what_is_missing_is_named(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> None:
    with pytest.raises(RecographError, match=r"customer_1 has no marts of 2026-11-01 .*Materialize marts/"):
        load(neo4j, warehouse, "customer_1", DAY1)
    FIRST.write(lake, "customer_1", DAY1)
    with pytest.raises(RecographError, match=r"doesn't hold nodes/User, nodes/Course of customer_1"):
        load(neo4j, warehouse, "customer_1", DAY1, sets=["relationships/IS_ENROLLED"])
    with pytest.raises(RecographError, match=r"The graph has no set nodes/Users\. It has: nodes/Customer, nodes/User"):
        load(neo4j, warehouse, "customer_1", DAY1, sets=["nodes/Users"])
    assert actual(neo4j) == ({}, {})


def test_how_sets_grew_is_kept_by_day(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> None:
    for day, users in ((DAY2, 3), (DAY1, 2), (DAY3, 4), (DAY2, 5)):
        Snapshot({"users": [(id_, None, True, None) for id_ in range(users)]}).write(lake, "customer_1", day)
        load(neo4j, warehouse, "customer_1", day, options=LoadOptions(allow_older=True, max_removed_share=1))
    grown = growth(neo4j, ["customer_1", "customer_2"])
    assert list(grown["customer_1"]["nodes/User"].items()) == [(DAY1, 2), (DAY2, 5), (DAY3, 4)]
    assert grown.keys() == {"customer_1"}
