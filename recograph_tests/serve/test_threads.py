"""Nobody waits for what Neo4j's network has lost."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import neo4j
import pytest
from starlette.testclient import TestClient

from recograph.adapters.neo4j import Connection
from recograph.adapters.neo4j.driver import Server, connect
from recograph.errors import UnavailableError
from recograph.serve import asking, loads
from recograph.serve.access import Loopback
from recograph.serve.server import _IMPATIENT, application
from recograph.serve.threads import Threads

KEPT, OTHER = "/customer_1/questions/popular_courses.json", "/customer_1/courses/10.json"


class Network:
    """A way to a server, which can lose all that goes over connections that there are."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open = threading.Event()
        self._open.set()
        self._last = b""
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def break_off_at(self, word: bytes) -> None:
        """Lose whatever is sent from then on when somebody sends this."""
        self._last = word

    def mend(self) -> None:
        """Let new connections through; those that there are stay lost."""
        is_open = threading.Event()
        is_open.set()
        self._open = is_open

    def close(self) -> None:
        for end in [self._listening, *self._ends]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                server = socket.create_connection(self._server)
                self._ends += [client, server]
                is_open = self._open
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(*ends, is_open), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, is_open: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._last and self._last in data:
                    self._last, self._open = b"", threading.Event()
                if is_open is self._open and is_open.is_set():
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def network(neo4j_server: Connection) -> Iterator[Network]:
    network = Network(int(neo4j_server.uri.rpartition(":")[2]))
    yield network
    network.close()


def until(client: TestClient, address: str, status: int) -> None:
    end = time.monotonic() + 90
    while client.get(address).status_code != status:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_network_that_loses_everything_keeps_nobody_waiting(
    small: neo4j.Driver, neo4j_server: Connection, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "_PATIENCE", 2.0)
    monkeypatch.setattr(asking, "_LOST_SECONDS", 600.0)
    impatient = _IMPATIENT | {"liveness_check_timeout": 0.1, "connection_acquisition_timeout": 2.0}
    through = Server(f"bolt://127.0.0.1:{network.port}", neo4j_server.username, neo4j_server.password)
    with (
        connect(through, **impatient) as driver,
        TestClient(application(driver, Loopback()), "http://127.0.0.1") as client,
        ThreadPoolExecutor(1) as pool,
    ):
        until(client, OTHER.replace("10", "11"), 200)
        until(client, KEPT, 200)
        network.break_off_at(b"asked_about")
        refused = pool.submit(client.get, OTHER).result(60)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        until(client, "/-/health", 503)
        assert client.get(KEPT).headers["warning"] == '110 - "Response is Stale"'
        network.mend()
        until(client, OTHER, 200)
        assert "warning" not in client.get(KEPT).headers


def test_who_waits_for_a_lost_answer_is_told_and_others_go_on() -> None:
    end = threading.Event()

    async def scenario() -> None:
        threads = Threads(1, "held")
        lost, behind = (asyncio.create_task(threads.run(lambda: end.wait(120), seconds)) for seconds in (0.05, 60))
        while not threads.are_stuck:
            await asyncio.sleep(0.01)
        threads.leave()
        for waiting in (lost, behind):
            with pytest.raises(UnavailableError):
                await waiting
        assert await threads.run(lambda: "answer", 60) == "answer"
        assert not threads.are_stuck
        end.set()
        threads.close(wait=True)

    try:
        asyncio.run(scenario())
    finally:
        end.set()


def test_all_threads_that_ask_are_watched(small: neo4j.Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Threads] = []
    monkeypatch.setattr(Threads, "are_stuck", True)
    monkeypatch.setattr(Threads, "leave", lambda threads: left.append(threads))
    monkeypatch.setattr(asking, "_WATCH_SECONDS", 0.01)
    with TestClient(application(small, Loopback()), "http://127.0.0.1"):
        end = time.monotonic() + 60
        while len(set(map(id, left))) < 3:
            assert time.monotonic() < end
            time.sleep(0.01)
