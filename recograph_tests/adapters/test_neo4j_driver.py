"""Connections to Neo4j over networks that aren't this machine's."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import neo4j as neo4j_driver
import pytest
from neo4j.exceptions import DriverError

from recograph.adapters.neo4j import Connection
from recograph.adapters.neo4j.driver import Server, connect


class Network:
    """What passes connections on until it forgets them: nothing comes through any more, and neither end is told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._known: list[threading.Event] = []
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        for known in self._known:
            known.clear()

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far, known = socket.create_connection(("127.0.0.1", self._port)), threading.Event()
            known.set()
            self._known.append(known)
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink, known), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, known: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if known.is_set():
                    sink.sendall(data)


@pytest.fixture
def network(neo4j_server: Connection) -> Iterator[Network]:
    network = Network(urlsplit(neo4j_server.uri).port or 0)
    yield network
    network.close()


def test_a_connection_that_the_network_has_forgotten_is_not_taken_again(
    neo4j_server: Connection, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recograph.adapters.neo4j.driver._CONNECTION_SECONDS", 0.2)
    server = Server(f"bolt://127.0.0.1:{network.port}", neo4j_server.username, neo4j_server.password)
    answers: list[int] = []

    def ask(driver: neo4j_driver.Driver, number: int) -> None:
        with suppress(DriverError), driver.session() as session:
            answers.append(session.run("RETURN $number", number=number).single(strict=True)[0])

    with connect(server) as driver:
        ask(driver, 1)
        network.forget()
        time.sleep(0.3)  # as long as the connection may be taken again
        asking = threading.Thread(target=ask, args=(driver, 2))
        asking.start()
        asking.join(20)
        network.close()  # so that whoever still waits is told
        asking.join()
    assert answers == [1, 2]
