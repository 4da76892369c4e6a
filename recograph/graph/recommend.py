"""Recommendations for one user, with the reasons in words."""

from collections.abc import Mapping
from typing import Any

import neo4j

from recograph.graph.queries import ask
from recograph.graph.reading import TIMEOUT, Answer

_HAD = {"Course": ("took", "taken"), "Asset": ("watched", "watched")}


def recommend(driver: neo4j.Driver, customer: str, user: int, k: int = 10, *, timeout: float = TIMEOUT) -> Answer:
    """Up to k courses and k assets that the user hasn't had, the best first.

    Scored by the sum of the scores of `SIMILAR_TO` with which what the user had leads there. What is most popular
    fills up; a user who had nothing yet gets what is popular with those who speak the same language. What was
    withdrawn, or is in a language that the user doesn't speak, isn't among it.

    Returns:
        Rows with kind, id, title, score and reason.

    Raises:
        RecographError: the graph hasn't the customer or the user, or the server fails.
    """
    answer = ask(driver, "recommendations", {"customer": customer, "user": user, "k": k}, timeout=timeout)
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
