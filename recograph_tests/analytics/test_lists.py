import numpy as np
import pytest
from scipy import sparse

from recograph.analytics import lists as module
from recograph.analytics.interactions import Interactions
from recograph.analytics.lists import lists, places_by_weights
from recograph.analytics.scores import places
from recograph_tests.analytics.interactions import written


def leads(data: Interactions, *rows: tuple[int, int, float]) -> sparse.csr_matrix:
    weights = np.zeros((len(data.items), len(data.items)))
    for source, target, weight in rows:
        weights[np.searchsorted(data.items, source), np.searchsorted(data.items, target)] = weight
    return sparse.csr_matrix(weights)


def of(data: Interactions, weights: sparse.csr_matrix, user: int, k: int = 10) -> list[tuple[int, float]]:
    listed = lists(data, weights, np.searchsorted(data.users, [user]), k)
    return [
        (int(data.items[item]), float(score))
        for item, score in zip(listed.item[0], listed.score[0], strict=True)
        if item >= 0
    ]


def test_scores_are_summed_and_what_is_popular_fills_up() -> None:
    data = written([(1, 10, 9), (1, 11, 1), (2, 13, 5), (3, 13, 5), (4, 14, 5)], [10, 11, 12, 13, 14, 15])
    weights = leads(data, (10, 12, 0.2), (11, 12, 0.1), (10, 11, 0.9), (11, 14, 0.3))
    # 12 and 14 have the same score, and 14 is more popular; 10 and 11 the user had; 13 has two users, 15 none.
    assert of(data, weights, 1) == [(14, 0.3), (12, 0.3), (13, 0), (15, 0)]
    assert of(data, weights, 1, k=1) == [(14, 0.3)]


def test_what_was_withdrawn_or_is_in_a_foreign_language_is_in_no_list() -> None:
    data = written(
        [(1, 10, 9), (2, 10, 9), (3, 10, 9)],
        [10, 11, 12, 13],
        languages=[None, "italian", "german", None],
        closed=[13],
        speaks={1: "italian", 2: "german"},
    )
    weights = leads(data, (10, 11, 0.3), (10, 12, 0.2), (10, 13, 0.1))
    assert of(data, weights, 1) == [(11, 0.3)]
    assert of(data, weights, 2) == [(12, 0.2)]
    assert of(data, weights, 3) == [(11, 0.3), (12, 0.2)], "where the user's language isn't known, nothing is foreign"


def test_a_user_without_history_gets_what_is_popular_with_those_who_speak_the_same() -> None:
    had = [(1, 10, 9), (2, 10, 9), (3, 11, 9)]
    data = written(had, [10, 11, 12], range(1, 7), speaks={1: "german", 2: "german", 3: "italian", 4: "italian"})
    nothing = leads(data)
    assert of(data, nothing, 4) == [(11, 0), (10, 0), (12, 0)]
    assert of(data, nothing, 5) == [(10, 0), (11, 0), (12, 0)], "without a language it is all that counts"


def test_blocks_of_users_make_no_difference(monkeypatch: object) -> None:
    data = written([(user, item, 9) for user in range(30) for item in range(user % 5)], range(12), range(30))
    weights = leads(data, *((item, (item + step) % 12, 1 / step) for item in range(12) for step in (1, 2, 3)))
    everybody = np.arange(30)
    whole = lists(data, weights, everybody, 5)
    module_cells, module._CELLS = module._CELLS, 40
    try:
        parts = lists(data, weights, everybody, 5)
    finally:
        module._CELLS = module_cells
    assert (parts.item == whole.item).all()
    assert (parts.score == whole.score).all()
    assert lists(data, weights, everybody[:0], 5).item.shape == (0, 5)


def test_the_place_of_an_item_is_that_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of an item that the user had, which is in no list; and whatever blocks of users there are."""
    data = written(
        [(user, item, 9) for user in range(30) for item in range(user % 5)], range(12), range(30), closed=[7]
    )
    ways = [leads(data, *((item, (item + step) % 12, 1 / step) for item in range(12))) for step in (1, 2, 3)]
    everybody, item = np.arange(30), np.arange(30) % 12
    wanted = [places(lists(data, weights, everybody, 12), item) for weights in ways]
    assert 0 < (np.array(wanted) > 0).mean() < 1
    shorter = [places(lists(data, weights, everybody, 5), item) for weights in ways]
    assert np.array_equal([*places_by_weights(data, ways, everybody, item, 5)], shorter)
    for cells in (module._CELLS, 40):
        monkeypatch.setattr(module, "_CELLS", cells)
        assert np.array_equal([*places_by_weights(data, ways, everybody, item, 12)], wanted)
