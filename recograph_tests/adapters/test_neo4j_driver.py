"""Connections to Neo4j over networks that aren't this machine's."""

import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from recograph.adapters.neo4j import Connection
from recograph.adapters.neo4j.driver import Server, connect


class Network:
    """What passes connections on until it forgets them: nothing comes through any more, and neither end is told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._known: list[threading.Event] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        for known in self._known:
            known.clear()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far, known = socket.create_connection(("127.0.0.1", self._port)), threading.Event()
            known.set()
            self._known.append(known)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink, known), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, known: threading.Event) -> None:
        try:
            while data := source.recv(65536):
                if known.is_set():
                    sink.sendall(data)
        except OSError:
            pass


@pytest.fixture
def network(neo4j_server: Connection) -> Iterator[Network]:
    network = Network(urlsplit(neo4j_server.uri).port or 0)
    yield network
    network.close()


@pytest.mark.timeout(60)
def test_a_connection_that_the_network_has_forgotten_is_not_taken_again(
    neo4j_server: Connection, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recograph.adapters.neo4j.driver._CONNECTION_SECONDS", 0.2)
    server = Server(f"bolt://127.0.0.1:{network.port}", neo4j_server.username, neo4j_server.password)
    with connect(server) as driver:
        assert driver.execute_query("RETURN 1").records[0][0] == 1
        network.forget()
        time.sleep(0.3)  # as long as the connection may be taken again
        assert driver.execute_query("RETURN 2").records[0][0] == 2
