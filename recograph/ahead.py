"""Lets threads make items before a consumer asks for them, so that all cores are used."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Ahead(Generic[_Item]):
    """Items that a thread begins to make at once, before they are asked for.

    What making an item raises is raised where the item is asked for. Iterating is possible once.
    """

    def __init__(self, items: Iterable[_Item], most: int = 2):
        """Start the thread.

        Args:
            items: what to iterate over in the thread.
            most: how many items may wait.
        """
        self._items = items
        self._waiting: queue.Queue[tuple[_Item | None, BaseException | None]] = queue.Queue(most)
        self._stop = threading.Event()
        self._end = StopIteration()
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Generator[_Item, None, None]:
        """The items."""
        try:
            while True:
                item, error = self._waiting.get()
                if error is self._end:
                    return
                if error is not None:
                    raise error
                yield item  # type: ignore[misc]
        finally:
            self.close()

    def close(self) -> None:
        """Make no more items."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put(item, None):
                    return
            self._put(None, self._end)
        except BaseException as error:
            self._put(None, error)

    def _put(self, item: _Item | None, error: BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._waiting.put((item, error), timeout=0.2)
            except queue.Full:
                continue
            return True
        return False


def ahead(items: Iterable[_Item], most: int = 2) -> Generator[_Item, None, None]:
    """The items; from the first that is asked for, a thread makes the next ones, and what it raises is raised here.

    Args:
        items: what to iterate over in the thread.
        most: how many items may wait.
    """
    yield from Ahead(items, most)


def in_order(
    pool: Executor,
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    size: Callable[[_Item], int],
    most_size: int,
    most: int = 3,
) -> Iterator[_Result]:
    """What a pool makes of items, in their order; an error is raised after the results of the items before it.

    Args:
        pool: runs the work.
        work: makes one result of one item.
        items: what to work on; the next ones are asked for while the pool works.
        size: tells the size of an item.
        most_size: how large the items in work may be together; a larger item is worked on alone.
        most: how many items may be in work.
    """
    waiting: deque[tuple[Future[_Result], int]] = deque()
    source, failure, ended = iter(items), None, False
    try:
        while waiting or not ended:
            while not ended and len(waiting) < most and sum(taken for _, taken in waiting) < most_size:
                try:
                    item = next(source)
                except StopIteration:
                    ended = True
                except Exception as error:
                    failure, ended = error, True
                else:
                    waiting.append((pool.submit(work, item), size(item)))
                    del item
            if waiting:
                yield waiting.popleft()[0].result()
        if failure:
            raise failure
    finally:
        for future, _ in waiting:
            future.cancel()
