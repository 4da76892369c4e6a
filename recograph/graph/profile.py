"""What a set looks like: some of its rows, and how many relationships the nodes at their ends have.

Rows of users, and the users' ends of relationships, are left out: whoever keeps a profile, as Dagster does in its log,
could not erase a person from it.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
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
    distribution: Mapping[int, int] = field(default_factory=dict, compare=False)
    """How many nodes there are, by their number of relationships."""


def degrees_of(label: str, distribution: Mapping[int, int]) -> Degrees:
    """The figures of a distribution that isn't empty."""
    ordered = sorted(distribution)
    nodes = sum(distribution.values())
    ends = list(accumulate(distribution[degree] for degree in ordered))

    def percentile(share: float) -> int:
        return ordered[bisect_left(ends, share * nodes)]

    mean = sum(degree * count for degree, count in distribution.items()) / nodes
    return Degrees(label, nodes, mean, percentile(0.5), percentile(0.9), ordered[-1], distribution)


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
        if distribution := dict(read(driver, statement, parameters).rows):
            degrees.append(degrees_of(label, distribution))
    return Profile([row for (row,) in sampled], degrees)


def browser_link(browser: str, graph_set: GraphSet, customer: str) -> str:
    """An address in Neo4j Browser that shows a node of a customer's set and what is around it.

    Args:
        browser: address of Neo4j Browser.
        graph_set: the set.
        customer: id of the customer, which is letters, digits and underscores.
    """
    # One node and what is around it: all of a set is a tangle that tells nothing.
    if isinstance(graph_set, NodeSet):
        match = f"MATCH (n:{graph_set.label}) WHERE {_owned(graph_set, 'n')}"
    else:
        start, end = graph_set.start, graph_set.end
        match = f"MATCH (n:{start.label})-[:{graph_set.type}]->(:{end.label}) WHERE {_owned(start, 'n')}"
    match += " WITH n LIMIT 1 MATCH way = (n)-[]-()"
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
    degrees_by_label = {}
    for node, side in ((graph_set.start, "(n)-[:{0}]->({1})"), (graph_set.end, "(n)<-[:{0}]-({1})")):
        if node.scope is not Scope.OWNED:
            continue
        # The label of the other end is named only where the type has several: without it the count is stored.
        other = f":{graph_set.end.label}" if graph_set.ends_named and node is graph_set.start else ""
        label = node.label if node.label not in degrees_by_label else f"{node.label} (incoming)"
        degrees_by_label[label] = (
            f"MATCH (n:{node.label}) WHERE {_owned(node, 'n')} "
            f"WITH COUNT {{ {side.format(graph_set.type, other)} }} AS degree "
            "RETURN degree, count(*)"
        )
    return degrees_by_label


def _pattern(relationships: RelationshipSet) -> str:
    return f"(a:{relationships.start.label})-[r:{relationships.type}]->(b:{relationships.end.label})"


def _owned(node: NodeSet, name: str) -> str:
    """The condition for the nodes that count: the customer's own, and all shared nodes, whoever needs them."""
    return f"{name}.{KEY} IS NOT NULL" if node.scope is Scope.SHARED else cypher.owned(node, name)
