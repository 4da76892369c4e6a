"""Make a customer's part of the graph equal to a day's marts.

All is planned first (`plan`); then nodes are added and changed, relationships removed, changed and added, and nodes
that are gone removed last. Each transaction is fenced by the customer's lock (`lease`).
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import neo4j
import pyarrow as pa
from neo4j.exceptions import ClientError

from recograph.ahead import ahead
from recograph.errors import RecographError
from recograph.graph import cypher
from recograph.graph.batches import parameters, rebatch
from recograph.graph.errors import address, explained
from recograph.graph.lease import Lease, leased, lock_shared
from recograph.graph.model import NODE_SETS, RELATIONSHIP_SETS, GraphSet, NodeSet, RelationshipSet, Scope, signature
from recograph.graph.plan import ADDED, CHANGED, REMOVED, How, Planner, SetPlan, wanted_sets
from recograph.graph.report import LoadOptions, LoadReport, SetReport, report_of
from recograph.graph.scratch import Scratch
from recograph.graph.state import State, mark_dirty, release_members, states, write_states
from recograph.resources.warehouse import Warehouse


def prepare(driver: neo4j.Driver) -> None:
    """Make sure that the constraints and indexes of the model are there and online.

    Raises:
        RecographError: the server can't be reached, or the graph breaks a constraint.
    """
    with explained(address(driver)), driver.session() as session:
        there = set(session.run("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name").value())
        statements = cypher.key_constraints(NODE_SETS) | cypher.fulltext_indexes(NODE_SETS)
        if missing := [statement for name, statement in statements.items() if name not in there]:
            for statement in missing:
                _create(session, statement)
            session.run("CALL db.awaitIndexes(300)").consume()


def _create(session: neo4j.Session, statement: str) -> None:
    """Create a constraint or index, perhaps at the same time as another load does."""
    try:
        # The driver repeats a transaction that meets a deadlock.
        session.execute_write(lambda tx: tx.run(statement).consume())
    except ClientError as error:
        if not (error.code or "").endswith(".EquivalentSchemaRuleAlreadyExists"):
            raise


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

    Only what differs is sent. A load that was interrupted anywhere is simply run again. Loads of one customer wait for
    each other; loads of several customers don't.

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
        GuardError: suspiciously much would be removed. Nothing was changed.
        LockedError: another load of the customer doesn't end, or has taken over.
        RecographError: marts are missing, or Neo4j fails.
    """
    options = options or LoadOptions()
    started = time.monotonic()
    report = LoadReport(customer, date)
    prepare(driver)
    with (
        explained(address(driver)),
        leased(driver, customer, timeout=options.lock_timeout, seconds=options.lease) as lease,
        Scratch() as scratch,
    ):
        known = states(lease.session, customer)
        planner = Planner(warehouse, lease.session, scratch, customer, date, known)
        plans = planner.plan(
            wanted_sets(sets),
            allow_older=options.allow_older,
            max_removed_share=options.max_removed_share,
            rewrite=options.rewrite,
        )
        writer = _Writer(lease, planner, known, date, options.batch_rows)
        for plan in writer.write(plans):
            done = report_of(plan)
            report.sets[done.name] = done
            if on_set:
                on_set(done)
    report.seconds = time.monotonic() - started
    return report


_Work = Callable[[neo4j.ManagedTransaction], None]


