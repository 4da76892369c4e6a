"""The content of each page. The visitor may see the customer, and the graph has it: `site` has checked both."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from recograph.errors import RecographError
from recograph.graph.model import USER, NodeSet
from recograph.graph.neighbourhood import LIMIT, Neighbourhood
from recograph.graph.queries import Question, questions
from recograph.graph.reading import Answer
from recograph.graph.recommend import KINDS
from recograph.graph.refusals import MissingError, SlowError
from recograph.graph.search import lucene
from recograph.serve.access import Viewer
from recograph.serve.asking import GREATEST, TOO_MUCH, Asking, QuestionError, RequestError
from recograph.serve.cache import Basis
from recograph.serve.content import DIGITS, OWNED, Page, Section, key_of, node_address, records, section_of
from recograph.serve.loads import EVERYBODY, FACTS, Loaded

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
_AROUND = 8
"""Neighbours of each kind in a page's picture; more can be followed."""
_USUAL = 10
"""Recommendations of each kind, unless others are asked for."""
_FEW = 5
"""Recommendations of each kind on a user's page."""
_RECOMMENDED = {
    "kind": "Course or Asset",
    "id": "id of the course or asset",
    "title": "its title",
    "score": "how much of what the user had speaks for it; 0 where only popular",
    "reason": "why it is recommended",
}
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


async def dashboard(asking: Asking, basis: Basis, loaded: Loaded) -> Page:
    """A customer's questions as charts and tables."""
    basis.rests_on([(loaded.id, FACTS)])
    shown = {name: given for name, given in DASHBOARD.items() if name in questions()}
    sections = await asyncio.gather(
        *(_answered(asking, basis, loaded, questions()[name], given) for name, given in shown.items())
    )
    context = {"facts": facts(loaded), "questions": _questions()}
    json = {**facts(loaded), "answers": records(sections)}
    return Page("customer.html", loaded.name, json, sections, context)


def _questions() -> list[Question]:
    return [asked for asked in questions().values() if "customer" in asked.parameters]


async def search(asking: Asking, basis: Basis, loaded: Loaded, query: Query) -> Page:
    """Courses, assets and the like whose titles have the words; a user by id."""
    _only(query, "q", "limit")
    text = query.get("q", "").strip()
    limit = _count(query, "limit", 20)
    answer = Answer(["kind", "id", "title", "score"], [])
    if text and _has_word(text):
        found = await asking.question(basis, "search", {"customer": loaded.id, "words": text, "limit": limit})
        answer = Answer(answer.columns, [[row[name] for name in answer.columns] for row in found.records()])
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


async def node(asking: Asking, basis: Basis, loaded: Loaded, word: str, key: int) -> Page:
    """A user, course or asset: what is known, what is alike, what is around."""
    node = OWNED[word]
    recommended = [_recommended(asking, basis, loaded, key, _FEW)] if node is USER else []
    (around, answered), first = await asyncio.gather(
        _about_it(asking, basis, loaded, node, key), asyncio.gather(*recommended)
    )
    sections = [*first, *answered]
    title = around.nodes[0].caption
    properties = {prop.name: around.nodes[0].properties.get(prop.name) for prop in node.properties}
    json = {
        "customer": loaded.id,
        "kind": node.label,
        "id": key,
        "properties": properties,
        "answers": records(sections),
        "neighbourhood": neighbourhood_json(loaded.id, around),
    }
    descriptions = {prop.name: prop.description for prop in node.properties}
    context = {
        "facts": facts(loaded),
        "node": node,
        "id": key,
        "properties": properties,
        "descriptions": descriptions,
        "around": around,
        "picture": json["neighbourhood"],
    }
    return Page("node.html", title, json, sections, context)


