"""Dagster's run launcher of an installation: runs are forked from one process that has everything imported."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, Self

import dagster as dg

from recograph.defs.dagster_private import (
    CheckRunHealthResult,
    ConfigurableClass,
    ConfigurableClassData,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
    keep_connections,
)
from recograph.defs.running import executed_by, was_abandoned


class ForkingRunLauncher(RunLauncher[dg.DagsterInstance], ConfigurableClass):
    """Hands runs to a worker (`recograph.worker`), started with the first run, which ends when this process does."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        """Keep the configuration; no worker is started yet.

        This is all that Dagster's daemon loads of recograph. It writes each run's planned events, a few hundred.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        keep_connections()
        self._inst_data = inst_data
        self._worker: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What dagster.yaml says."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing can be configured."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """Make a launcher for dagster.yaml."""
        return cls(inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Have a run executed; returns at once."""
        with self._lock:
            if self._worker is None or self._worker.poll() is not None:
                self._worker = subprocess.Popen(
                    [sys.executable, "-m", "recograph.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    text=True,
                    start_new_session=True,
                )
            assert self._worker.stdin
            self._worker.stdin.write(f"{context.dagster_run.run_id}\n")
            self._worker.stdin.flush()

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run."""
        run = self._instance.get_run_by_id(run_id)
        pid = executed_by(run_id)
        if run is None or run.is_finished or pid is None:
            return False
        self._instance.report_run_canceling(run)
        os.kill(pid, signal.SIGINT)
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: Dagster's daemon asks for each run, and fails a run whose process is gone."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a run is there."""
        if executed_by(run.run_id) is None and was_abandoned(run.run_id):
            return CheckRunHealthResult(WorkerStatus.FAILED, "The process of the run is gone.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)
