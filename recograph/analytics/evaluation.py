"""How good are the recommendations? Hides each user's last item, and sees whether the user's other items lead to it.

The hidden items are taken out before anything is computed: similarity, its parameters and popularity don't know them.
The recommender is scored as `graph/queries/recommendations.cypher` serves it, and compared with simpler ways to
recommend, for the same users and the same candidates.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recograph.analytics.ease import Bools, cosines, weights
from recograph.analytics.holding_back import Held, hold_back
from recograph.analytics.interactions import Interactions, fetch
from recograph.analytics.kinds import KINDS
from recograph.analytics.lists import lists
from recograph.analytics.scores import Score, score
from recograph.analytics.similarity import K, similarity
from recograph.lake.interfaces import Warehouse

SHORT_HISTORY = 3
"""A history is short if it has this many items or fewer, not counting the hidden one."""
COLD = 5
"""An item is cold if fewer users than this had it, not counting those of whom it is hidden."""
PLAIN = 50
"""λ of the plain EASE that the recommender is compared with."""

_WEIGHTS = 4_000_000
"""How many weights are kept: all weights of 2,000 items."""

Way = Callable[[Interactions], sparse.csr_matrix]
"""A way to recommend: learns from the interactions that aren't hidden which item speaks for which."""


@dataclass(frozen=True)
class Evaluation:
    """The results for one kind of item of one customer."""

    items: int
    scores: dict[str, dict[str, Score]]
    """By group of users (all, short histories, cold items) and way of recommending."""


RECOMMENDER, POPULARITY = "recommender", "popularity"
ALL, SHORT, COLD_ITEMS = "all", "short histories", "cold items"


def recommender(data: Interactions) -> sparse.csr_matrix:
    """The similarity that is loaded into the graph."""
    return similarity(data).weights


def ease(data: Interactions, regularisation: float = PLAIN) -> sparse.csr_matrix:
    """EASE as published, without content or currency: all weights, or as many of the strongest as `_WEIGHTS` allows."""
    items = len(data.items)
    nothing = sparse.csr_matrix((items, 0))
    return weights(
        data.matrix,
        nothing,
        np.ones(items),
        regularisation=regularisation,
        per_item=min(items, _WEIGHTS // max(1, items)),
        signed=True,
    )


def cosine(data: Interactions) -> sparse.csr_matrix:
    """The cosine over users, the strongest of each item."""
    return cosines(data.matrix)


def popularity(data: Interactions) -> sparse.csr_matrix:
    """No item speaks for another, so that lists are filled with what is popular."""
    return sparse.csr_matrix((len(data.items), len(data.items)))


WAYS: dict[str, Way] = {RECOMMENDER: recommender, "EASE": ease, "cosine": cosine, POPULARITY: popularity}


def evaluate_customer(warehouse: Warehouse, customer: str, date: str) -> dict[str, Evaluation]:
    """Evaluate every kind of item of a customer on a day.

    Raises:
        RecographError: marts are missing.
    """
    return {name: evaluate(fetch(warehouse, kind, customer, date)) for name, kind in KINDS.items()}


def evaluate(data: Interactions, k: int = K, ways: dict[str, Way] | None = None) -> Evaluation:
    """Evaluate ways of recommending one kind of item, by lists of k."""
    rest, hidden = hold_back(data)
    groups = _groups(rest, hidden)
    scores: dict[str, dict[str, Score]] = {name: {} for name in groups}
    for way, learn in (WAYS if ways is None else ways).items():
        top = lists(rest, learn(rest), hidden.user, k)
        for name, chosen in groups.items():
            scores[name][way] = score(top.only(chosen), hidden.item[chosen], rest.popularity, int(rest.asked.sum()))
    return Evaluation(len(data.items), scores)


def _groups(rest: Interactions, hidden: Held) -> dict[str, Bools]:
    had = np.bincount(rest.user, minlength=len(rest.users))
    used = np.bincount(rest.item, minlength=len(rest.items))
    return {
        ALL: np.ones(len(hidden.user), bool),
        SHORT: had[hidden.user] <= SHORT_HISTORY,
        COLD_ITEMS: used[hidden.item] < COLD,
    }
