"""What a load asks of the warehouse for the sets that get equal to a snapshot: their rows, or how two days differ."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from recograph.graph import difference
from recograph.graph.difference import ADDED, OPERATION
from recograph.graph.model import GraphSet
from recograph.graph.scratch import Scratch
from recograph.graph.set_plan import How, SetPlan
from recograph.graph.slots import Part, joined
from recograph.graph.state import State
from recograph.lake.interfaces import Warehouse

_PURPOSES = {How.CREATED: "difference", How.DIFFERENCE: "difference", How.COMPARED: "new"}
"""Which table of the scratch the rows go to, by how the set gets equal."""


class SetRows:
    """Asks for one customer's snapshot; what was asked for before it is written waits in the scratch."""

    def __init__(
        self, warehouse: Warehouse, scratch: Scratch, customer: str, date: str, states: Mapping[str, State]
    ) -> None:
        """Keep what asking needs; nothing is asked yet."""
        self._warehouse = warehouse
        self._scratch = scratch
        self._customer = customer
        self._date = date
        self._states = states
        self._came_together: set[str] = set()

    def sources(self, graph_set: GraphSet, date: str) -> dict[str, str]:
        """What to put behind FROM for a set, by mart; marts that have no such partition are left out."""
        relations = {
            mart: self._warehouse.partition(mart, self._customer, date) for mart in difference.marts(graph_set)
        }
        return {mart: relation for mart, relation in relations.items() if relation is not None}

    def together(self, plans: Sequence[SetPlan]) -> None:
        """Ask for the rows of several plans by one statement, where each statement costs by itself."""
        if self._warehouse.bills_statements and plans:
            parts = {(plan.set, _PURPOSES[plan.how]): self._part(plan) for plan in plans}
            sql = joined({graph_set.name: part for (graph_set, _), part in parts.items()})
            self._scratch.store_together(parts, self._warehouse.stream(sql))
            self._came_together = {plan.set.name for plan in plans}

    def store(self, plan: SetPlan) -> None:
        """Keep the rows of a plan in the scratch, unless they came together with others."""
        if plan.set.name not in self._came_together:
            self._scratch.store(plan.set, _PURPOSES[plan.how], self._warehouse.stream(self._part(plan).sql))

    def batches(self, plan: SetPlan, operation: str) -> Iterable[pa.RecordBatch]:
        """The rows of an operation, sorted; of a set that is created they may come from the warehouse only now."""
        if plan.how is not How.CREATED or plan.set.name in self._came_together:
            return self._scratch.rows(plan.set, operation)
        sql = f"select * from ({self._rows(plan.set, self._date)}) t order by {difference.order(plan.set)}"  # noqa: S608 - names of the model
        wanted = difference.schema(plan.set)
        return (batch.cast(wanted) for batch in self._warehouse.stream(sql))

    def _part(self, plan: SetPlan) -> Part:
        """What is asked for a plan."""
        rows = self._rows(plan.set, self._date)
        if plan.how is How.COMPARED:
            return Part(rows, difference.schema(plan.set))
        if plan.how is How.CREATED:
            rows = f"select '{ADDED}' as {OPERATION}, r.* from ({rows}) r"  # noqa: S608 - names of the model
        else:
            earlier = self._rows(plan.set, self._states[plan.set.name].snapshot_date or "")
            rows = difference.difference(plan.set, rows, earlier)
        return Part(rows, difference.schema(plan.set, operation=True))

    def _rows(self, graph_set: GraphSet, date: str) -> str:
        """SELECT a set's rows on a day."""
        return difference.rows(graph_set, self.sources(graph_set, date), self._customer)
