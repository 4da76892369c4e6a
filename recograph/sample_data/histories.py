"""What becomes of enrolments and views until a given day: progress, completion, ratings, watching again."""

from dataclasses import dataclass

import numpy as np

from recograph.sample_data.draws import Ints
from recograph.sample_data.interactions import Interactions, Pairs
from recograph.sample_data.world import DAY, HOUR, MINUTE, World

NULL = np.iinfo(np.int64).min
"""Stands for NULL in columns of whole numbers and of times."""
_COMES_BACK = 70
"""After how many days, at most, a user first comes back to a course or an asset, and how often from then on."""
_THINKS_AGAIN = 60
"""After how many days, at most, a user changes a rating."""


@dataclass(frozen=True)
class Enrolments:
    """Enrolments as a day's dump has them; times are epoch milliseconds or NULL."""

    user: Ints
    item: Ints
    serial: Ints
    edition: Ints
    status: Ints
    date_inscr: Ints
    date_first_access: Ints
    date_last_access: Ints
    date_complete: Ints
    last_update: Ints


@dataclass(frozen=True)
class Ratings:
    """Ratings as a day's dump has them, sorted by user and item."""

    user: Ints
    item: Ints
    serial: Ints
    rating: Ints
    timestamp: Ints


def _returns(world: World, pairs: Pairs, purpose: str, every: int) -> tuple[Ints, Ints]:
    """The first day on which each pair comes up again, and the moment of that day in epoch milliseconds."""
    first = pairs.day + 1 + world.draws.integers(purpose, pairs.serial, every)
    return first, world.calendar.during(first, world.draws, f"{purpose} at", pairs.serial)


def enrolments(world: World, source: Interactions, first: int, last: int, day: int) -> Enrolments:
    """The enrolments of the users from number `first` to before `last` at the end of a day."""
    pairs = source.pairs(first, last, day)
    draws, serial = world.draws, pairs.serial
    room = np.maximum(world.calendar.end(pairs.day) - pairs.at, MINUTE)
    u = draws.uniform("status", serial)
    status = np.select([u < 0.01, u < 0.02, u < 0.14, u < 0.42, u < 0.97, u < 0.985], [-2, -1, 0, 1, 2, 3], 4)
    opened = (status >= 1) & (status <= 2)
    wait = np.minimum(draws.early("first access", serial) * 30 * DAY, room * 0.5).astype(np.int64)
    length = np.minimum(draws.early("last access", serial) * 200 * DAY, (room - wait) * 0.9).astype(np.int64)
    first_access = np.where(opened, pairs.at + wait, NULL)
    last_access = np.where(opened, pairs.at + wait + length, NULL)
    worked = (length * (0.4 + 0.6 * draws.uniform("complete", serial))).astype(np.int64)
    complete = np.where(status == 2, pairs.at + wait + worked, NULL)

    back, back_at = _returns(world, pairs, "comes back", _COMES_BACK)
    came = (back <= day) & (status >= 0) & (status <= 2)
    again = back_at + np.maximum(day - back, 0) // _COMES_BACK * _COMES_BACK * DAY
    first_access = np.where(came & (first_access == NULL), back_at, first_access)
    last_access = np.where(came, again, last_access)
    finishes = came & (status == 1) & draws.chance("finishes", serial, 0.35)
    complete = np.where(finishes, back_at, complete)
    status = np.where(finishes, 2, np.where(came & (status == 0), 1, status))
    updated = np.maximum(pairs.at, np.maximum(last_access, complete)) + 1000
    updated = np.where(draws.chance("no update", serial, 0.02), NULL, updated)
    inscribed = np.where(draws.chance("no date", serial, 0.005), NULL, pairs.at)
    return _with_earlier_editions(
        world,
        Enrolments(
            pairs.user,
            pairs.item,
            serial,
            np.zeros_like(serial),
            status,
            inscribed,
            first_access,
            last_access,
            complete,
            updated,
        ),
    )


