"""Who the invented people are: names, logins, languages, whether their account is closed."""

import unicodedata
from functools import cache

import numpy as np

from recograph.sample_data.draws import Bools, Ints
from recograph.sample_data.texts import FIRST_NAMES, LANGUAGES, LAST_NAMES
from recograph.sample_data.world import World


@cache
def _plain(name: str) -> str:
    """The name as it is written in a login: lower-case ASCII letters."""
    decomposed = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in decomposed if "a" <= letter <= "z")


def names(world: World, number: Ints) -> tuple[list[str], list[str], list[str]]:
    """First names, last names and logins."""
    draws, ids = world.draws, world.users.ids(number)
    first, last = draws.pick("first name", number, FIRST_NAMES), draws.pick("last name", number, LAST_NAMES)
    logins = [f"{_plain(f)}.{_plain(n)}.{i}" for f, n, i in zip(first, last, ids.tolist(), strict=True)]
    return first, last, logins


def emails(logins: list[str]) -> list[str]:
    """An address for each login, at a domain that receives no mail."""
    return [f"{login}@example.{'com' if len(login) % 2 else 'org'}" for login in logins]


def closed(world: World, number: Ints, day: int) -> Bools:
    """Whose account is closed: one in 15, and one in 300 changes a day."""
    draws = world.draws
    return draws.chance("closed", number, 0.06) ^ (1 + draws.integers("closes", number, 300) <= day)


def entered(world: World, number: Ints, day: int) -> Ints:
    """When each was there last, in epoch milliseconds: everybody comes by once in 40 days."""
    came = day - (day + world.draws.integers("comes by", number, 40)) % 40
    moments = world.calendar.during(came, world.draws, "enters", number)
    return np.maximum(world.users.registered(number), moments)


def language(world: World, number: Ints, day: int) -> Ints:
    """The place of each one's language in `texts.LANGUAGES`."""
    draws = world.draws
    moves = (1 + draws.integers("changes language", number, 400) <= day).astype(np.int64)
    skewed = draws.early("language", number) * len(LANGUAGES)
    return (skewed.astype(np.int64) + moves) % len(LANGUAGES)