class _Writer:
    """Carries plans out."""

    def __init__(self, lease: Lease, planner: Planner, known: dict[str, State], date: str, batch_rows: int) -> None:
        self._lease = lease
        self._customer = lease.customer
        self._planner = planner
        self._known = known
        self._date = date
        self._batch_rows = batch_rows

    def write(self, plans: list[SetPlan]) -> Iterable[SetPlan]:
        """Carry plans out; yields each as soon as its set is done."""
        self._begin(plans)
        yield from (plan for plan in plans if plan.how is How.UNCHANGED)
        plans = [plan for plan in plans if plan.how is not How.UNCHANGED]
        nodes = [plan for plan in plans if isinstance(plan.set, NodeSet)]
        waiting = [plan for plan in nodes if plan.count(REMOVED)]
        for plan in nodes:
            self._send(plan, CHANGED)
            self._send(plan, ADDED)
            if plan not in waiting:
                self._end(plan)
                yield plan
        for plan in plans:
            if isinstance(plan.set, RelationshipSet):
                for operation in (REMOVED, CHANGED, ADDED):
                    self._send(plan, operation)
                self._end(plan)
                yield plan
        for plan in waiting:
            if not _is_shared(plan.set):
                self._send(plan, REMOVED)
            self._end(plan)
            yield plan

    def _begin(self, plans: list[SetPlan]) -> None:
        """Record, in one transaction, which sets are about to change; the others are already as they shall be."""
        asked = {plan.set.name for plan in plans}
        shrinking = {plan.set.label for plan in plans if isinstance(plan.set, NodeSet) and plan.count(REMOVED)}
        cut = [
            each.name
            for each in RELATIONSHIP_SETS
            if each.name not in asked and {each.start.label, each.end.label} & shrinking
        ]

        def work(tx: neo4j.ManagedTransaction) -> None:
            if any(_is_shared(plan.set) for plan in plans):
                lock_shared(tx)
            states = (self._clean(plan) if plan.how is How.UNCHANGED else self._dirty(plan) for plan in plans)
            write_states(tx, self._customer, states)
            mark_dirty(tx, self._customer, cut)

        self._lease.write(work)

    def _send(self, plan: SetPlan, operation: str) -> None:
        if plan.how is not How.CREATED and not plan.count(operation):
            return
        if plan.how is How.CREATED and operation is not ADDED:
            return
        started = time.monotonic()
        each = plan.set
        if operation == ADDED:
            statement = cypher.add(each)
        elif operation == CHANGED:
            statement = cypher.change(each, replace=plan.rewrite)
        else:
            statement = cypher.remove(each)
        sent = 0

        def works() -> Iterator[_Work]:
            nonlocal sent
            batches = rebatch(self._planner.batches(plan, operation), self._batch_rows)
            made = ((batch, parameters(each, batch, keys_only=operation == REMOVED)) for batch in batches)
            for batch, values in ahead(made):
                sent += batch.num_rows
                yield self._work(each, statement, batch, values, may_be_gone=operation == REMOVED)

        if operation == ADDED and not _is_shared(each):
            # New rows lock nothing that others of them need.
            self._lease.write_all(works())
        else:
            for work in works():
                self._lease.write(work)
        if plan.how is How.CREATED:
            plan.operations[ADDED] = plan.total = sent
        plan.seconds += time.monotonic() - started

    def _work(
        self,
        graph_set: GraphSet,
        statement: str,
        batch: pa.RecordBatch,
        values: dict[str, Any],
        *,
        may_be_gone: bool,
    ) -> _Work:
        def work(tx: neo4j.ManagedTransaction) -> None:
            if _is_shared(graph_set):
                lock_shared(tx)
            done = tx.run(statement, batch=values, customer=self._customer).single(strict=True)["done"]
            if done != batch.num_rows and not may_be_gone:
                self._lease.renew(tx)
                raise RecographError(
                    f"Someone else changed the graph of {self._customer} during the load: of {batch.num_rows:,} rows "
                    f"of {graph_set.name} only {done:,} found their nodes. Run this again: it compares with the graph."
                )

        return work

    def _end(self, plan: SetPlan) -> None:
        """Record that a set is done."""

        def work(tx: neo4j.ManagedTransaction) -> None:
            if _is_shared(plan.set):
                lock_shared(tx)
            write_states(tx, self._customer, [self._clean(plan)])
            if isinstance(plan.set, NodeSet) and _is_shared(plan.set):
                known = self._known.get(plan.set.name)
                if gone := sorted(set(known.members if known else ()) - set(plan.members)):
                    release_members(tx, plan.set, gone)

        self._lease.write(work)

    def _clean(self, plan: SetPlan) -> State:
        return State(
            plan.set.name,
            self._date,
            clean=True,
            signature=signature(plan.set),
            fingerprint=plan.fingerprint,
            rows=plan.rows,
            total=plan.total,
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
            signature=signature(plan.set) if not plan.rewrite else "",
            fingerprint="",
            rows=plan.rows,
            total=plan.held,
            members=members,
        )


def _is_shared(graph_set: GraphSet) -> bool:
    return isinstance(graph_set, NodeSet) and graph_set.scope is Scope.SHARED
