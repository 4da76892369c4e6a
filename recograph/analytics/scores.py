"""How good lists are: whether and where they have the hidden items, and how much of that may be chance."""

from dataclasses import dataclass

import numpy as np

from recograph.analytics.ease import Floats, Ints
from recograph.analytics.lists import Lists

RESAMPLES = 2_000


@dataclass(frozen=True)
class Interval:
    """A mean over users, and the bounds within which it lies in 95 of 100 samples of as many users."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Score:
    """How a way of recommending does."""

    users: int
    hit_rate: Interval
    """Share of the users whose list has what was hidden."""
    ndcg: Interval
    """Mean of 1 / log2(1 + the hidden item's place), 0 where it isn't in the list."""
    mrr: Interval
    """Mean of 1 / the hidden item's place, 0 where it isn't in the list."""
    coverage: float
    """Share of the items that are in anybody's list."""
    novelty: float
    """Mean of log2(users / users who had the item) over the items in the lists: bits of surprise."""


def places(lists: Lists, item: Ints) -> Ints:
    """By user the place of the item in the list, from 1; 0 where it isn't in it."""
    same = lists.item == item[:, None]
    return np.where(same.any(axis=1), same.argmax(axis=1) + 1, 0)


def gains(place: Ints) -> Floats:
    """By user the normalised discounted gain of one hidden item."""
    return np.where(place > 0, 1 / np.log2(1 + np.maximum(place, 1)), 0)


def score(lists: Lists, item: Ints, popularity: Ints, users: int) -> Score:
    """Score the lists of users of whom one item each was hidden.

    Args:
        lists: the lists of these users.
        item: number of the hidden item, by user of the lists.
        popularity: by item, how many users had it.
        users: how many users there are in all.
    """
    place = places(lists, item)
    worth = np.arange(lists.item.shape[1] + 1)
    counts = np.bincount(place, minlength=len(worth))
    listed = lists.item[lists.item >= 0]
    surprise = np.log2(users / np.maximum(popularity[listed], 1)) if len(listed) else np.zeros(1)
    return Score(
        len(place),
        _interval(counts, np.where(worth > 0, 1.0, 0.0)),
        _interval(counts, gains(worth)),
        _interval(counts, np.where(worth > 0, 1 / np.maximum(worth, 1), 0)),
        len(np.unique(listed)) / max(1, len(popularity)),
        float(surprise.mean()),
    )


def _interval(counts: Ints, worth: Floats) -> Interval:
    """Bootstrap: users are drawn with replacement. Only the number of users with each place matters, so it is drawn."""
    users = int(counts.sum())
    if not users:
        return Interval(0, 0, 0)
    drawn = np.random.default_rng(0).multinomial(users, counts / users, RESAMPLES) @ worth / users
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(counts @ worth / users), float(low), float(high))
