"""A database that holds other things: what is ours is told by what it is, and a shared one is refused."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Barrier

import neo4j
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.neo4j import Connection
from recograph.errors import RecographError
from recograph.graph.checks import check_constraints
from recograph.graph.erase import erase_user
from recograph.graph.load import load
from recograph.graph.schema import prepare, rules, wrong_rules
from recograph_tests.conftest import clear
from recograph_tests.graph.marts import Snapshot, actual, expected
from recograph_tests.graph.test_load import DAY1, DAY2, FIRST, SECOND


@pytest.fixture
def empty(neo4j: neo4j.Driver) -> Iterator[neo4j.Driver]:
    """Without the constraints and indexes of earlier tests, and without those of this test afterwards."""
    clear(neo4j)
    yield neo4j
    clear(neo4j)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "CREATE CONSTRAINT user_key FOR (n:Person) REQUIRE n.id IS UNIQUE",
            r"'user_key' on Person \(id\) is in the way of a uniqueness constraint on User \(customer_id, id\).*"
            r"DROP CONSTRAINT `user_key`.*database of its own",
        ),
        (
            "CREATE INDEX user_key FOR (n:User) ON (n.customer_id, n.id)",
            r"in the way of a uniqueness constraint on User.*DROP INDEX `user_key`",
        ),
        (
            "CREATE INDEX theirs FOR (n:User) ON (n.customer_id, n.id)",
            r"'theirs' on User .*DROP INDEX `theirs`",
        ),
        (
            "CREATE FULLTEXT INDEX course_fulltext FOR (n:Course) ON EACH [n.description]",
            r"'course_fulltext' on Course \(description\) is in the way of a full-text index on Course \(name\)",
        ),
        (
            "CREATE FULLTEXT INDEX theirs FOR (n:Course) ON EACH [n.name]",
            r"'theirs' on Course \(name\) is in the way.*DROP INDEX `theirs`",
        ),
    ],
)
def test_an_index_of_others_in_the_place_of_ours_is_named_with_what_to_do(
    empty: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, statement: str, told: str
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    empty.execute_query(statement)
    check = check_constraints(empty)
    assert not check.passed
    with pytest.raises(RecographError, match=told):
        load(empty, warehouse, "customer_1", DAY1)
    assert actual(empty) == ({}, {})


def test_a_constraint_that_does_what_ours_does_may_have_any_name(
    empty: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    empty.execute_query("CREATE CONSTRAINT theirs FOR (n:User) REQUIRE (n.customer_id, n.id) IS UNIQUE")
    load(empty, warehouse, "customer_1", DAY1)
    assert check_constraints(empty).passed
    names = [name for (name,) in empty.execute_query("SHOW CONSTRAINTS YIELD name RETURN name").records]
    assert "theirs" in names
    assert "user_key" not in names
    empty.execute_query("DROP CONSTRAINT theirs")
    assert "uniqueness constraint on User (customer_id, id) is missing" in check_constraints(empty).message


@pytest.mark.parametrize(
    ("stranger", "label"),
    [
        ("CREATE (:User {name: 'somebody'})", "1 User"),
        ("CREATE (:User {customer_id: 'theirs', id: 1})", "1 User"),
        ("CREATE (:Language {id: 'english', iso: 'en'})", "1 Language"),
        ("CREATE (:Customer {id: 'customer_1', since: 2020})", "1 Customer"),
        ("UNWIND range(1, 3) AS id CREATE (:Course {id: 'c' + id})", "3 Course"),
    ],
)
def test_a_database_with_nodes_of_others_under_our_labels_is_refused(
    empty: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, stranger: str, label: str
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    empty.execute_query(stranger)
    with pytest.raises(RecographError, match=rf"holds nodes that recograph hasn't made: {label}\. .*docs/sharing\.md"):
        load(empty, warehouse, "customer_1", DAY1)
    assert len(empty.execute_query("MATCH (n) RETURN n").records) == sum(int(part) for part in label.split()[:1])
    assert not empty.execute_query("SHOW CONSTRAINTS YIELD name RETURN name").records


def test_strangers_that_come_later_are_refused_too_and_left_alone(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path
) -> None:
    FIRST.write(lake, "customer_1", DAY1)
    SECOND.write(lake, "customer_1", DAY2)
    load(neo4j, warehouse, "customer_1", DAY1)
    neo4j.execute_query("CREATE (:Asset {title: 'theirs'}), (:Language {id: 'klingon'})")
    with pytest.raises(RecographError, match=r"hasn't made: 1 Language, 1 Asset"):
        load(neo4j, warehouse, "customer_1", DAY2)
    neo4j.execute_query("MATCH (n) WHERE n.title = 'theirs' OR n.id = 'klingon' DELETE n")
    load(neo4j, warehouse, "customer_1", DAY2)
    assert actual(neo4j) == expected({"customer_1": SECOND})


def test_other_labels_are_no_business_of_ours(neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path) -> None:
    snapshot = Snapshot({"users": [(1, True, True, None)]})
    snapshot.write(lake, "customer_1", DAY1)
    neo4j.execute_query("CREATE (:Person {id: 1})-[:KNOWS]->(:Person {id: 2})")
    load(neo4j, warehouse, "customer_1", DAY1)
    assert neo4j.execute_query("MATCH (:Person)-[r:KNOWS]->() RETURN count(r)").records[0][0] == 1


CREATOR = """
import sys, time
import neo4j
from recograph.graph.schema import _enter, rules

uri, username, password = sys.argv[1:]
with neo4j.GraphDatabase.driver(uri, auth=(username, password)) as driver, driver.session() as session:
    tx = session.begin_transaction()
    _enter(tx)
    tx.run(rules()[0].statement).consume()
    print("created", flush=True)
    time.sleep(600)
"""


def test_one_process_at_a_time_creates_and_one_that_is_killed_keeps_nobody_from_it(
    empty: neo4j.Driver, neo4j_server: Connection
) -> None:
    command = [sys.executable, "-c", CREATOR, neo4j_server.uri, neo4j_server.username, neo4j_server.password]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as creator, ThreadPoolExecutor() as pool:
        try:
            assert creator.stdout
            assert creator.stdout.readline() == "created\n"
            waiting = [pool.submit(prepare, empty) for _ in range(8)]
            assert not wait(waiting, 0.5, FIRST_COMPLETED).done
            names = {rule.name for rule in rules()}
            indexes = empty.execute_query("SHOW INDEXES YIELD name RETURN name").records
            assert [name for (name,) in indexes if name in names] == [rules()[0].name]
        finally:
            creator.send_signal(signal.SIGKILL)
        for prepared in waiting:
            prepared.result(60)
    assert wrong_rules(empty) == {}


def test_eight_first_loads_at_once_make_an_empty_database_ready(empty: neo4j.Driver) -> None:
    together = Barrier(8)

    def first(_: int) -> None:
        together.wait()
        prepare(empty)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(first, range(8)))
    assert wrong_rules(empty) == {}


def test_erasing_where_nothing_has_been_loaded_makes_one_lock_node_per_customer(empty: neo4j.Driver) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda user: erase_user(empty, "customer_1", user), range(4)))
    prepare(empty)
    assert empty.execute_query("MATCH (l:LoadLock) RETURN count(l)").records[0][0] == 1
