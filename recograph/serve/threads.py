"""Threads that ask the graph, for those who wait for its answers, but not for ever.

Neo4j ends what takes too long. Where the network loses its answer, or it stands still, the driver would wait for two
minutes, which the server tells it to. So whoever waits is told sooner, and other threads take the place of those that
the driver holds; these end by themselves.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from recograph.errors import UnavailableError


class Threads:
    """So many threads."""

    def __init__(self, number: int, name: str) -> None:
        """Nobody waits yet.

        Args:
            number: how many may ask at the same time; others wait for their turn.
            name: of the threads.
        """
        self._number = number
        self._name = name
        self._pool = ThreadPoolExecutor(number, thread_name_prefix=name)
        self._waiting: set[asyncio.Future[None]] = set()
        self._ends: dict[asyncio.Future[None], float] = {}
        """Until when (seconds of the monotonic clock) what has begun must have ended."""

    async def run(self, work: Callable[[], Any], seconds: float) -> Any:
        """Do the work in one of the threads.

        Args:
            work: asks the graph.
            seconds: how long it may take.

        Raises:
            UnavailableError: the graph didn't answer.
        """
        loop = asyncio.get_running_loop()
        left: asyncio.Future[None] = loop.create_future()
        ends = self._ends

        def timed() -> Any:
            ends[left] = time.monotonic() + seconds
            try:
                return work()
            finally:
                del ends[left]

        self._waiting.add(left)
        answer = loop.run_in_executor(self._pool, timed)
        try:
            await asyncio.wait({answer, left}, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                raise UnavailableError("Neo4j doesn't answer.")
            return answer.result()
        finally:
            answer.cancel()
            self._waiting.discard(left)

    @property
    def are_stuck(self) -> bool:
        """Whether one of them has been at work for longer than it may."""
        now = time.monotonic()
        return any(end < now for end in list(self._ends.values()))

    def leave(self) -> None:
        """Tell all who wait that there is no answer, and go on with other threads."""
        if not self._waiting:
            return
        for left in self._waiting:
            left.set_result(None)
        self._waiting = set()
        self._ends = {}
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = ThreadPoolExecutor(self._number, thread_name_prefix=self._name)

    def close(self, *, wait: bool) -> None:
        """End them; work that has not begun isn't done."""
        self._pool.shutdown(wait, cancel_futures=True)
