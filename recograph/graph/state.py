"""What is known of a customer's part of the graph, kept in the graph.

One state node per customer and set says which snapshot the set holds, and whether it is clean or dirty. It is dirty
from before the first change of a load until after the last.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import neo4j

from recograph.graph.cypher import LOCK, STATE
from recograph.graph.model import NodeSet
from recograph.graph.reading import read

_DAYS = 400
"""For how many snapshot dates a set's total is kept."""


@dataclass(frozen=True)
class State:
    """What the graph holds of a set."""

    set: str
    snapshot_date: str | None
    """The last snapshot that was loaded completely."""
    clean: bool
    fingerprint: str
    """Of the rows that the graph holds; without meaning while the set is dirty."""
    rows: int
    total: int
    members: tuple[str, ...] = ()
    """The ids of shared nodes that this customer needs."""


def states(session: neo4j.Session, customer: str) -> dict[str, State]:
    """What is known of the customer's sets, by name."""

    def fetch(tx: neo4j.ManagedTransaction) -> dict[str, State]:
        result = tx.run(f"MATCH (s:{STATE} {{customer_id: $customer}}) RETURN properties(s) AS s", customer=customer)
        return {record["s"]["set"]: _state(record["s"]) for record in result}

    return session.execute_read(fetch)


def _state(properties: Mapping[str, Any]) -> State:
    return State(
        set=properties["set"],
        snapshot_date=properties.get("snapshot_date"),
        clean=properties["status"] == "clean",
        fingerprint=properties.get("fingerprint", ""),
        rows=properties.get("rows", 0),
        total=properties.get("total", 0),
        members=tuple(properties.get("members", ())),
    )


def write_states(tx: neo4j.ManagedTransaction, customer: str, states: Iterable[State]) -> None:
    """Record what the graph holds of sets, and when a clean set was changed and loaded last."""
    tx.run(
        # In a map, because Neo4j plans a statement anew for a longer list that is itself a parameter (see `cypher`).
        f"UNWIND $batch.states AS new MERGE (s:{STATE} {{customer_id: $customer, set: new.set}}) "
        # A repair changes a set, and may end at the fingerprint that was recorded before: so the status counts, too.
        "SET s.changed_at = CASE WHEN s.status = 'clean' AND s.fingerprint = new.fingerprint THEN s.changed_at "
        "ELSE datetime() END SET s += new "
        "SET s.loaded_at = CASE WHEN new.status = 'clean' THEN datetime() ELSE s.loaded_at END "
        # How the set grew: its total by snapshot date, in order of the dates.
        "WITH s, new, coalesce(s.days, []) AS days, coalesce(s.totals, []) AS totals WHERE new.status = 'clean' "
        "WITH s, new, [i IN range(0, size(days) - 1) WHERE days[i] <> new.snapshot_date | [days[i], totals[i]]] "
        "AS kept "
        "WITH s, [k IN kept WHERE k[0] < new.snapshot_date] + [[new.snapshot_date, new.total]] "
        "+ [k IN kept WHERE k[0] > new.snapshot_date] AS days "
        f"WITH s, days[-{_DAYS}..] AS days SET s.days = [day IN days | day[0]], s.totals = [day IN days | day[1]]",
        customer=customer,
        batch={
            "states": [
                {
                    "set": state.set,
                    "snapshot_date": state.snapshot_date,
                    "status": "clean" if state.clean else "dirty",
                    "fingerprint": state.fingerprint,
                    "rows": state.rows,
                    "total": state.total,
                    "members": list(state.members) or None,
                }
                for state in states
            ]
        },
    ).consume()


def mark_dirty(tx: neo4j.ManagedTransaction, customer: str, sets: list[str]) -> None:
    """Record that what is known of these sets can't be relied upon."""
    if sets:
        tx.run(
            f"MATCH (s:{STATE} {{customer_id: $customer}}) WHERE s.set IN $sets SET s.status = 'dirty'",
            customer=customer,
            sets=sets,
        ).consume()


def growth(driver: neo4j.Driver, customers: Collection[str]) -> dict[str, dict[str, dict[str, int]]]:
    """How many nodes or relationships each set had on the snapshot dates that were loaded, by customer and set."""
    query = (
        f"MATCH (s:{STATE}) WHERE s.customer_id IN $customers AND s.days IS NOT NULL "
        "RETURN s.customer_id, s.set, s.days, s.totals"
    )
    grown: dict[str, dict[str, dict[str, int]]] = {}
    for customer, name, days, totals in read(driver, query, {"customers": list(customers)}).rows:
        grown.setdefault(customer, {})[name] = dict(zip(days, totals, strict=True))
    return grown


def release_members(tx: neo4j.ManagedTransaction, shared: NodeSet, gone: Sequence[str]) -> neo4j.SummaryCounters:
    """Delete those shared nodes that no customer needs any more. The caller holds the shared lock."""
    result = tx.run(
        f"UNWIND $gone AS id MATCH (n:`{shared.label}` {{id: id}}) "
        f"WHERE NOT EXISTS {{ MATCH (s:{STATE}) WHERE s.set = $set AND id IN s.members }} DETACH DELETE n",
        gone=list(gone),
        set=shared.name,
    )
    return result.consume().counters


def forget(tx: neo4j.ManagedTransaction, customer: str) -> None:
    """Delete what is recorded of a customer, and its lock; the lock's holder does this last."""
    tx.run(f"MATCH (n:{STATE}|{LOCK} {{customer_id: $customer}}) DELETE n", customer=customer).consume()
