"""A picture of what is around a user, as one HTML file that needs no network."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import neo4j
from neo4j.graph import Node, Relationship

from recograph.graph.model import NODE_SETS
from recograph.graph.queries import ask
from recograph.graph.reading import TIMEOUT

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

_COLORS = dict(
    zip((node.label for node in NODE_SETS), ("#8d6e63", "#d81b60", "#7e57c2", "#1e88e5", "#2e9e5b"), strict=True)
)
_LINES = {"IS_ENROLLED": "#1e88e5", "HAS_WATCHED": "#2e9e5b", "HAS_RATED": "#d81b60", "SIMILAR_TO": "#f59f00"}
_GREY = "#9aa5b1"
_SIZES = {"User": 30, "Customer": 24, "Language": 24}
_LONGEST = 28
"""Characters of a caption; the whole of it shows when the mouse is over the node."""


def picture(driver: neo4j.Driver, customer: str, user: int, limit: int = 60, *, timeout: float = TIMEOUT) -> str:
    """Draw a user's neighbourhood: company, language, the latest courses and assets, and how alike these are.

    Args:
        driver: of the server.
        customer: id of the customer.
        user: id of the user.
        limit: how many courses and assets at most, the latest first.
        timeout: seconds after which the server gives up.

    Returns:
        An HTML page with all of its script and data in it.

    Raises:
        RecographError: the graph hasn't the customer or the user, or the server fails.
    """
    given = {"customer": customer, "user": user, "limit": limit}
    (row,) = ask(driver, "neighbourhood", given, timeout=timeout).records()
    title = f"User {user} of {customer}"
    figure = _figure(row["nodes"], row["relationships"], title)
    config = {"displaylogo": False, "scrollZoom": True, "responsive": True}
    html = str(figure.to_html(include_plotlyjs=True, default_height="96vh", config=config))
    return html.replace("<head>", f"<head><title>{_text(title)}</title>", 1)


def _figure(nodes: list[Node], relationships: list[Relationship], title: str) -> "Figure":
    import networkx
    from plotly.graph_objects import Figure

    graph = networkx.Graph(map(_ends, relationships))
    graph.add_nodes_from(node.element_id for node in nodes)
    places = networkx.spring_layout(graph, seed=1, iterations=200, k=2 / len(graph) ** 0.5)
    figure = Figure()
    for name in sorted({each.type for each in relationships}):
        figure.add_traces(_lines(name, [each for each in relationships if each.type == name], places))
    for label in _COLORS:
        if labelled := [node for node in nodes if label in node.labels]:
            figure.add_trace(_markers(label, labelled, places))
    hidden = {"visible": False}
    figure.update_layout(
        title=_text(title),
        xaxis=hidden,
        yaxis=hidden,
        template="plotly_white",
        hovermode="closest",
        dragmode="pan",
        margin={"l": 20, "r": 20, "t": 60, "b": 20},
    )
    return figure


def _ends(relationship: Relationship) -> tuple[str, str]:
    start, end = relationship.nodes
    assert start
    assert end
    return start.element_id, end.element_id


def _lines(name: str, relationships: list[Relationship], places: Mapping[str, Any]) -> "list[Scatter]":
    """Relationships of a type as lines, with points in their middles that tell their properties."""
    from plotly.graph_objects import Scatter

    ends = [tuple(places[end] for end in _ends(each)) for each in relationships]
    # None ends a line.
    xs, ys = ([value for a, b in ends for value in (a[axis], b[axis], None)] for axis in (0, 1))
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in ends]
    group: dict[str, Any] = {"name": name, "legendgroup": name}
    color = _LINES.get(name, _GREY)
    return [
        Scatter(x=xs, y=ys, mode="lines", line={"color": color, "width": 1}, opacity=0.5, hoverinfo="skip", **group),
        Scatter(
            x=[x for x, _ in middles],
            y=[y for _, y in middles],
            mode="markers",
            marker={"color": color, "size": 4},
            opacity=0.5,
            hovertext=[_properties(name, each) for each in relationships],
            hoverinfo="text",
            showlegend=False,
            **group,
        ),
    ]


def _markers(label: str, nodes: list[Node], places: Mapping[str, Any]) -> "Scatter":
    """Nodes of a label, with captions."""
    from plotly.graph_objects import Scatter

    captions = [_caption(label, node) for node in nodes]
    return Scatter(
        x=[places[node.element_id][0] for node in nodes],
        y=[places[node.element_id][1] for node in nodes],
        mode="markers+text",
        marker={"color": _COLORS[label], "size": _SIZES.get(label, 14), "line": {"color": "white", "width": 1}},
        text=[_text(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…") for text in captions],
        textposition="bottom center",
        textfont={"size": 10},
        hovertext=[_properties(text, node) for text, node in zip(captions, nodes, strict=True)],
        hoverinfo="text",
        name=label,
    )


def _caption(label: str, node: Node) -> str:
    text = node.get("name") or node.get("title") or node.get("language_name")
    return str(text) if text else f"{label} {node['id']}"


def _properties(head: str, of: Node | Relationship) -> str:
    """What shows when the mouse is there; Plotly reads a little HTML in it, so that of the data is escaped."""
    lines = (f"{_text(name)}: {_text(str(value))}" for name, value in sorted(of.items()))
    return "<br>".join([f"<b>{_text(head)}</b>", *lines])


def _text(text: str) -> str:
    return escape(text, quote=False)
