from collections.abc import Callable, Iterator
from contextlib import ExitStack

import neo4j
import pytest
from starlette.testclient import TestClient

from recograph.graph.queries import parse, questions
from recograph.serve.access import Access, Loopback
from recograph.serve.server import application

Open = Callable[[Access], TestClient]


def plant(monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """A question of one's own about courses, as its file would be."""
    parameters = "//   customer  string  whose\n//   course  integer  which\n"
    header = f"// Own?\n// Parameters:\n{parameters}// Columns:\n//   n  what\n"
    monkeypatch.setitem(questions(), "own", parse("own", header + statement))


@pytest.fixture(scope="module")
def opened(small: neo4j.Driver) -> Iterator[Open]:
    """Opens the pages of the small graph with a kind of access; clients are closed at the module's end."""
    with ExitStack() as stack:

        def open_(access: Access) -> TestClient:
            client = TestClient(application(small, access), "http://127.0.0.1", follow_redirects=False)
            return stack.enter_context(client)

        yield open_


@pytest.fixture(scope="module")
def client(opened: Open) -> TestClient:
    """The pages as everybody on this machine has them."""
    return opened(Loopback())
