"""Takes the latest interaction of each user out of the data, so that recommenders can be asked to find it."""

from dataclasses import dataclass

import numpy as np

from recograph.analytics.ease import Ints
from recograph.analytics.interactions import UNKNOWN, Interactions


@dataclass(frozen=True)
class Held:
    """One interaction of each of some users."""

    user: Ints
    item: Ints


def hold_back(data: Interactions, most: int | None = None) -> tuple[Interactions, Held]:
    """The remaining interactions, and those taken out: the latest of each user who has two interactions or more.

    The latest is the one with the latest time; where times are unknown or equal, the one with the highest recency; and
    where these are equal, too, a digest of the ids decides. Only items that could be recommended to the user count.

    Args:
        data: what is known.
        most: from how many users to take at most, spread evenly over all; default: from all.
    """
    foreign = (data.language[data.item] != UNKNOWN) & (data.speaks[data.user] != UNKNOWN)
    foreign &= data.language[data.item] != data.speaks[data.user]
    able = data.open[data.item] & data.asked[data.user] & ~foreign
    had = np.bincount(data.user, minlength=len(data.users))
    rows = np.flatnonzero(able & (had[data.user] > 1))
    digest = _digest(data.users[data.user[rows]], data.items[data.item[rows]])
    order = rows[np.lexsort((digest, -data.recency[rows], -data.time[rows], data.user[rows]))]
    last = order[np.diff(data.user[order], prepend=-1) != 0]
    if most is not None and len(last) > most:
        last = last[np.linspace(0, len(last) - 1, most).astype(np.int64)]
    left = np.ones(len(data.user), bool)
    left[last] = False
    return data.only(left), Held(data.user[last], data.item[last])


def _digest(user: Ints, item: Ints) -> Ints:
    """A number that looks drawn, and is always the same for the same two ids (the end of SplitMix64)."""
    with np.errstate(over="ignore"):
        mixed = user.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + item.astype(np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (mixed ^ (mixed >> np.uint64(31))).astype(np.int64)
