"""Dagster's run launcher of an installation: runs are forked from one process that has everything imported."""

import datetime
import os
import signal
import subprocess
import sys
import threading
import zoneinfo
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import dagster as dg

import recograph
from recograph.customers import FIRST_DAY, load_customers
from recograph.defs.dagster_private import (
    CheckRunHealthResult,
    ConfigurableClass,
    ConfigurableClassData,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
)
from recograph.defs.dagster_sqlite import write_cheaply
from recograph.defs.running import executed_by, was_abandoned
from recograph.errors import RecographError
from recograph.lake.inbox import local_dumps
from recograph.lake.staging import stamp_of
from recograph.settings import DBT_PROJECT_DIR, Settings

LAST = "last"
"""The line that tells a worker to end when what it executes has ended."""
_DATE = "dagster/partition/date"
"""The tag of a run that says about which day it is."""


class ForkingRunLauncher(RunLauncher[dg.DagsterInstance], ConfigurableClass):
    """Hands runs to a worker (`recograph.worker`), started with the first run, which ends when this process does.

    Another one is started when what it has loaded has changed since: the customers, the code, the day of the first
    dump, and before a day that hasn't begun yet. The one before ends with its last run.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        """Keep the configuration; no worker is started yet.

        This is all that Dagster's daemon loads of recograph. It writes each run's planned events, a few hundred.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        write_cheaply()
        self._inst_data = inst_data
        self._worker: subprocess.Popen[str] | None = None
        self._earlier: list[subprocess.Popen[str]] = []
        self._loaded: tuple[dict[Path, str], str, str] = ({}, "", "")
        """What the worker has loaded: files with their stamps, the day of the oldest dump, and the last day to come."""
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
            self._earlier = [worker for worker in self._earlier if worker.poll() is None]
            worker = self._up_to_date(context.dagster_run.tags.get(_DATE, ""))
            _say(worker, context.dagster_run.run_id)

    def _up_to_date(self, date: str) -> subprocess.Popen[str]:
        """The worker for a run about a day."""
        settings = Settings.from_env()
        data = settings.data
        files, oldest, ahead = self._loaded
        # Partitions reach to today, and further only for a dump that was there when they were loaded.
        today = datetime.datetime.now(zoneinfo.ZoneInfo(settings.timezone)).date().isoformat()
        oldest = oldest if oldest and date >= oldest else _oldest_dump(data)
        loaded = (_files(data), oldest, max(ahead, date if date > today else ""))
        if self._worker is not None and self._worker.poll() is None:
            if loaded == self._loaded or (loaded[0] != files and not _is_right(data)):
                return self._worker
            _say(self._worker, LAST)
            self._earlier.append(self._worker)
        self._loaded = loaded
        self._worker = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "recograph.worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        return self._worker

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


def _say(worker: subprocess.Popen[str], line: str) -> None:
    assert worker.stdin
    worker.stdin.write(f"{line}\n")
    worker.stdin.flush()


def _files(data: Path) -> dict[Path, str]:
    """What the definitions are made of, with stamps."""
    code = Path(recograph.__file__).parent.rglob("*.py")
    project = (path for kind in ("*.sql", "*.yml") for path in DBT_PROJECT_DIR.rglob(kind))
    stamps = {}
    for path in (data / "customers.yaml", *code, *project):
        with suppress(FileNotFoundError):
            stamps[path] = stamp_of(path.stat())
    return stamps


def _oldest_dump(data: Path) -> str:
    """The day of the oldest dump on this machine, with which the partitions begin; empty where there is none."""
    days = []
    for folder in data.iterdir() if data.is_dir() else ():
        with suppress(OSError):  # it isn't a folder, or is closed to us
            days += [date for date, _ in local_dumps(folder) if date >= FIRST_DAY.isoformat()]
    return min(days, default="")


def _is_right(data: Path) -> bool:
    """Whether customers.yaml can be loaded: while somebody edits it, it may not."""
    try:
        load_customers(data)
    except RecographError:
        return False
    return True
