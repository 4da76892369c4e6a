from pathlib import Path

import neo4j

from recograph.graph.checks import check_constraints, check_customer
from recograph.graph.load import load
from recograph.resources.warehouse import DuckDBWarehouse
from recograph_tests.graph.marts import Snapshot, actual, expected, time

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


def test_next_day_sends_the_difference(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY2)
    load(neo4j, warehouse, "customer_1", DAY1)
    report = load(neo4j, warehouse, "customer_1", DAY2)
    assert actual(neo4j) == expected({"customer_1": SECOND})
    users = report.sets["nodes/User"]
    assert (users.added, users.changed, users.removed, users.unchanged, users.how) == (1, 2, 1, 0, "difference")
    assert all(check.passed for check in check_customer(neo4j, warehouse, "customer_1", DAY2))


def test_same_day_again_changes_nothing(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    load(neo4j, warehouse, "customer_1", DAY1)
    report = load(neo4j, warehouse, "customer_1", DAY1)
    assert report.changes == 0
    assert {each.how for each in report.sets.values()} == {"unchanged"}
    assert actual(neo4j) == expected({"customer_1": FIRST})
