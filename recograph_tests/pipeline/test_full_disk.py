"""A disk that is full below one of the stores: one sentence, nothing half done, and a run that goes on with room."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from recograph.adapters.neo4j import ManagedServer
from recograph.adapters.neo4j.driver import Server, connect
from recograph.customers import load_customers
from recograph.operating.retention import leftovers
from recograph_tests.graph.marts import Graph, actual
from recograph_tests.operating.kills import UNFINISHED
from recograph_tests.pipeline.installation import Installation
from recograph_tests.pipeline.test_run import DAY1, DAY2, without_similarities
from recograph_tests.pipeline.truth import graph_of

CUSTOMER = "customer_1"


@pytest.fixture
def installation(tmp_path: Path, sample: Path, disk: Callable[[int], Path]) -> Iterator[Installation]:
    """A day of one customer; Dagster's runs, dbt's folder and Neo4j's store are each on a small disk of their own."""
    data, home = tmp_path / "data", tmp_path / "home"
    shutil.copytree(sample / CUSTOMER, data / CUSTOMER)
    (data / CUSTOMER / f"{DAY1}.sql.gz").unlink()
    shutil.copy(sample / "customers.yaml", data)
    (home / "neo4j").mkdir(parents=True)
    for name, megabytes in (("dagster", 64), ("dbt", 16), ("neo4j/data", 128)):
        (home / name).symlink_to(disk(megabytes), target_is_directory=True)
    server = ManagedServer(home / "neo4j")
    yield Installation(data, home, server.start())
    server.stop()


@contextmanager
def full(folder: Path, left: int) -> Iterator[None]:
    """Leave so many bytes on a folder's disk."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - left)
    yield
    ballast.unlink()


def graph(installation: Installation) -> Graph:
    with connect(Server(installation.server.uri, "neo4j", installation.server.password)) as driver:
        return without_similarities(actual(driver))


@pytest.mark.timeout(900)
def test_a_full_disk_is_one_sentence_and_with_room_the_next_run_goes_on(installation: Installation) -> None:
    nothing = graph(installation)
    for name, left in (("dbt", 500_000), ("dagster", 5_000_000), ("neo4j/data", 60_000_000)):
        with full(installation.home / name, left):
            ran = installation.recograph("run", NEO4J_URI="")
        assert ran.returncode == 1, ran.stdout
        assert "Traceback" not in ran.stdout + ran.stderr
        told = re.findall(rf"^failed: {CUSTOMER}: (.*)$", ran.stdout, re.M)
        assert len(told) == 1, ran.stdout
        assert re.search(r"the disk is full: \S+ MB are free.* Make room", told[0]), told
        assert str(installation.home / name) in told[0], told
        assert graph(installation) == nothing
    ran = installation.recograph("run", NEO4J_URI="")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    dump = installation.data / CUSTOMER / f"{DAY2}.sql.gz"
    assert graph(installation) == graph_of({load_customers(installation.data)[CUSTOMER]: dump})
    assert leftovers(installation.home, installation.home / "lake") == []
    with dg.DagsterInstance.from_config(str(installation.home / "dagster")) as instance:
        # One that couldn't even be queued is left as not started, which holds back nobody.
        assert not instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
