"""How an error that a person can mend is shown in Dagster: its message, without retries."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from recograph.errors import RecographError


@contextmanager
def clear_failures() -> Iterator[None]:
    """Turn a RecographError into a Dagster failure that shows its message; retrying wouldn't mend it."""
    try:
        yield
    except RecographError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
