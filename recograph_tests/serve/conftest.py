from collections.abc import Callable, Iterator
from contextlib import ExitStack

import neo4j
import pytest
from starlette.testclient import TestClient

from recograph.serve.access import Access, Loopback
from recograph.serve.server import application

Open = Callable[[Access], TestClient]


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
