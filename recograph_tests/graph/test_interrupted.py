"""A load that stops anywhere, for whatever reason, is simply run again."""

import contextlib
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import neo4j
import pytest
from neo4j import ManagedTransaction
from neo4j.exceptions import ClientError, Neo4jError

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.neo4j import Connection, ManagedServer
from recograph.errors import RecographError
from recograph.graph.load import load
from recograph.graph.report import LoadOptions
from recograph.graph.schema import rules, wrong_rules
from recograph_tests.graph.marts import Snapshot, actual, expected, random_snapshot

DAY1, DAY2 = "2026-11-01", "2026-11-02"
OPTIONS = LoadOptions(max_removed_share=1, lease=1, batch_rows=20)

LOADER = """
import sys
import neo4j
from recograph.graph.load import load
from recograph.graph.report import LoadOptions
from recograph.graph.lease import Lease
from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse

uri, username, password, lake, date = sys.argv[1:]
write = Lease.write

def told(lease, work, **how):
    print("before a transaction", flush=True)
    done = write(lease, work, **how)
    print("after a transaction", flush=True)
    return done

Lease.write = told
with neo4j.GraphDatabase.driver(uri, auth=(username, password)) as driver:
    load(driver, DuckDBWarehouse(lake=lake), "customer_1", date, options=LoadOptions(lease=1, batch_rows=20))
"""


@pytest.fixture
def days(lake: Path) -> dict[str, Snapshot]:
    """Two days of a customer that need some dozens of transactions."""
    source = random.Random(5)
    snapshots = {day: random_snapshot(source, 40) for day in (DAY1, DAY2)}
    for day, snapshot in snapshots.items():
        snapshot.write(lake, "customer_1", day)
    return snapshots


def test_loader_killed_at_random_moments(
    neo4j: neo4j.Driver, neo4j_server: Connection, warehouse: DuckDBWarehouse, lake: Path, days: dict[str, Snapshot]
) -> None:
    source = random.Random()
    command = [sys.executable, "-c", LOADER, neo4j_server.uri, neo4j_server.username, neo4j_server.password, str(lake)]
    for day in (DAY1, DAY2):
        for _ in range(2):
            with subprocess.Popen([*command, day], stdout=subprocess.PIPE, text=True) as loader:
                assert loader.stdout
                for _, _ in zip(range(source.randint(1, 40)), loader.stdout, strict=False):
                    pass
                loader.send_signal(signal.SIGKILL)
        load(neo4j, warehouse, "customer_1", day, options=OPTIONS)
        assert actual(neo4j) == expected({"customer_1": days[day]})


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ManagedServer]:
    server = ManagedServer(tmp_path / "neo4j")
    server.start()
    yield server
    server.stop()


def test_server_killed_in_the_middle_and_stopped_in_the_middle(
    own_server: ManagedServer, warehouse: DuckDBWarehouse, days: dict[str, Snapshot]
) -> None:
    connection = own_server.start()
    auth = (connection.username, connection.password)

    def killed() -> None:
        """In a load, and while somebody else creates a constraint again, which stays half made."""
        rule = next(rule for rule in rules() if rule.label == "Customer")
        session = impatient.session()
        session.run(f"DROP CONSTRAINT {rule.name}").consume()
        session.begin_transaction().run(rule.statement).consume()
        process = own_server.running()
        assert process
        subprocess.run(["kill", "-9", str(process.pid)], check=True)

    def restarted() -> None:
        own_server.stop()
        threading.Thread(target=own_server.start).start()

    with (
        neo4j.GraphDatabase.driver(connection.uri, auth=auth, max_transaction_retry_time=0.5) as impatient,
        neo4j.GraphDatabase.driver(connection.uri, auth=auth, max_transaction_retry_time=120) as patient,
    ):
        with pytest.raises(RecographError, match=r"can't be reached any more .* run this again"):
            load(impatient, warehouse, "customer_1", DAY1, options=OPTIONS, on_set=_at("nodes/Course", killed))
        assert own_server.start().uri == connection.uri
        load(patient, warehouse, "customer_1", DAY1, options=OPTIONS)
        assert wrong_rules(patient) == {}
        assert actual(patient) == expected({"customer_1": days[DAY1]})
        # A server that is back in time isn't even noticed.
        load(patient, warehouse, "customer_1", DAY2, options=OPTIONS, on_set=_at("nodes/Customer", restarted))
        assert actual(patient) == expected({"customer_1": days[DAY2]})


