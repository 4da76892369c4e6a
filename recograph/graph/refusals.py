"""What can stop a load, and Neo4j's errors in words for the person who runs it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import neo4j
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConstraintError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from recograph.errors import RecographError, UnavailableError


class BackwardsError(RecographError):
    """The graph holds a later snapshot than the one asked for.

    Attributes:
        held: the later snapshot date by set.
    """

    def __init__(self, message: str, held: Mapping[str, str]) -> None:
        super().__init__(message)
        self.held = dict(held)


class GuardError(RecographError):
    """The snapshot would remove more of a set than is plausible.

    Attributes:
        removed: (rows that would go, rows that are there) by set.
    """

    def __init__(self, message: str, removed: Mapping[str, tuple[int, int]]) -> None:
        super().__init__(message)
        self.removed = dict(removed)


class MissingError(RecographError):
    """The graph hasn't the customer, user, course or asset that is asked about."""


class SlowError(RecographError):
    """An answer took more time, or has more rows, than its reader allows."""


class GraphChangedError(RecographError):
    """The graph isn't what is recorded of it: someone else has changed the customer's part."""


class LockedError(RecographError):
    """Another load has the customer's part of the graph."""


def address(driver: neo4j.Driver) -> str:
    """Where the driver's server is, for messages.

    Raises:
        RecographError: it can't be reached.
    """
    with neo4j_explained("Neo4j"):
        info = driver.get_server_info()
    return f"Neo4j at {info.address[0]}:{info.address[1]}"


@contextmanager
def neo4j_explained(server: str) -> Iterator[None]:
    """Turn Neo4j's errors into a RecographError that says what to do.

    Args:
        server: what to call the server, such as the result of `address`.
    """
    try:
        yield
    except AuthError as error:
        raise RecographError(
            f"{server} refuses the user: check NEO4J_USERNAME and NEO4J_PASSWORD. ({error.message})"
        ) from error
    except (ServiceUnavailable, SessionExpired) as error:
        raise UnavailableError(
            f"{server} can't be reached any more ({_text(error)}). Start it, or correct NEO4J_URI, and run this again: "
            "it goes on from what the graph holds."
        ) from error
    except ConstraintError as error:
        raise RecographError(
            f"{server} already has such a node ({error.message}): a key is in the mart twice, or someone else writes "
            "to this part of the graph. Run this again: it compares with what the graph holds."
        ) from error
    except TransientError as error:
        raise UnavailableError(f"{server} was too busy, again and again: {_text(error)}. Run this again.") from error
    except ClientError as error:
        advice = "Correct the statement" if _WRONG.match(error.code or "") else "Run this again"
        raise RecographError(f"{server} failed: {_text(error)}. {advice}.") from error
    except (Neo4jError, DriverError) as error:
        raise RecographError(f"{server} failed: {_text(error)}. Run this again.") from error


_WRONG = re.compile(r"Neo\.ClientError\.Statement\.(Syntax|Semantic|Type|Argument|Arithmetic|Parameter)")
"""Codes of what is wrong with a statement or its parameters, and will be next time."""


@contextmanager
def parameters_explained() -> Iterator[None]:
    """Say of values that Neo4j has no type for, or no room, that they can't be parameters.

    Raises:
        RecographError: so it is.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise RecographError(f"{error.object!r} isn't a text in Unicode.") from error
    except (ValueError, TypeError, OverflowError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise RecographError(f"A parameter can't be sent to Neo4j: {said}.") from error


def _text(error: Neo4jError | DriverError) -> str:
    """What an error says; those of the driver itself say it only as text, and call any of them unexpected besides."""
    said = (isinstance(error, Neo4jError) and error.message) or str(error)
    return " ".join(said.split()).rstrip(".")
