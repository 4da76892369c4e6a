import numpy as np
import pytest

from recograph.analytics.ease import weights
from recograph.analytics.holding_back import hold_back
from recograph.analytics.kinds import COURSE
from recograph.analytics.lists import lists
from recograph.analytics.scores import places
from recograph.analytics.similarity import Parameters, currency, learn, similarity, table
from recograph_tests.analytics.interactions import drawn, written


def test_the_latest_is_held_back() -> None:
    """By time; where it isn't known or equal by recency; and always the same."""
    data = written(
        [(1, 10, 9, 100), (1, 11, 3, 200), (2, 10, 9), (2, 11, 3), (3, 12, 9), (4, 10, 5), (4, 11, 5)], [10, 11, 12]
    )
    rest, held = hold_back(data)
    by_user = dict(zip(data.users[held.user].tolist(), data.items[held.item].tolist(), strict=True))
    assert by_user == {1: 11, 2: 10, 4: by_user[4]}, "of user 3 nothing is hidden: there would be nothing left"
    assert len(rest.user) + 3 == len(data.user)
    assert not {(u, i) for u, i in zip(held.user, held.item, strict=True)} & set(zip(rest.user, rest.item, strict=True))
    assert (hold_back(data)[1].item == held.item).all()
    assert len(hold_back(drawn(100, 20), 10)[1].user) == 10


def test_what_could_not_be_recommended_is_not_held_back() -> None:
    data = written(
        [(1, 10, 1), (1, 11, 9), (1, 12, 8), (2, 10, 1), (2, 11, 9)],
        [10, 11, 12],
        [1],
        languages=[None, None, "german"],
        closed=[11],
        speaks={1: "italian"},
    )
    _, held = hold_back(data)
    assert data.items[held.item].tolist() == [10]
    assert data.users[held.user].tolist() == [1], "user 2 isn't there any more"


def test_parameters_depend_on_what_they_may_see_alone() -> None:
    """What is hidden changes nothing: it was taken out before."""
    data = drawn(200, 30)
    rest, held = hold_back(data)
    again = similarity(rest)
    moved = data.only(
        np.isin(
            np.arange(len(data.user)),
            np.flatnonzero(~np.isin(data.user * 1000 + data.item, held.user * 1000 + held.item)),
        )
    )
    assert similarity(moved).parameters == again.parameters
    assert (similarity(moved).weights != again.weights).nnz == 0
    assert again.chosen_on > 100
    assert again.in_closed_form == 30


def test_content_gives_cold_items_a_chance() -> None:
    """An item that nobody has had is recommended to those who had what has the same words in its title."""
    data = drawn(300, 40)
    cold = 4
    without = data.only(data.item != cold)
    fans = np.unique(data.user[(data.item % 4 == 0) & (data.item != cold)])
    plain = lists(without, learn(without, Parameters(100, 0, 1)), fans, 10)
    content = lists(without, learn(without, Parameters(100, 10, 1)), fans, 10)
    assert not (places(plain, np.full(len(fans), cold)) > 0).any()
    assert (places(content, np.full(len(fans), cold)) > 0).mean() > 0.2


def test_currency_is_the_recency_of_users() -> None:
    data = written([(1, 10, 9), (2, 10, 9), (3, 11, 8), (4, 11, 8)], [10, 11, 12])
    mean = (1 + 1 + 0.5 + 0.5) / 4
    parts = np.array([(2 + mean) / 3, (1 + mean) / 3, mean])
    assert currency(data, 0.5) == pytest.approx(parts / parts.max())
    assert (currency(data, 1) == 1).all()
    assert (currency(written([], [10, 11]), 0.5) == 1).all()


def test_the_mart_has_ids() -> None:
    data = written([(user, item, 9) for user in range(20) for item in (10, 12)], [10, 11, 12])
    rows = table(data, COURSE, learn(data, Parameters())).to_pylist()
    assert [(row["course_id"], row["similar_course_id"]) for row in rows] == [(10, 12), (12, 10)]
    assert all(row["score"] > 0 for row in rows)


@pytest.mark.parametrize("data", [written([], []), written([], [1, 2]), written([(1, 1, 9)], [1, 2])])
def test_too_little_to_choose_on(data: object) -> None:
    similar = similarity(data)  # type: ignore[arg-type]
    assert similar.parameters == Parameters()
    assert (similar.chosen_on, similar.weights.nnz) == (0, 0)


def test_no_item_speaks_for_more_than_it_may_where_both_ways_of_comparing_give_some() -> None:
    data = drawn(200, 30)
    learnt = weights(data.matrix, data.features, np.ones(30), regularisation=10, per_item=3, limit=20)
    assert np.diff(learnt.indptr).max() == 3
