"""Pages of a user, course or asset: what is known, what is alike, what is around, and what to recommend."""

import asyncio
from asyncio import Future
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from recograph.errors import RecographError
from recograph.graph.model import USER, NodeSet
from recograph.graph.neighbourhood import LIMIT, Neighbourhood
from recograph.graph.queries import Question, questions
from recograph.graph.reading import Answer
from recograph.graph.recommend import KINDS
from recograph.serve.asking import Asking
from recograph.serve.cache import Basis
from recograph.serve.content import OWNED, Page, Section, Show, node_address, records, section_of
from recograph.serve.loads import Loaded
from recograph.serve.look_ups import About, Recommendations
from recograph.serve.pages import Query, answered, count, facts, only

_AROUND = 8
"""Neighbours of each kind in a page's picture; more can be followed."""
_ROWS = 10
"""Rows of each answer on a node's page; more are where its heading leads."""
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


async def node(asking: Asking, basis: Basis, loaded: Loaded, word: str, key: int, show: Show | None) -> Page:
    """A user, course or asset: what is known, what is alike, what is around."""
    node = OWNED[word]
    recommended = [_recommended(asking, basis, loaded, key, _FEW)] if node is USER else []
    whole = asyncio.gather(_about_it(asking, basis, loaded, node, key), asyncio.gather(*recommended))
    if show is not None and node is USER:
        # Who is alike takes most of the time; who looks at a user needn't wait for it to see the rest.
        around = asyncio.ensure_future(asking.around(basis, node, loaded.id, key, _AROUND))
        either: set[Future[Any]] = {around, whole}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if around.done() and not around.exception() and not whole.done():
            number = len(recommended) + len(questions_about(node))
            show(_page(loaded, node, key, around.result(), ()), [_nth(whole, place) for place in range(number)])
        around.cancel()
    (around_it, others), first = await whole
    return _page(loaded, node, key, around_it, [*first, *others])


def _nth(whole: "Future[tuple[tuple[Neighbourhood, list[Section]], list[Section]]]", place: int) -> Future[Section]:
    """One of a page's sections, as soon as they are there."""
    section: Future[Section] = asyncio.get_running_loop().create_future()

    def take(ended: "Future[tuple[tuple[Neighbourhood, list[Section]], list[Section]]]") -> None:
        if ended.cancelled():
            section.cancel()
        elif error := ended.exception():
            section.set_exception(error)
            section.exception()  # whoever was shown the page may have gone
        else:
            (_, others), first = ended.result()
            section.set_result([*first, *others][place])

    whole.add_done_callback(take)
    return section


def _page(loaded: Loaded, node: NodeSet, key: int, around: Neighbourhood, sections: Sequence[Section]) -> Page:
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


async def plan(asking: Asking) -> None:
    """Let Neo4j make its plans for the pages of nodes, one after the other."""
    kinds: list[About | Recommendations] = [Recommendations(asking.driver, "", _USUAL)]
    for node in OWNED.values():
        names = tuple(asked.name for asked in questions_about(node))
        kinds.append(About(asking.driver, node, "", _AROUND, _ROWS, names))
    for kind in kinds:
        with suppress(RecographError):  # whoever opens such a page is told
            await asking.plan(kind)


async def _about_it(
    asking: Asking, basis: Basis, loaded: Loaded, node: NodeSet, key: int
) -> tuple[Neighbourhood, list[Section]]:
    """What is around a node, and what the questions about such a node say of it."""
    word = node.label.lower()
    address = f"?{word}={key}"
    asked = questions_about(node)
    about = await asking.about(basis, node, loaded.id, key, _AROUND, _ROWS, [question.name for question in asked])
    if about is not None:
        around, answers = about
        return around, [
            section_of(question, answer, f"/{loaded.id}/questions/{question.name}{address}")
            for question, answer in zip(asked, answers, strict=True)
        ]
    given = [{word: key} | ({"limit": _ROWS} if "limit" in question.parameters else {}) for question in asked]
    around, sections = await asyncio.gather(
        asking.around(basis, node, loaded.id, key, _AROUND),
        asyncio.gather(
            *(
                answered(asking, basis, loaded, question, own, address)
                for question, own in zip(asked, given, strict=True)
            )
        ),
    )
    return around, sections


def questions_about(node: NodeSet) -> list[Question]:
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
    only(query, "limit")
    around = await asking.around(basis, OWNED[word], loaded.id, key, count(query, "limit", LIMIT))
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
    only(query, "k")
    section = await _recommended(asking, basis, loaded, key, count(query, "k", _USUAL))
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
