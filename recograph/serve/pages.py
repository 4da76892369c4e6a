"""The content of each page. The visitor may see the customer, and the graph has it: `site` has checked both."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from recograph.errors import RecographError
from recograph.graph.model import USER
from recograph.graph.queries import Question, questions
from recograph.graph.reading import Answer
from recograph.graph.refusals import MissingError, SlowError
from recograph.graph.search import lucene
from recograph.serve.access import Viewer
from recograph.serve.asking import TOO_MUCH, Asking, QuestionError
from recograph.serve.cache import Basis
from recograph.serve.content import DIGITS, Page, Section, Show, key_of, node_address, records, section_of
from recograph.serve.loads import EVERYBODY, FACTS, Loaded
from recograph.serve.parameters import GREATEST, RequestError

DASHBOARD: dict[str, dict[str, int]] = {
    "activity": {},
    "popular_courses": {"limit": 8},
    "lowest_completion": {"limit": 8},
    "completion_by_course_type": {},
    "rating_distribution": {},
    "top_learners": {"limit": 8},
    "languages": {},
    "popular_assets": {"limit": 8},
    "dormant_users": {"limit": 8},
}
"""Questions on a customer's first page, with what they are asked with."""
_CUSTOMERS = {
    "customer": "id of the customer",
    "name": "the company's name",
    "snapshot_date": "the day whose dump the graph holds",
    "age_days": "days since then",
    "loaded_at": "when it was loaded",
    "nodes": "nodes of the customer in the graph",
    "relationships": "relationships of the customer in the graph",
}
Query = Mapping[str, str]


async def home(asking: Asking, basis: Basis, viewer: Viewer) -> Page:
    """The customers that one may see."""
    basis.rests_on([(EVERYBODY, FACTS)])
    seen = [loaded for customer, loaded in asking.loads.customers.items() if viewer.sees(customer)]
    grown = await asking.growth(basis)
    rows = [
        [
            loaded.id,
            loaded.name,
            loaded.snapshot_date,
            age(loaded),
            loaded.loaded_at,
            loaded.nodes,
            loaded.relationships,
        ]
        for loaded in seen
    ]
    section = Section(
        "customers", "Customers", Answer(list(_CUSTOMERS), rows), _CUSTOMERS, empty="There is no customer."
    )
    growth = {loaded.id: grown.get(loaded.id, {}) for loaded in seen}
    customers = [record | {"growth": growth[record["customer"]]} for record in section.answer.records()]
    everywhere = [asked for asked in questions().values() if "customer" not in asked.parameters]
    context = {
        "customers": [(loaded, age(loaded), list(growth[loaded.id].items())) for loaded in seen],
        "questions": everywhere if viewer.customers is None else [],
    }
    return Page("home.html", "Customers", {"customers": customers}, [section], context)


def age(loaded: Loaded) -> int | None:
    """Days since the snapshot's date."""
    if loaded.snapshot_date is None:
        return None
    return (datetime.now(UTC).date() - date.fromisoformat(loaded.snapshot_date)).days


def facts(loaded: Loaded) -> dict[str, Any]:
    """What is known of a customer's part of the graph."""
    return {
        "customer": loaded.id,
        "name": loaded.name,
        "snapshot_date": loaded.snapshot_date,
        "age_days": age(loaded),
        "loaded_at": loaded.loaded_at,
        "sets": loaded.totals,
    }


async def dashboard(asking: Asking, basis: Basis, loaded: Loaded, show: Show | None) -> Page:
    """A customer's questions as charts and tables."""
    basis.rests_on([(loaded.id, FACTS)])
    chosen = {name: given for name, given in DASHBOARD.items() if name in questions()}
    sections = [
        asyncio.ensure_future(answered(asking, basis, loaded, questions()[name], given))
        for name, given in chosen.items()
    ]
    page = Page("customer.html", loaded.name, None, (), {"facts": facts(loaded), "questions": _questions()})
    if show is not None:
        show(page, sections)
    answers = await asyncio.gather(*sections)
    return replace(page, json={**facts(loaded), "answers": records(answers)}, sections=answers)


def _questions() -> list[Question]:
    return [asked for asked in questions().values() if "customer" in asked.parameters]


