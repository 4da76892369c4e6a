"""The similarity of items that is loaded: EASE, with parameters that are chosen by holding some interactions back.

`evaluation.py` uses these functions on the interactions that remain when it has hidden some; so the parameters that are
chosen there don't know the hidden ones.
"""

import itertools
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa
from scipy import sparse
from threadpoolctl import ThreadpoolController

from recograph.analytics.ease import LIMIT, Floats, weights, weights_by_currency
from recograph.analytics.holding_back import hold_back
from recograph.analytics.interactions import Interactions
from recograph.analytics.kinds import Kind
from recograph.analytics.lists import places_by_weights
from recograph.analytics.scores import gains


@dataclass(frozen=True)
class Parameters:
    """The parameters of EASE; these values are used where no others are clearly better."""

    regularisation: float = 100
    """λ: the more, the more users must have had two items before their weight is believed."""
    content: float = 3
    """ω: having the same features counts as much as so many users who had both items."""
    fading: float = 0.9
    """How much less a user makes an item current for each step of lower recency: by this factor."""


@dataclass(frozen=True)
class Similarity:
    """Which item speaks for which, and how that was computed."""

    weights: sparse.csr_matrix
    """Items by items: row i holds what i speaks for."""
    parameters: Parameters
    chosen_on: int
    """How many users had an interaction held back to choose the parameters."""
    in_closed_form: int
    """How many items are compared by EASE; the others, the least used, are compared by cosine."""


CHOICES = ((25, 50, 100, 200), (0, 3, 10), (1, 0.9, 0.8, 0.7))
"""The values that are tried of λ, ω and fading."""
K = 10
"""Length of the lists in which the held-back items are looked for."""
_USERS, _ITEMS = 2_000, 500
"""This many users, and this many of the most used items, are enough to choose the parameters."""


def similarity(data: Interactions, limit: int = LIMIT) -> Similarity:
    """Choose the parameters for these interactions, and learn with them from all interactions.

    Args:
        data: what is known.
        limit: how many items the closed form may have.
    """
    with _CONTROLLER.limit(limits=1 if len(data.items) <= _ITEMS else None):
        parameters, users = choose(data)
        learnt = learn(data, parameters, limit)
    return Similarity(learnt, parameters, users, min(len(data.items), limit))


_CONTROLLER = ThreadpoolController()
"""Limits the threads for small matrices, which take longer on two cores than on one: the second only waits busily."""


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
    """By item how current it is, from the recency of its users; the most current item has 1.

    One more user of average recency is added to each item, so that items with few users don't get extreme values.
    """
    if not len(data.item):
        return np.ones(len(data.items))
    fresh = fading ** (9.0 - data.recency)
    total = np.bincount(data.item, fresh, len(data.items)) + fresh.mean()
    mean = total / (np.bincount(data.item, minlength=len(data.items)) + 1)
    return np.asarray(mean / mean.max())


def choose(data: Interactions) -> tuple[Parameters, int]:
    """The parameters with which held-back interactions are found best, and of how many users one was held back.

    With a few hundred users it is partly luck which parameters are best. So among those within one standard error of
    the best, the ones nearest to the defaults of `Parameters` are taken (the one-standard-error rule of Breiman and
    others, 1984).
    """
    known, held = hold_back(data.most_used(_ITEMS), _USERS)
    if not len(held.user):
        return Parameters(), 0
    ways = [Parameters(*values) for values in itertools.product(*CHOICES)]
    learnt = [*_learnt_each(known)]
    user_gains = [*map(gains, places_by_weights(known, learnt, held.user, held.item, K))]
    best = max(user_gains, key=lambda of_users: float(of_users.mean()))

    def fitting(at: int) -> bool:
        worse = best - user_gains[at]
        return bool(worse.mean() <= worse.std() / np.sqrt(len(worse)))

    return ways[min(filter(fitting, range(len(ways))), key=lambda at: (_steps(ways[at]), -user_gains[at].mean()))], len(
        held.user
    )


def _learnt_each(data: Interactions) -> Iterator[sparse.csr_matrix]:
    """What is learnt with each of the `CHOICES`, in their order."""
    regularisations, contents, fadings = CHOICES
    currencies = [currency(data, fading) for fading in fadings]
    for regularisation, content in itertools.product(regularisations, contents):
        yield from weights_by_currency(
            data.matrix, data.features, currencies, regularisation=regularisation, content=content
        )


def _steps(way: Parameters) -> int:
    """How many steps in `CHOICES` the parameters are away from the defaults of `Parameters`."""
    pairs = zip(CHOICES, astuple(way), astuple(Parameters()), strict=True)
    return sum(abs(values.index(value) - values.index(usual)) for values, value, usual in pairs)


def table(data: Interactions, kind: Kind, weights: sparse.csr_matrix) -> pa.Table:
    """The mart that says which item leads to which, by ids."""
    rows = weights.tocoo()
    columns = {
        kind.item: data.items[rows.row],
        f"similar_{kind.item}": data.items[rows.col],
        "score": rows.data.astype(np.float64),
    }
    return pa.table(columns).sort_by([(kind.item, "ascending"), (f"similar_{kind.item}", "ascending")])
