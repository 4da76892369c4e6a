"""What the graph holds, by customer and set: for people and for the freshness check."""

from dataclasses import dataclass, field

import neo4j

from recograph.graph.cypher import STATE
from recograph.graph.model import ALL_SETS, NodeSet


@dataclass
class GraphCounts:
    """Nodes and relationships by set."""

    total: dict[str, int] = field(default_factory=dict)
    """Counted in the graph, over all customers."""
    by_customer: dict[str, dict[str, int]] = field(default_factory=dict)
    """As the last load of each customer recorded; shared nodes count for each customer that needs them."""


def count_graph(driver: neo4j.Driver) -> GraphCounts:
    """Count every set: the totals come from the server's count store, the customers' from what loads recorded."""
    counts = GraphCounts()
    for graph_set in ALL_SETS:
        if isinstance(graph_set, NodeSet):
            query = f"MATCH (n:{graph_set.label}) RETURN count(n)"
        else:
            query = f"MATCH (:{graph_set.start.label})-[r:{graph_set.type}]->(:{graph_set.end.label}) RETURN count(r)"
        counts.total[graph_set.name] = driver.execute_query(query).records[0][0]
    query = f"MATCH (s:{STATE}) WHERE s.set IS NOT NULL RETURN s.customer_id, s.set, s.total"
    for customer, name, total in driver.execute_query(query).records:
        counts.by_customer.setdefault(customer, {})[name] = total or 0
    return counts


def loaded_date(driver: neo4j.Driver, customer: str) -> str | None:
    """The newest snapshot that any set of the customer holds completely, or None where nothing is loaded."""
    query = f"MATCH (s:{STATE} {{customer_id: $customer}}) RETURN max(s.snapshot_date)"
    date: str | None = driver.execute_query(query, customer=customer).records[0][0]
    return date


def complete_date(driver: neo4j.Driver, customer: str) -> str | None:
    """The snapshot that all sets of the customer hold completely (the oldest if they differ), or None."""
    query = f"MATCH (s:{STATE} {{customer_id: $customer}}) RETURN s.snapshot_date"
    dates = driver.execute_query(query, customer=customer).records
    return None if any(date is None for (date,) in dates) else min((date for (date,) in dates), default=None)


def held_dates(driver: neo4j.Driver) -> dict[str, set[str]]:
    """The snapshots that the sets of each customer hold: one, or several where a load was of some sets only."""
    query = (
        f"MATCH (s:{STATE}) WHERE s.snapshot_date IS NOT NULL RETURN s.customer_id, collect(DISTINCT s.snapshot_date)"
    )
    return {customer: set(dates) for customer, dates in driver.execute_query(query).records}
