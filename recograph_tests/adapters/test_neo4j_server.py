"""The managed server, each test on real processes; they run in this order on one server of their own."""

import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import neo4j as neo4j_driver
import psutil
import pytest

from recograph.adapters.neo4j import Connection, ManagedServer
from recograph.adapters.neo4j import server as server_module
from recograph.adapters.neo4j.backup import back_up, restore
from recograph.adapters.neo4j.connection import choose_port
from recograph.adapters.neo4j.jars import VERSION
from recograph.adapters.neo4j.running import RunningServer, read_state, write_state
from recograph.errors import RecographError

START = """
import sys
from pathlib import Path
from recograph.adapters.neo4j import ManagedServer
print("pid", ManagedServer(Path(sys.argv[1]), say=print).start().pid)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("own") / "neo4j"
    yield folder
    ManagedServer(folder).stop()


@pytest.fixture
def server(home: Path) -> ManagedServer:
    return ManagedServer(home)


@pytest.fixture
def kept(home: Path, server: ManagedServer) -> ManagedServer:
    """A server that is down and whose graph holds a node, also where no other test has made it."""
    if not (home / "data" / "databases" / "neo4j").exists():
        ask(server.start(), "MERGE (n:Kept {id: 1}) RETURN n.id")
        server.stop()
    return server


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def ask(connection: Connection, query: str, **parameters: object) -> list[object]:
    auth = (connection.username, connection.password)
    with neo4j_driver.GraphDatabase.driver(connection.uri, auth=auth) as driver:
        return [record[0] for record in driver.execute_query(query, parameters).records]


def test_processes_that_start_at_once_get_one_server_per_home_on_free_ports(
    home: Path, tmp_path: Path, taken_port: int, neo4j_server: Connection
) -> None:
    home.mkdir()
    write_state(home, RunningServer(bolt_port=taken_port, http_port=taken_port, version=VERSION))
    homes = [home, home, tmp_path / "other"]
    starts = [
        subprocess.Popen([sys.executable, "-c", START, str(home)], stdout=subprocess.PIPE, text=True) for home in homes
    ]
    outputs = [process.communicate()[0] for process in starts]
    connection, other = ManagedServer(home).running(), ManagedServer(tmp_path / "other").running()

    assert connection is not None
    assert other is not None
    pids = [connection.pid, connection.pid, other.pid]
    assert [output.splitlines()[-1] for output in outputs] == [f"pid {pid}" for pid in pids]
    assert f"Port {taken_port} is taken by another program; Neo4j's Bolt port is " in "".join(outputs)
    # They outlived the processes that started them, and none is the server of another home.
    assert len({neo4j_server.pid, *pids}) == len({neo4j_server.uri, connection.uri, other.uri}) == 3
    assert [ask(server, "RETURN 1") for server in (connection, other)] == [[1], [1]]
    ManagedServer(tmp_path / "other").stop()


def test_a_second_start_finds_the_first(neo4j_server: Connection) -> None:
    assert ManagedServer(neo4j_server.password_file.parent).start() == neo4j_server


def test_only_the_owner_can_read_the_password(neo4j_server: Connection) -> None:
    assert stat.S_IMODE(neo4j_server.password_file.stat().st_mode) == 0o600
    assert neo4j_server.password == neo4j_server.password_file.read_text().strip()
    assert neo4j_server.password not in repr(neo4j_server)
    with pytest.raises(neo4j_driver.exceptions.AuthError):
        ask(replace(neo4j_server, password="neo4j"), "RETURN 1")
    with pytest.raises(
        RecographError, match=rf"refuses the password in {neo4j_server.password_file} .* into that file"
    ):
        replace(neo4j_server, password="changed").answers()


def test_it_listens_on_loopback_only(neo4j_server: Connection) -> None:
    connections = psutil.Process(neo4j_server.pid).net_connections(kind="inet")
    # Java writes the loopback address of IPv4 as one of IPv6.
    assert {socket.laddr.ip.removeprefix("::ffff:") for socket in connections if not socket.raddr} == {"127.0.0.1"}


def test_neo4j_browser_is_served(neo4j_server: Connection) -> None:
    with urllib.request.urlopen(neo4j_server.http) as page:
        assert "neo4j" in page.read().decode().lower()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(neo4j_server.http + "nothing-here")


def test_a_killed_server_is_recovered_though_its_pid_is_anothers_now(home: Path, server: ManagedServer) -> None:
    before = server.start()
    ask(before, "CREATE (:Kept {id: 1})")
    os.kill(before.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before.pid)] if psutil.pid_exists(before.pid) else [], timeout=10)
    state = read_state(home)
    assert state is not None
    write_state(home, replace(state, pid=os.getpid()))
    assert server.running() is None

    after = server.start()
    assert (after.uri, after.password) == (before.uri, before.password)
    assert ask(after, "MATCH (n:Kept) RETURN n.id") == [1]


def test_a_server_whose_command_cannot_be_read_for_a_moment_is_not_taken_for_dead(
    home: Path, server: ManagedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while Java replaces itself by the program that it starts."""
    server.start()
    state = read_state(home)
    assert state is not None
    monkeypatch.setenv("RECOGRAPH_AOT", "0")
    read, unreadable = RunningServer.process, iter([True] * 3)

    def process(state: RunningServer, home: Path) -> psutil.Process | None:
        return None if next(unreadable, False) else read(state, home)

    monkeypatch.setattr(RunningServer, "process", process)
    assert server._wait(replace(state, ready=False)).ready
    assert next(unreadable, None) is None
    # For longer than a moment it is.
    monkeypatch.setattr(server_module, "_SETTLING_SECONDS", 0.1)
    monkeypatch.setattr(RunningServer, "process", lambda state, home: None)
    with pytest.raises(RecographError, match="Neo4j ended while it was starting"):
        server._wait(state)


