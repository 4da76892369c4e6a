"""Recommendations for one user, with the reasons in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import neo4j

from recograph.graph.model import ASSET, COURSE
from recograph.graph.queries import ask, question
from recograph.graph.reading import TIMEOUT, Answer
from recograph.graph.together import Part, ask_together

KINDS = (COURSE.label, ASSET.label)
"""What is recommended."""
_HAD = {COURSE.label: ("took", "taken"), ASSET.label: ("watched", "watched")}
PAST = """\
MATCH (user:User {customer_id: $customer, id: $user})
RETURN COLLECT { MATCH (user)-[:SPEAKS]->(language:Language) RETURN language.id ORDER BY language.id } AS languages,
  EXISTS { (user)-[:IS_ENROLLED]->() } AS took, EXISTS { (user)-[:HAS_WATCHED]->() } AS watched
"""
"""What kind of recommendations a user gets."""
_MOST = 2000
"""Recommendations that are asked for together with `PAST`."""


@dataclass(frozen=True)
class Past:
    """What the kind of recommendations for a user depends on."""

    languages: tuple[str, ...]
    """Ids of the languages that the user speaks."""
    had: tuple[str, ...]
    """Kinds of which the user had something. Users who had nothing of a kind and speak the same languages get the same
    recommendations of it."""


def recommend(
    driver: neo4j.Driver,
    customer: str,
    user: int,
    k: int = 10,
    *,
    kinds: Sequence[str] = KINDS,
    timeout: float = TIMEOUT,
) -> Answer:
    """Up to k courses and k assets that the user hasn't had, the best first.

    The score of an item is the sum of the scores of the `SIMILAR_TO` relationships that lead to it from what the user
    had. Where fewer than k items have one, the most popular items fill up. A user who had nothing yet gets what is
    popular with those who speak the same language. Items that were withdrawn, or are in a language that the user
    doesn't speak, are left out.

    Returns:
        Rows with kind, id, title, score and reason.

    Raises:
        RecographError: the graph hasn't the customer or the user, or the server fails.
    """
    answer = ask(
        driver, "recommendations", {"customer": customer, "user": user, "k": k, "kinds": list(kinds)}, timeout=timeout
    )
    return _reasoned(answer)


def recommend_known(
    driver: neo4j.Driver, customer: str, users: Sequence[int], k: int = 10, *, timeout: float = TIMEOUT
) -> dict[int, tuple[Past, Answer]]:
    """What users' recommendations depend on, and those of `recommend` of the kinds of which the user had something.

    Returns:
        Both by user; users whom the graph hasn't are left out.

    Raises:
        RecographError: the server fails.
    """
    asked = question("recommendations")
    given = asked.bind({"customer": customer, "user": 0, "k": k, "newcomers": False})
    del given["user"]
    parts = [
        Part(PAST, ("languages", "took", "watched"), {"customer": customer}, "user"),
        Part(asked.cypher, tuple(asked.columns), given, "user"),
    ]
    known = {}
    for user, (pasts, rows) in ask_together(driver, parts, users, timeout=timeout, most=_MOST).items():
        for languages, *had in pasts:
            past = Past(tuple(languages), tuple(kind for kind, had_any in zip(KINDS, had, strict=True) if had_any))
            known[user] = past, _reasoned(Answer(list(asked.columns), rows))
    return known


def _reasoned(answer: Answer) -> Answer:
    rows = [[row["kind"], row["item_id"], row["title"], row["score"], _reason(row)] for row in answer.records()]
    return Answer(["kind", "id", "title", "score", "reason"], rows)


def _reason(row: Mapping[str, Any]) -> str:
    before, after = _HAD[row["kind"]]
    if row["because_of"]:
        return f"because you {before} {' and '.join(row['because_of'])}"
    if not row["popularity"]:
        return "nobody has had it yet" if not row["popular_with"] else f"new to those who speak {row['popular_with']}"
    peers = f" with those who speak {row['popular_with']}" if row["popular_with"] else ""
    return f"popular{peers}: {after} by {row['popularity']:,}"
