import random
from pathlib import Path

import pyarrow as pa
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.analytics import evaluation
from recograph.analytics.evaluation import Data, Score, evaluate, fetch, hide_latest, recommend
from recograph.errors import RecographError
from recograph_tests.graph.marts import Snapshot

Rows = list[tuple[int, int, int, float | None]]


def data(rows: Rows, items: list[int], users: list[int] | None = None) -> Data:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    types = {"user_id": pa.int64(), "item_id": pa.int64(), "recency": pa.int64(), "rating": pa.float64()}
    history = pa.table(
        {name: pa.array(column, type_) for (name, type_), column in zip(types.items(), columns, strict=True)}
    )
    known = sorted({row[0] for row in rows}) if users is None else users
    return Data(history, pa.table({"id": pa.array(items, pa.int64())}), pa.table({"id": pa.array(known, pa.int64())}))


# Of users 4, 5 and 6 nothing is hidden, because they have a single course.
TOY = data(
    [
        (1, 10, 9, None), (1, 11, 9, None),
        (2, 10, 3, None), (2, 11, 3, None), (2, 12, 9, None),
        (3, 10, 3, None), (3, 11, 3, None), (3, 13, 9, None),
        (4, 14, 9, None), (5, 14, 9, None), (6, 14, 9, None),
    ],
    [10, 11, 12, 13, 14],
)  # fmt: skip


def test_toy_by_hand() -> None:
    """Of user 1 both are of the same day, and the digest hides 10 or 11; either is found, by the other."""
    hidden = dict(zip(*hide_latest(TOY)[1].to_pydict().values(), strict=True))
    assert hidden == {1: hidden[1], 2: 12, 3: 13}
    found = evaluate(TOY, k=2)
    assert (found.users, found.items) == (3, 5)
    # User 1 gets what was hidden first (similar), users 2 and 3 get 14 (popular) and 12 (lowest id).
    assert found.recommender == Score(2 / 3, pytest.approx((1 + 1 / 2 + 0) / 3), 3 / 5)
    # Popularity puts 14 (3 users) before what was hidden of user 1 (2 users).
    assert found.popularity == Score(2 / 3, pytest.approx((1 / 2 + 1 / 2 + 0) / 3), 3 / 5)
    # 4, 3 and 3 courses are new to users 1, 2 and 3.
    assert found.random.hit_rate == pytest.approx((2 / 4 + 2 / 3 + 2 / 3) / 3)
    assert found.random.mrr == pytest.approx((1.5 / 4 + 1.5 / 3 + 1.5 / 3) / 3)
    assert found.random.coverage == pytest.approx(1 - (3 / 5) ** 3)


def test_scores_are_those_of_the_marts_by_recency_and_rating() -> None:
    """10 and 11 have two users in common, each has two: cosine 1, damped by 2 / (2 + 10)."""
    rows: Rows = [(1, 10, 9, None), (1, 11, 9, None), (2, 10, 9, None), (2, 11, 9, None)]
    known = data([*rows, (3, 12, 9, None)], [10, 11, 12, 13])
    assert recommend(known, pa.table({"user_id": [3]})).num_rows == 3
    for recency, rating, factor in ((9, None, 1), (3, None, 1 / 3), (9, 1.5, 1 / 2), (3, 6.0, 2 / 3)):
        more = data([*rows, (3, 10, recency, rating)], [10, 11, 12, 13])
        lists = recommend(more, pa.table({"user_id": [3]})).to_pylist()
        cosine = 2 / (2 * 3) ** 0.5
        assert lists[0]["item_id"] == 11
        assert lists[0]["score"] == pytest.approx(cosine * 2 / 12 * factor, abs=1e-6)
        assert [(each["item_id"], each["score"]) for each in lists[1:]] == [(12, 0), (13, 0)]


def test_what_is_hidden_is_one_of_the_latest_of_users_who_have_more() -> None:
    drawn = random.Random(1)
    rows: Rows = [
        (user, item, drawn.randint(1, 9), None) for user in range(40) for item in drawn.sample(range(20), user % 7)
    ]
    whole = data(rows, list(range(18)), list(range(38)))
    rest, hidden = hide_latest(whole)
    taken = {(row["user_id"], row["item_id"]) for row in hidden.to_pylist()}
    left = {(row["user_id"], row["item_id"]) for row in rest.history.to_pylist()}
    assert taken | left == {row[:2] for row in rows}
    assert not taken & left
    for user in range(40):
        # Neither users nor items that aren't there are asked about.
        had = {row[1]: row[2] for row in rows if row[0] == user and row[1] < 18 and user < 38}
        (item, *none) = [item for owner, item in taken if owner == user] or [None]
        assert not none
        if len(had) < 2:
            assert item is None
        else:
            assert had[item] == max(had.values())
    assert hide_latest(whole)[1].equals(hidden), "it isn't the same every time"


def test_what_is_hidden_leaks_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten users who share nothing but what they did last: whoever could see that would find it every time."""
    rows: Rows = [(user, user, 1, None) for user in range(10)] + [(user, 99, 9, None) for user in range(10)]
    popular: Rows = [(user, 50 + user % 3, 9, None) for user in range(20, 40)]
    whole = data(rows + popular, [*range(10), 50, 51, 52, 99])
    seen: list[Data] = []
    honest = evaluation.recommend
    monkeypatch.setattr(evaluation, "recommend", lambda known, *a, **k: seen.append(known) or honest(known, *a, **k))
    found = evaluate(whole, k=3)
    assert found.users == 10
    assert found.recommender.hit_rate == found.popularity.hit_rate == 0
    assert len(seen) == 2
    assert all(99 not in known.history.column("item_id").to_pylist() for known in seen)
    # With it in sight, all ten would have been told of it.
    asked = pa.table({"user_id": list(range(10))})
    cheating = honest(data(rows + popular, [*range(10), 50, 51, 52, 99]), asked, 3).to_pylist()
    assert all(each["score"] > 0 for each in cheating if each["place"] == 1)


def test_nothing_to_hide() -> None:
    for rows in ([], [(1, 1, 9, None)]):
        found = evaluate(data(rows, [1, 2] if rows else []))
        assert found.users == 0
        assert found.recommender == found.popularity == found.random == Score(0, 0, 0)


def test_marts_are_read(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(lake=str(tmp_path))
    with pytest.raises(RecographError, match=r"customer_1 has no marts/asset_views, .*Materialize them first"):
        fetch(warehouse, "asset", "customer_1", "2026-11-01")
    Snapshot(
        {
            "users": [(1, None, True, None)],
            "courses": [(5, "A", 1, None, None, None, None)],
            "course_enrolments": [(1, 5, 2, 9), (1, 6, 2, 8)],
            "course_ratings": [(1, 5, 4.0), (1, 7, 1.0)],
        }
    ).write(tmp_path, "customer_1", "2026-11-01")
    found = fetch(warehouse, "course", "customer_1", "2026-11-01")
    assert sorted(map(tuple, map(dict.values, found.history.to_pylist()))) == [(1, 5, 9, 4.0), (1, 6, 8, None)]
    assert found.items.to_pydict() == {"id": [5]}
