"""One home, one server: whatever happens to the clock, to the home, or to what it remembers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from recograph.adapters.neo4j import ManagedServer
from recograph_tests.adapters.test_neo4j_server import ask


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home") / "neo4j"
    yield folder
    ManagedServer(folder).stop()


@pytest.fixture
def server(home: Path) -> ManagedServer:
    return ManagedServer(home)


def test_a_clock_that_steps_makes_no_second_server(server: ManagedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = server.start()
    # What psutil makes of the time since boot moves with the clock.
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: 0.0)
    assert ManagedServer(server.home).start() == before


def test_a_copied_home_has_a_server_of_its_own_and_leaves_the_originals_alone(
    server: ManagedServer, tmp_path: Path
) -> None:
    original = server.start()
    ask(original, "CREATE (:Mark {of: 'original'})")
    server.stop()
    copy = ManagedServer(shutil.copytree(server.home, tmp_path / "copy"))
    original = server.start()
    shutil.copy(server.home / "server.json", copy.home)  # as if it had been copied while the server ran
    assert copy.running() is None
    assert not copy.stop()
    copied = copy.start()
    try:
        assert copied.pid != original.pid
        ask(copied, "MATCH (m:Mark) DELETE m")
        assert ask(original, "MATCH (m:Mark) RETURN m.of") == ["original"]
    finally:
        copy.stop()
    assert server.running() == original


def test_a_home_that_was_moved_and_one_whose_state_is_lost_never_get_a_second_server(
    home: Path, server: ManagedServer, tmp_path: Path
) -> None:
    before = server.start()
    ask(before, "MERGE (:Mark {of: 'moved'})")
    home.rename(tmp_path / "moved")
    moved = ManagedServer(tmp_path / "moved")
    told: list[str] = []
    assert moved.running() is None
    after = ManagedServer(moved.home, say=told.append).start()
    assert not psutil.pid_exists(before.pid)
    assert f"(pid {before.pid}) of {moved.home} runs that isn't known here" in "".join(told)
    assert ask(after, "MATCH (m:Mark {of: 'moved'}) RETURN m.of") == ["moved"]
    (moved.home / "server.json").unlink()
    assert moved.stop()  # also without knowing it
    assert not psutil.pid_exists(after.pid)
    assert not home.exists()
    moved.home.rename(home)
