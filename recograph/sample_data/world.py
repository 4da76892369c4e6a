"""The platform of one sample customer: who its users are, what there is to learn, and how both change by the day.

Users, courses and assets are numbered 0, 1, 2, ... here; the ids in the dumps follow from the number alone, so the
same ids occur in every customer. Days are numbered from 0, the first dump.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property

import numpy as np

from recograph.customers import Customer
from recograph.sample_data.draws import Bools, Draws, Ints
from recograph.sample_data.profiles import Profile

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEVER = np.iinfo(np.int64).max
SLOTS = 4096
"""More than any user ever takes of one kind, so that `number * SLOTS + slot` is a different number for each of them."""


@dataclass(frozen=True)
class Calendar:
    """Day numbers as epoch milliseconds."""

    start: date

    def begin(self, day: Ints) -> Ints:
        """Midnight at which a day begins."""
        origin = datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)
        return int(origin.timestamp()) * 1000 + day * DAY

    def end(self, day: Ints) -> Ints:
        """When a day's dump is taken: shortly before the next midnight."""
        return self.begin(day) + DAY - 10 * MINUTE

    def during(self, day: Ints, draws: Draws, purpose: str, index: Ints) -> Ints:
        """A moment of a day, mostly in working hours."""
        hours = 7 + 12 * (draws.uniform(purpose, index) + draws.uniform(f"{purpose}, more", index)) / 2
        return self.begin(day) + (hours * HOUR).astype(np.int64)


@dataclass(frozen=True)
class Users:
    """The users: the first `count` are there on day 0, then some join and some leave every day."""

    count: int
    draws: Draws
    calendar: Calendar

    @property
    def joiners(self) -> int:
        """How many users join per day."""
        return max(2, round(self.count * 0.005))

    def total(self, day: int) -> int:
        """How many have ever been there until the end of a day."""
        return self.count + self.joiners * day

    def ids(self, number: Ints) -> Ints:
        """`idst`, with gaps as in life."""
        return 12 + number + number // 3

    def joined_day(self, number: Ints) -> Ints:
        """The day on which a user joined; 0 for those who were there before."""
        return np.maximum(0, (number - self.count) // self.joiners + 1)

    def registered(self, number: Ints) -> Ints:
        """When a user registered, in epoch milliseconds; a later number is later."""
        years = 5.5 * (1 - np.minimum(number + self.draws.uniform("registered", number), self.count) / self.count)
        before = self.calendar.begin(np.zeros_like(number)) - (years * 365 * DAY).astype(np.int64)
        day = self.joined_day(number)
        return np.where(day > 0, self.calendar.during(day, self.draws, "joined", number), before) // 1000 * 1000

    @cached_property
    def _leaving_day(self) -> Ints:
        return self.draws.order("leaves", self.count) // max(1, round(self.count * 0.003))

    def gone(self, number: Ints, day: int) -> Bools:
        """Whether a user has left by the end of a day."""
        old = number < self.count
        return old & (self._leaving_day[np.where(old, number, 0)] <= day)


@dataclass(frozen=True)
class Items:
    """The courses, or the assets: their topics, their popularity, and the path in which a topic is learnt.

    The first `count` are there on day 0; then one item (several if there are hundreds) is added, one renamed and one
    removed every day.
    """

    kind: str
    count: int
    days: int
    draws: Draws
    calendar: Calendar
    per_topic: int = 9
    added: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "added", max(1, round(self.count * 0.008)))

    @cached_property
    def number(self) -> Ints:
        """All numbers, those of items that come later included."""
        return np.arange(self.count + self.added * (self.days - 1))

    @cached_property
    def ids(self) -> Ints:
        """The ids in the dump, with gaps."""
        return 1 + self.number + self.number // 5

    @property
    def topics(self) -> int:
        """How many topics there are; each user has a taste for some."""
        return max(2, round(self.count / self.per_topic))

    @cached_property
    def topic(self) -> Ints:
        """The topic of each item; those on day 0 are spread evenly."""
        later = self.draws.integers(f"{self.kind} topic", self.number, self.topics)
        later[: self.count] = self.draws.order(f"{self.kind} topic", self.count) % self.topics
        return later

    @cached_property
    def place(self) -> Ints:
        """How many items of the same topic have a lower number."""
        place = np.empty(len(self.number), np.int64)
        for topic in range(self.topics):
            place[self.topic == topic] = np.arange(np.count_nonzero(self.topic == topic))
        return place

    @cached_property
    def created(self) -> Ints:
        """When each item was made, in epoch milliseconds."""
        age = 6 * 365 * DAY * self.draws.uniform(f"{self.kind} created", self.number)
        before = self.calendar.begin(np.zeros_like(self.number)) - age.astype(np.int64)
        added = self.calendar.during(self.added_day, self.draws, f"{self.kind} added", self.number)
        return np.where(self.added_day > 0, added, before)

    @cached_property
    def added_day(self) -> Ints:
        """The day on which each item appears; 0 for those that were there before."""
        return np.maximum(0, (self.number - self.count) // self.added + 1)

    @cached_property
    def removed_day(self) -> Ints:
        """The day on which each item is removed; those of day 0 are missing from the first dump on."""
        return self._day_of("removed", 0)

    @cached_property
    def renamed_day(self) -> Ints:
        """The day on which each item gets another title, from day 1 on."""
        return self._day_of("renamed", 1)

    def _day_of(self, event: str, first: int) -> Ints:
        day = np.full(len(self.number), NEVER)
        day[: self.count] = self.draws.order(f"{self.kind} {event}", self.count) // self.added + first
        return day

    def present(self, day: int) -> Ints:
        """The numbers of the items that a day's dump has."""
        return self.number[(self.added_day <= day) & (self.removed_day > day)]


@dataclass(frozen=True)
class World:
    """One customer's platform over some days."""

    customer: Customer
    profile: Profile
    calendar: Calendar
    draws: Draws
    users: Users
    courses: Items
    assets: Items

    @classmethod
    def build(cls, customer: Customer, profile: Profile, start: date, days: int, seed: int) -> "World":
        """The world that a seed gives; more days leave the earlier ones as they are."""
        draws = Draws(seed, customer.id)
        calendar = Calendar(start)
        return cls(
            customer,
            profile,
            calendar,
            draws,
            Users(profile.users, draws, calendar),
            Items("course", profile.courses, days, draws, calendar),
            Items("asset", profile.assets, days, draws, calendar),
        )