async def _answered(
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


async def _about_it(
    asking: Asking, basis: Basis, loaded: Loaded, node: NodeSet, key: int
) -> tuple[Neighbourhood, list[Section]]:
    """What is around a node, and what the questions about such a node say of it."""
    word = node.label.lower()
    address = f"?{word}={key}"
    given = {
        asked.name: {"customer": loaded.id, word: key, **({"limit": 10} if "limit" in asked.parameters else {})}
        for asked in _about(node)
    }
    if about := await asking.about(basis, node, loaded.id, key, _AROUND, given):
        around, answers = about
        return around, [
            section_of(asked, answer, f"/{loaded.id}/questions/{asked.name}{address}")
            for asked, answer in zip(_about(node), answers, strict=True)
        ]
    around, sections = await asyncio.gather(
        asking.around(basis, node, loaded.id, key, _AROUND),
        asyncio.gather(
            *(_answered(asking, basis, loaded, asked, given[asked.name], address) for asked in _about(node))
        ),
    )
    return around, sections


def _about(node: NodeSet) -> list[Question]:
    """Questions that ask for nothing but the customer and such a node; recommendations have a form of their own."""
    wanted = {"customer", node.label.lower()}
    asked = [
        declared
        for declared in questions().values()
        if {parameter.name for parameter in declared.parameters.values() if parameter.required} == wanted
    ]
    return [declared for declared in asked if declared.name != "recommendations"]


async def neighbourhood(asking: Asking, basis: Basis, loaded: Loaded, word: str, key: int, query: Query) -> Page:
    """What is around a node, for the picture to follow."""
    _only(query, "limit")
    around = await asking.around(basis, OWNED[word], loaded.id, key, _count(query, "limit", LIMIT))
    columns = ["relationship", "start", "end", "properties"]
    rows = [[edge.type, edge.start, edge.end, dict(edge.properties)] for edge in around.relationships]
    section = Section("neighbourhood", "Neighbourhood", Answer(columns, rows))
    return Page("", around.nodes[0].caption, neighbourhood_json(loaded.id, around), [section])


def neighbourhood_json(customer: str | None, around: Neighbourhood) -> dict[str, Any]:
    """A neighbourhood as the picture reads it; nodes have addresses where there is a customer with pages."""
    labels = {node.label for node in OWNED.values()}
    return {
        "nodes": [
            {
                "key": vertex.key,
                "label": vertex.label,
                "caption": vertex.caption,
                "properties": dict(vertex.properties),
                "address": node_address(customer, vertex.label, vertex.id)
                if customer and vertex.label in labels
                else None,
            }
            for vertex in around.nodes
        ],
        "relationships": [
            {"type": edge.type, "start": edge.start, "end": edge.end, "properties": dict(edge.properties)}
            for edge in around.relationships
        ],
    }


async def recommendations(asking: Asking, basis: Basis, loaded: Loaded, key: int, query: Query) -> Page:
    """What a learning platform would call: courses and assets that the user hasn't had."""
    _only(query, "k")
    section = await _recommended(asking, basis, loaded, key, _count(query, "k", _USUAL))
    json = {
        "customer": loaded.id,
        "user": key,
        "snapshot_date": loaded.snapshot_date,
        "recommendations": section.answer.records(),
    }
    return Page("recommendations.html", f"User {key}", json, [section], {"facts": facts(loaded), "id": key})


async def _recommended(asking: Asking, basis: Basis, loaded: Loaded, key: int, k: int) -> Section:
    # The first of ten are those that are found where fewer are asked for; so one look serves both.
    answer = await asking.recommendations(basis, loaded.id, key, max(k, _USUAL))
    if k < _USUAL:
        kinds = {kind: [row for row in answer.rows if row[0] == kind][:k] for kind in KINDS}
        answer = Answer(answer.columns, [row for rows in kinds.values() for row in rows])
    return Section(
        "recommendations",
        "What should the user take and watch next?",
        answer,
        _RECOMMENDED,
        more=f"/{loaded.id}/users/{key}/recommendations",
        empty="There is nothing that the user hasn't had.",
    )


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


def _only(query: Query, *known: str) -> None:
    if unknown := [name for name in query if name not in known]:
        raise RequestError(f"There is no parameter {unknown[0][:40]!r} here. It takes: {', '.join(known)}.")


def _count(query: Query, name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= GREATEST):
        raise RequestError(f"Parameter {name} must be a whole number from 1 to {GREATEST:,}.")
    return int(text)
