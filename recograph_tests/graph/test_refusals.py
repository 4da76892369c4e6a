"""What stops a load is said in a sentence, and of a kind that tells whether trying again may help."""

from collections.abc import Iterator
from pathlib import Path

import neo4j as neo4j_driver
import pyarrow as pa
import pytest
from neo4j.exceptions import (
    AuthError,
    ConstraintError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from recograph.errors import RecographError, UnavailableError
from recograph.graph.difference import schema
from recograph.graph.model import LANGUAGE
from recograph.graph.reading import require_customer
from recograph.graph.refusals import neo4j_explained
from recograph.graph.scratch import Scratch


def of_server(kind: str, message: str) -> Neo4jError:
    """An error as the driver makes it of what a server answers."""
    error: Neo4jError = Neo4jError._hydrate_neo4j(code=f"Neo.{kind}Error.General.Some", message=message)
    return error


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ServiceUnavailable("it is gone"), UnavailableError, r"^The server can't be reached any more \(it is gone\)\."),
        (SessionExpired("it was long"), UnavailableError, r"^The server can't be reached any more \(it was long\)\."),
        (
            of_server("Transient", "a deadlock."),
            UnavailableError,
            r"was too busy, again and again: a deadlock\. Run",
        ),
        (AuthError("who?"), RecographError, "^The server refuses the user: check NEO4J_USERNAME and NEO4J_PASSWORD"),
        (ConstraintError("twice"), RecographError, "^The server already has such a node"),
        (of_server("Database", "a\nbug"), RecographError, r"^The server failed: a bug\. Run this again\."),
        (DriverError("closed"), RecographError, r"^The server failed: closed\. Run this again\."),
    ],
)
def test_errors_of_neo4j_are_told_in_words(error: Exception, kind: type[RecographError], message: str) -> None:
    with pytest.raises(RecographError, match=message) as raised, neo4j_explained("The server"):
        raise error
    assert type(raised.value) is kind
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    ("code", "advice"), [("SyntaxError", "Correct the statement"), ("EntityNotFound", "Run this again")]
)
def test_what_will_be_wrong_next_time_isnt_to_be_run_again(code: str, advice: str) -> None:
    error = Neo4jError._hydrate_neo4j(code=f"Neo.ClientError.Statement.{code}", message="So it is.")
    with pytest.raises(RecographError, match=rf"failed: So it is\. {advice}\.$"), neo4j_explained("The server"):
        raise error


def test_what_stops_the_rows_on_their_way_is_raised_as_it_is(tmp_path: Path) -> None:
    """So that a server that doesn't answer is asked again, whoever reads from it."""

    english = pa.RecordBatch.from_pylist([{"k": "en", "p0": "English"}], schema=schema(LANGUAGE))

    def rows() -> Iterator[pa.RecordBatch]:
        yield english
        raise UnavailableError("S3 doesn't answer.")

    with Scratch(str(tmp_path)) as scratch:
        with pytest.raises(UnavailableError, match=r"^S3 doesn't answer\.$"):
            scratch.store(LANGUAGE, "new", rows())
        assert scratch.store(LANGUAGE, "new", [english]) == 1
    assert not list((tmp_path / "staging").iterdir())


def test_an_empty_graph_says_how_to_fill_it(neo4j: neo4j_driver.Driver) -> None:
    with pytest.raises(RecographError, match=r"^The graph is empty\. Load it with `recograph run`\.$"):
        require_customer(neo4j, "acme")
