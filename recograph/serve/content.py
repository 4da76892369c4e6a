"""What a page says, before it is HTML, JSON or CSV."""

from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recograph.graph.charts import Chart
from recograph.graph.model import NODE_SETS, NodeSet, Scope
from recograph.graph.queries import Question
from recograph.graph.reading import Answer
from recograph.graph.refusals import MissingError

OWNED: dict[str, NodeSet] = {f"{node.label.lower()}s": node for node in NODE_SETS if node.scope is Scope.OWNED}
"""Node sets whose nodes have a page, by the word in its address: users, courses, assets, ..."""
_PLURALS = {node.label: plural for plural, node in OWNED.items()}
NAMES = ("name", "title")
"""Columns with what people call something."""
RECENCIES = ("recency", "last")
"""Columns with how long before the end of the snapshot's day something was, as the model has it."""
_KEYS = {f"{node.label.lower()}_id": node.label for node in OWNED.values()}
_LEADING = {"id", "item_id", *_KEYS}

DIGITS = 19
"""Of the greatest number that Neo4j holds."""


def key_of(text: str) -> int:
    """The key that a text of digits in an address is.

    Raises:
        MissingError: there can be no node of that key.
    """
    key = int(text)
    if not -(2**63) <= key < 2**63:
        raise MissingError("There is no such key.")
    return key


@dataclass(frozen=True)
class Section:
    """Some rows with a heading."""

    name: str
    title: str
    answer: Answer
    descriptions: Mapping[str, str] = field(default_factory=dict)
    """What is in each column."""
    chart: Chart | None = None
    more: str | None = None
    """Address of the page that has all of it."""
    empty: str = "No row."
    problem: str | None = None
    """Why it has no rows, where the graph hasn't answered."""

    @cached_property
    def kinds(self) -> dict[str, str]:
        """A word for the looks of each column: of ids, which a name makes needless, of numbers, or other."""
        return {column: self._kind_of(column) for column in self.answer.columns}

    def _kind_of(self, column: str) -> str:
        if column == "id" or column.endswith("_id"):
            return "ids" if set(NAMES) & set(self.answer.columns) else "other"
        place = self.answer.columns.index(column)
        values = [row[place] for row in self.answer.rows if row[place] is not None]
        numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        return "number" if values and numeric and column not in RECENCIES else "other"

    def links(self, customer: str, row: Sequence[Any]) -> dict[str, str]:
        """Addresses by column: of the node that an id or its title names."""
        leads, kind, name = self._leads
        addresses = {}
        for column, place, label in leads:
            label = row[kind] if kind is not None and column in ("id", "item_id") else label
            if isinstance(label, str) and label in _PLURALS and row[place] is not None:
                addresses[column] = node_address(customer, label, row[place])
        if len(addresses) == 1 and name is not None:
            addresses[name] = next(iter(addresses.values()))
        return addresses

    @cached_property
    def _leads(self) -> tuple[list[tuple[str, int, str | None]], int | None, str | None]:
        """Columns that may lead to a node, with place and label; the place of the kind; the column of names."""
        columns = self.answer.columns
        return (
            [(column, place, _KEYS.get(column)) for place, column in enumerate(columns) if column in _LEADING],
            columns.index("kind") if "kind" in columns else None,
            next((name for name in NAMES if name in columns), None),
        )


@dataclass(frozen=True)
class Page:
    """All that one address has to say."""

    template: str
    title: str
    json: Any
    """What its JSON is."""
    sections: Sequence[Section] = ()
    """What its CSV is, and what the template shows."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What else the template shows."""

    @property
    def is_whole(self) -> bool:
        """Whether the graph has answered all that is asked on it."""
        return all(section.problem is None for section in self.sections)


Show = Callable[[Page, Sequence[Future[Section]]], None]
"""Takes a page without sections, and the sections as they come, for whoever can be shown a page in parts."""


def node_address(customer: str, label: str, key: Any) -> str:
    """Where the page of a customer's node is."""
    return f"/{customer}/{_PLURALS[label]}/{key}"


def section_of(asked: Question, answer: Answer, more: str | None = None) -> Section:
    """The answer to a question, under it."""
    return Section(asked.name, asked.text, answer, asked.columns, asked.chart, more)


def records(sections: Sequence[Section]) -> dict[str, Any]:
    """The rows of sections by name, for JSON; null where there is no answer."""
    return {section.name: None if section.problem else section.answer.records() for section in sections}
