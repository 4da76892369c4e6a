"""A page as HTML, JSON or CSV."""

import asyncio
import csv
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from recograph.errors import RecographError
from recograph.graph.model import NODE_SETS
from recograph.serve.content import Page, Section
from recograph.serve.tables import node_rows, relationship_rows, section_rows
from recograph.serve.values import cell, change, number, words
from recograph.text import csv_cell, dump_json, printable

_CARDS_END = b"<!--no more cards-->"
"""Where a page's sections end."""


def as_json(page: Page) -> bytes:
    """The page's JSON."""
    return dump_json(page.json).encode() + b"\n"


def as_csv(page: Page) -> bytes:
    """The rows of the page's section; if it has several sections, one line per value, with the section's name.

    It begins with a byte order mark: without it, Excel takes it for the encoding of the reader's country.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if len(page.sections) == 1:
        answer = page.sections[0].answer
        writer.writerow(map(csv_cell, answer.columns))
        writer.writerows(map(_csv, row) for row in answer.rows)
    else:
        writer.writerow(["section", "row", "column", "value"])
        for section in page.sections:
            if section.problem:
                writer.writerow([section.name, "", "problem", section.problem])
            for number, row in enumerate(section.answer.rows, start=1):
                for column, value in zip(section.answer.columns, row, strict=True):
                    writer.writerow([section.name, number, csv_cell(column), _csv(value)])
    return text.getvalue().encode("utf-8-sig")


def _csv(value: Any) -> str:
    if value is None:
        return ""
    return csv_cell(value) if isinstance(value, str) else dump_json(value)


def as_html(page: Page, **context: Any) -> bytes:
    """The page in its template."""
    text = (
        environment()
        .get_template(page.template)
        .render(title=page.title, sections=page.sections, **{**context, **page.context})
    )
    return text.encode("utf-8", "replace")


async def in_parts(page: Page, sections: Sequence[asyncio.Future[Section]], **context: Any) -> AsyncIterator[bytes]:
    """What `as_html` gives for the page with its sections, each of them as soon as it and those before it are there."""
    top, end, bottom = as_html(page, **context).partition(_CARDS_END)
    yield top
    template: Any = environment().get_template("rows.html").module
    try:
        for section in sections:
            yield str(template.card(await asyncio.shield(section), page.context["facts"]["customer"])).encode()
    except RecographError:
        yield str(template.broken).encode()
    yield end + bottom


@cache
def environment() -> Environment:
    """The templates, in which every value is escaped."""
    templates = Environment(
        loader=PackageLoader("recograph.serve"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.filters |= {
        "cell": cell,
        "words": words,
        "json_data": json_data,
        "printable": printable,
        "number": number,
        "change": change,
    }
    templates.globals |= {"static": static_address, "bars": bars, "columns": columns, "line": line}
    templates.globals |= {"section_rows": section_rows, "relationship_rows": relationship_rows, "node_rows": node_rows}
    templates.globals["labels"] = [node.label for node in NODE_SETS]
    templates.globals["asset"] = lambda name: Markup(static()[name][1].decode())  # noqa: S704 - our own file
    return templates


@cache
def static() -> dict[str, tuple[str, bytes]]:
    """Our scripts and styles by name: address and content."""
    files = resources.files("recograph.serve") / "static"
    addressed = {}
    for file in files.iterdir():
        content = file.read_bytes()
        addressed[file.name] = (f"/-/static/{hashlib.sha256(content).hexdigest()[:16]}/{file.name}", content)
    return addressed


def static_address(name: str) -> str:
    """Where a script or style is; another content has another address."""
    return static()[name][0]


def json_data(value: Any) -> Markup:
    """JSON for a script element: no text in it can end the element."""
    return Markup(dump_json(value).replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 - escaped


def bars(section: Section) -> dict[str, Any] | None:
    """For a chart of lying bars: the length of each row's bar and of its part, in percent of the longest."""
    chart = section.chart
    if chart is None or chart.kind != "bars" or not section.answer.rows:
        return None
    rows = section.answer.records()
    longest = max((_number(row[chart.value]) for row in rows), default=0)
    if longest <= 0:
        return None
    return {
        "after": chart.name,
        "value": chart.value,
        "part": chart.part,
        "lengths": [
            (_percent(row[chart.value], longest), _percent(row[chart.part], longest) if chart.part else None)
            for row in rows
        ],
    }


def columns(section: Section) -> Sequence[dict[str, Any]]:
    """For a chart of standing columns: a list of columns for each group, in the order of the axis."""
    chart = section.chart
    if chart is None or chart.kind != "columns" or not section.answer.rows:
        return []
    rows = section.answer.records()
    highest = max((_number(row[chart.value]) for row in rows), default=0)
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        groups.setdefault(row[chart.group] if chart.group else None, []).append(
            {
                "name": cell(row[chart.name], chart.name),
                "value": row[chart.value],
                "height": _percent(row[chart.value], highest),
            }
        )
    return [{"group": group, "columns": standing} for group, standing in groups.items()]


def line(days: Sequence[tuple[str, int]]) -> str | None:
    """The points of a line through the totals of days, in a box of 100 by 24; None where a line says nothing."""
    if len(days) < 2:
        return None
    dates = [datetime.fromisoformat(day).toordinal() for day, _ in days]
    totals = [total for _, total in days]
    low, high = min(totals), max(totals)
    return " ".join(
        f"{(day - dates[0]) * 96 / (dates[-1] - dates[0]) + 2:.1f},{21 - (total - low) * 18 / max(high - low, 1):.1f}"
        for day, total in zip(dates, totals, strict=True)
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _percent(value: Any, longest: float) -> float:
    return round(100 * max(_number(value), 0) / longest, 2) if longest else 0.0
