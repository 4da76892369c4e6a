"""What is around a node: its neighbours of every kind, and what connects these with each other.

The statement follows from the model, so that a new label or relationship is in it as soon as it is declared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import neo4j
from neo4j.graph import Node, Relationship

from recograph.errors import RecographError
from recograph.graph.model import KEY, NODE_SETS, RELATIONSHIP_SETS, TENANT, NodeSet, RelationshipSet, Scope
from recograph.graph.reading import TIMEOUT, read, require_node
from recograph.graph.style import CAPTIONS
from recograph.graph.values import plain

LIMIT = 20
"""Neighbours of each kind of relationship, unless more or fewer are asked for."""
_BETWEEN = 2
"""How many relationships of a kind are shown from one neighbour to others: the strongest."""
_ORDERS = ("recency", "score", "rating")
"""Properties by which relationships are sorted, the greatest value first."""


@dataclass(frozen=True)
class Vertex:
    """A node."""

    key: str
    """LABEL:ID."""
    label: str
    id: int | str
    caption: str
    properties: Mapping[str, Any]
    """As JSON can hold them, without the keys."""


@dataclass(frozen=True)
class Edge:
    """A relationship."""

    type: str
    start: str
    """Key of the node where it starts."""
    end: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Neighbourhood:
    """A node, which comes first, with those around it."""

    nodes: Sequence[Vertex]
    relationships: Sequence[Edge]


def neighbourhood(
    driver: neo4j.Driver, node: NodeSet, customer: str, key: int, limit: int = LIMIT, *, timeout: float = TIMEOUT
) -> Neighbourhood:
    """What is around one of a customer's nodes.

    Args:
        driver: of the server.
        node: the set that the node is of.
        customer: id of the customer.
        key: id of the node.
        limit: how many neighbours of each kind at most: the latest, the most similar or the best rated.
        timeout: seconds after which the server gives up.

    Raises:
        RecographError: the graph hasn't the customer or the node, or the server fails.
    """
    answer = read(driver, statement(node), {"customer": customer, "key": key, "limit": limit}, timeout=timeout)
    if not answer.rows:
        require_node(driver, node, customer, key)
        raise RecographError(f"{node.label} {key} of {customer} has just left the graph. Ask again.")
    ((nodes, relationships),) = answer.rows
    vertices = {around.element_id: _vertex(around) for around in nodes}
    edges = [
        _edge(edge, vertices)
        for edge in {relationship.element_id: relationship for relationship in relationships}.values()
    ]
    return Neighbourhood(list(vertices.values()), edges)


@cache
def statement(node: NodeSet) -> str:
    """The Cypher for a node set; its parameters are customer, key and limit."""
    ends = [(relationship_set, True) for relationship_set in RELATIONSHIP_SETS if relationship_set.start is node]
    ends += [
        (relationship_set, False)
        for relationship_set in RELATIONSHIP_SETS
        if relationship_set.end is node and relationship_set.start is not node
    ]
    lines = [f"MATCH (n:{node.label} {{{TENANT}: $customer, {KEY}: $key}})"]
    for number, (relationship_set, outwards) in enumerate(ends):
        other = relationship_set.end if outwards else relationship_set.start
        left, right = ("-", "->") if outwards else ("<-", "-")
        lines.append(
            f"CALL (n) {{ MATCH (n){left}[r:{relationship_set.type}]{right}(m:{other.label}) "
            f"WITH r, m ORDER BY {_order(relationship_set, 'm')} LIMIT $limit "
            f"RETURN collect(r) AS r{number}, collect(m) AS m{number} }}"
        )
    relationships = [f"r{number}" for number in range(len(ends))]
    neighbours = " + ".join(["[]", *(f"m{number}" for number in range(len(ends)))])
    lines.append(f"WITH n, {' + '.join(['[]', *relationships])} AS direct, {neighbours} AS near")
    near = {(declared.end if outwards else declared.start).label for declared, outwards in ends}
    between = [
        relationship_set
        for relationship_set in RELATIONSHIP_SETS
        if {relationship_set.start.label, relationship_set.end.label} <= near and _owned(relationship_set)
    ]
    for number, relationship_set in enumerate(between):
        strongest = (
            f"MATCH (a)-[r:{relationship_set.type}]->(b:{relationship_set.end.label}) WHERE b IN near "
            f"RETURN r ORDER BY {_order(relationship_set, 'b')} LIMIT {_BETWEEN}"
        )
        lines.append(
            f"CALL (near) {{ UNWIND near AS a CALL (a, near) {{ {strongest} }} RETURN collect(r) AS b{number} }}"
        )
    lines.append(f"RETURN [n] + near, {' + '.join(['direct', *(f'b{number}' for number in range(len(between)))])}")
    return "\n".join(lines)


def _order(relationship_set: RelationshipSet, end: str) -> str:
    orders = [f"r.{prop.name} DESC" for prop in relationship_set.properties if prop.name in _ORDERS]
    return ", ".join([*orders, f"{end}.{KEY}"])


def _owned(relationship_set: RelationshipSet) -> bool:
    return relationship_set.start.scope is Scope.OWNED and relationship_set.end.scope is Scope.OWNED


def _label(node: Node) -> str:
    return next((node_set.label for node_set in NODE_SETS if node_set.label in node.labels), "")


def _vertex(node: Node) -> Vertex:
    label = _label(node)
    caption = next((str(node[name]) for name in CAPTIONS if node.get(name)), f"{label} {node[KEY]}")
    properties = {name: plain(value) for name, value in sorted(node.items()) if name not in (TENANT, KEY)}
    return Vertex(f"{label}:{node[KEY]}", label, node[KEY], caption, properties)


def _edge(relationship: Relationship, vertices: Mapping[str, Vertex]) -> Edge:
    start, end = relationship.nodes
    assert start
    assert end
    properties = {name: plain(value) for name, value in sorted(relationship.items())}
    return Edge(relationship.type, vertices[start.element_id].key, vertices[end.element_id].key, properties)
