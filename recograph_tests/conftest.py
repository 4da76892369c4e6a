import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recograph_tests import java

# Fixtures import what they use, so that a test that needs none of it starts at once.
if TYPE_CHECKING:
    import neo4j as neo4j_driver

    from recograph.adapters.neo4j import Connection

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell lets what it starts in the background ignore Ctrl-C; all that tests start would, too, and Dagster then
    # ignores every request to end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
java.set_up()
_training = pytest.StashKey["subprocess.Popen[bytes] | None"]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin a suite, which has processes that share it, with what makes its servers start quickly."""
    if session.config.getoption("numprocesses", None) and not hasattr(session.config, "workerinput"):
        session.config.stash[_training] = java.begin_training()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave hypothesis out of the summary where no test has used it: importing it for that takes half a second."""
    if "hypothesis" not in sys.modules and not session.config.getoption("numprocesses", None):
        session.config.pluginmanager.unregister(name="hypothesispytest")
    if training := session.config.stash.get(_training, None):
        training.terminate()
        training.wait()


_LONGEST = ("pipeline", "platforms", "adapters", "graph", "serve", "defs", "aws")
"""The rooms whose files take longest, longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that processes which share them end together."""
    rooms = {item: item.path.relative_to(Path(__file__).parent).parts[0] for item in items}
    items.sort(key=lambda item: _LONGEST.index(rooms[item]) if rooms[item] in _LONGEST else len(_LONGEST))


def pytest_collection_finish() -> None:
    """Refuse tests that load the assets while they are imported: these would be of the user's own home, and cleared."""
    if "recograph.defs.partitions" in sys.modules:
        raise pytest.UsageError("a test imports recograph.defs outside of `set_up`; see recograph_tests/environment.py")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of the three sample customers, small, two days each. Copy it before changing it."""
    from recograph.platforms.sample_dumps import generate

    folder = tmp_path_factory.mktemp("sample")
    generate(folder, scale=0.1, days=2)
    return folder


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Connection]":
    """A managed server that all tests of a run share, in HOME/neo4j; the `neo4j` fixture clears what is in it."""
    from recograph.adapters.neo4j import ManagedServer

    if home := os.environ.get("RECOGRAPH_TESTS_NEO4J"):
        # Who runs many suites one after the other, as `faults` does, has one for all of them.
        yield ManagedServer(Path(home)).start()
        return
    server = ManagedServer(tmp_path_factory.mktemp("recograph_home") / "neo4j")
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def _neo4j_driver(neo4j_server: "Connection") -> "Iterator[neo4j_driver.Driver]":
    import neo4j as neo4j_driver

    auth = (neo4j_server.username, neo4j_server.password)
    with neo4j_driver.GraphDatabase.driver(neo4j_server.uri, auth=auth) as driver:
        yield driver


@pytest.fixture
def neo4j(_neo4j_driver: "neo4j_driver.Driver") -> "neo4j_driver.Driver":
    """A driver of the shared server, its graph empty and without constraints and indexes of earlier tests."""
    clear(_neo4j_driver)
    return _neo4j_driver


def clear(driver: "neo4j_driver.Driver") -> None:
    """Empty the graph, constraints and indexes too."""
    run = driver.execute_query
    run("MATCH (n) DETACH DELETE n")
    for (name,) in run("SHOW CONSTRAINTS YIELD name RETURN name").records:
        run(f"DROP CONSTRAINT `{name}`")
    for (name,) in run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name").records:
        run(f"DROP INDEX `{name}`")


@pytest.fixture(scope="module")
def small(_neo4j_driver: "neo4j_driver.Driver", tmp_path_factory: pytest.TempPathFactory) -> "neo4j_driver.Driver":
    """A driver of the shared server, which holds the graph of `graph/small.py`; only for tests that read."""
    from recograph_tests.graph.small import load_small

    clear(_neo4j_driver)
    load_small(_neo4j_driver, tmp_path_factory.mktemp("lake"))
    return _neo4j_driver


@pytest.fixture
def asked(small: "neo4j_driver.Driver", neo4j_server: "Connection", monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody whose server holds the graph of `small`."""
    monkeypatch.setenv("NEO4J_URI", neo4j_server.uri)
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_server.username)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes folders on a disk of their own, which has room for so many MB."""
    _unmount_abandoned()
    with ExitStack() as mounted:

        def mount(megabytes: int) -> Path:
            folder = tmp_path / f"{_DISK}{os.getpid()}-{megabytes}"
            folder.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
            ran = subprocess.run(command, check=False)
            assert ran.returncode == 0, "this test needs to mount a small disk: run the tests as root"
            mounted.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
            return folder

        yield mount


_DISK = "recograph-disk-"


def _unmount_abandoned() -> None:
    """Unmount the disks of tests that were killed."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        folder = line.split()[1]
        name = Path(folder).name
        if name.startswith(_DISK) and not Path("/proc", name.removeprefix(_DISK).split("-")[0]).exists():
            subprocess.run(["umount", "--lazy", folder], check=False)
