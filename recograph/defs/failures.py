"""How errors are shown in Dagster, and which of them are worth another try."""

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import dagster as dg

from recograph.errors import RecographError, UnavailableError

_Result = TypeVar("_Result")

WAITS = (5.0, 10.0, 20.0)
"""Seconds before a server that may be back soon is asked again."""


@contextmanager
def clear_failures() -> Iterator[None]:
    """Turn a RecographError into a Dagster failure that shows its message."""
    try:
        yield
    except RecographError as error:
        raise dg.Failure(description=str(error)) from error


def tried_again(log: logging.Logger, work: Callable[[], _Result], waits: Sequence[float] = WAITS) -> _Result:
    """What work returns, tried again after a while where a server couldn't be reached.

    Not Dagster's RetryPolicy, which tries every failure again and then says "Exceeded max_retries" in place of it.

    Raises:
        UnavailableError: of the last try.
    """
    for wait in waits:
        try:
            return work()
        except UnavailableError as error:
            seconds = wait * random.uniform(0.8, 1.2)  # noqa: S311 - so that customers don't come back all at once
            log.warning(f"{error} Trying again in {seconds:.0f} s.")
            time.sleep(seconds)
    return work()
