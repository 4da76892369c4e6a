"""What Dagster's daemon and UI ask of the process of a run."""

import datetime
import io
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from recograph.defs.dagster_private import WorkerStatus
from recograph.defs.launcher import ForkingRunLauncher
from recograph.settings import PROJECT_DIR

HELD = """
import sys
from recograph.defs.running import executing
with executing(sys.argv[1]):
    try:
        print("held", flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@dg.job
def nothing() -> None:
    """A job without steps."""


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return dg.DagsterInstance.ephemeral()


@pytest.fixture
def launcher(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> ForkingRunLauncher:
    # Connections aren't kept in the process of the tests, whose instances come and go.
    monkeypatch.setattr("recograph.defs.launcher.write_cheaply", lambda: None)
    made = ForkingRunLauncher()
    made.register_instance(instance)
    return made


def test_a_run_is_interrupted_and_is_lost_when_its_process_is_killed(
    instance: dg.DagsterInstance, launcher: ForkingRunLauncher
) -> None:
    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)

    def health() -> WorkerStatus:
        status: WorkerStatus = launcher.check_run_worker_health(run).status
        return status

    assert health() is WorkerStatus.RUNNING  # it may be another machine's
    assert not launcher.terminate(run.run_id)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HELD, run.run_id], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        assert health() is WorkerStatus.RUNNING
        assert launcher.terminate(run.run_id)
        assert process.stdout.readline() == "interrupted\n"
    canceling = instance.get_run_by_id(run.run_id)
    assert canceling
    assert canceling.status == dg.DagsterRunStatus.CANCELING
    with subprocess.Popen([sys.executable, "-c", HELD, run.run_id], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
        process.wait()
    assert health() is WorkerStatus.FAILED
    instance.report_run_failed(canceling)
    assert not launcher.terminate(run.run_id)


def test_another_worker_is_started_when_what_the_one_before_has_loaded_has_changed(
    instance: dg.DagsterInstance, launcher: ForkingRunLauncher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a customer who was added is unknown to it until the daemon is started again."""
    data, told = tmp_path / "data", []  # type: tuple[Path, list[io.StringIO]]
    (data / "customer_1").mkdir(parents=True)
    (data / "customer_1" / "2026-11-02.sql").touch()
    customers = data / "customers.yaml"
    shutil.copy(PROJECT_DIR / "data" / "customers.yaml", customers)
    monkeypatch.setenv("RECOGRAPH_DATA", str(data))

    def start(*_: Any, **__: Any) -> SimpleNamespace:
        told.append(io.StringIO())
        return SimpleNamespace(stdin=told[-1], poll=lambda: None)

    monkeypatch.setattr("recograph.defs.launcher.subprocess.Popen", start)

    def launch(date: str) -> list[int]:
        """How many lines each worker was told."""
        run = instance.create_run_for_job(nothing, tags={"dagster/partition/date": date})
        launcher.launch_run(SimpleNamespace(dagster_run=run))  # type: ignore[arg-type]
        return [lines.getvalue().count("\n") for lines in told]

    assert launch("2026-11-02") == [1]
    assert launch("2026-11-03") == [2]
    text = customers.read_text()
    customers.write_text(text + "  - id: half written")
    assert launch("2026-11-02") == [3]
    customers.write_text(text.replace("customer_3", "customer_4"))
    assert launch("2026-11-02") == [4, 1]
    assert told[0].getvalue().endswith("\nlast\n")
    for day in ("2026-11-01", "0001-01-01"):  # the second of which is nobody's
        (data / "customer_1" / f"{day}.sql").touch()
    assert launch("2026-11-02") == [4, 2]
    assert launch("2026-11-01") == [4, 3, 1]
    assert launch("2026-10-31") == [4, 3, 2]
    tomorrow = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)).isoformat()
    assert launch(tomorrow) == [4, 3, 3, 1]
    assert launch("2026-11-01") == [4, 3, 3, 2]
    assert launch(tomorrow) == [4, 3, 3, 3]
