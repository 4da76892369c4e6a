"""One signal ends `recograph run` and all that it runs; nothing is left behind."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import neo4j as neo4j_driver
import pytest

from recograph.customers import load_customers
from recograph.operating.retention import leftovers
from recograph_tests.graph.marts import actual
from recograph_tests.pipeline.installation import COMMAND, Installation
from recograph_tests.pipeline.test_run import DAY1, DAY2, without_similarities
from recograph_tests.pipeline.truth import graph_of


def wait_for(condition: Callable[[], object], seconds: float = 250) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def executed(installation: Installation) -> list[Path]:
    """The runs that are being executed, by the files that their processes hold."""
    folder = installation.home / "dagster" / "running"
    return [path for path in folder.glob("*-*-*-*-*") if path.read_text().isdigit()]


def test_after_a_kill_in_the_middle_the_next_run_makes_the_graph_right(
    installation: Installation, sample: Path, neo4j: neo4j_driver.Driver
) -> None:
    """Of one moment and one process; `python -m recograph_tests.operating.kills` draws both, many times."""
    for customer in ("customer_1", "customer_2"):
        shutil.copytree(sample / customer, installation.data / customer)
        (installation.data / customer / f"{DAY1}.sql.gz").unlink()
    shutil.copy(sample / "customers.yaml", installation.data)
    command = subprocess.Popen([str(COMMAND), "run"], env=installation.environ, stdout=subprocess.PIPE, text=True)
    marts = installation.home / "lake" / "marts"
    wait_for(lambda: any(marts.rglob("*.parquet")) and executed(installation))
    os.kill(int(executed(installation)[0].read_text()), signal.SIGKILL)
    output, _ = command.communicate(timeout=250)
    assert command.returncode == 1, output
    assert "The process of the run ended before the run did." in output
    again = installation.recograph("run")
    assert again.returncode == 0, again.stdout + again.stderr
    listed = load_customers(installation.data)
    dumps = {
        listed[customer]: installation.data / customer / f"{DAY2}.sql.gz" for customer in ("customer_1", "customer_2")
    }
    assert without_similarities(actual(neo4j)) == graph_of(dumps)
    assert leftovers(installation.home, installation.home / "lake") == []
    with dg.DagsterInstance.from_config(str(installation.home / "dagster")) as instance:
        runs = instance.get_runs()
    assert all(run.is_finished for run in runs)
    assert {run.tags["dagster/partition"] for run in runs} == {f"customer_1|{DAY2}", f"customer_2|{DAY2}"}
    assert {run.tags["dagster/partition/customer"] for run in runs} == {"customer_1", "customer_2"}


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_ends_all_of_it(installation: Installation, sample: Path, sign: signal.Signals) -> None:
    shutil.copytree(sample, installation.data, dirs_exist_ok=True)
    command = subprocess.Popen(
        [str(COMMAND), "run"],
        env=installation.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_for(lambda: executed(installation))
    pids = [int(path.read_text()) for path in executed(installation)]
    command.send_signal(sign)
    output, _ = command.communicate(timeout=250)
    if sign != signal.SIGKILL:
        assert command.returncode == 130, output
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    wait_for(lambda: not executed(installation))
    with dg.DagsterInstance.from_config(str(installation.home / "dagster")) as instance:
        unfinished = dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
        )
        wait_for(lambda: not instance.get_runs(unfinished))
        assert all(run.remote_job_origin for run in instance.get_runs())
