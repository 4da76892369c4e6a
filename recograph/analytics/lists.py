"""Lists of recommendations for many users at once, by the scores that `recommendations.cypher` gives one user.

An item's score for a user is the sum of the weights with which what the user had speaks for it. Of equal score what is
more popular comes first, then what has the lower id; so what is popular fills a list up. A user without a history
gets what is popular with those who speak the same language. What the user had, what was withdrawn, and what is in a
language that the user doesn't speak (where both are known) is in no list.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recograph.analytics.ease import Bools, Floats, Ints
from recograph.analytics.interactions import UNKNOWN, Interactions

_NEVER = -np.inf
_CELLS = 5_000_000
"""Users times items that are scored at once: 40 MB."""
_STEP = 1e-6
"""Scores are rounded to multiples of it, so what is less decides among equals."""


@dataclass(frozen=True)
class Lists:
    """A row a user, the best item first."""

    user: Ints
    """Numbers of the users."""
    item: Ints
    """Users by places: numbers of the items; -1 behind the end of a list."""
    score: Floats
    """Users by places; 0 where an item is only popular."""

    def only(self, chosen: Bools) -> "Lists":
        """The lists of some of the users."""
        return Lists(self.user[chosen], self.item[chosen], self.score[chosen])


def lists(data: Interactions, weights: sparse.csr_matrix, users: Ints, k: int) -> Lists:
    """Up to k items for each of the users.

    Args:
        data: what is known.
        weights: items by items, what speaks for what; none gives what is popular.
        users: numbers of users.
        k: length of a list.
    """
    blocks = list(_blocks(data, weights, users, min(k, len(data.items))))
    if not blocks:
        nothing = np.zeros((0, k))
        return Lists(users, nothing.astype(np.int64), nothing)
    return Lists(users, *(np.concatenate(part) for part in zip(*blocks, strict=True)))


def _blocks(data: Interactions, weights: sparse.csr_matrix, users: Ints, k: int) -> Iterator[tuple[Ints, Floats]]:
    everywhere = np.arange(len(data.items))
    overall = _places(data.popularity)
    size = max(1, _CELLS // max(1, len(everywhere)))
    languages = {
        code: everywhere[(data.language != code) & (data.language != UNKNOWN)] for code in np.unique(data.speaks[users])
    }
    peers = {}
    for start in range(0, len(users), size):
        some = users[start : start + size]
        had = data.matrix[some]
        values = np.round((had @ weights).toarray().astype(np.float64), 6)
        new = np.diff(had.indptr) == 0
        values[~new] += overall
        for code in np.unique(data.speaks[some]):
            speaking = data.speaks[some] == code
            if code not in peers:
                peers[code] = _places(_popular_with(data, code))
            values[speaking & new] += peers[code]
            if code != UNKNOWN:
                values[np.ix_(speaking, languages[code])] = _NEVER
        values[:, ~data.open] = _NEVER
        values[np.repeat(np.arange(len(some)), np.diff(had.indptr)), had.indices] = _NEVER
        best = np.argpartition(values, -k, axis=1)[:, -k:]
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(values, best, axis=1), axis=1), axis=1)
        value = np.take_along_axis(values, best, axis=1)
        yield np.where(value > _NEVER, best, -1), np.round(np.maximum(value - _STEP / 4, 0), 6)


def _popular_with(data: Interactions, language: int) -> Ints:
    """By item: how many of those who speak a language had it, or of all where the language isn't known."""
    if language == UNKNOWN:
        return data.popularity
    of_peers = data.asked[data.user] & (data.speaks[data.user] == language)
    return np.bincount(data.item[of_peers], minlength=len(data.items))


def _places(popularity: Ints) -> Floats:
    """Less than the least difference of scores, and the more the earlier the item comes among equals."""
    place = np.empty(len(popularity))
    place[np.lexsort((np.arange(len(popularity)), -popularity))] = np.arange(len(popularity))
    return _STEP / 2 * (1 - place / max(1, len(popularity)))