def test_stop_waits_for_a_clean_shutdown(home: Path, server: ManagedServer) -> None:
    connection = server.start()
    os.kill(connection.pid, signal.SIGSTOP)
    with pytest.raises(RecographError, match=rf"pid {connection.pid}\) hasn't shut down within 0\.1 s"):
        server.stop(timeout=0.1)
    os.kill(connection.pid, signal.SIGCONT)
    assert server.stop()
    assert not psutil.pid_exists(connection.pid)
    assert (home / "logs" / "console.log").read_text().endswith("Stopped.\n")
    assert server.running() is None
    assert not server.stop()


def test_a_port_of_browser_that_another_program_takes_meanwhile_is_chosen_anew(
    server: ManagedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        choices = iter([choose_port([]), taken])
        monkeypatch.setattr(
            "recograph.adapters.neo4j.server.choose_port", lambda wanted: next(choices, None) or choose_port(wanted)
        )
        connection = server.start()
    assert ask(connection, "RETURN 1") == [1]
    with urllib.request.urlopen(connection.http) as page:
        assert page.status == 200
    assert server.stop()


def test_it_can_be_stopped_though_it_was_started_by_what_ignores_requests_to_end(server: ManagedServer) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        server.start()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert server.stop(timeout=30)


def test_a_backup_brings_the_graph_back(kept: ManagedServer, tmp_path: Path) -> None:
    file = tmp_path / "graph.dump"
    back_up(kept, file)
    assert kept.running() is None
    with pytest.raises(RecographError, match="exists; name another file, or give --force"):
        back_up(kept, file)
    with pytest.raises(RecographError, match=r"There is a graph in .* give --force"):
        restore(kept, file)

    connection = kept.start()
    ask(connection, "MATCH (n) DETACH DELETE n")
    restore(kept, file, overwrite=True)
    again = kept.running()
    assert again is not None
    assert again.pid != connection.pid
    assert ask(again, "MATCH (n:Kept) RETURN n.id") == [1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph.dump"]
    kept.stop()


def test_a_backup_is_restored_where_there_was_no_graph(kept: ManagedServer, tmp_path: Path) -> None:
    """As when a home was moved away, to go back to an older version."""
    assert not ManagedServer(tmp_path / "neo4j").stop()
    back_up(kept, tmp_path / "graph.dump")
    fresh = ManagedServer(tmp_path / "neo4j")
    restore(fresh, tmp_path / "graph.dump")
    try:
        assert ask(fresh.start(), "MATCH (n:Kept) RETURN n.id") == [1]
    finally:
        fresh.stop()


def test_a_place_that_a_backup_cannot_be_written_to_is_named(kept: ManagedServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, why in (("file/graph.dump", "Not a directory|File exists"), ("", "Is a directory")):
        with pytest.raises(RecographError, match=rf"The backup can't be written to {tmp_path / place}: ({why})\.$"):
            back_up(kept, tmp_path / place, overwrite=True)


def test_what_is_no_backup_leaves_the_graph_alone(home: Path, kept: ManagedServer, tmp_path: Path) -> None:
    file = tmp_path / "graph.dump"
    file.write_bytes(b"not a dump")
    store = home / "data" / "databases" / "neo4j" / "neostore"
    before = (store.stat().st_ino, store.stat().st_mtime_ns)
    with pytest.raises(RecographError, match=r"graph.dump can't be restored, the graph is as it was"):
        restore(kept, file, overwrite=True)
    assert (store.stat().st_ino, store.stat().st_mtime_ns) == before
    with pytest.raises(RecographError, match="There is no graph in"):
        back_up(ManagedServer(tmp_path / "none"), tmp_path / "other.dump")
    with pytest.raises(RecographError, match="There is no file"):
        restore(kept, tmp_path / "missing.dump", overwrite=True)


def test_a_server_that_dies_while_it_starts_is_quoted(server: ManagedServer, home: Path) -> None:
    (home / "overrides.conf").write_text("server.memory.pagecache.size=plenty\n")
    with pytest.raises(RecographError, match=r"(?s)ended while it was starting.*plenty.*overrides\.conf"):
        server.start()
    assert server.running() is None
    (home / "overrides.conf").write_text("no setting\n")
    with pytest.raises(RecographError, match=r"overrides\.conf, line 1: 'no setting' isn't a setting"):
        server.start()


def test_a_store_that_another_program_has_open_is_said(server: ManagedServer, home: Path) -> None:
    (home / "overrides.conf").unlink(missing_ok=True)
    lock = home / "data" / "databases" / "store_lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        with pytest.raises(RecographError, match=r"^Another program has the graph in .*/databases open\."):
            server.start()
    assert server.running() is None


def test_a_store_of_a_newer_neo4j_is_left_alone(home: Path, tmp_path: Path) -> None:
    write_state(tmp_path, RunningServer(bolt_port=7687, http_port=7474, version="2999.01.10"))
    with pytest.raises(RecographError, match=r"last opened by Neo4j 2999\.01\.10"):
        ManagedServer(tmp_path).start()


def test_a_lost_password_is_said(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "copy")
    (tmp_path / "copy" / "password").unlink()
    (tmp_path / "copy" / "overrides.conf").unlink(missing_ok=True)
    with pytest.raises(RecographError, match="password is missing"):
        ManagedServer(tmp_path / "copy").start()


def test_a_folder_that_cant_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecographError, match=r"can't use its folder .*file/neo4j.*RECOGRAPH_HOME"):
        ManagedServer(tmp_path / "file" / "neo4j").start()
    assert ManagedServer(tmp_path / "file" / "neo4j").running() is None
