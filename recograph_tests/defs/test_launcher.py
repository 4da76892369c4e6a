"""What Dagster's daemon and UI ask of the process of a run."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from recograph.defs.dagster_private import WorkerStatus
from recograph.defs.launcher import ForkingRunLauncher

HELD = """
import sys
from recograph.defs.running import executing
with executing(sys.argv[1]):
    print("held", flush=True)
    try:
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
    monkeypatch.setattr("recograph.defs.launcher.keep_connections", lambda: None)
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
