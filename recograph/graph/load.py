"""Make a customer's part of the graph equal to a day's marts.

All is planned first (`plan`); then nodes are added and changed, relationships removed, changed and added, and nodes
that are gone removed last. What an ordinary day changes is one transaction: readers see it all at once, and it can't
be half done. More than that goes in many, while the states of the sets say that they are dirty. Each transaction is
fenced by the customer's lock (`lease`).
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard

import neo4j
from neo4j.exceptions import ConstraintError

from recograph.ahead import ahead
from recograph.graph import cypher
from recograph.graph.batches import parameters, rebatch
from recograph.graph.difference import ADDED, CHANGED, REMOVED, STRAYED
from recograph.graph.lease import Lease, leased, lock_shared
from recograph.graph.model import (
    RELATIONSHIP_SETS,
    SETS,
    GraphSet,
    NodeSet,
    RelationshipSet,
    Scope,
)
from recograph.graph.plan import Planner, wanted_sets
from recograph.graph.refusals import GraphChangedError, address, neo4j_explained
from recograph.graph.report import LoadOptions, LoadReport, SetReport, Tally, report_of
from recograph.graph.schema import prepare
from recograph.graph.scratch import Scratch
from recograph.graph.set_plan import How, SetPlan
from recograph.graph.state import State, mark_dirty, release_members, states, write_states
from recograph.lake.interfaces import Warehouse


def load(
    driver: neo4j.Driver,
    warehouse: Warehouse,
    customer: str,
    date: str,
    *,
    sets: Collection[str] | None = None,
    options: LoadOptions | None = None,
    on_set: Callable[[SetReport], None] | None = None,
) -> LoadReport:
    """Make the customer's part of the graph equal to its marts of a snapshot date.

    Only what differs is sent. If a load is interrupted, run it again. Loads of the same customer wait for each other;
    loads of different customers don't.

    Args:
        driver: of the Neo4j server.
        warehouse: has the marts.
        customer: id of the customer.
        date: snapshot date, YYYY-MM-DD.
        sets: names of the sets to load (`model.SETS`); default: all.
        options: see `LoadOptions`.
        on_set: told about every set as soon as it is done.

    Raises:
        BackwardsError: the graph holds a later snapshot. Nothing was changed.
        GraphChangedError: someone else has changed the customer's part of the graph. The next load mends that.
        GuardError: suspiciously much would be removed. Nothing was changed.
        LockedError: another load of the customer doesn't end, or has taken over.
        RecographError: marts are missing, or Neo4j fails.
    """
    options = options or LoadOptions()
    started = time.monotonic()
    report = LoadReport(customer, date)
    prepare(driver)
    with (
        neo4j_explained(address(driver)),
        leased(driver, customer, timeout=options.lock_timeout, seconds=options.lease) as lease,
        Scratch(options.home) as scratch,
    ):
        known = states(lease.session, customer)
        planner = Planner(warehouse, lease.session, scratch, customer, date, known)
        plans = planner.plan(
            wanted_sets(sets),
            allow_older=options.allow_older,
            max_removed_share=options.max_removed_share,
            repair=options.repair,
        )
        writer = _Writer(lease, planner, known, date, options.batch_rows)
        for tally in writer.write(plans):
            set_report = report_of(tally)
            report.sets[set_report.name] = set_report
            if on_set:
                on_set(set_report)
    report.seconds = time.monotonic() - started
    return report


_AT_ONCE_BATCHES = 5
"""How many batches a single transaction may send: the server keeps its changes in memory, about 1 KB per row."""

_Step = tuple[SetPlan, str]
"""An operation of a plan."""


@dataclass(frozen=True)
class _Batch:
    """Rows that are ready to be sent."""

    plan: SetPlan
    operation: str
    rows: int
    values: dict[str, Any]


class _Writer:
    """Carries plans out."""

    def __init__(self, lease: Lease, planner: Planner, known: dict[str, State], date: str, batch_rows: int) -> None:
        self._lease = lease
        self._customer = lease.customer
        self._planner = planner
        self._known = known
        self._date = date
        self._batch_rows = batch_rows
        self._tallies: dict[str, Tally] = {}

    def write(self, plans: list[SetPlan]) -> Iterable[Tally]:
        """Carry plans out; yields the tally of each as soon as its set is done."""
        self._tallies = {plan.set.name: Tally(plan, seconds=plan.seconds) for plan in plans}
        steps = _steps(plans)
        try:
            if sum(_expected(step) for step in steps) <= _AT_ONCE_BATCHES * self._batch_rows:
                self._write(plans, partial(self._all_at_once, plans, steps))
                yield from self._tallies.values()
            else:
                yield from self._in_turn(plans, steps)
        except (GraphChangedError, ConstraintError):
            # Makes the next load compare every set with the graph itself.
            self._lease.write(lambda tx: mark_dirty(tx, self._customer, list(SETS)))
            raise

    def _write(self, plans: list[SetPlan], work: Callable[[neo4j.ManagedTransaction], None]) -> None:
        """Do work on plans in one transaction; no other customer changes shared nodes while it does."""

        def locked(tx: neo4j.ManagedTransaction) -> None:
            # Every load takes the shared lock before any other, so that two loads can't wait for each other for ever.
            if any(_is_shared(plan.set) and plan.how is not How.UNCHANGED for plan in plans):
                lock_shared(tx)
            work(tx)

        self._lease.write(locked)

    def _all_at_once(self, plans: list[SetPlan], steps: list[_Step], tx: neo4j.ManagedTransaction) -> None:
        mark_dirty(tx, self._customer, _cut(plans))
        started = time.monotonic()
        # The batches are closed before a failed transaction is tried again: the next try makes them anew.
        with closing(ahead(self._batches(steps))) as batches:
            for batch in batches:
                self._send(batch, tx)
                now = time.monotonic()
                self._tally(batch.plan).seconds += now - started
                started = now
        self._end(plans, tx)

    def _in_turn(self, plans: list[SetPlan], steps: list[_Step]) -> Iterable[Tally]:
        self._write(plans, partial(self._begin, plans))
        yield from (self._tally(plan) for plan in plans if plan.how is How.UNCHANGED)
        for at, (plan, operation) in enumerate(steps):
            started = time.monotonic()
            works = (partial(self._send, batch) for batch in ahead(self._batches([(plan, operation)])))
            if operation == ADDED and not _is_shared(plan.set):
                # A batch of new rows locks nothing that another batch of them needs.
                self._lease.write_all(works)
            else:
                for work in works:
                    self._write([plan], work)
            self._tally(plan).seconds += time.monotonic() - started
            if all(plan is not later for later, _ in steps[at + 1 :]):
                self._write([plan], partial(self._end, [plan]))
                yield self._tally(plan)

    def _tally(self, plan: SetPlan) -> Tally:
        return self._tallies[plan.set.name]

    def _begin(self, plans: list[SetPlan], tx: neo4j.ManagedTransaction) -> None:
        """Record which sets are about to change; the others are already as they shall be."""
        states = (self._clean(plan) if plan.how is How.UNCHANGED else self._dirty(plan) for plan in plans)
        write_states(tx, self._customer, states)
        mark_dirty(tx, self._customer, _cut(plans))

    def _batches(self, steps: list[_Step]) -> Iterator[_Batch]:
        for plan, operation in steps:
            # A transaction that is tried again makes its batches again.
            self._tally(plan).created = 0
            if not _expected((plan, operation)):
                continue
            if operation == STRAYED:
                yield _Batch(plan, operation, plan.count(STRAYED), {})
                continue
            for batch in rebatch(self._planner.batches(plan, operation), self._batch_rows):
                if plan.how is How.CREATED:
                    self._tally(plan).created += batch.num_rows
                values = parameters(plan.set, batch, keys_only=operation == REMOVED)
                yield _Batch(plan, operation, batch.num_rows, values)

    def _send(self, batch: _Batch, tx: neo4j.ManagedTransaction) -> None:
        graph_set = batch.plan.set
        if batch.operation == ADDED:
            statement = cypher.add(graph_set)
        elif batch.operation == CHANGED:
            statement = cypher.change(graph_set, replace=batch.plan.how is How.COMPARED)
        elif batch.operation == REMOVED:
            statement = cypher.remove(graph_set)
        else:
            statement = cypher.remove_strays(graph_set)
        rows = tx.run(statement, batch=batch.values, customer=self._customer).single(strict=True)["written"]
        if rows != batch.rows and batch.operation in (ADDED, CHANGED):
            self._lease.renew(tx)
            raise GraphChangedError(
                f"Someone else changed the graph of {self._customer} during the load: of {batch.rows:,} rows "
                f"of {graph_set.name} only {rows:,} found their nodes. Run this again: it compares with the graph."
            )

    def _end(self, plans: list[SetPlan], tx: neo4j.ManagedTransaction) -> None:
        """Record that sets are done, and delete shared nodes that nobody needs any more."""
        write_states(tx, self._customer, map(self._clean, plans))
        for plan in plans:
            known = self._known.get(plan.set.name)
            if known and _is_shared(plan.set) and (gone := sorted(set(known.members) - set(plan.members))):
                release_members(tx, plan.set, gone)

    def _clean(self, plan: SetPlan) -> State:
        return State(
            plan.set.name,
            self._date,
            clean=True,
            fingerprint=plan.fingerprint,
            rows=plan.rows,
            total=self._tally(plan).total,
            members=plan.members,
        )

    def _dirty(self, plan: SetPlan) -> State:
        known = self._known.get(plan.set.name)
        # Until the set is done the customer needs the shared nodes of both days.
        members = tuple(sorted({*plan.members, *(known.members if known else ())}))
        return State(
            plan.set.name,
            known.snapshot_date if known else None,
            clean=False,
            fingerprint="",
            rows=plan.rows,
            total=plan.held,
            members=members,
        )


def _steps(plans: list[SetPlan]) -> list[_Step]:
    """What plans do, in the order in which it can be done."""
    plans = [plan for plan in plans if plan.how is not How.UNCHANGED]
    nodes = [plan for plan in plans if isinstance(plan.set, NodeSet)]
    relationships = [plan for plan in plans if isinstance(plan.set, RelationshipSet)]
    return [
        *((plan, STRAYED) for plan in plans),
        *((plan, operation) for plan in nodes for operation in (CHANGED, ADDED)),
        *((plan, operation) for plan in relationships for operation in (REMOVED, CHANGED, ADDED)),
        *((plan, REMOVED) for plan in nodes if plan.count(REMOVED)),
    ]


def _expected(step: _Step) -> int:
    """How many rows a step sends at most."""
    plan, operation = step
    if plan.how is How.CREATED:
        return plan.rows if operation == ADDED else 0
    # Shared nodes go when nobody needs them any more.
    return 0 if operation == REMOVED and _is_shared(plan.set) else plan.count(operation)


def _cut(plans: list[SetPlan]) -> list[str]:
    """Relationship sets that aren't loaded, but lose relationships with the nodes that are removed."""
    loaded = {plan.set.name for plan in plans}
    shrinking = {plan.set.label for plan in plans if isinstance(plan.set, NodeSet) and plan.count(REMOVED)}
    return [
        relationship_set.name
        for relationship_set in RELATIONSHIP_SETS
        if relationship_set.name not in loaded
        and {relationship_set.start.label, relationship_set.end.label} & shrinking
    ]


def _is_shared(graph_set: GraphSet) -> TypeGuard[NodeSet]:
    return isinstance(graph_set, NodeSet) and graph_set.scope is Scope.SHARED
