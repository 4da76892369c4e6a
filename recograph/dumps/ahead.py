"""Lets a thread work ahead of who consumes it, so that both have a core."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def ahead(items: Iterable[_Item], most: int = 2) -> Iterator[_Item]:
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

    thread = threading.Thread(target=work, name="dump-ahead", daemon=True)
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
