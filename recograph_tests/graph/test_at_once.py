"""Loads at the same time: of several customers beside each other, of one customer one after the other."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import neo4j
import pytest
from neo4j import ManagedTransaction

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.graph.lease import Lease, leased
from recograph.graph.load import load
from recograph.graph.refusals import LockedError
from recograph.graph.report import LoadOptions, LoadReport
from recograph_tests.graph.marts import Snapshot, actual, expected, random_snapshot

CUSTOMERS = ("customer_1", "customer_2", "customer_3")
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
OPTIONS = LoadOptions(allow_older=True, max_removed_share=1, batch_rows=15)


def _snapshots(lake: Path, customers: tuple[str, ...]) -> dict[tuple[str, str], Snapshot]:
    source = random.Random(11)
    made = {(customer, day): random_snapshot(source, 25) for customer in customers for day in DAYS}
    for (customer, day), snapshot in made.items():
        snapshot.write(lake, customer, day)
    return made


@pytest.mark.parametrize("batch_rows", [15, 1000])
def test_three_customers_at_the_same_time_share_languages(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, batch_rows: int
) -> None:
    snapshots = _snapshots(lake, CUSTOMERS)
    together = threading.Barrier(len(CUSTOMERS))

    def load_all(customer: str) -> None:
        for day in DAYS:
            together.wait()
            load(neo4j, warehouse, customer, day, options=replace(OPTIONS, batch_rows=batch_rows))

    with ThreadPoolExecutor() as pool:
        list(pool.map(load_all, CUSTOMERS))
    assert actual(neo4j) == expected({customer: snapshots[customer, DAYS[-1]] for customer in CUSTOMERS})


def test_two_runs_of_a_customer_at_the_same_time_go_one_after_the_other(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path
) -> None:
    snapshots = _snapshots(lake, ("customer_1",))
    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(lambda day: load(neo4j, warehouse, "customer_1", day, options=OPTIONS), DAYS[:2]))
    # The one that came second found all that the first had written.
    last = max(reports, key=lambda report: report.sets["nodes/User"].how != "created")
    assert actual(neo4j) == expected({"customer_1": snapshots["customer_1", last.date]})
    assert [report.sets["nodes/User"].how for report in reports].count("created") == 1


@pytest.mark.parametrize(("company", "most"), [("customer_1", 2), ("customer_2", 1)])
def test_transactions_run_beside_each_other_only_where_no_other_customer_is_loaded(
    neo4j: neo4j.Driver, company: str, most: int
) -> None:
    under_way, seen, lock = 0, 0, threading.Lock()

    def work(_: object) -> None:
        nonlocal under_way, seen
        with lock:
            under_way += 1
            seen = max(seen, under_way)
        time.sleep(0.2)
        with lock:
            under_way -= 1

    with ExitStack() as stack:
        lease = stack.enter_context(leased(neo4j, "customer_1", timeout=1, seconds=30))
        if company != lease.customer:
            stack.enter_context(leased(neo4j, company, timeout=1, seconds=30))
        lease.write_all([work] * 4)
    assert seen == most


def test_a_run_that_waits_too_long_fails_and_changes_nothing(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path
) -> None:
    snapshots = _snapshots(lake, ("customer_1",))
    load(neo4j, warehouse, "customer_1", DAYS[0])
    with (
        leased(neo4j, "customer_1", timeout=1, seconds=30),
        pytest.raises(LockedError, match="customer_1 is being written"),
    ):
        load(neo4j, warehouse, "customer_1", DAYS[1], options=LoadOptions(lock_timeout=0.1))
    assert actual(neo4j) == expected({"customer_1": snapshots["customer_1", DAYS[0]]})


def test_a_lease_from_before_the_clock_was_put_back_keeps_nobody_out(neo4j: neo4j.Driver) -> None:
    killed = Lease(neo4j, "customer_1", 30)
    killed.acquire(timeout=1)
    killed.session.close()
    stepped = "MATCH (l:LoadLock) SET l.lease_until = l.lease_until + $ms"
    neo4j.execute_query(stepped, ms=20_000)
    with pytest.raises(LockedError), leased(neo4j, "customer_1", timeout=0, seconds=30):
        pass
    neo4j.execute_query(stepped, ms=3_600_000)
    with leased(neo4j, "customer_1", timeout=1, seconds=30):
        pass


def test_a_run_that_was_taken_for_dead_writes_nothing_more(
    neo4j: neo4j.Driver, warehouse: DuckDBWarehouse, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = _snapshots(lake, ("customer_1",))
    # It falls asleep in the middle: its lease isn't renewed, and another run takes over.
    monkeypatch.setattr("recograph.graph.lease.Lease.beat", lambda lease, stop: None)
    options = LoadOptions(allow_older=True, max_removed_share=1, lease=0.2, batch_rows=15)
    others: list[LoadReport] = []

    def sleep(name: str) -> Callable[..., None]:
        def at(loaded: object) -> None:
            if loaded.name == name and not others:  # type: ignore[attr-defined]
                threading.Event().wait(0.3)
                others.append(load(neo4j, warehouse, "customer_1", DAYS[1], options=OPTIONS))

        return at

    with pytest.raises(LockedError, match="Another run has taken over"):
        load(neo4j, warehouse, "customer_1", DAYS[0], options=options, on_set=sleep("nodes/Course"))
    assert actual(neo4j) == expected({"customer_1": snapshots["customer_1", DAYS[1]]})


@pytest.mark.parametrize("is_beside", [False, True])
def test_a_transaction_whose_lease_another_run_has_taken_is_rolled_back(
    neo4j: neo4j.Driver, monkeypatch: pytest.MonkeyPatch, is_beside: bool
) -> None:
    monkeypatch.setattr("recograph.graph.lease.Lease.beat", lambda lease, stop: None)
    with ExitStack() as stack:
        lease = stack.enter_context(leased(neo4j, "customer_1", timeout=1, seconds=0.1))

        def take_over() -> None:
            threading.Event().wait(0.2)
            stack.enter_context(leased(neo4j, "customer_1", timeout=1, seconds=30))

        def work(tx: ManagedTransaction) -> None:
            tx.run("CREATE (:Mark)").consume()
            if is_beside:
                take_over()  # after it was seen that the lease is ours, and before the commit

        if not is_beside:
            take_over()
        beside = stack.enter_context(neo4j.session()) if is_beside else None
        with pytest.raises(LockedError, match="Another run has taken over"):
            lease.write(work, beside=beside)
    assert neo4j.execute_query("MATCH (m:Mark) RETURN count(m)").records[0][0] == 0
