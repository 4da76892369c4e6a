"""Recommendations from the graph: what may be recommended to whom, and why; the scores are in test_queries.py."""

from pathlib import Path

import neo4j as neo4j_driver
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.graph.load import load
from recograph.graph.recommend import recommend
from recograph_tests.analytics.test_recommendations import FIRST
from recograph_tests.graph.marts import Rows, Snapshot

C, DAY1, DAY2 = "customer_1", "2026-11-01", "2026-11-02"
MARTS: dict[str, Rows] = FIRST | {"languages": [("italian", "Italian"), ("german", "German")]}


def listed(driver: neo4j_driver.Driver, user: int) -> list[tuple[int, float, str]]:
    return [(row["id"], row["score"], row["reason"]) for row in recommend(driver, C, user).records()]


@pytest.fixture
def loaded(neo4j: neo4j_driver.Driver, lake: Path, warehouse: DuckDBWarehouse) -> neo4j_driver.Driver:
    Snapshot(MARTS).write(lake, C, DAY1)
    load(neo4j, warehouse, C, DAY1)
    return neo4j


def test_nothing_withdrawn_and_nothing_foreign(loaded: neo4j_driver.Driver) -> None:
    """Course 12 isn't published, and 11 is in German."""
    assert listed(loaded, 1) == [(13, 0.25, "because you took A")]
    assert listed(loaded, 2) == [(11, 0.5, "because you took A"), (13, 0.25, "because you took A")]
    assert listed(loaded, 3) == [(11, 1.25, "because you took D and A")]


def test_a_user_without_history_is_told_of_whom_it_is_popular(loaded: neo4j_driver.Driver) -> None:
    assert listed(loaded, 4) == [
        (10, 0, "popular with those who speak German: taken by 1"),
        (11, 0, "new to those who speak German"),
        (13, 0, "new to those who speak German"),
    ]


def test_computed_similarities_may_all_change(
    loaded: neo4j_driver.Driver, lake: Path, warehouse: DuckDBWarehouse
) -> None:
    """Other parameters give other similarities: that is no sign of a bad dump, and doesn't stop the load."""
    courses: Rows = [(course, f"Course {course}", 1, None, None, 2) for course in range(40)]
    for day, step in ((DAY1, 1), (DAY2, 2)):
        pairs: Rows = [(course, (course + step) % 40, 0.5) for course in range(40)]
        Snapshot(MARTS | {"courses": courses, "course_similarity": pairs}).write(lake, C, day)
        load(loaded, warehouse, C, day)
    counted = loaded.execute_query(
        "MATCH (a:Course)-[r:SIMILAR_TO]->(b) RETURN count(r), collect(distinct b.id - a.id)"
    )
    count, steps = counted.records[0].values()
    assert (count, set(steps)) == (40, {2, -38})
