"""Recommendations for one user, with the reasons in words."""

import neo4j

from recograph.graph.queries import ask
from recograph.graph.reading import TIMEOUT, Answer

_HAD = {"Course": ("took", "taken"), "Asset": ("watched", "watched")}


def recommend(driver: neo4j.Driver, customer: str, user: int, k: int = 10, *, timeout: float = TIMEOUT) -> Answer:
    """Up to k courses and k assets that the user hasn't had, the best first.

    Scored by their similarity to what the user had, which weighs the more the more recent and the better rated it was;
    what is most popular fills up, and is all that a new user gets.

    Returns:
        Rows with kind, id, title, score and reason.

    Raises:
        RecographError: the graph hasn't the customer or the user, or the server fails.
    """
    answer = ask(driver, "recommendations", {"customer": customer, "user": user, "k": k}, timeout=timeout)
    rows = []
    for row in answer.records():
        reason = _reason(row["kind"], row["because_of"], row["popularity"])
        rows.append([row["kind"], row["item_id"], row["title"], row["score"], reason])
    return Answer(["kind", "id", "title", "score", "reason"], rows)


def _reason(kind: str, because_of: list[str], popularity: int) -> str:
    did, done = _HAD[kind]
    if because_of:
        return f"because you {did} {' and '.join(because_of)}"
    return f"popular: {done} by {popularity:,}" if popularity else "nobody has had it yet"
