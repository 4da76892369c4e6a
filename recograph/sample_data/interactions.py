"""Who takes what, and when: enrolments in courses and views of assets, drawn from tastes.

What a user takes next comes from the user's main topic, from a second one, or from what is popular with everybody;
now and then it is the next step on the path after the previous one. That is what a recommender can learn from.
"""

from dataclasses import dataclass

import numpy as np

from recograph.sample_data.draws import Bools, Floats, Ints
from recograph.sample_data.world import HOUR, SLOTS, Items, World

_MAIN, _SECOND = 0.58, 0.80
"""Draws below the first number come from the user's main topic, below the second from the second topic; the others from
what is popular."""
_NEXT_STEP = 0.45
_DANGLING = 0.15
"""Share of the rows of a gone user or item that were left behind."""


@dataclass(frozen=True)
class Pairs:
    """Users and what they took, sorted by user and item; every field has one value per pair."""

    user: Ints
    item: Ints
    serial: Ints
    """A number that names the pair for good."""
    day: Ints
    """The day on which it happened; 0 for all that happened before."""
    at: Ints
    """When the user took the item, in epoch milliseconds."""
    fits: Floats
    """1 where the item is of the user's main topic, 0.5 where of the second, else 0."""

    def __getitem__(self, chosen: Ints | Bools) -> "Pairs":
        return Pairs(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


class Interactions:
    """The draws of users from one kind of item."""

    def __init__(self, world: World, items: Items, per_user: float) -> None:
        self._world, self._items, self._per_user = world, items, per_user
        self._draws, self._users = world.draws, world.users
        known = items.number[: items.count]
        rank = self._draws.order(f"{items.kind} popularity", items.count)
        weight = 1 / (rank + 3.0)
        path = self._draws.order(f"{items.kind} path", items.count)
        topic = items.topic[: items.count]
        self._sorted = np.lexsort((path, topic))
        self._cumulative = np.cumsum(weight[self._sorted])
        bounds = np.searchsorted(topic[self._sorted], np.arange(items.topics + 1))
        self._bounds = np.concatenate(([0.0], self._cumulative))[bounds]
        place = np.empty(items.count, np.int64)
        place[self._sorted] = known
        after = np.where(place + 1 < bounds[topic + 1], place + 1, bounds[topic])
        self._next = self._sorted[after]

    def pairs(self, first: int, last: int, day: int) -> Pairs:
        """What the users from number `first` to before `last` have taken by the end of a day."""
        everybody = np.arange(first, last)
        base = self._base_count(everybody)
        pace = np.maximum(3, 160 // np.maximum(base, 1))
        phase = self._draws.integers(f"{self._items.kind} pace", everybody, 1 << 30) % pace
        joined = self._users.joined_day(everybody)
        count = base + (day - joined + phase) // pace
        row = np.repeat(np.arange(len(everybody)), count)
        slot = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        user = everybody[row]
        later = slot >= base[row]
        taken_day = np.where(later, joined[row] + (slot - base[row] + 1) * pace[row] - phase[row], joined[row])
        serial = user * SLOTS + slot
        item = self._choose(user, slot, serial, np.where(later, taken_day, 0))
        at = self._moment(user, slot, base[row], serial, taken_day)
        at = np.maximum(at, self._items.created[item] + HOUR)
        pairs = Pairs(user, item, serial, taken_day, at, self._fit(user, item))
        # A second draw of the same item is dropped: the first slot stays.
        pairs = pairs[np.unique(row * len(self._items.number) + item, return_index=True)[1]]
        gone = self._users.gone(pairs.user, day) | (self._items.removed_day[pairs.item] <= day)
        return pairs[~gone | self._draws.chance(f"{self._items.kind} dangling", pairs.serial, _DANGLING)]

    def _base_count(self, user: Ints) -> Ints:
        """How much a user had taken on day 0 (or on the day of joining): most little, few a lot."""
        u = self._draws.uniform(f"{self._items.kind} count", user)
        count = 1.3 * self._per_user * (1 / np.sqrt(1 - u) - 1)
        most = min(SLOTS // 2, int(0.45 * self._items.count))
        count = np.where(self._users.joined_day(user) > 0, np.minimum(count, 2), count)
        return np.minimum(count, most).astype(np.int64)

    def _topics(self, user: Ints) -> tuple[Ints, Ints]:
        """The main and the second topic of users: a taste for courses is one for assets too."""
        main = self._draws.uniform("main taste", user)
        main = main * (0.8 + 0.2 * main)
        second = (main + 0.15 + 0.7 * self._draws.uniform("second taste", user)) % 1
        return (main * self._items.topics).astype(np.int64), (second * self._items.topics).astype(np.int64)

    def _fit(self, user: Ints, item: Ints) -> Floats:
        main, second = self._topics(user)
        topic = self._items.topic[item]
        return np.where(topic == main, 1.0, np.where(topic == second, 0.5, 0.0))

    def _choose(self, user: Ints, slot: Ints, serial: Ints, day: Ints) -> Ints:
        kind, draws = self._items.kind, self._draws
        main, second = self._topics(user)
        source = draws.uniform(f"{kind} source", serial)
        topic = np.where(source < _MAIN, main, second)
        popular = source >= _SECOND
        low = np.where(popular, 0, self._bounds[topic])
        high = np.where(popular, self._bounds[-1], self._bounds[topic + 1])
        drawn = np.searchsorted(self._cumulative, low + draws.uniform(f"{kind} item", serial) * (high - low), "right")
        item = self._sorted[np.minimum(drawn, self._items.count - 1)]
        stepping = (slot % 2 == 1) & draws.chance(f"{kind} step", serial, _NEXT_STEP)
        item = np.where(stepping, self._next[np.roll(item, 1)], item)
        fresh = (day > 0) & draws.chance(f"{kind} fresh", serial, 0.2)
        newest = self._items.count + (draws.uniform(f"{kind} which", serial) * self._items.added * day).astype(np.int64)
        return np.where(fresh, newest, item)

    def _moment(self, user: Ints, slot: Ints, base: Ints, serial: Ints, day: Ints) -> Ints:
        """When a slot was taken: on its day, or spread over the time since the user registered."""
        kind, draws, calendar = self._items.kind, self._draws, self._world.calendar
        registered = self._users.registered(user)
        until = calendar.end(self._users.joined_day(user)) - registered
        share = (slot + draws.uniform(f"{kind} moment", serial)) / np.maximum(base, 1)
        earlier = registered + (np.sqrt(np.minimum(share, 1)) * until).astype(np.int64)
        on_the_day = calendar.during(day, draws, f"{kind} daytime", serial)
        return np.where(slot < base, earlier, on_the_day)
