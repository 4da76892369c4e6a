"""Lets threads work ahead of who consumes what they make, so that all cores are used."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def ahead(items: Iterable[_Item], most: int = 2) -> Generator[_Item, None, None]:
    """The items, while a thread makes the next ones; what it raises is raised here.

    Args:
        items: what to iterate over in the thread.
        most: how many items may wait.
    """
    waiting: queue.Queue[tuple[_Item | None, BaseException | None]] = queue.Queue(most)
    stop = threading.Event()
    end = StopIteration()

    def put(item: _Item | None, error: BaseException | None) -> bool:
        while not stop.is_set():
            try:
                waiting.put((item, error), timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item, None):
                    return
            put(None, end)
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is end:
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


def in_order(
    pool: Executor,
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    size: Callable[[_Item], int],
    most_size: int,
    most: int = 3,
) -> Iterator[_Result]:
    """What a pool makes of items, in their order; an error is raised behind the results of the items before it.

    Args:
        pool: what works.
        work: makes one result of one item.
        items: what to work on; the next ones are asked for while the pool works.
        size: of an item.
        most_size: how large the items in work may be together; a larger item is worked on alone.
        most: how many items may be in work.
    """
    waiting: deque[tuple[Future[_Result], int]] = deque()
    source, failure, done = iter(items), None, False
    try:
        while waiting or not done:
            while not done and len(waiting) < most and sum(taken for _, taken in waiting) < most_size:
                try:
                    item = next(source)
                except StopIteration:
                    done = True
                except Exception as error:
                    failure, done = error, True
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
