"""Pages that are shown in parts: their beginning at once, the rest as the graph answers."""

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import neo4j
import pytest
import uvicorn
from starlette.testclient import TestClient

from recograph.errors import UnavailableError
from recograph.graph.queries import ask
from recograph.graph.together import ask_together
from recograph.serve import asking, forms, look_ups
from recograph.serve.access import Loopback
from recograph.serve.forms import in_parts
from recograph.serve.guard import HEADERS
from recograph.serve.pages import DASHBOARD
from recograph.serve.server import application, listen
from recograph_tests.serve.conftest import Open

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-encoding": "gzip, deflate, br"}
END = "<h2>All questions</h2>"


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Does something before a question is asked."""

    def first_(question: str, do: Callable[[], object]) -> None:
        def asked(driver: Any, name: str, *arguments: Any, **options: Any) -> Any:
            if name == question:
                do()
            return ask(driver, name, *arguments, **options)

        monkeypatch.setattr(asking, "ask", asked)

    return first_


@pytest.mark.parametrize("page", ["/customer_1", "/customer_1/users/1"])
def test_a_browser_is_sent_the_same_page_in_parts(opened: Open, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def together(*arguments: Any, **options: Any) -> Any:
        """The answers about a node, not before its page was begun."""
        assert begun.wait(60)
        return ask_together(*arguments, **options)

    def begin(*arguments: Any, **options: Any) -> Any:
        begun.set()
        return in_parts(*arguments, **options)

    until = time.monotonic() + 240
    for address in (page, "/customer_1/users/1/neighbourhood.json"):
        while opened(Loopback()).get(address).status_code != 200:  # until Neo4j has made its plans
            assert time.monotonic() < until
    client = opened(Loopback())  # nothing is kept yet
    monkeypatch.setattr(look_ups, "ask_together", together)
    monkeypatch.setattr(forms, "in_parts", begin)
    first = client.get(page, headers=BROWSER)
    kept = client.get(page, headers=BROWSER)
    assert "etag" not in first.headers
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["cache-control"] == "no-store"
    assert HEADERS.items() <= dict(first.headers).items()
    assert kept.text == first.text
    assert kept.headers["etag"]


@pytest.mark.parametrize("other", [{"accept": "*/*"}, {"accept-encoding": "identity"}])
def test_programs_get_it_whole_with_its_tag(opened: Open, other: dict[str, str]) -> None:
    client = opened(Loopback())
    assert client.get("/customer_1", headers=BROWSER | other).headers["etag"]
    assert client.head("/customer_2", headers=BROWSER).headers["etag"]


def test_its_beginning_does_not_wait_for_the_answers(
    small: neo4j.Driver, first: Callable[[str, Callable[[], object]], None]
) -> None:
    slowest = list(DASHBOARD)[4]
    answer = threading.Event()
    first(slowest, lambda: answer.wait(120))
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(
            uvicorn.Config(application(small, Loopback()), lifespan="on", log_config=None, access_log=False)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            until = time.monotonic() + 60
            while not server.started:
                assert time.monotonic() < until
                time.sleep(0.02)
            with httpx.stream("GET", f"{url}/customer_1", headers=BROWSER, timeout=60) as coming:
                parts = coming.iter_text()
                text = ""
                while list(DASHBOARD)[3] not in text:
                    text += next(parts)
                assert "<dt>users</dt>" in text
                assert slowest not in text
                answer.set()
                text += "".join(parts)
        finally:
            answer.set()
            server.should_exit = True
            thread.join()
    assert all(f'<h2 id="{name}">' in text for name in DASHBOARD)
    assert END in text


def test_a_user_who_is_not_there_is_not_found_by_a_browser_either(opened: Open) -> None:
    client = opened(Loopback())
    assert client.get("/customer_1/users/999", headers=BROWSER).status_code == 404
    assert client.get("/customer_2/users/3", headers=BROWSER).status_code == 404


def test_a_page_whose_rest_does_not_come_says_so_and_is_not_kept(
    opened: Open, first: Callable[[str, Callable[[], object]], None]
) -> None:
    client: TestClient = opened(Loopback())
    away = [UnavailableError("Neo4j is away.")]

    def raise_once() -> None:
        if away:
            raise away.pop()

    first(list(DASHBOARD)[1], raise_once)
    broken = client.get("/customer_1", headers=BROWSER)
    assert broken.status_code == 200
    assert "The graph can't be reached any more. Load this page again in a moment." in broken.text
    assert next(iter(DASHBOARD)) in broken.text
    assert END in broken.text
    assert broken.text.rstrip().endswith("</html>")
    until = time.monotonic() + 60
    while (whole := client.get("/customer_1")).status_code != 200:
        assert time.monotonic() < until
    assert "any more" not in whole.text
    assert all(f'<h2 id="{name}">' in whole.text for name in DASHBOARD)
