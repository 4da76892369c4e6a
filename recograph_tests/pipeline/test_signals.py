"""One signal ends `recograph run` and all that it runs; nothing is left behind."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from recograph_tests.pipeline.installation import COMMAND, Installation


def wait_for(condition: Callable[[], object], seconds: float = 250) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def executed(installation: Installation) -> list[Path]:
    """The runs that are being executed, by the files that their processes hold."""
    folder = installation.home / "dagster" / "running"
    return [path for path in folder.glob("*-*-*-*-*") if path.stat().st_size]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_ends_all_of_it(installation: Installation, sample: Path, sign: signal.Signals) -> None:
    shutil.copytree(sample, installation.data, dirs_exist_ok=True)
    command = subprocess.Popen(
        [str(COMMAND), "run"],
        env=installation.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # What a shell starts in the background ignores Ctrl-C, and so would all that it starts: tests too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )
    wait_for(lambda: executed(installation))
    pids = [int(path.read_text()) for path in executed(installation)]
    command.send_signal(sign)
    output, _ = command.communicate(timeout=60)
    if sign != signal.SIGKILL:
        assert command.returncode == 130, output
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), seconds=30)
    wait_for(lambda: not executed(installation), seconds=30)
    with dg.DagsterInstance.from_config(str(installation.home / "dagster")) as instance:
        unfinished = dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
        )
        wait_for(lambda: not instance.get_runs(unfinished), seconds=30)
        assert all(run.remote_job_origin for run in instance.get_runs())
