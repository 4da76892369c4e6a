"""The similarity of items as it is loaded: EASE, with what nobody can know beforehand chosen on interactions held back.

`evaluation.py` measures with these very functions, on what is left when it has hidden something; so what is chosen
there never saw what is hidden.
"""

import itertools
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa
from scipy import sparse
from threadpoolctl import ThreadpoolController

from recograph.analytics.ease import LIMIT, Floats, weights
from recograph.analytics.holding_back import hold_back
from recograph.analytics.interactions import Interactions
from recograph.analytics.kinds import Kind
from recograph.analytics.lists import lists
from recograph.analytics.scores import gains, places


@dataclass(frozen=True)
class Parameters:
    """What the interactions themselves don't say; the values here are taken where none is clearly better."""

    regularisation: float = 100
    """λ: how many users it takes until they are believed."""
    content: float = 3
    """ω: how many users the same features are worth."""
    fading: float = 0.9
    """How current an item is by a user of a recency one lower, against one of the higher."""


@dataclass(frozen=True)
class Similarity:
    """Which item speaks for which, and how that came about."""

    weights: sparse.csr_matrix
    """Items by items: row i holds what i speaks for."""
    parameters: Parameters
    chosen_on: int
    """Users of whom an interaction was held back to choose the parameters."""
    in_closed_form: int
    """Items compared by EASE; the rest, the least used, by cosine."""


CHOICES = ((25, 50, 100, 200), (0, 3, 10), (1, 0.9, 0.8, 0.7))
"""Of λ, ω and fading."""
K = 10
"""Length of the lists in which what was held back is looked for."""
_USERS, _ITEMS = 2_000, 500
"""So many users, and so many of the most used items, are enough to choose on."""


def similarity(data: Interactions, limit: int = LIMIT) -> Similarity:
    """Choose the parameters for these interactions, and learn with them from all.

    Args:
        data: what is known.
        limit: how many items the closed form may have.
    """
    with _CONTROLLER.limit(limits=1 if len(data.items) <= _ITEMS else None):
        parameters, users = choose(data)
        found = learn(data, parameters, limit)
    return Similarity(found, parameters, users, min(len(data.items), limit))


_CONTROLLER = ThreadpoolController()
"""Small matrices take longer on two cores than on one: the second would only wait busily."""


def learn(data: Interactions, parameters: Parameters, limit: int = LIMIT) -> sparse.csr_matrix:
    """Which item speaks for which with these parameters: the strongest positive weights of each item."""
    return weights(
        data.matrix,
        data.features,
        currency(data, parameters.fading),
        regularisation=parameters.regularisation,
        content=parameters.content,
        limit=limit,
    )


def currency(data: Interactions, fading: float) -> Floats:
    """By item how current it is, from the recency of its users; the most current has 1.

    One user more, as current as all on average, keeps items of few users from the extremes.
    """
    if not len(data.item):
        return np.ones(len(data.items))
    fresh = fading ** (9.0 - data.recency)
    total = np.bincount(data.item, fresh, len(data.items)) + fresh.mean()
    mean = total / (np.bincount(data.item, minlength=len(data.items)) + 1)
    return np.asarray(mean / mean.max())


def choose(data: Interactions) -> tuple[Parameters, int]:
    """Hold back the latest interaction of each user, and see with which parameters it is found; and of how many users.

    The best parameters on a few hundred users are so by luck, too. So of those within one standard error of the best
    the nearest to the ones of `Parameters` are taken (the one-standard-error rule of Breiman and others, 1984).
    """
    known, held = hold_back(data.most_used(_ITEMS), _USERS)
    if not len(held.user):
        return Parameters(), 0
    ways = [Parameters(*values) for values in itertools.product(*CHOICES)]
    found = [gains(places(lists(known, learn(known, way), held.user, K), held.item)) for way in ways]
    best = max(found, key=lambda each: float(each.mean()))

    def fitting(at: int) -> bool:
        worse = best - found[at]
        return bool(worse.mean() <= worse.std() / np.sqrt(len(worse)))

    return ways[min(filter(fitting, range(len(ways))), key=lambda at: (_steps(ways[at]), -found[at].mean()))], len(
        held.user
    )


def _steps(way: Parameters) -> int:
    """How many values away from the ones of `Parameters`."""
    pairs = zip(CHOICES, astuple(way), astuple(Parameters()), strict=True)
    return sum(abs(values.index(value) - values.index(usual)) for values, value, usual in pairs)


def table(data: Interactions, kind: Kind, found: sparse.csr_matrix) -> pa.Table:
    """The mart: which item leads to which, by ids."""
    rows = found.tocoo()
    columns = {
        kind.item: data.items[rows.row],
        f"similar_{kind.item}": data.items[rows.col],
        "score": rows.data.astype(np.float64),
    }
    return pa.table(columns).sort_by([(kind.item, "ascending"), (f"similar_{kind.item}", "ascending")])
