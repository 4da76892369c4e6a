"""What is around a node: its neighbours of every kind, and what connects these with each other.

The statement follows from the model, so that a new label or relationship is in it as soon as it is declared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import neo4j

from recograph.errors import RecographError
from recograph.graph.model import KEY, RELATIONSHIP_SETS, TENANT, GraphSet, NodeSet, RelationshipSet, Scope, Type
from recograph.graph.reading import TIMEOUT, read, require_node
from recograph.graph.style import CAPTIONS
from recograph.graph.values import plain

LIMIT = 20
"""Neighbours of each kind of relationship, unless more or fewer are asked for."""
_BETWEEN = 2
"""How many relationships of a kind are shown from one neighbour to others: the strongest."""
_PLAIN = (str, int, bool)
"""Types whose values are as JSON can hold them."""
_ORDERS = ("recency", "score", "rating")
"""Properties by which relationships are sorted, the greatest value first."""


@dataclass(frozen=True)
class Vertex:
    """A node."""

    key: str
    """Label and id, as in `Course:12`."""
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
    return neighbourhood_of(node, key, answer.rows[0])


def neighbourhood_of(node: NodeSet, key: int, row: Sequence[Any]) -> Neighbourhood:
    """A neighbourhood from the row that `statement` gives for the node with that key."""
    itself, *lists = row
    ends, between = _around(node)
    vertices = [_vertex(node, key, itself)]
    edges = []
    for (declared, outwards), rows in zip(ends, lists, strict=False):
        for other_key, properties, of_relationship in rows:
            other = _vertex(declared.end if outwards else declared.start, other_key, properties)
            start, end = (vertices[0], other) if outwards else (other, vertices[0])
            vertices.append(other)
            edges.append(Edge(declared.type, start.key, end.key, _plain(of_relationship)))
    for declared, rows in zip(between, lists[len(ends) :], strict=True):
        edges += [
            Edge(declared.type, f"{declared.start.label}:{start}", f"{declared.end.label}:{end}", _plain(properties))
            for start, end, properties in rows
        ]
    return Neighbourhood(
        list({vertex.key: vertex for vertex in vertices}.values()),
        list({(edge.type, edge.start, edge.end): edge for edge in edges}.values()),
    )


def _around(node: NodeSet) -> tuple[list[tuple[RelationshipSet, bool]], list[RelationshipSet]]:
    """Relationships of a node, each with whether it starts there, and those between its neighbours."""
    ends = [(declared, True) for declared in RELATIONSHIP_SETS if declared.start is node]
    ends += [(declared, False) for declared in RELATIONSHIP_SETS if declared.end is node and declared.start is not node]
    near = {(declared.end if outwards else declared.start).label for declared, outwards in ends}
    between = [
        declared
        for declared in RELATIONSHIP_SETS
        if {declared.start.label, declared.end.label} <= near and _owned(declared)
    ]
    return ends, between


@cache
def statement(node: NodeSet) -> str:
    """The Cypher for a node set; its parameters are customer, key and limit.

    It gives values, no nodes, relationships or times, which the driver takes longer to make than all the rest.
    """
    ends, between = _around(node)
    lines = [f"MATCH (n:{node.label} {{{TENANT}: $customer, {KEY}: $key}})"]
    for number, (declared, outwards) in enumerate(ends):
        other = declared.end if outwards else declared.start
        left, right = ("-", "->") if outwards else ("<-", "-")
        lines.append(
            f"CALL (n) {{ MATCH (n){left}[r:{declared.type}]{right}(m:{other.label}) "
            f"WITH r, m ORDER BY {_order(declared, 'm')} LIMIT $limit "
            f"RETURN collect([m.{KEY}, {_values('m', other)}, {_values('r', declared)}]) AS r{number}, "
            f"collect(m) AS m{number} }}"
        )
    lists: dict[str, list[str]] = {}
    for number, (declared, outwards) in enumerate(ends):
        lists.setdefault((declared.end if outwards else declared.start).label, []).append(f"m{number}")
    for label, names in lists.items():
        lines.append(
            f"CALL ({', '.join(names)}) {{ UNWIND {' + '.join(names)} AS m RETURN collect(DISTINCT m) AS near{label} }}"
        )
    for number, declared in enumerate(between):
        start, end = f"near{declared.start.label}", f"near{declared.end.label}"
        strongest = (
            f"MATCH (a)-[r:{declared.type}]->(b:{declared.end.label}) WHERE b IN {end} "
            f"RETURN r, b ORDER BY {_order(declared, 'b')} LIMIT {_BETWEEN}"
        )
        scope = ", ".join(dict.fromkeys([start, end]))
        lines.append(
            f"CALL ({scope}) {{ UNWIND {start} AS a CALL (a, {end}) {{ {strongest} }} "
            f"RETURN collect([a.{KEY}, b.{KEY}, {_values('r', declared)}]) AS b{number} }}"
        )
    itself, *others = columns(node)
    lines.append(f"RETURN {', '.join([_values('n', node) + f' AS {itself}', *others])}")
    return "\n".join(lines)


def columns(node: NodeSet) -> tuple[str, ...]:
    """What `statement` returns: the node's properties, lists of what is at its ends, and of what is between those."""
    ends, between = _around(node)
    return "itself", *(f"r{at}" for at in range(len(ends))), *(f"b{at}" for at in range(len(between)))


def _values(variable: str, declared: GraphSet) -> str:
    """All properties, times as texts."""
    times = [prop.name for prop in declared.properties if prop.type is Type.DATETIME]
    return f"{variable} {{{', '.join(['.*', *(f'{name}: toString({variable}.{name})' for name in times)])}}}"


def _order(relationship_set: RelationshipSet, end: str) -> str:
    orders = [f"r.{prop.name} DESC" for prop in relationship_set.properties if prop.name in _ORDERS]
    return ", ".join([*orders, f"{end}.{KEY}"])


def _owned(relationship_set: RelationshipSet) -> bool:
    return relationship_set.start.scope is Scope.OWNED and relationship_set.end.scope is Scope.OWNED


def _vertex(node: NodeSet, key: int | str, values: Mapping[str, Any]) -> Vertex:
    caption = next((str(values[name]) for name in CAPTIONS if values.get(name)), f"{node.label} {key}")
    return Vertex(f"{node.label}:{key}", node.label, key, caption, _plain(values))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Properties without the keys, in alphabetical order."""
    return {
        name: value if type(value) in _PLAIN else plain(value)
        for name, value in sorted(values.items())
        if value is not None and name not in (TENANT, KEY)
    }