def _at(name: str, do: Any) -> Any:
    return lambda report: do() if report.name == name else None


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("batch_rows", "share", "least"), [(20, 0.1, 10), (10_000, 0.06, 3)])
def test_transient_errors_are_retried(
    neo4j: neo4j.Driver,
    warehouse: DuckDBWarehouse,
    days: dict[str, Snapshot],
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    batch_rows: int,
    share: float,
    least: int,
) -> None:
    source = random.Random(3)
    _speed_retries_up(monkeypatch)
    injected = _inject(monkeypatch, moment, lambda: source.random() < share)
    for day in (DAY1, DAY2):
        load(neo4j, warehouse, "customer_1", day, options=replace(OPTIONS, batch_rows=batch_rows))
        assert actual(neo4j) == expected({"customer_1": days[day]})
    assert len(injected) > least


@pytest.mark.parametrize("statement", [1, 5, 15])
def test_a_day_of_one_transaction_that_stops_in_the_middle_leaves_the_day_before(
    neo4j: neo4j.Driver,
    warehouse: DuckDBWarehouse,
    days: dict[str, Snapshot],
    monkeypatch: pytest.MonkeyPatch,
    statement: int,
) -> None:
    options = LoadOptions(max_removed_share=1)
    load(neo4j, warehouse, "customer_1", DAY1, options=options)
    run = ManagedTransaction.run
    sent: list[str] = []

    def stopping(tx: ManagedTransaction, query: Any, *args: Any, **kwargs: Any) -> Any:
        if "batch" in kwargs:
            sent.append(query)
        if len(sent) == statement:
            raise ClientError("stopped by the test")
        return run(tx, query, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(ManagedTransaction, "run", stopping)
        with pytest.raises(RecographError, match=r"failed.*Run this again"):
            load(neo4j, warehouse, "customer_1", DAY2, options=options)
    assert actual(neo4j) == expected({"customer_1": days[DAY1]})
    # Nothing is in doubt: the warehouse tells the difference as if nothing had been tried.
    report = load(neo4j, warehouse, "customer_1", DAY2, options=options)
    assert report.sets["nodes/User"].how == "difference"
    assert actual(neo4j) == expected({"customer_1": days[DAY2]})


def test_deadlocks_with_someone_else_are_retried(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, days: dict[str, Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    _speed_retries_up(monkeypatch)
    load(neo4j, warehouse, "customer_1", DAY1, options=OPTIONS)
    ended = threading.Event()

    def rival() -> None:
        """Locks the same nodes in its own order, and changes nothing."""
        with neo4j.session() as session:
            while not ended.is_set():
                with contextlib.suppress(Neo4jError):
                    session.run("MATCH (n:User|Course|Asset) WITH n ORDER BY rand() SET n.id = n.id").consume()

    thread = threading.Thread(target=rival)
    thread.start()
    try:
        for day in (DAY2, DAY1, DAY2):
            load(neo4j, warehouse, "customer_1", day, options=LoadOptions(True, 1, batch_rows=20))
            assert actual(neo4j) == expected({"customer_1": days[day]})
    finally:
        ended.set()
        thread.join()


def _speed_retries_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neo4j._sync.work.session.sleep", lambda seconds: threading.Event().wait(seconds / 100))


def _inject(monkeypatch: pytest.MonkeyPatch, moment: str, now: Any) -> list[str]:
    """Let the server seem to break off statements in managed transactions; returns those it did."""
    run = ManagedTransaction.run
    injected: list[str] = []

    def failing(tx: ManagedTransaction, query: Any, *args: Any, **kwargs: Any) -> Any:
        result = None if moment == "before" else run(tx, query, *args, **kwargs)
        if now():
            injected.append(query)
            raise Neo4jError._hydrate_neo4j(
                code="Neo.TransientError.Transaction.DeadlockDetected", message="injected by the test"
            )
        return run(tx, query, *args, **kwargs) if moment == "before" else result

    monkeypatch.setattr(ManagedTransaction, "run", failing)
    return injected
