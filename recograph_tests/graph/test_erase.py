"""Erasing: what is asked for goes, everywhere in the graph, and nothing of others."""

import random
from pathlib import Path

import neo4j
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.graph.cypher import LOCK, STATE
from recograph.graph.erase import erase_customer, erase_user
from recograph.graph.load import load
from recograph_tests.graph.marts import Snapshot, actual, expected, random_snapshot

DAY1, DAY2 = "2026-11-01", "2026-11-02"


@pytest.fixture
def loaded(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> dict[str, Snapshot]:
    """Two customers with the same ids, one language of each that the other lacks and one that both need."""
    source = random.Random(7)
    snapshots = {customer: random_snapshot(source, 15) for customer in ("customer_1", "customer_2")}
    for (customer, snapshot), languages in zip(
        snapshots.items(), (["english", "german"], ["english", "italian"]), strict=True
    ):
        snapshot.marts["languages"] = [(language, language.title()) for language in languages]
        snapshot.marts["user_languages"] = [
            (row[0], languages[at % 2]) for at, row in enumerate(snapshot["user_languages"])
        ]
        snapshot.write(lake, customer, DAY1)
        load(neo4j, warehouse, customer, DAY1)
    return snapshots


def test_a_customer_goes_with_all_and_others_stay(neo4j: neo4j.Driver, loaded: dict[str, Snapshot]) -> None:
    before = actual(neo4j)
    # Something of theirs that today's model doesn't know.
    neo4j.execute_query("CREATE (:Badge {customer_id: 'customer_1', id: 1})")
    erased = erase_customer(neo4j, "customer_1")
    rest = expected({"customer_2": loaded["customer_2"]})
    assert actual(neo4j) == rest
    assert erased.nodes == len(before[0]) - len(rest[0]) + 1
    assert erased.relationships == len(before[1]) - len(rest[1])
    query = f"MATCH (n:{STATE}|{LOCK} {{customer_id: 'customer_1'}}) RETURN count(n)"
    assert neo4j.execute_query(query).records[0][0] == 0


def test_erasing_a_customer_again_or_one_that_never_was_changes_nothing(
    neo4j: neo4j.Driver, loaded: dict[str, Snapshot]
) -> None:
    erase_customer(neo4j, "customer_1")
    for customer in ("customer_1", "customer_9"):
        erased = erase_customer(neo4j, customer)
        assert (erased.nodes, erased.relationships) == (0, 0)
    assert actual(neo4j) == expected({"customer_2": loaded["customer_2"]})


def test_an_erased_customer_can_come_back(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, loaded: dict[str, Snapshot]
) -> None:
    erase_customer(neo4j, "customer_1")
    load(neo4j, warehouse, "customer_1", DAY1)
    assert actual(neo4j) == expected(loaded)


def test_a_person_goes_and_namesakes_of_other_customers_stay(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, loaded: dict[str, Snapshot]
) -> None:
    user = loaded["customer_1"]["course_enrolments"][0][0]
    assert erase_user(neo4j, "customer_1", user).nodes == 1
    people = {"users", "user_languages", "course_enrolments", "course_ratings", "asset_views", "asset_ratings"}
    without = Snapshot(
        {
            mart: [row for row in rows if mart not in people or row[0] != user]
            for mart, rows in loaded["customer_1"].marts.items()
        }
    )
    assert actual(neo4j) == expected(loaded | {"customer_1": without})
    assert erase_user(neo4j, "customer_1", user).nodes == 0
    # The next load doesn't rely on what was recorded before.
    without.write(lake, "customer_1", DAY2)
    report = load(neo4j, warehouse, "customer_1", DAY2)
    assert report.changes == 0
    assert actual(neo4j) == expected(loaded | {"customer_1": without})
