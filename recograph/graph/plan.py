"""What a load will do, settled before anything is written.

There are four ways for a set (`How`). Unchanged: the snapshot has the fingerprint that the graph's state recorded.
Difference: the marts of the earlier snapshot still have the recorded fingerprint, so the warehouse compares the two
snapshots. Compared: the snapshot is compared with what the graph holds. Created: the graph holds nothing of the set.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import neo4j
import pyarrow as pa

from recograph.errors import RecographError
from recograph.graph import cypher, difference
from recograph.graph.difference import ADDED, REMOVED, STRAYED, Measure
from recograph.graph.model import ALL_SETS, SETS, GraphSet, NodeSet, RelationshipSet, Scope, signature
from recograph.graph.refusals import BackwardsError, GuardError
from recograph.graph.scratch import Scratch
from recograph.graph.set_plan import How, SetPlan
from recograph.graph.set_rows import SetRows
from recograph.graph.state import State
from recograph.lake.interfaces import Warehouse

GUARDED_ROWS = 20
"""Sets that hold fewer rows may shrink as they like: a handful of rows comes and goes without a dump being wrong."""
_READ_ROWS = 10_000
_DIFFERENCES_AT_A_TIME = 4
"""How many sets the warehouse compares at the same time: for most sets, opening files or waiting for Athena takes
longer than comparing."""
_LARGE_ROWS = 1_000_000
"""A set of this size or more is compared alone: DuckDB uses all cores by itself, and its memory is limited."""


def wanted_sets(names: Collection[str] | None) -> list[GraphSet]:
    """The sets of these names in the order in which they are written; all for None.

    Raises:
        RecographError: there is no such set.
    """
    if names is None:
        return list(ALL_SETS)
    if unknown := sorted(set(names) - set(SETS)):
        raise RecographError(f"The graph has no set {', '.join(unknown)}. It has: {', '.join(SETS)}.")
    return [graph_set for graph_set in ALL_SETS if graph_set.name in names]


class Planner:
    """Plans one load of one customer's snapshot."""

    def __init__(
        self,
        warehouse: Warehouse,
        session: neo4j.Session,
        scratch: Scratch,
        customer: str,
        date: str,
        states: Mapping[str, State],
    ) -> None:
        """Keep what planning needs; nothing is asked yet."""
        self._warehouse = warehouse
        self._session = session
        self._scratch = scratch
        self._customer = customer
        self._date = date
        self._states = states
        self._fingerprints: dict[tuple[str, str], str] = {}
        self._row_counts: dict[str, int] = {}
        self._set_rows = SetRows(warehouse, scratch, customer, date, states)

    def plan(self, sets: list[GraphSet], *, allow_older: bool, max_removed_share: float, repair: bool) -> list[SetPlan]:
        """Plan all sets.

        Raises:
            BackwardsError, GuardError: see `load`.
            RecographError: marts, or nodes that relationships need, are missing.
        """
        if not allow_older:
            self._refuse_backwards(sets)
        self._measure(sets)
        self._refuse_missing_ends(sets)
        plans = [self._plan(graph_set, repair=repair) for graph_set in sets]
        self._set_rows.together([plan for plan in plans if plan.how is not How.UNCHANGED and plan.rows < _LARGE_ROWS])
        plans = self._differences(plans)
        plans = [self._compare(plan) if plan.how is How.COMPARED else plan for plan in plans]
        self._guard(plans, max_removed_share)
        return plans

    def batches(self, plan: SetPlan, operation: str) -> Iterable[pa.RecordBatch]:
        """The rows of an operation, sorted."""
        return self._set_rows.batches(plan, operation)

    def _refuse_backwards(self, sets: list[GraphSet]) -> None:
        held = {
            graph_set.name: state.snapshot_date
            for graph_set in sets
            if (state := self._states.get(graph_set.name)) and state.snapshot_date and state.snapshot_date > self._date
        }
        if held:
            raise BackwardsError(
                f"The graph of {self._customer} holds a later snapshot ({', '.join(sorted(set(held.values())))}) than "
                f"{self._date}: {', '.join(held)}. To go back, set `allow_older: true` in the run config.",
                held,
            )

    def _measure(self, sets: list[GraphSet]) -> None:
        """Take the checksums of all marts, of the new day and of the days that the graph holds, in one query."""
        involved = {graph_set.name: graph_set for graph_set in sets}
        for graph_set in sets:
            if isinstance(graph_set, RelationshipSet):
                involved |= {graph_set.start.name: graph_set.start, graph_set.end.name: graph_set.end}
        days: dict[str, dict[str, GraphSet]] = {self._date: involved}
        for graph_set in sets:
            state = self._states.get(graph_set.name)
            # What was loaded by another declaration isn't compared with its mart, whose columns may have changed too.
            comparable = state and state.clean and (state.fingerprint or "").startswith(f"{signature(graph_set)}/")
            if state and comparable and state.snapshot_date and state.snapshot_date != self._date:
                days.setdefault(state.snapshot_date, {})[graph_set.name] = graph_set
        # Marts of earlier days may be missing; a missing mart of this day is an error.
        difference.sources(self._warehouse, involved.values(), self._customer, self._date)
        wanted: dict[str, list[Measure]] = {}
        sources: dict[str, dict[str, str]] = {}
        for day, day_sets in days.items():
            sources[day] = {
                mart: sql
                for graph_set in day_sets.values()
                for mart, sql in self._set_rows.sources(graph_set, day).items()
            }
            present = [
                graph_set for graph_set in day_sets.values() if difference.marts(graph_set) <= sources[day].keys()
            ]
            wanted[day] = list(
                dict.fromkeys(measure for graph_set in present for measure in difference.measures(graph_set))
            )
        taken: dict[tuple[str, Measure], tuple[int, str]] = {}
        sql = difference.measuring(wanted, sources, self._warehouse.checksum)
        by_mart = {day: difference.measures_by_mart(day_measures) for day, day_measures in wanted.items()}
        for row in self._warehouse.query(sql).to_pylist():
            for at, used in enumerate(by_mart[row["which"]][row["mart"]]):
                taken[row["which"], (row["mart"], used)] = (row["row_count"], row[f"checksum_{at}"])
        for day, day_sets in days.items():
            for graph_set in day_sets.values():
                measured = [taken.get((day, measure)) for measure in difference.measures(graph_set)]
                if all(measured):
                    parts = [signature(graph_set), *(f"{entry[0]}:{entry[1]}" for entry in measured if entry)]
                    self._fingerprints[day, graph_set.name] = "/".join(parts)
                if day == self._date and measured[0]:
                    self._row_counts[graph_set.name] = measured[0][0]

    def _refuse_missing_ends(self, sets: list[GraphSet]) -> None:
        """Relationships asked for without their nodes need these in the graph as they are in the snapshot."""
        asked = {graph_set.name for graph_set in sets}
        ends = {
            end.name: end
            for graph_set in sets
            if isinstance(graph_set, RelationshipSet)
            for end in (graph_set.start, graph_set.end)
        }
        if missing := [name for name in ends if name not in asked and not self._is_held(ends[name])]:
            raise RecographError(
                f"The graph doesn't hold {', '.join(missing)} of {self._customer} as of {self._date}, which the "
                f"relationships need. Materialize {', '.join(f'graph/{name}' for name in missing)} too, or first."
            )

    def _is_held(self, graph_set: GraphSet) -> bool:
        state = self._states.get(graph_set.name)
        return state is not None and state.clean and state.fingerprint == self._fingerprints[self._date, graph_set.name]

    def _plan(self, graph_set: GraphSet, *, repair: bool) -> SetPlan:
        """The plan of a set; `_differences` and `_compare` complete it where rows are compared."""
        state = self._states.get(graph_set.name)
        plan = SetPlan(
            graph_set, How.UNCHANGED, self._row_counts[graph_set.name], self._fingerprints[self._date, graph_set.name]
        )
        if state is not None and self._is_held(graph_set) and not repair:
            return replace(plan, held=state.total, total=state.total, members=state.members)
        if state is not None and state.clean and self._earlier_is_usable(graph_set, state) and not repair:
            return replace(plan, how=How.DIFFERENCE)
        shared = isinstance(graph_set, NodeSet) and graph_set.scope is Scope.SHARED
        strays = self._count_strays(graph_set) if repair and not shared else 0
        if not shared and not strays and self._holds_nothing(graph_set):
            return replace(plan, how=How.CREATED)
        return replace(plan, how=How.COMPARED, operations={STRAYED: strays})

    def _earlier_is_usable(self, graph_set: GraphSet, state: State) -> bool:
        shared = isinstance(graph_set, NodeSet) and graph_set.scope is Scope.SHARED
        recorded = self._fingerprints.get((state.snapshot_date or "", graph_set.name))
        return not shared and recorded == state.fingerprint

    def _differences(self, plans: list[SetPlan]) -> list[SetPlan]:
        """The plans; where the warehouse compares snapshots, with how many rows each operation has."""
        differing = [plan for plan in plans if plan.how is How.DIFFERENCE]
        large = [self._difference(plan) for plan in differing if plan.rows >= _LARGE_ROWS]
        with ThreadPoolExecutor(_DIFFERENCES_AT_A_TIME) as pool:
            small = pool.map(self._difference, (plan for plan in differing if plan.rows < _LARGE_ROWS))
            counted = {plan.set.name: plan for plan in (*large, *small)}
        return [counted.get(plan.set.name, plan) for plan in plans]

    def _difference(self, plan: SetPlan) -> SetPlan:
        started, state = time.monotonic(), self._states[plan.set.name]
        self._set_rows.store(plan)
        operations = self._scratch.counts(plan.set)
        return replace(
            plan,
            operations=operations,
            held=state.total,
            total=state.total + operations.get(ADDED, 0) - operations.get(REMOVED, 0),
            seconds=time.monotonic() - started,
        )

    def _compare(self, plan: SetPlan) -> SetPlan:
        started, graph_set, state = time.monotonic(), plan.set, self._states.get(plan.set.name)
        members = state.members if state else ()
        held = self._session.execute_read(
            lambda tx: self._scratch.store(graph_set, "held", self._read(tx, graph_set, members))
        )
        self._set_rows.store(plan)
        total = self._scratch.count(graph_set, "new")
        shared = isinstance(graph_set, NodeSet) and graph_set.scope is Scope.SHARED
        members = self._scratch.keys(graph_set) if shared else ()
        self._scratch.compare(graph_set)
        return replace(
            plan,
            held=held,
            total=total,
            members=members,
            operations={**self._scratch.counts(graph_set), **plan.operations},
            seconds=time.monotonic() - started,
        )

    def _count_strays(self, graph_set: GraphSet) -> int:
        """How many nodes or relationships of the set no load can have written, nor can find by its keys."""
        query = f"{cypher.strays(graph_set)} RETURN count(*)"
        count: int = self._session.execute_read(lambda tx: tx.run(query, customer=self._customer).single(strict=True))[
            0
        ]
        return count

    def _holds_nothing(self, graph_set: GraphSet) -> bool:
        query = f"{cypher.of_customer(graph_set)} RETURN 1 LIMIT 1"
        return self._session.execute_read(lambda tx: tx.run(query, customer=self._customer).single()) is None

    def _read(
        self, tx: neo4j.ManagedTransaction, graph_set: GraphSet, members: tuple[str, ...]
    ) -> Iterator[pa.RecordBatch]:
        """What the graph holds of a set."""
        wanted = difference.held_schema(graph_set)
        parameters = {"customer": self._customer, "members": list(members)}
        result = tx.run(cypher.read(graph_set), parameters)
        while records := result.fetch(_READ_ROWS):
            arrays = zip(*(record.values() for record in records), strict=True)
            yield pa.RecordBatch.from_arrays(
                [pa.array(column, field.type) for column, field in zip(arrays, wanted, strict=True)], schema=wanted
            )

    def _guard(self, plans: list[SetPlan], max_removed_share: float) -> None:
        suspicious = {
            plan.set.name: (plan.count(REMOVED), plan.held)
            for plan in plans
            if not plan.set.computed
            and plan.held >= GUARDED_ROWS
            and plan.count(REMOVED) > max_removed_share * plan.held
        }
        if suspicious:
            numbers = ", ".join(f"{gone:,} of {held:,} {name}" for name, (gone, held) in suspicious.items())
            share = max(gone / held for gone, held in suspicious.values())
            raise GuardError(
                f"The snapshot of {self._customer} of {self._date} would remove {numbers}, more than the allowed "
                f"{max_removed_share:.0%}. Nothing was changed. Is the dump complete? If so, set "
                f"`max_removed_share: {min(share + 0.01, 1):.2f}` in the run config to let it through.",
                suspicious,
            )
