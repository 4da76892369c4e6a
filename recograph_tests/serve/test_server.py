"""The service as a process: how it starts and how it ends."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import httpx
import neo4j
import pytest
from typer.testing import CliRunner

from recograph.adapters.neo4j import Connection, ManagedServer
from recograph.cli.main import app
from recograph.customers import TAKEN
from recograph.errors import RecographError
from recograph.graph.reading import Answer
from recograph.serve import server
from recograph.serve.access import Loopback
from recograph.serve.server import listen, reader_advice, require_addresses
from recograph.serve.site import Site
from recograph_tests.pipeline.installation import COMMAND, bare_environment


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """A `recograph serve` of its own."""

    def __init__(self, server: Connection, home: Path, *options: str, stdin: int | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environ = bare_environment() | {"RECOGRAPH_HOME": str(home), "NEO4J_URI": server.uri}
        self.process = subprocess.Popen(
            [str(COMMAND), "serve", "--port", str(self.port), *options],
            env=environ | {"NEO4J_PASSWORD": server.password},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/-/health", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.process.kill()
        raise AssertionError(self.process.communicate()[0])

    def ended(self) -> tuple[int, str]:
        """Its exit status and all that it said."""
        said = self.process.communicate(timeout=30)[0]
        return self.process.returncode, said


def test_it_starts_answers_and_ends_at_a_signal(small: neo4j.Driver, neo4j_server: Connection, tmp_path: Path) -> None:
    service = Service(neo4j_server, tmp_path)
    answers = []
    # Asked for right before the signal: answered all the same.
    asking = threading.Thread(target=lambda: answers.append(httpx.get(f"{service.url}/customer_1", timeout=30)))
    asking.start()
    while not answers and asking.is_alive() and not _connected(service.port):
        time.sleep(0.001)
    service.process.send_signal(signal.SIGTERM)
    asking.join()
    status, said = service.ended()
    assert [answer.status_code for answer in answers] == [200]
    assert status in (0, -signal.SIGTERM)
    assert re.search(r"^The graph: http://127\.0\.0\.1:\d+/$", said, re.M)
    assert "GET /{customer}{form} 200" in said
    assert "Traceback" not in said
    assert not any(tmp_path.iterdir()), "it writes nothing"


def _connected(port: int) -> bool:
    import psutil

    return any(
        connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_ESTABLISHED
        for connection in psutil.net_connections("tcp")
    )


def test_it_ends_with_whoever_started_it(small: neo4j.Driver, neo4j_server: Connection, tmp_path: Path) -> None:
    until, held = os.pipe()
    service = Service(neo4j_server, tmp_path, "--until-stdin-closes", "--quiet", stdin=until)
    os.close(until)
    os.close(held)
    status, said = service.ended()
    assert status == 0
    assert said == f"The graph: {service.url}/\n"


def test_a_port_that_is_taken_is_said() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(RecographError, match=r"can't be used: .* Give another --port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_making_a_token() -> None:
    made = CliRunner().invoke(app, ["serve", "token", "ann", "--customer", "customer_1"], catch_exceptions=False).output
    assert re.search(r"shown only now: \S{43}\n", made)
    assert re.search(r"- name: ann\n  sha256: [0-9a-f]{64}\n  customers:\n  - customer_1\n", made)
    for options in ([], ["--all", "-c", "customer_1"]):
        with pytest.raises(RecographError, match="Name customers with --customer, or give --all"):
            CliRunner().invoke(app, ["serve", "token", "ann", *options], catch_exceptions=False)


def test_an_account_that_could_write_is_said_where_there_are_roles() -> None:
    assert reader_advice(None) is None
    assert reader_advice(["PUBLIC", "reader"]) is None
    assert "role reader" in str(reader_advice(["PUBLIC", "publisher"]))


def test_a_customer_whose_pages_would_be_hidden_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "read", lambda *_: Answer(["id"], [["acme"], ["docs"]]))
    with pytest.raises(RecographError, match="customer docs, but /docs is another page"):
        require_addresses(None)  # type: ignore[arg-type]
    taken = {route.path.strip("/").partition(".")[0].partition("{")[0] for route in Site(None, Loopback()).routes}  # type: ignore[arg-type]
    assert {name for name in taken if name.isalpha()} == TAKEN


def test_while_its_server_restarts_kept_answers_go_on(tmp_path: Path) -> None:
    managed = ManagedServer(tmp_path / "neo4j")
    service = None
    try:
        server = managed.start()
        with neo4j.GraphDatabase.driver(server.uri, auth=(server.username, server.password)) as driver:
            driver.execute_query("CREATE (:Customer {id: 'customer_1', name: 'One'})")
        service = Service(server, tmp_path)
        kept = httpx.get(f"{service.url}/customer_1/questions/popular_courses.json", timeout=30)
        assert kept.status_code == 200

        def get(name: str) -> httpx.Response:
            assert service
            return httpx.get(f"{service.url}{name}", timeout=30)

        def until(name: str, status: int) -> None:
            end = time.monotonic() + 90
            while get(name).status_code != status:
                assert time.monotonic() < end
                time.sleep(0.05)

        managed.stop()
        until("/-/health", 503)
        stale = get("/customer_1/questions/popular_courses.json")
        assert (stale.status_code, stale.headers["warning"]) == (200, '110 - "Response is Stale"')
        refused = get("/customer_1/questions/unused_courses.json")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        managed.start()
        until("/-/health", 200)
        assert "warning" not in get("/customer_1/questions/popular_courses.json").headers
        assert get("/customer_1/questions/unused_courses.json").status_code == 200
    finally:
        if service is not None:
            service.process.terminate()
            service.ended()
        managed.stop()
