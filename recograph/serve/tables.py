"""The rows of tables as HTML, the most of what a page has: by plain text, which takes a fifth of a template's time."""

from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

from markupsafe import Markup

from recograph.graph.neighbourhood import Neighbourhood
from recograph.serve.content import Section
from recograph.serve.values import shown, words
from recograph.text import printable


def section_rows(section: Section, customer: str | None, drawn: Mapping[str, Any] | None) -> Markup:
    """The rows of a section.

    Args:
        section: whose rows.
        customer: id of the customer to whose pages ids and titles lead; None: they lead nowhere.
        drawn: what `bars` gives for the section.
    """
    opened = [f'<td class="{section.kinds[column]}">' for column in section.answer.columns]
    lines = []
    for number, row in enumerate(section.answer.rows):
        links = section.links(customer, row) if customer else {}
        line = ["<tr>"]
        for column, opening, value in zip(section.answer.columns, opened, row, strict=True):
            text = shown(value, column)
            if address := links.get(column):
                named = text if str("" if value is None else value).strip() else "no title"
                text = f'<a href="{escape(address)}">{named}</a>'
            line.append(f"{opening}{text}</td>")
            if drawn and column == drawn["value"]:
                line.append(_bar(*drawn["lengths"][number]))
        line.append("</tr>\n")
        lines.append("".join(line))
    return Markup("".join(lines))  # noqa: S704 - escaped


def _bar(length: float, part: float | None) -> str:
    of_it = f'<rect class="part" width="{part}" height="10"/>' if part else ""
    return (
        '<td class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{length}" height="10"/>{of_it}</svg></td>'
    )


def relationship_rows(around: Neighbourhood) -> Markup:
    """What connects the nodes of a neighbourhood."""
    captions = {node.key: escape(printable(node.caption)) for node in around.nodes}
    return Markup(  # noqa: S704 - escaped
        "".join(
            f'<tr><td>{captions[edge.start]}</td><td class="type">{edge.type}</td>'
            f"<td>{captions[edge.end]}</td><td>{_properties(edge.properties)}</td></tr>\n"
            for edge in around.relationships
        )
    )


def node_rows(around: Neighbourhood, addresses: Mapping[str, str | None]) -> Markup:
    """The nodes of a neighbourhood.

    Args:
        around: the neighbourhood.
        addresses: of the nodes' pages by the nodes' keys; those without one lead nowhere.
    """
    lines = []
    for node in around.nodes:
        caption = escape(printable(node.caption))
        if address := addresses.get(node.key):
            caption = f'<a href="{escape(address)}">{caption}</a>'
        lines.append(
            f'<tr><td><span class="kind {node.label}">{node.label}</span></td><td>{shown(node.id, "id")}</td>'
            f"<td>{caption}</td><td>{_properties(node.properties)}</td></tr>\n"
        )
    return Markup("".join(lines))  # noqa: S704 - escaped


def _properties(values: Mapping[str, Any]) -> str:
    return ", ".join(
        [_unkept(name, value) if isinstance(value, list) else _property(name, value) for name, value in values.items()]
    )


def _unkept(name: str, value: Any) -> str:
    return f"{escape(words(name))} {shown(value, name)}"


_property = lru_cache(5000, typed=True)(_unkept)
"""A property with its name: the same few are most of what a picture's tables show."""
