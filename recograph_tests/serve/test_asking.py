"""How the graph is asked where some questions take long."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import neo4j
import pytest
from starlette.testclient import TestClient

from recograph.graph import recommend
from recograph.graph.queries import ask
from recograph.graph.refusals import SlowError
from recograph.graph.together import ask_together
from recograph.serve import asking, look_ups
from recograph.serve.access import Loopback
from recograph.serve.content import OWNED
from recograph.serve.server import application
from recograph_tests.serve.conftest import Open, plant

MANY = 20
"""More than all threads that ask."""
LOOK_UPS = ("/customer_1/search.json?q=negotiation", "/customer_1/courses/10", "/customer_1/users/1")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Semaphore]:
    """Counts the questions that wait for the end of the test; searches and pages of nodes don't."""
    begun, end = threading.Semaphore(0), threading.Event()

    def slow(driver: Any, name: str, *arguments: Any, **options: Any) -> Any:
        if name == "popular_courses":
            begun.release()
            assert end.wait(120)
        return ask(driver, name, *arguments, **options)

    monkeypatch.setattr(asking, "ask", slow)
    yield begun
    end.set()


def wait_for_plans(client: TestClient) -> None:
    """Neo4j plans a statement at its first use, for which a busy machine needs longer than a page waits."""
    until = time.monotonic() + 240
    while any(client.get(address).status_code != 200 for address in LOOK_UPS):
        assert time.monotonic() < until


def test_slow_questions_keep_nobody_from_looking_something_up(opened: Open, held: threading.Semaphore) -> None:
    wait_for_plans(opened(Loopback()))
    client: TestClient = opened(Loopback())  # nothing is kept yet
    questions = [f"/customer_1/questions/popular_courses.json?limit={limit}" for limit in range(1, MANY)]
    pool = ThreadPoolExecutor(MANY)
    try:
        under_way = [pool.submit(client.get, address) for address in questions]
        assert held.acquire(timeout=120)
        for address in LOOK_UPS:
            assert client.get(address).status_code == 200
        assert not any(future.done() for future in under_way)
    finally:
        pool.shutdown(wait=False)


def test_neo4j_makes_its_plans_before_anybody_waits_for_them(
    small: neo4j.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[tuple[int, Any]] = []

    def noted(driver: Any, parts: Any, keys: Any, **options: Any) -> Any:
        planned.append((len(parts), keys))
        return ask_together(driver, parts, keys, **options)

    for module in (look_ups, recommend):
        monkeypatch.setattr(module, "ask_together", noted)
    with TestClient(application(small, Loopback()), "http://127.0.0.1") as client:
        until = time.monotonic() + 120
        while len(planned) < 1 + len(OWNED):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert all(keys == [] for _, keys in planned)
        client.get("/customer_1/users/1")
    assert planned[-1][0] in {parts for parts, _ in planned[: 1 + len(OWNED)]}


def test_a_question_that_takes_too_long_is_ended(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(
        monkeypatch,
        "UNWIND range(1, 1000000000) AS i WITH i WHERE i % 7 = 8 RETURN count(i) AS n, $course + $customer AS m",
    )
    monkeypatch.setattr(asking, "TIMEOUT", 0.2)
    refused = client.get("/customer_1/questions/own.json?course=10")
    assert (refused.status_code, refused.json()) == (504, {"error": asking.TOO_MUCH})


def test_questions_that_are_slow_together_are_asked_one_by_one_for_a_while(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = opened(Loopback())
    pages = ["/customer_1/courses/10.json", "/customer_1/courses/11.json", "/customer_2/courses/10.json"]
    wanted = [opened(Loopback()).get(page).json() for page in pages]
    tried: list[str] = []

    def too_slow(driver: Any, parts: Any, keys: Any, **options: Any) -> Any:
        tried.extend([parts[0].parameters["customer"]] * len(keys))
        if keys and len(tried) == 1:
            raise SlowError("No answer within 10 s.")
        return ask_together(driver, parts, keys, **options)

    monkeypatch.setattr(look_ups, "ask_together", too_slow)
    assert [client.get(page).json() for page in pages[:2]] == wanted[:2]
    assert len(tried) == 1
    monkeypatch.setattr(asking, "_APART_SECONDS", 0)
    client = opened(Loopback())
    tried.clear()
    assert [client.get(page).json() for page in pages] == wanted
    assert len(tried) == 3
