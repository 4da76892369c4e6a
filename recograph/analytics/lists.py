"""Lists of recommendations for many users at once, by the scores that `recommendations.cypher` gives one user.

An item's score for a user is the sum of the weights with which the items that the user had speak for it. Among items of
equal score the more popular comes first, then the one with the lower id; so popular items fill a list up. A user
without a history gets what is popular with those who speak the same language. No list has an item that the user had,
that was withdrawn, or that is in a language that the user doesn't speak (where both languages are known).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recograph.analytics.ease import Bools, Floats, Ints
from recograph.analytics.interactions import UNKNOWN, Interactions

_NEVER = -np.inf
_CELLS = 5_000_000
"""How many scores (users times items) are computed at once: 40 MB."""
_STEP = 1e-6
"""Scores are rounded to multiples of this, so that smaller numbers can be added to order equal scores."""


@dataclass(frozen=True)
class Lists:
    """The lists of some users: one row per user, the best item first."""

    user: Ints
    """Numbers of the users."""
    item: Ints
    """Numbers of the items, users by places; -1 behind the end of a list."""
    score: Floats
    """Scores of the items, users by places; 0 where an item is there only because it is popular."""

    def only(self, chosen: Bools) -> "Lists":
        """The lists of some of the users."""
        return Lists(self.user[chosen], self.item[chosen], self.score[chosen])


def lists(data: Interactions, weights: sparse.csr_matrix, users: Ints, k: int) -> Lists:
    """Up to k items for each of the users.

    Args:
        data: what is known.
        weights: items by items, which item speaks for which; without any weight the lists have what is popular.
        users: numbers of users.
        k: length of a list.
    """
    return next(lists_by_weights(data, [weights], users, k))


def lists_by_weights(data: Interactions, ways: Sequence[sparse.csr_matrix], users: Ints, k: int) -> Iterator[Lists]:
    """The `lists` of the same users by different weights, for which what doesn't depend on them is found out once."""
    blocks = list(_blocks(data, ways, users, min(k, len(data.items))))
    if not blocks:
        nothing = np.zeros((0, k))
        blocks = [[(nothing.astype(np.int64), nothing)] * len(ways)]
    for of_way in zip(*blocks, strict=True):
        yield Lists(users, *(np.concatenate(part) for part in zip(*of_way, strict=True)))


def _blocks(
    data: Interactions, ways: Sequence[sparse.csr_matrix], users: Ints, k: int
) -> Iterator[list[tuple[Ints, Floats]]]:
    """Of some users at a time the items and scores of their lists, by each of the weights."""
    size = max(1, _CELLS // max(1, len(data.items)))
    popular = {code: _places(_popular_with(data, code)) for code in np.unique(data.speaks[users])}
    overall = _places(data.popularity)
    for start in range(0, len(users), size):
        block = users[start : start + size]
        had = data.matrix[block]
        new = np.diff(had.indptr) == 0
        # What orders equal scores, and rules items out.
        base = np.tile(overall, (len(block), 1))
        for code, places in popular.items():
            speaking = data.speaks[block] == code
            base[speaking & new] = places
            if code != UNKNOWN:
                base[np.ix_(speaking, (data.language != code) & (data.language != UNKNOWN))] = _NEVER
        base[:, ~data.open] = _NEVER
        base[np.repeat(np.arange(len(block)), np.diff(had.indptr)), had.indices] = _NEVER
        yield [_best(np.round((had @ weights).toarray().astype(np.float64), 6) + base, k) for weights in ways]


def _best(values: Floats, k: int) -> tuple[Ints, Floats]:
    """The items of the greatest values in each row, the greatest first, and their scores."""
    best = np.argpartition(values, -k, axis=1)[:, -k:]
    best = np.take_along_axis(best, np.argsort(-np.take_along_axis(values, best, axis=1), axis=1), axis=1)
    value = np.take_along_axis(values, best, axis=1)
    return np.where(value > _NEVER, best, -1), np.round(np.maximum(value - _STEP / 4, 0), 6)


def _popular_with(data: Interactions, language: int) -> Ints:
    """By item: how many of those who speak a language had it, or of all where the language isn't known."""
    if language == UNKNOWN:
        return data.popularity
    of_peers = data.asked[data.user] & (data.speaks[data.user] == language)
    return np.bincount(data.item[of_peers], minlength=len(data.items))


def _places(popularity: Ints) -> Floats:
    """By item a number of at most half of `_STEP` that orders items of equal score: greater where it comes earlier."""
    place = np.empty(len(popularity))
    place[np.lexsort((np.arange(len(popularity)), -popularity))] = np.arange(len(popularity))
    return _STEP / 2 * (1 - place / max(1, len(popularity)))
