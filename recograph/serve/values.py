"""A value as HTML for people; the browser writes numbers and dates in its own language."""

import html
import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from recograph.serve.content import NAMES, RECENCIES
from recograph.text import dump_json, printable

RECENCY = {
    9: "under 1 week",
    8: "1 to 2 weeks",
    7: "2 to 4 weeks",
    6: "4 to 8 weeks",
    5: "8 to 16 weeks",
    4: "16 to 32 weeks",
    3: "32 to 64 weeks",
    2: "64 to 128 weeks",
    1: "older or unknown",
    None: "never",
}
"""What a recency says, before the end of the snapshot's day."""
_SHARES = ("share", "jaccard")
_WORDS = {"course_id": "course", "asset_id": "asset", "user_id": "user", "item_id": "id", "customer_id": "customer"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")


@lru_cache(1000)
def words(column: str) -> str:
    """A column's or property's name as words."""
    return printable(_WORDS.get(column, column).replace("_", " "))


def number(value: float) -> Markup:
    """A number that the browser writes in its own language."""
    return Markup(_number(value))  # noqa: S704 - a number


def change(share: float) -> Markup:
    """By which share something has grown, or has become less."""
    return Markup(f'<data value="{share}" class="change">{share * 100:+.1f}%</data>')  # noqa: S704 - a number


def cell(value: Any, column: str = "") -> Markup:
    """A value for people."""
    return Markup(shown(value, column))  # noqa: S704 - escaped


def shown(value: Any, column: str = "") -> str:
    """A value for people, as HTML in which all that isn't ours is escaped."""
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value)
    return _shown(dump_json(value), column) if isinstance(value, dict) else _shown(value, column)


@lru_cache(5000, typed=True)
def _shown(value: Any, column: str) -> str:
    """A single value: the same few are most of what pages show."""
    if column in RECENCIES and (value is None or value in RECENCY):
        return RECENCY[value]
    if value is None:
        return '<span class="none">\N{EN DASH}</span>'
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column in _SHARES and isinstance(value, int | float):
        return f'<data value="{value}" class="percent">{value * 100:.0f}%</data>'
    if isinstance(value, int | float):
        # An id is a name, which has no thousands.
        return str(value) if column == "id" or column.endswith("_id") else _number(value)
    if column not in NAMES and (time := _time(value)):
        return time
    return html.escape(printable(value))


def _number(value: float) -> str:
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")
    return f'<data value="{value}">{text}</data>'


def _time(value: str) -> str | None:
    """A text that is a time; None for all others, those that only look like one too."""
    if not _TIME.fullmatch(value):
        return None
    try:
        text = datetime.fromisoformat(value).strftime("%-d %b %Y")
    except ValueError:
        return None
    return f'<time datetime="{value}">{text}</time>'
