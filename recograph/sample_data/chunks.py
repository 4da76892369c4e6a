"""Users and items in chunks, for tables whose rows are made in chunks."""

from collections.abc import Iterator

import numpy as np

from recograph.sample_data.draws import Ints
from recograph.sample_data.texts import Vocabulary
from recograph.sample_data.world import Items, World

_USERS = 2000
_ITEMS = 150


def user_ranges(world: World, day: int) -> Iterator[tuple[int, int]]:
    """Ranges (first number, number after the last) of all users who were ever there until the end of a day."""
    total = world.users.total(day)
    for first in range(0, total, _USERS):
        yield first, min(first + _USERS, total)


def users(world: World, day: int) -> Iterator[Ints]:
    """The numbers of the users that are there at the end of a day."""
    for first, last in user_ranges(world, day):
        number = np.arange(first, last)
        yield number[~world.users.gone(number, day)]


def items(
    world: World, vocabulary: Vocabulary, of: Items, day: int
) -> Iterator[tuple[Ints, list[str], list[str], list[int]]]:
    """Numbers, titles, descriptions and topics of the items that are there at the end of a day."""
    present, draws = of.present(day), world.draws
    for start in range(0, len(present), _ITEMS):
        number = present[start : start + _ITEMS]
        topics = of.topic[number].tolist()
        renamed = (of.renamed_day[number] <= day).tolist()
        title = vocabulary.course if of.kind == "course" else vocabulary.asset
        titles = [title(*which) for which in zip(topics, of.place[number].tolist(), renamed, strict=True)]
        chosen = np.stack([draws.integers(f"{of.kind} text {i}", number, 100) for i in range(4)], axis=1)
        described = [
            vocabulary.description(*which) for which in zip(topics, number.tolist(), chosen.tolist(), strict=True)
        ]
        yield number, titles, described, topics
