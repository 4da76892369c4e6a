"""Look-ups of one kind that wait at the same time are asked as one: most of what one costs is the way to Neo4j.

The first goes at once; while it is under way, others gather. So nobody waits for company, and the more wait, the less
each of them costs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from recograph.errors import RecographError, UnavailableError
from recograph.graph.refusals import SlowError

_MOST = 16
"""Look-ups in one statement: with more, the first of them would wait for the last."""


class Kind(Hashable, Protocol):
    """Look-ups that differ in nothing but the key; equal kinds are asked as one."""

    def look_up(self, keys: Sequence[int]) -> Mapping[int, Any]:
        """The answers by key, as far as the graph has them."""


class Gathering:
    """Look-ups that wait, and those that are under way."""

    def __init__(self, run: Callable[[Callable[[], Any]], Awaitable[Any]], at_once: int) -> None:
        """Nothing waits yet.

        Args:
            run: runs a function in a thread.
            at_once: greatest number of statements under way.
        """
        self._run = run
        self._free = at_once
        self._waiting: dict[Kind, dict[int, asyncio.Future[Any]]] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, kind: Kind, key: int) -> Any:
        """The answer for a key; None if the graph hasn't it.

        Raises:
            RecographError: the server fails, or refuses the statement.
        """
        waiting = self._waiting.setdefault(kind, {})
        answer = waiting.setdefault(key, asyncio.get_running_loop().create_future())
        self._go_on()
        return await asyncio.shield(answer)

    def _go_on(self) -> None:
        while self._free and self._waiting:
            kind = next(iter(self._waiting))  # which has waited longest
            waiting = list(self._waiting.pop(kind).items())
            if rest := waiting[_MOST:]:
                self._waiting[kind] = dict(rest)
            self._free -= 1
            task = asyncio.create_task(self._answer(kind, dict(waiting[:_MOST])))
            self._under_way.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._free += 1
        self._go_on()

    async def _answer(self, kind: Kind, asked: Mapping[int, asyncio.Future[Any]]) -> None:
        """Ask for all; where that fails, one by one, so that none suffers for another, but for no second slow one."""
        groups = [list(asked)]
        slow: SlowError | None = None
        for keys in groups:
            outcome = slow or await self._outcome(kind, keys)
            is_one_of_them = isinstance(outcome, RecographError) and not isinstance(outcome, UnavailableError)
            if is_one_of_them and len(keys) > 1:
                groups += [[key] for key in keys]
                continue
            slow = outcome if isinstance(outcome, SlowError) else slow
            for key in keys:
                if isinstance(outcome, Exception):
                    asked[key].set_exception(outcome)
                    asked[key].exception()  # whoever asked may have gone
                else:
                    asked[key].set_result(outcome.get(key))

    async def _outcome(self, kind: Kind, keys: Sequence[int]) -> Mapping[int, Any] | Exception:
        try:
            answers: Mapping[int, Any] = await self._run(partial(kind.look_up, keys))
        except Exception as error:  # each of those who wait is told
            return error
        return answers
