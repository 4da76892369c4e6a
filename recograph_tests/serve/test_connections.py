"""Connections that say too slowly, or too long, what they want."""

import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from recograph.serve import connections
from recograph.serve.connections import HEAD_BYTES, Connection
from recograph.serve.server import listen

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where an application of no interest answers, which gives a connection half a second."""
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(PlainTextResponse("fine"), http=Connection, ws="none", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "HEAD_SECONDS", 0.5)
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def until_closed(connection: socket.socket) -> bytes:
    """All that comes before the service ends the connection."""
    connection.settimeout(20)
    came = b""
    try:
        while part := connection.recv(1000):
            came += part
    except ConnectionResetError:
        pass
    return came


def taken(connection: socket.socket, parts: list[bytes], pause: float = 0) -> bool:
    """Whether the service takes all of it."""
    try:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
    except ConnectionError:
        return False
    return True


@pytest.mark.parametrize("said", [b"", b"G", REQUEST[:-2], REQUEST + b"G"])
def test_who_does_not_say_what_is_wanted_is_not_waited_for(port: int, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(said)
        assert until_closed(connection).count(b" 200 ") == said.count(REQUEST)


def test_nor_who_says_it_letter_by_letter(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        assert not taken(connection, [b"X"] * 1000, 0.02)


def test_headers_without_end_are_not_kept(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(REQUEST[:-2])
        assert not taken(connection, [b"X: %s\r\n" % (b"x" * 1000)] * (20 * HEAD_BYTES // 1000))


def test_others_are_answered_again_and_again(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(4):
            connection.sendall(REQUEST)
            answer = b""
            while not answer.endswith(b"fine"):
                answer += connection.recv(1000)
            time.sleep(0.2)  # together longer than one request may take
        connection.sendall(REQUEST * 2)
        assert until_closed(connection).count(b"fine") == 2


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_who_asks_for_another_protocol_is_answered_in_this_one(
    port: int, caplog: pytest.LogCaptureFixture, protocol: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(REQUEST[:-2] + b"Connection: Upgrade, close\r\nUpgrade: %s\r\n\r\n" % protocol)
        assert until_closed(connection).count(b" 200 ") == 1
    assert caplog.text == ""  # uvicorn would advise to install something, once per request


def test_there_may_be_more_of_them_than_files_at_first() -> None:
    code = (
        "import resource; from recograph.serve.connections import allow_many\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE); resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))\n"
        "allow_many(); print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    allowed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(allowed) == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536))
