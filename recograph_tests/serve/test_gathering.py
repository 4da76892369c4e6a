"""Look-ups that wait at the same time: asked as one, answered each for itself."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import neo4j
import pytest

from recograph.errors import RecographError, UnavailableError
from recograph.graph.recommend import recommend_known
from recograph.graph.refusals import SlowError
from recograph.serve.content import OWNED
from recograph.serve.gathering import Gathering
from recograph.serve.look_ups import About, Recommendations
from recograph.serve.nodes import questions_about


@dataclass(frozen=True)
class Squares:
    """Knows the squares of even numbers; counts who asked for what."""

    name: str = "squares"
    asked: list[list[int]] = field(default_factory=list, compare=False)
    error: dict[int, Exception] = field(default_factory=dict, compare=False)

    def look_up(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(keys))
        for key in keys:
            if key in self.error:
                raise self.error[key]
        return {key: key * key for key in keys if key % 2 == 0}


def gathered(scenario: Callable[[Gathering], Any], at_once: int = 1) -> Any:
    async def run(work: Callable[[], Any]) -> Any:
        await asyncio.sleep(0)
        return work()

    async def main() -> Any:
        return await scenario(Gathering(run, at_once))

    return asyncio.run(main())


def test_the_first_goes_at_once_and_those_who_come_meanwhile_go_together() -> None:
    kind = Squares()

    async def scenario(gathering: Gathering) -> list[Any]:
        return list(await asyncio.gather(*(gathering.ask(kind, key) for key in [*range(20), 3, 4])))

    assert gathered(scenario) == [key * key if key % 2 == 0 else None for key in [*range(20), 3, 4]]
    assert kind.asked == [[0], list(range(1, 17)), [17, 18, 19]]


def test_kinds_take_turns() -> None:
    one, other = Squares("one"), Squares("other")
    order: list[str] = []

    async def ask(gathering: Gathering, kind: Squares, key: int) -> None:
        await gathering.ask(kind, key)
        order.append(kind.name)

    async def scenario(gathering: Gathering) -> None:
        await asyncio.gather(*(ask(gathering, one, key) for key in range(40)), ask(gathering, other, 0))

    gathered(scenario)
    assert order.index("other") == 1 + 16
    assert gathered(lambda gathering: gathering.ask(Squares("one"), 4)) == 16


def test_none_suffers_for_another() -> None:
    kind = Squares(error={5: RecographError("No.")})

    async def scenario(gathering: Gathering) -> list[Any]:
        tasks = [asyncio.create_task(gathering.ask(kind, key)) for key in range(8)]
        await asyncio.sleep(0)
        tasks[2].cancel()  # who hangs up
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    zero, one, cancelled, three, four, wrong, *others = gathered(scenario)
    assert (zero, one, three, four, others) == (0, None, None, 16, [36, None])
    assert isinstance(cancelled, asyncio.CancelledError)
    assert str(wrong) == "No."
    assert kind.asked == [[0], [1, 2, 3, 4, 5, 6, 7], *([key] for key in range(1, 8))]


def test_nobody_waits_for_a_second_slow_one() -> None:
    error = SlowError("No answer.")
    kind = Squares(error=dict.fromkeys(range(3, 20), error))

    async def scenario(gathering: Gathering) -> list[Any]:
        asking = [gathering.ask(kind, key) for key in (0, 2, 4, 6, 8)]
        return list(await asyncio.gather(*asking, return_exceptions=True))

    assert gathered(scenario) == [0, 4, error, error, error]
    assert kind.asked == [[0], [2, 4, 6, 8], [2], [4]]


@pytest.mark.parametrize("error", [UnavailableError("Away."), ZeroDivisionError()])
def test_a_server_that_is_away_is_not_asked_once_more_for_each(error: Exception) -> None:
    kind = Squares(error={2: error})

    async def scenario(gathering: Gathering) -> list[Any]:
        asking = [gathering.ask(kind, key) for key in range(4)]
        return list(await asyncio.gather(*asking, return_exceptions=True))

    assert gathered(scenario) == [0, error, error, error]
    assert kind.asked == [[0], [1, 2, 3]]


@pytest.mark.parametrize("word", OWNED)
def test_pages_are_the_same_asked_for_together_and_alone(small: neo4j.Driver, word: str) -> None:
    node = OWNED[word]
    about = About(small, node, "customer_1", 8, 10, tuple(asked.name for asked in questions_about(node)))
    keys = [1, 2, 3, 4, 10, 11, 12, 20, 21, 99]
    together = about.look_up(keys)
    assert len(together) >= 2
    assert together == {key: answer for key in keys for answer in about.look_up([key]).values()}


def test_recommendations_are_the_same_asked_for_together_and_alone(small: neo4j.Driver) -> None:
    users = [3, 1, 99, 2, 5]
    together = Recommendations(small, "customer_1", 10).look_up(users)
    assert list(together) == [3, 1, 2, 5]
    assert together == {user: recommend_known(small, "customer_1", [user])[user] for user in together}
