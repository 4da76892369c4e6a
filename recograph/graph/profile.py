"""What a set looks like from the outside: some rows, and how many relationships the nodes at their ends have.

Rows of users, and the users' ends of relationships, are left out: whoever keeps a profile, as Dagster does in its log,
could not erase a person from it.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import neo4j

from recograph.graph import cypher
from recograph.graph.model import KEY, USER, GraphSet, NodeSet, RelationshipSet, Scope
from recograph.graph.reading import read

_ROWS = 5


@dataclass(frozen=True)
class Degrees:
    """How many relationships of a set the nodes of a label have."""

    label: str
    nodes: int
    mean: float
    median: int
    p90: int
    most: int


@dataclass(frozen=True)
class Profile:
    """What is shown of a set of one customer."""

    sample: list[dict[str, Any]]
    degrees: list[Degrees]


def profile(driver: neo4j.Driver, graph_set: GraphSet, customer: str) -> Profile:
    """Look at a customer's part of a set.

    Raises:
        RecographError: Neo4j fails.
    """
    parameters = {"customer": customer}
    sampled = read(driver, _sample(graph_set), parameters).rows if graph_set is not USER else []
    degrees = []
    for label, statement in _degrees(graph_set).items():
        ((nodes, mean, median, p90, most),) = read(driver, statement, parameters).rows
        if nodes:
            degrees.append(Degrees(label, nodes, mean, median, p90, most))
    return Profile([row for (row,) in sampled], degrees)


def browser_link(browser: str, graph_set: GraphSet, customer: str) -> str:
    """An address in Neo4j Browser that shows some of a customer's set.

    Args:
        browser: address of Neo4j Browser.
        graph_set: the set.
        customer: id of the customer, which is letters, digits and underscores.
    """
    if isinstance(graph_set, NodeSet):
        # What is around a node tells more than the node alone.
        match = f"MATCH way = (n:{graph_set.label})-[]-() WHERE {_owned(graph_set, 'n')}"
    else:
        match = f"MATCH way = {_pattern(graph_set)} WHERE {_owned(graph_set.start, 'a')}"
    return f"{browser}?cmd=edit&arg={quote(match.replace('$customer', repr(customer)) + ' RETURN way LIMIT 50')}"


def _sample(graph_set: GraphSet) -> str:
    if isinstance(graph_set, NodeSet):
        return f"MATCH (n:{graph_set.label}) WHERE {_owned(graph_set, 'n')} RETURN properties(n) LIMIT {_ROWS}"
    start, end = graph_set.start, graph_set.end
    ids = [] if start is USER else [f"{start.label.lower()}: a.{KEY}"]
    ids.append(f"{'other_' if end is start else ''}{end.label.lower()}: b.{KEY}")
    return (
        f"MATCH {_pattern(graph_set)} WHERE {_owned(graph_set.start, 'a')} "
        f"WITH a, r, b LIMIT {_ROWS} RETURN {{{', '.join(ids)}, properties: properties(r)}}"
    )


def _degrees(graph_set: GraphSet) -> dict[str, str]:
    """A statement for each end of relationships that is the customer's own."""
    if isinstance(graph_set, NodeSet):
        return {}
    found = {}
    for node, side in ((graph_set.start, "(n)-[:{0}]->({1})"), (graph_set.end, "(n)<-[:{0}]-({1})")):
        if node.scope is not Scope.OWNED:
            continue
        # The label of the other end is named only where the type has several: without it the count is stored.
        other = f":{graph_set.end.label}" if graph_set.ends_named and node is graph_set.start else ""
        label = node.label if node.label not in found else f"{node.label} (incoming)"
        found[label] = (
            f"MATCH (n:{node.label}) WHERE {_owned(node, 'n')} "
            f"WITH COUNT {{ {side.format(graph_set.type, other)} }} AS degree "
            "RETURN count(*), avg(degree), percentileDisc(degree, 0.5), percentileDisc(degree, 0.9), max(degree)"
        )
    return found


def _pattern(relationships: RelationshipSet) -> str:
    return f"(a:{relationships.start.label})-[r:{relationships.type}]->(b:{relationships.end.label})"


def _owned(node: NodeSet, name: str) -> str:
    """Which nodes count; of shared ones all do, whoever needs them."""
    return f"{name}.{KEY} IS NOT NULL" if node.scope is Scope.SHARED else cypher.owned(node, name)
