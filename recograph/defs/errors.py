"""How errors are shown in Dagster, and which of them are worth another try."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from recograph.errors import RecographError, UnavailableError

RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For assets that talk to servers: again after about 5, 15 and 35 seconds."""


@contextmanager
def clear_failures() -> Iterator[None]:
    """Turn a RecographError into a Dagster failure that shows its message.

    Retried only where a server may be back soon; what a person must mend fails at once.
    """
    try:
        yield
    except RecographError as error:
        raise dg.Failure(description=str(error), allow_retries=isinstance(error, UnavailableError)) from error
