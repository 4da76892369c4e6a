"""The graph was changed by others: the checks notice it and name the command, and that command sets it right."""

from pathlib import Path

import neo4j
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.graph.checks import check_customer
from recograph.graph.load import load
from recograph.graph.report import LoadOptions
from recograph_tests.graph.marts import Snapshot, actual, expected
from recograph_tests.graph.test_load import DAY1, FIRST

OTHER = Snapshot({"users": [(1, True, True, None)], "courses": [(1, "Law", 1, None, None, None, None)]})
BOTH = {"customer_1": FIRST, "customer_2": OTHER}

MEDDLING = {
    "a node is gone": ("MATCH (u:User {customer_id: 'customer_1', id: 2}) DETACH DELETE u", "count"),
    "all nodes are gone": ("MATCH (n:User|Course {customer_id: 'customer_1'}) DETACH DELETE n", "count"),
    "a node is new": ("CREATE (:User {customer_id: 'customer_1', id: 77})", "count"),
    "a node has an id of another type": ("CREATE (:User {customer_id: 'customer_1', id: 'x'})", "count"),
    "a relationship is gone": ("MATCH (:User {id: 1})-[r:IS_ENROLLED]->(:Course {id: 1}) DELETE r", "count"),
    "a relationship is twice": ("MATCH (a)-[r:IS_ENROLLED]->(b) CREATE (a)-[:IS_ENROLLED]->(b)", "count"),
    "a property is changed": (
        "MATCH (c:Course {customer_id: 'customer_1', id: 1}) SET c.name = 'x'",
        "properties_match",
    ),
    "a time is changed": (
        "MATCH (u:User {customer_id: 'customer_1', id: 1}) SET u.register_date = datetime()",
        "properties_match",
    ),
    "a time is a text": (
        "MATCH (u:User {customer_id: 'customer_1', id: 1}) SET u.register_date = 'x'",
        "properties_match",
    ),
    "a number is a text": ("MATCH ()-[r:IS_ENROLLED]->() SET r.status = 'x'", "properties_match"),
    "a property is gone": ("MATCH (u:User {customer_id: 'customer_1', id: 1}) REMOVE u.valid", "properties_match"),
    "a score is changed": ("MATCH ()-[r:HAS_RATED]->(:Course) SET r.rating = 0.5", "properties_match"),
    "a shared node is changed": ("MATCH (l:Language {id: 'english'}) SET l.language_name = 'x'", "properties_match"),
    "the customer is changed": ("MATCH (c:Customer {id: 'customer_1'}) SET c.region = 'x'", "properties_match"),
    "a property is foreign": (
        "MATCH (u:User {customer_id: 'customer_1', id: 1}) SET u.mail = 'x'",
        "properties_allowed",
    ),
    "a relationship crosses": (
        "MATCH (a:User {customer_id: 'customer_1', id: 1}), (b:Course {customer_id: 'customer_2'}) "
        "CREATE (a)-[:IS_ENROLLED {recency: 3}]->(b)",
        "within_customer",
    ),
    "a recency is impossible": ("MATCH ()-[r:HAS_WATCHED]->() SET r.recency = 12", "recency_in_range"),
}


@pytest.fixture(scope="module")
def loaded(
    _neo4j_driver: neo4j.Driver, tmp_path_factory: pytest.TempPathFactory
) -> tuple[neo4j.Driver, DuckDBWarehouse]:
    """The graph of two customers, which each test leaves as it was."""
    lake = tmp_path_factory.mktemp("lake")
    warehouse = DuckDBWarehouse(lake=str(lake))
    _neo4j_driver.execute_query("MATCH (n) DETACH DELETE n")
    for customer, snapshot in BOTH.items():
        snapshot.write(lake, customer, DAY1)
        load(_neo4j_driver, warehouse, customer, DAY1)
    return _neo4j_driver, warehouse


@pytest.mark.parametrize("meddling", MEDDLING)
def test_what_others_changed_is_noticed_by_its_check_and_mended_by_the_command_that_it_names(
    loaded: tuple[neo4j.Driver, DuckDBWarehouse], meddling: str
) -> None:
    driver, warehouse = loaded
    statement, noticed_by = MEDDLING[meddling]
    driver.execute_query(statement)
    failed = {
        check.name: check.message for check in check_customer(driver, warehouse, "customer_1", DAY1) if not check.passed
    }
    assert failed[noticed_by].endswith("recograph run --customer customer_1 --date 2026-11-01 --repair")
    report = load(driver, warehouse, "customer_1", DAY1, options=LoadOptions(repair=True))
    assert report.changes > 0
    assert actual(driver) == expected(BOTH)


def test_without_repair_a_load_trusts_what_it_has_recorded_and_repair_changes_nothing_that_is_right(
    loaded: tuple[neo4j.Driver, DuckDBWarehouse],
) -> None:
    driver, warehouse = loaded
    assert load(driver, warehouse, "customer_1", DAY1, options=LoadOptions(repair=True)).changes == 0
    driver.execute_query("MATCH (u:User {customer_id: 'customer_1', id: 2}) DETACH DELETE u")
    assert load(driver, warehouse, "customer_1", DAY1).changes == 0
    assert load(driver, warehouse, "customer_1", DAY1, options=LoadOptions(repair=True)).changes > 0
    assert all(check.passed for check in check_customer(driver, warehouse, "customer_1", DAY1))


def test_a_model_that_has_changed_leaves_no_property_of_the_earlier_one(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    monkeypatch.setattr("recograph.graph.plan.signature", lambda graph_set: "of an earlier model")
    load(neo4j, warehouse, "customer_1", DAY1)
    monkeypatch.undo()
    neo4j.execute_query("MATCH (u:User) SET u.email = 'someone@example.com', u.valid = 1")
    neo4j.execute_query("MATCH ()-[r:IS_ENROLLED]->() SET r.mark = 1")
    load(neo4j, warehouse, "customer_1", DAY1)
    assert actual(neo4j) == expected({"customer_1": FIRST})


def test_of_a_large_set_some_rows_are_compared_each_time_others(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recograph.graph.checks._SAMPLED_ROWS", 10)
    Snapshot({"users": [(id_, True, True, None) for id_ in range(100)]}).write(lake, "customer_1", DAY1)
    load(neo4j, warehouse, "customer_1", DAY1)
    neo4j.execute_query("MATCH (u:User {id: 42}) SET u.valid = false")
    checked = []
    for at in (1, 2):
        monkeypatch.setattr("random.randrange", lambda step, at=at: at)
        checks = check_customer(neo4j, warehouse, "customer_1", DAY1, sets=["nodes/User"])
        checked += [(check.passed, check.metadata["compared"]) for check in checks if check.name == "properties_match"]
    assert checked == [(True, 10), (False, 10)]
