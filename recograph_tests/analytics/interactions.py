"""Interactions written by hand, and drawn ones that have a taste."""

import random
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from recograph.analytics.interactions import Interactions, interactions

Had = tuple[int, int, int]
"""User, item, recency."""


def written(
    had: Sequence[Had | tuple[int, int, int, int]],
    items: Sequence[int],
    users: Sequence[int] | None = None,
    *,
    titles: Sequence[str | None] | None = None,
    languages: Sequence[str | None] | None = None,
    closed: Sequence[int] = (),
    speaks: dict[int, str] | None = None,
) -> Interactions:
    """Interactions of these rows; a fourth value is the time in seconds."""
    rows = sorted(had)
    known = sorted({row[0] for row in rows} if users is None else users)
    times = [row[3] * 1_000_000 if len(row) > 3 else None for row in rows]

    def column(at: int) -> Any:
        return pa.array([row[at] for row in rows], pa.int64())

    return interactions(
        pa.table(
            {
                "id": pa.array(items, pa.int64()),
                "language": pa.array(languages or [None] * len(items), pa.string()),
                "open": pa.array([item not in closed for item in items], pa.bool_()),
                "title": pa.array(titles or [None] * len(items), pa.string()),
            }
        ),
        pa.table(
            {
                "id": pa.array(known, pa.int64()),
                "language": pa.array([(speaks or {}).get(user) for user in known], pa.string()),
            }
        ),
        pa.table(
            {
                "user_id": column(0),
                "item_id": column(1),
                "recency": column(2),
                "time": pa.array(times, pa.int64()).cast(pa.timestamp("us")),
            }
        ),
    )


def drawn(users: int, items: int, seed: int = 1, topics: int = 4) -> Interactions:
    """Every user has one topic, and mostly what is of it; titles name the topic."""
    random_ = random.Random(seed)
    had = set()
    for user in range(users):
        own = [item for item in range(items) if item % topics == user % topics]
        for _ in range(random_.randint(1, 8)):
            had.add((user, random_.choice(own if random_.random() < 0.8 else range(items))))
    rows = [(user, item, random_.randint(1, 9)) for user, item in sorted(had)]
    return written(rows, range(items), range(users), titles=[f"Topic{item % topics} {item}" for item in range(items)])
