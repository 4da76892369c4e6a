"""What is kept, until when; and what happens while Neo4j is away. On a graph of its own, which loads change."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from math import ceil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import neo4j
import pytest
from neo4j.exceptions import TransientError
from starlette.testclient import TestClient

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.errors import UnavailableError
from recograph.graph.erase import erase_customer, erase_user
from recograph.graph.load import load
from recograph.graph.queries import ask
from recograph.graph.reading import Answer
from recograph.graph.recommend import recommend, recommend_known
from recograph.graph.refusals import neo4j_explained
from recograph.graph.report import LoadOptions
from recograph.graph.together import ask_together
from recograph.serve import asking, loads, look_ups
from recograph.serve.access import Loopback
from recograph.serve.cache import Basis, Cache
from recograph.serve.loads import EVERYBODY, Loads
from recograph.serve.server import application
from recograph_tests.graph.marts import Snapshot
from recograph_tests.graph.small import CUSTOMER_1, DAY, load_small

NEXT = "2026-11-02"
OPTIONS = LoadOptions(max_removed_share=1)
POPULAR = "/customer_1/questions/popular_courses.json"
LANGUAGES = "/customer_1/questions/languages.json"
OTHERS = "/customer_2/questions/popular_courses.json"


@pytest.fixture
def graph(neo4j: neo4j.Driver, tmp_path: Path) -> neo4j.Driver:
    """The small graph, to be changed."""
    load_small(neo4j, tmp_path)
    return neo4j


@pytest.fixture
def client(graph: neo4j.Driver) -> Iterator[TestClient]:
    with TestClient(application(graph, Loopback()), "http://127.0.0.1") as client:
        yield client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that reached the graph."""
    names: list[str] = []

    def counted(driver: Any, name: str, *arguments: Any, **options: Any) -> Any:
        names.append(name)
        return ask(driver, name, *arguments, **options)

    monkeypatch.setattr(asking, "ask", counted)
    return names


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it comes true; on a machine with nothing else to do that takes half a second."""
    until = time.monotonic() + 20
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def load_next(graph: neo4j.Driver, lake: Path, **marts: Any) -> None:
    Snapshot({**CUSTOMER_1.marts, **marts}).write(lake, "customer_1", NEXT)
    load(graph, DuckDBWarehouse(lake=str(lake)), "customer_1", NEXT, options=OPTIONS)


def test_a_load_voids_what_it_changed_and_nothing_else(
    client: TestClient, graph: neo4j.Driver, tmp_path: Path, asked: list[str]
) -> None:
    before = client.get(POPULAR).json()["rows"]
    for address in (POPULAR, LANGUAGES, OTHERS) * 2:
        client.get(address)
    assert asked == ["popular_courses", "languages", "popular_courses"]
    enrolled = [*CUSTOMER_1["course_enrolments"], (5, 12, 0, 9), (6, 12, 0, 9), (3, 12, 0, 9)]
    load_next(graph, tmp_path, course_enrolments=enrolled)
    assert soon(lambda: client.get(POPULAR).json()["rows"] != before)
    assert client.get(POPULAR).json()["rows"][0]["name"] == "Negotiation"
    asked.clear()
    for address in (POPULAR, LANGUAGES, OTHERS):
        client.get(address)
    assert asked == []
    assert client.get("/index.json").json()["customers"][0]["snapshot_date"] == NEXT


def test_who_had_nothing_yet_shares_what_is_popular_with_those_who_speak_the_language(
    client: TestClient, graph: neo4j.Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_next(graph, tmp_path, user_languages=[*CUSTOMER_1["user_languages"], (5, "english"), (6, "english")])
    assert soon(lambda: client.get("/customer_1.json").json()["snapshot_date"] == NEXT)
    looked: list[tuple[int, Any]] = []

    def counted(driver: Any, customer: str, user: int, k: int, **options: Any) -> Any:
        looked.append((user, options["kinds"]))
        return recommend(driver, customer, user, k, **options)

    def counted_known(driver: Any, customer: str, users: list[int], *arguments: Any, **options: Any) -> Any:
        looked.extend((user, "known") for user in users)  # none where only a plan is made
        return recommend_known(driver, customer, users, *arguments, **options)

    monkeypatch.setattr(asking, "recommend", counted)
    monkeypatch.setattr(look_ups, "recommend_known", counted_known)
    for user in (5, 6, 1):
        rows = client.get(f"/customer_1/users/{user}/recommendations.json").json()["recommendations"]
        assert rows == recommend(graph, "customer_1", user).records()
        assert {row["kind"] for row in rows} == {"Course", "Asset"}
    assert looked == [(5, "known"), (5, ("Course",)), (5, ("Asset",)), (6, "known"), (1, "known")]


def test_a_load_voids_no_page_of_another_customer(
    client: TestClient, graph: neo4j.Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def counted(driver: Any, parts: Any, keys: Any, **options: Any) -> Any:
        made.extend([parts[0].parameters["customer"]] * len(keys))
        return ask_together(driver, parts, keys, **options)

    monkeypatch.setattr(look_ups, "ask_together", counted)
    pages = ("/customer_1/courses/10", "/customer_2/courses/10", "/customer_1/questions/languages")
    assert [client.get(page).status_code for page in pages] == [200] * 3
    load_next(graph, tmp_path, course_enrolments=[*CUSTOMER_1["course_enrolments"], (5, 12, 0, 9)])
    assert soon(lambda: NEXT in client.get(pages[0]).text)
    assert soon(lambda: NEXT in client.get(pages[2]).text), "which shows the day, even if its answer is the same"
    assert NEXT not in client.get(pages[1]).text
    assert made == ["customer_1", "customer_2", "customer_1"]


def test_a_load_is_seen_though_the_clock_was_set_back(client: TestClient, graph: neo4j.Driver, tmp_path: Path) -> None:
    later = "datetime() + duration('P1D')"
    graph.execute_query(f"MATCH (s:LoadState) SET s.changed_at = {later}, s.loaded_at = {later}")
    before = client.get(POPULAR).json()["rows"]
    load_next(graph, tmp_path, course_enrolments=[*CUSTOMER_1["course_enrolments"], (5, 12, 0, 9), (6, 12, 0, 9)])
    assert soon(lambda: client.get(POPULAR).json()["rows"] != before)
    assert soon(lambda: client.get("/index.json").json()["customers"][0]["snapshot_date"] == NEXT)


def test_a_load_without_changes_voids_no_answer(
    client: TestClient, graph: neo4j.Driver, tmp_path: Path, asked: list[str]
) -> None:
    client.get(POPULAR)
    load_next(graph, tmp_path)
    assert soon(lambda: client.get("/customer_1.json").json()["snapshot_date"] == NEXT)
    asked.clear()
    client.get(POPULAR)
    assert asked == []


def test_an_erased_person_is_gone_soon(client: TestClient, graph: neo4j.Driver) -> None:
    history = "/customer_1/users/{}.json"
    for user in (1, 2):
        assert client.get(history.format(user)).status_code == 200
    erase_user(graph, "customer_1", 1)
    assert soon(lambda: client.get(history.format(1)).status_code == 404)
    # A second one, of sets that are known to be unsure already.
    assert client.get(history.format(2)).status_code == 200
    erase_user(graph, "customer_1", 2)
    assert soon(lambda: client.get(history.format(2)).status_code == 404)
    erase_customer(graph, "customer_1")
    assert soon(lambda: client.get("/customer_1").status_code == 404)


def test_while_neo4j_is_away_kept_answers_are_marked_and_others_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, kept = client.get("/customer_1"), client.get(POPULAR).json()
    assert client.get("/-/health").status_code == 200
    away = UnavailableError("Neo4j is away.")

    def refuse(*_: Any, **__: Any) -> None:
        raise away

    with monkeypatch.context() as patch:
        patch.setattr(loads, "read", refuse)
        assert soon(lambda: client.get("/-/health").status_code == 503)
        stale = client.get(POPULAR)
        assert (stale.json(), stale.headers["warning"]) == (kept, '110 - "Response is Stale"')
        marked = client.get("/customer_1", headers={"if-none-match": page.headers["etag"]})
        assert 'role="status">The graph can\'t be reached' in marked.text
        assert 'role="status">The graph' not in page.text
        for address in ("/customer_1/questions/unused_courses.json", "/customer_1/users/1"):
            refused = client.get(address)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        # Made anew from an answer that is kept.
        assert client.get(LANGUAGES).headers["warning"] == '110 - "Response is Stale"'
        client.app._asking.loads.down_since -= 3600  # type: ignore[attr-defined]
        assert client.get(POPULAR).status_code == 503
    assert soon(lambda: client.get("/-/health").status_code == 200)
    assert "warning" not in client.get(POPULAR).headers
    assert client.get("/customer_1/users/1").status_code == 200


def test_a_server_that_stands_still_is_away(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get(POPULAR).status_code == 200
    end = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(loads, "_PATIENCE", 0.1)
        patch.setattr(loads, "read", lambda *_, **__: end.wait(120))
        try:
            assert soon(lambda: client.get("/-/health").status_code == 503)
            assert client.get(POPULAR).headers["warning"] == '110 - "Response is Stale"'
        finally:
            end.set()
    assert soon(lambda: client.get("/-/health").status_code == 200)
    assert "warning" not in client.get(POPULAR).headers


def test_what_neo4j_had_no_memory_for_is_refused_to_nobody_else(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        with neo4j_explained("Neo4j"):
            raise TransientError("The memory for a transaction is used up.")

    with monkeypatch.context() as patch:
        patch.setattr(asking, "ask", refuse)
        assert client.get(POPULAR).status_code == 503
        assert client.get("/-/health").status_code == 200
    assert client.get(POPULAR).status_code == 200


def test_whoever_asks_the_same_at_the_same_time_waits_for_one_answer() -> None:
    async def scenario() -> None:
        watching = Loads(None)  # type: ignore[arg-type]
        cache = Cache(watching, 10_000)
        made: list[str] = []
        gate = asyncio.Event()

        async def make(basis: Basis) -> tuple[str, int]:
            basis.rests_on([("customer_1", "nodes/User")])
            made.append("once")
            await gate.wait()
            return "answer", 10

        waiting = [asyncio.create_task(cache.get("key", make)) for _ in range(50)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # who hangs up ends it for nobody else
        gate.set()
        answers = await asyncio.gather(*waiting[1:])
        assert {entry.value for entry in answers} == {"answer"}
        assert made == ["once"]

        async def fail(_: Basis) -> tuple[str, int]:
            raise UnavailableError("away")

        for _ in range(2):
            with pytest.raises(UnavailableError):
                await cache.get("other", fail)

    asyncio.run(scenario())


class Clock:
    """A clock that goes on only while somebody sleeps, and a graph that a load changes at a given second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, changed_at: float) -> None:
        self.now = 100.0
        self.changed_at = changed_at
        self.at: dict[float, Callable[[], Awaitable[None]]] = {}
        """What happens at which second."""
        monkeypatch.setattr(loads, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(loads, "read", self.read)
        self._sleep = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    @property
    def state(self) -> str:
        """What the graph holds now."""
        return "new" if self.now >= self.changed_at else "old"

    @property
    def owner(self) -> tuple[str | None, bool]:
        """Who holds the customer's lock, and whether the lease goes on."""
        return None, False

    def read(self, _: Any, statement: str, *__: Any, **___: Any) -> Answer:
        if statement == loads._LOCKS:
            return Answer([], [[[["customer_1", self.state, *self.owner]], 1]])
        state = ["nodes/User", "clean", self.state, self.state, 1, "2026-11-01", "2026-11-01T05:00:00Z", []]
        return Answer([], [["customer_1", {}, [state]]])

    async def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        while soonest := min((second for second in self.at if second <= end), default=0.0):
            self.now = soonest
            await self.at.pop(soonest)()
            for _ in range(3):  # what that began in the background
                await self._sleep(0)
        self.now = end
        if not self.at:
            raise asyncio.CancelledError
        await self._sleep(0)


@pytest.mark.parametrize("changed_at", [102.0, 102.001, 102.1, 102.249, 102.3, 102.999])
def test_a_load_is_seen_within_a_second_and_what_it_voids_is_made_meanwhile(
    monkeypatch: pytest.MonkeyPatch, changed_at: float
) -> None:
    clock = Clock(monkeypatch, changed_at)
    watching = Loads(None)  # type: ignore[arg-type]
    cache = Cache(watching, 10_000)
    given: dict[str, list[tuple[float, str]]] = {"often": [], "late": [], "within": []}

    async def make(basis: Basis) -> tuple[str, int]:
        basis.rests_on([("customer_1", "nodes/User")])
        return clock.state, 10

    async def within(basis: Basis) -> tuple[str, int]:
        return (await cache.get("often", make, basis)).value, 10

    async def ask(name: str) -> None:
        entry = await cache.get(name, within if name == "within" else make)
        given[name].append((clock.now, entry.value))

    async def ask_all() -> None:
        for name in given:
            await ask(name)

    clock.at[100.5] = ask_all
    for step in range(60):
        clock.at[changed_at + step / 50] = partial(ask, "often")
    clock.at[changed_at + 1] = ask_all
    with suppress(asyncio.CancelledError):
        asyncio.run(watching.watch())
    assert {state for now, state in given["often"] if now < changed_at} == {"old"}
    assert {state for now, state in given["often"] if now >= changed_at + 1} == {"new"}
    assert given["late"][-1] == given["within"][-1] == (changed_at + 1, "new")
    # Who asks first after it was seen isn't kept waiting either: the answer is made in the background.
    seen = ceil(changed_at / loads._SECONDS) * loads._SECONDS
    assert [state for now, state in given["often"] if now > seen][:2] == ["old", "new"]


@pytest.mark.parametrize(
    ("owner", "is_held", "seconds"),
    [
        pytest.param(None, False, 1.0, id="ended"),
        pytest.param("another load", True, 1.0, id="another has begun already"),
        pytest.param("a load", False, 1.0, id="killed"),
        pytest.param("a load", True, loads._UNDER_WAY_SECONDS, id="long"),
    ],
)
def test_a_load_that_is_under_way_voids_nothing_before_its_end(
    monkeypatch: pytest.MonkeyPatch, owner: str | None, is_held: bool, seconds: float
) -> None:
    now, lock, state = [100.0], ["customer_1", 1, None, False], ["nodes/User", "clean", "", "", 1, DAY, "", []]
    asked: list[str] = []

    def read(_: Any, statement: str, *__: Any, **___: Any) -> Answer:
        asked.append(statement)
        return Answer([], [[[[*lock]], 1]] if statement == loads._LOCKS else [["customer_1", {}, [[*state]]]])

    monkeypatch.setattr(loads, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(loads, "read", read)

    async def scenario() -> None:
        watching = Loads(None)  # type: ignore[arg-type]

        async def look() -> bool:
            now[0] += 0.25
            asked.clear()
            await watching.look()
            return watching.holds(stamp)

        stamp = watching.stamp([("customer_1", "nodes/User"), (EVERYBODY, "nodes/User")])
        assert not await look()
        stamp = watching.stamp(dict(stamp))
        assert await look()
        assert asked == [loads._LOCKS], "where no lock is another, nothing else is read"
        lock[1:] = [2, "a load", True]
        assert await look()
        for transaction in range(3, 6):
            lock[1], state[1:3] = transaction, ["dirty", str(transaction)]
            assert await look()
            assert asked == [loads._LOCKS]
        lock[2:] = [owner, is_held]
        for _ in range(int(seconds / 0.25) - 4):
            assert await look()
        assert not await look()
        assert watching.may_be_given(stamp)
        now[0] += 0.75
        assert not watching.may_be_given(stamp)

    asyncio.run(scenario())


def test_what_was_begun_before_a_load_is_not_given_to_who_asks_after_it() -> None:
    async def scenario() -> None:
        watching = Loads(None)  # type: ignore[arg-type]
        cache = Cache(watching, 10_000)
        source = ("customer_1", "nodes/User")
        gates = [asyncio.Event(), asyncio.Event()]
        made: list[int] = []

        async def make(basis: Basis) -> tuple[int, int]:
            basis.rests_on([source])
            made.append(len(made))
            number = made[-1]
            await gates[number].wait()
            return number, 10

        before = asyncio.create_task(cache.get("key", make))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        watching._versions[source] = 1
        after = [asyncio.create_task(cache.get("key", make)) for _ in range(3)]
        await asyncio.sleep(0)
        for gate in gates:
            gate.set()
        assert (await before).value == 0
        assert [entry.value for entry in await asyncio.gather(*after)] == [1, 1, 1]
        assert made == [0, 1]

    asyncio.run(scenario())


def test_watching_ends_even_if_an_answer_comes_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answered = threading.Event(), threading.Event()

    def read(*_: Any, **__: Any) -> SimpleNamespace:
        asked.set()
        answered.wait(20)
        return SimpleNamespace(rows=[[[], 0]])

    async def scenario() -> None:
        watching = asyncio.create_task(Loads(None).watch())  # type: ignore[arg-type]
        await asyncio.to_thread(asked.wait, 20)
        answered.set()
        time.sleep(0.1)  # the answer is there, and the loop hasn't seen it yet
        watching.cancel()
        ended, _ = await asyncio.wait({watching}, timeout=5)
        assert ended
        assert watching.cancelled()

    monkeypatch.setattr(loads, "read", read)
    asyncio.run(scenario())


def test_the_cache_keeps_to_its_bytes_and_drops_what_was_used_longest_ago() -> None:
    async def scenario() -> None:
        cache = Cache(Loads(None), 1000)  # type: ignore[arg-type]

        def make(value: int) -> Callable[[Basis], Any]:
            async def made(_: Basis) -> tuple[int, int]:
                return value, 100

            return made

        for number in range(10):
            await cache.get(number, make(number))
        cache.find(0)
        await cache.get(10, make(10))
        assert cache.find(0) is not None
        assert cache.find(1) is None

    asyncio.run(scenario())


def test_the_days_are_told(client: TestClient) -> None:
    assert list(client.get("/index.json").json()["customers"][0]["growth"]) == [DAY]
