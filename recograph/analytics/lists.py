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
    parts = [_best(_values(had, base, weights), min(k, len(data.items))) for had, base in _blocks(data, users)]
    if not parts:
        return Lists(users, np.zeros((0, k), np.int64), np.zeros((0, k)))
    return Lists(users, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def places_by_weights(
    data: Interactions, ways: Sequence[sparse.csr_matrix], users: Ints, item: Ints, k: int
) -> Iterator[Ints]:
    """By each of some weights: the place of one item in each user's list, from 1; 0 where the list doesn't have it.

    No list is made for that. It is enough to count the items that come before.
    """
    blocks: list[list[Ints]] = []
    start = 0
    for had, base in _blocks(data, users):
        wanted = item[start : start + len(base), None]
        start += len(base)
        blocks.append([_place(_values(had, base, weights), wanted, k) for weights in ways])
    yield from map(np.concatenate, zip(*blocks, strict=True))


def _blocks(data: Interactions, users: Ints) -> Iterator[tuple[sparse.csr_matrix, Floats]]:
    """Of some users at a time the items that they had, and by item what orders equal scores and rules items out."""
    size = max(1, _CELLS // max(1, len(data.items)))
    popular = {code: _places(_popular_with(data, code)) for code in np.unique(data.speaks[users])}
    overall = _places(data.popularity)
    for start in range(0, len(users), size):
        block = users[start : start + size]
        had = data.matrix[block]
        new = np.diff(had.indptr) == 0
        base = np.tile(overall, (len(block), 1))
        for code, places in popular.items():
            speaking = data.speaks[block] == code
            base[speaking & new] = places
            if code != UNKNOWN:
                base[np.ix_(speaking, (data.language != code) & (data.language != UNKNOWN))] = _NEVER
        base[:, ~data.open] = _NEVER
        base[np.repeat(np.arange(len(block)), np.diff(had.indptr)), had.indices] = _NEVER
        yield had, base


def _values(had: sparse.csr_matrix, base: Floats, weights: sparse.csr_matrix) -> Floats:
    """Users by items: what the lists are sorted by."""
    return np.asarray(np.round((had @ weights).toarray().astype(np.float64), 6) + base)


def _place(values: Floats, item: Ints, k: int) -> Ints:
    """The place of an item in each row, from 1; 0 behind place k, and where it is ruled out."""
    value = np.take_along_axis(values, item, axis=1)
    place = 1 + (values > value).sum(axis=1)
    return np.where((place <= k) & (value[:, 0] > _NEVER), place, 0)


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