async def search(asking: Asking, basis: Basis, loaded: Loaded, query: Query) -> Page:
    """Courses, assets and the like whose titles have the words; a user by id."""
    only(query, "q", "limit")
    text = query.get("q", "").strip()
    limit = count(query, "limit", 20)
    answer = Answer(["kind", "id", "title", "score"], [])
    if text and _has_word(text):
        hits = await asking.question(basis, "search", {"customer": loaded.id, "words": text, "limit": limit})
        # What a load deletes while it is being found has nothing left that could be shown.
        whole = [hit for hit in hits.records() if hit["kind"] is not None]
        answer = Answer(answer.columns, [[hit[name] for name in answer.columns] for hit in whole])
    if text.isascii() and text.isdecimal() and len(text) <= DIGITS:
        try:
            await asking.require(basis, USER, loaded.id, key_of(text))
            answer.rows.insert(0, [USER.label, int(text), f"User {text}", None])
        except MissingError:
            pass
    section = Section("results", "Results", answer, empty="Nothing found. Try fewer or other words." if text else "")
    results = [row | {"address": node_address(loaded.id, row["kind"], row["id"])} for row in answer.records()]
    json = {"customer": loaded.id, "q": text, "results": results}
    return Page("search.html", "Search", json, [section], {"q": text, "facts": facts(loaded)})


def _has_word(text: str) -> bool:
    try:
        lucene(text)
    except RecographError as error:
        if len(text) > 200:
            raise RequestError(str(error)) from error
        return False
    return True


async def answered(
    asking: Asking, basis: Basis, loaded: Loaded, asked: Question, given: Mapping[str, Any], about: str = ""
) -> Section:
    """One of several questions of a page: where the graph doesn't answer it, the others are there all the same."""
    more = f"/{loaded.id}/questions/{asked.name}{about}"
    try:
        answer = await asking.question(basis, asked.name, {"customer": loaded.id, **given})
        return section_of(asked, answer, more)
    except (SlowError, QuestionError) as error:
        problem = TOO_MUCH if isinstance(error, SlowError) else str(error)
        return replace(section_of(asked, Answer([], []), more), problem=problem)


async def ask(asking: Asking, basis: Basis, loaded: Loaded | None, asked: Question, query: Query) -> Page:
    """A question: its form, and the answer as soon as what it needs is given."""
    fixed = {} if loaded is None else {"customer": loaded.id}
    given = {
        name: asked.parameters[name].parse(text) if name in asked.parameters else text
        for name, text in _typed(asked, query).items()
    }
    if "customer" in query:
        raise RequestError("The address names the customer already.")
    missing = [param.name for param in asked.parameters.values() if param.required and param.name not in fixed | given]
    sections = []
    if not missing or (set(query) & asked.parameters.keys()):
        answer = await asking.question(basis, asked.name, fixed | given)
        sections.append(section_of(asked, answer))
    shown = {name: param for name, param in asked.parameters.items() if name != "customer"}
    json = {
        "question": asked.name,
        "text": asked.text,
        "parameters": fixed | {name: param.default for name, param in shown.items() if not param.required} | given,
        "columns": dict(asked.columns),
        "rows": sections[0].answer.records() if sections else None,
    }
    context = {
        "facts": None if loaded is None else facts(loaded),
        "asked": asked,
        "form": shown,
        "given": {name: query[name] for name in shown if name in query},
        "params": json["parameters"],
    }
    return Page("question.html", asked.text, json, sections, context)


def _typed(asked: Question, query: Query) -> dict[str, str]:
    """What a form sent; fields that were left empty aren't sent, but where a text may be empty."""
    try:
        typed = {name: text for name, text in query.items() if text or name not in asked.parameters}
        for name, text in typed.items():
            if name in asked.parameters:
                asked.parameters[name].parse(text)
    except RecographError as error:
        raise RequestError(str(error)) from error
    return typed


def only(query: Query, *known: str) -> None:
    """Refuse other parameters than these.

    Raises:
        RequestError: there is another.
    """
    if unknown := [name for name in query if name not in known]:
        raise RequestError(f"There is no parameter {unknown[0][:40]!r} here. It takes: {', '.join(known)}.")


def count(query: Query, name: str, default: int) -> int:
    """A whole number of the address.

    Raises:
        RequestError: it isn't one, or is too great.
    """
    text = query.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= GREATEST):
        raise RequestError(f"Parameter {name} must be a whole number from 1 to {GREATEST:,}.")
    return int(text)
