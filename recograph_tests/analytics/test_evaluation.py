from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.analytics.evaluation import ALL, COLD_ITEMS, POPULARITY, RECOMMENDER, SHORT, evaluate
from recograph.analytics.interactions import Interactions, fetch
from recograph.analytics.kinds import ASSET, COURSE
from recograph.analytics.lists import Lists
from recograph.analytics.scores import score
from recograph.errors import RecographError
from recograph_tests.analytics.interactions import drawn, written
from recograph_tests.graph.marts import Snapshot, time


def test_scores_by_hand() -> None:
    lists = Lists(np.arange(4), np.array([[0, 1], [1, 0], [2, -1], [3, 0]]), np.zeros((4, 2)))
    scored = score(lists, np.array([0, 0, 1, 3]), np.array([4, 2, 1, 1, 0]), 8)
    assert scored.users == 4
    assert scored.hit_rate.mean == 3 / 4
    assert scored.mrr.mean == pytest.approx((1 + 1 / 2 + 0 + 1) / 4)
    assert scored.ndcg.mean == pytest.approx((1 + 1 / np.log2(3) + 0 + 1) / 4)
    assert scored.coverage == 4 / 5
    assert scored.novelty == pytest.approx((3 * 1 + 2 * 2 + 3 + 3) / 7)  # 8 users, of whom 4, 2, 1 and 1 had them


def test_intervals_are_those_of_drawing_users_anew() -> None:
    item = np.array([0] * 60 + [1] * 40)
    lists = Lists(np.arange(100), np.zeros((100, 1), np.int64), np.zeros((100, 1)))
    hit_rate = score(lists, item, np.array([1, 1]), 100).hit_rate
    draws = np.random.default_rng(5).choice(item == 0, (4000, 100)).mean(axis=1)
    assert hit_rate.mean == 0.6
    assert (hit_rate.low, hit_rate.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.015)


def test_what_is_hidden_leaks_nowhere() -> None:
    """Users who share nothing but what they did last: whoever could see that would find it every time."""
    had = [(user, user, 1) for user in range(10)] + [(user, 99, 9) for user in range(10)]
    had += [(user, 50 + user % 3, 9) for user in range(20, 40)]
    data = written(had, [*range(10), 50, 51, 52, 99])
    seen: list[Interactions] = []

    def learn(known: Interactions) -> sparse.csr_matrix:
        seen.append(known)
        return sparse.csr_matrix((len(known.items), len(known.items)))

    scores = evaluate(data, k=3, ways={"spy": learn, RECOMMENDER: lambda known: learn(known)})
    assert scores.scores[ALL]["spy"].users == 10
    assert scores.scores[ALL]["spy"].hit_rate.mean == 0
    assert all(99 not in known.items[known.item] for known in seen)


def test_the_recommender_beats_simpler_ways_and_groups_are_told_apart() -> None:
    data = drawn(300, 120)
    scores = evaluate(data).scores
    assert scores[ALL][RECOMMENDER].hit_rate.mean > 1.5 * scores[ALL][POPULARITY].hit_rate.mean
    assert scores[ALL][RECOMMENDER].users > scores[SHORT][RECOMMENDER].users > scores[COLD_ITEMS][RECOMMENDER].users > 0
    assert scores[COLD_ITEMS][RECOMMENDER].hit_rate.mean > scores[COLD_ITEMS]["EASE"].hit_rate.mean


@pytest.mark.parametrize("data", [written([], []), written([(1, 1, 9)], [1, 2])])
def test_nothing_to_hide(data: Interactions) -> None:
    for ways in evaluate(data).scores.values():
        assert all(score.users == score.hit_rate.mean == 0 for score in ways.values())


def test_marts_are_read(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(lake=str(tmp_path))
    with pytest.raises(RecographError, match=r"customer_1 has no marts/assets, .*Materialize them first"):
        fetch(warehouse, ASSET, "customer_1", "2026-11-01")
    Snapshot(
        {
            "users": [(1, None, True, None), (2, None, True, None)],
            "user_languages": [(1, "italian")],
            "courses": [
                (5, "Wine and Cheese", 1, None, None, 2, None, None, "italian"),
                (6, "Wine again", 1, None, None, 0, None, None),
                (7, "Gone", 2, None, None, 3, None, None),
            ],
            "course_enrolments": [(1, 5, 2, 9, None, time(3)), (1, 6, 2, 8), (3, 5, 2, 1), (2, 99, 2, 1)],
        }
    ).write(tmp_path, "customer_1", "2026-11-01")
    interactions = fetch(warehouse, COURSE, "customer_1", "2026-11-01")
    assert interactions.users.tolist() == [1, 2, 3]
    assert interactions.asked.tolist() == [True, True, False]
    assert interactions.items.tolist() == [5, 6, 7]
    assert interactions.open.tolist() == [True, False, False], "only what is published may be recommended"
    assert interactions.language.tolist() == [interactions.speaks[0], -1, -1]
    assert list(
        zip(interactions.user.tolist(), interactions.item.tolist(), interactions.recency.tolist(), strict=True)
    ) == [
        (0, 0, 9),
        (0, 1, 8),
        (2, 0, 1),
    ]
    assert interactions.time.tolist() == [int(time(3).replace(tzinfo=UTC).timestamp() * 1e6), -1, -1]
    assert interactions.popularity.tolist() == [1, 1, 0]
    same = (interactions.features @ interactions.features.T).toarray()
    assert same[0, 1] > 0.5
    assert same[0, 2] == 0