def _with_earlier_editions(world: World, rows: Enrolments) -> Enrolments:
    """A few users took an earlier edition of the same course too: another row, some months older."""
    count = 1 + world.draws.chance("earlier edition", rows.serial, 0.03).astype(np.int64)
    chosen = np.repeat(np.arange(len(count)), count)
    earlier = (np.diff(chosen, append=-1) == 0).astype(np.int64)
    ago = earlier * (200 + world.draws.integers("edition gap", rows.serial[chosen], 200)) * DAY

    def older(times: Ints) -> Ints:
        return np.where(times[chosen] == NULL, NULL, times[chosen] - ago)

    return Enrolments(
        rows.user[chosen],
        rows.item[chosen],
        rows.serial[chosen],
        np.repeat(count - 1, count) - earlier,
        np.where(earlier == 1, 2, rows.status[chosen]),
        older(rows.date_inscr),
        older(rows.date_first_access),
        older(rows.date_last_access),
        older(rows.date_complete),
        older(rows.last_update),
    )


def _stars(world: World, kind: str, pairs: Pairs, quality: Ints, purpose: str) -> Ints:
    """1 to 5: what the item is worth, whether it is to the user's taste, and mood."""
    mood = world.draws.uniform(f"{kind} {purpose}", pairs.serial) + world.draws.uniform(
        f"{kind} {purpose} more", pairs.serial
    )
    stars = 1.5 + quality / 100 * 1.6 + 1.1 * pairs.fits + 1.3 * (mood - 1) + 0.5
    return np.clip(stars, 1, 5).astype(np.int64)


def ratings(world: World, source: Interactions, first: int, last: int, day: int, kind: str, share: float) -> Ratings:
    """The ratings that those users have given by the end of a day; some change their mind later."""
    pairs = source.pairs(first, last, day)
    late = np.minimum(8 * HOUR, np.maximum(0, world.calendar.end(pairs.day) - pairs.at) // 2)
    at = pairs.at + late
    rates = world.draws.chance(f"{kind} rates", pairs.serial, share)
    pairs, at = pairs[rates], at[rates]
    quality = world.draws.integers(f"{kind} quality", pairs.item, 100)
    stars = _stars(world, kind, pairs, quality, "stars")
    changed, changed_at = _returns(world, pairs, f"{kind} thinks again", _THINKS_AGAIN)
    thought = changed <= day
    other = stars % 5 + 1
    return Ratings(
        pairs.user, pairs.item, pairs.serial, np.where(thought, other, stars), np.where(thought, changed_at, at)
    )


def votes(world: World, source: Interactions, first: int, last: int, day: int) -> Ratings:
    """The ratings of courses as votes, sorted by `serial`: a few users voted twice, and the later vote counts."""
    rows = ratings(world, source, first, last, day, "course", 0.16)
    count = 1 + world.draws.chance("voted before", rows.serial, 0.05).astype(np.int64)
    chosen = np.repeat(np.argsort(rows.serial), count[np.argsort(rows.serial)])
    earlier = np.diff(chosen, append=-1) == 0
    return Ratings(
        rows.user[chosen],
        rows.item[chosen],
        rows.serial[chosen] * 2 + 1 - earlier,
        np.where(earlier, 6 - rows.rating[chosen], rows.rating[chosen]),
        rows.timestamp[chosen] - earlier * 3 * DAY,
    )


@dataclass(frozen=True)
class Views:
    """Views of assets as a day's dump has them: several per user and asset; sorted by `serial`."""

    user: Ints
    item: Ints
    serial: Ints
    viewed: Ints


def views(world: World, source: Interactions, first: int, last: int, day: int) -> Views:
    """Every view by those users until the end of a day."""
    pairs = source.pairs(first, last, day)
    pairs = pairs[np.argsort(pairs.serial)]
    draws = world.draws
    before = 1 + (draws.early("views", pairs.serial) * 2.6).astype(np.int64)
    back, back_at = _returns(world, pairs, "watches again", _COMES_BACK)
    after = np.where(back <= day, (day - back) // _COMES_BACK + 1, 0)
    chosen = np.repeat(np.arange(len(before)), before + after)
    nth = np.arange(len(chosen)) - np.repeat(np.cumsum(before + after) - (before + after), before + after)
    serial = pairs.serial[chosen] * 64 + nth
    room = np.maximum(world.calendar.end(pairs.day) - pairs.at, MINUTE)[chosen]
    gap = np.minimum(draws.early("view gap", serial) * 60 * DAY, room * 0.9).astype(np.int64)
    early = pairs.at[chosen] + np.where(nth == 0, 0, gap)
    later = back_at[chosen] + (nth - before[chosen]) * _COMES_BACK * DAY
    return Views(
        pairs.user[chosen],
        pairs.item[chosen],
        serial,
        np.where(nth < before[chosen], early, later),
    )
