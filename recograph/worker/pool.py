"""The processes of runs, each forked from this one, which has everything imported."""

import errno
import os
import signal
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path

import dagster as dg

from recograph.defs.dagster_private import execute
from recograph.defs.running import alone_with, executing, forget, is_executed, was_abandoned
from recograph.lake.staging import is_full, refusal, remove_folders_of_process

_CUSTOMER = "dagster/partition/customer"
"""The tag of a run that says about whom it is."""
_BEGUN = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
"""The states of runs that hold back the customer's later ones."""
_LARGEST_LOG = 10_000_000
"""Bytes of a customer's log, beyond which a new one is begun; the one before is kept."""
_NO_ROOM = 75
"""The exit code of a run's process that couldn't write down what happened, because the disk is full."""
_GRACE = 3.0
"""Seconds that an interrupted run has to say so itself."""
_ENDED = "The process of the run ended before the run did."


def dagster_home() -> Path:
    """Where Dagster keeps what it knows of runs."""
    return Path(os.environ["DAGSTER_HOME"])


class Pool:
    """The processes of runs."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        """Make a pool in which no run is yet."""
        self._instance = instance
        self._runs: dict[int, str] = {}
        # Nobody writes to it: children read it, which ends when this process does, however it ends.
        self._life, self._mine = os.pipe()

    def __len__(self) -> int:
        """The number of runs that are under way."""
        return len(self._runs)

    def start(self, run_id: str) -> None:
        """Execute a run in a process of its own."""
        pid = os.fork()
        if pid == 0:
            code = 0
            try:
                os.close(self._mine)
                _execute(self._instance, run_id, self._life)
            except Exception as error:
                # What the run itself raises is in its log; this is of what surrounds it, and would be lost.
                traceback.print_exc()
                code = _NO_ROOM if is_full(error) else 0
            finally:
                os._exit(code)
        self._runs[pid] = run_id

    def reap(self) -> None:
        """Look which processes have ended, and fail the runs that they left unfinished."""
        for pid in list(self._runs):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                full = os.waitstatus_to_exitcode(status) == _NO_ROOM
                why = refusal(dagster_home(), OSError(errno.ENOSPC, "")) if full else _ENDED
                run_id = self._runs.pop(pid)
                # Who takes runs from the queue beside this process may have taken the same one, and have it executed.
                if not is_executed(run_id):
                    _fail_unfinished(self._instance, run_id, why)

    def stop(self) -> None:
        """Interrupt all; those that don't end are killed."""
        for sign, seconds in ((signal.SIGINT, _GRACE), (signal.SIGKILL, _GRACE)):
            for pid in self._runs:
                os.kill(pid, sign)
            until = time.monotonic() + seconds
            while self._runs and time.monotonic() < until:
                time.sleep(0.05)
                self.reap()


def fail_abandoned(instance: dg.DagsterInstance) -> None:
    """Fail the runs of earlier workers whose process is gone."""
    for run in instance.get_runs(dg.RunsFilter(statuses=_BEGUN)):
        if was_abandoned(run.run_id):
            _fail_unfinished(instance, run.run_id, _ENDED)


def _fail_unfinished(instance: dg.DagsterInstance, run_id: str, why: str) -> None:
    """Fail a run whose process is gone without having ended it.

    It is forgotten last, so that what fails here is tried again.
    """
    run = instance.get_run_by_id(run_id)
    if run and not run.is_finished and run.status != dg.DagsterRunStatus.QUEUED:
        instance.report_run_failed(run, why)
    forget(run_id)


def _execute(instance: dg.DagsterInstance, run_id: str, life: int) -> None:
    """What a forked process does.

    It goes on with its parent's instance, which has looked at Dagster's tables already, but with connections of its
    own: see `write_cheaply`.
    """
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    run = instance.get_run_by_id(run_id)
    assert run
    with executing(run_id) as is_ours:
        run = instance.get_run_by_id(run_id)
        if is_ours and run and run.status in (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED):
            customer = run.tags.get(_CUSTOMER, "none")
            _log_to(customer)
            from recograph.defs.partitions import is_listed

            with alone_with(customer):
                if _CUSTOMER in run.tags and not is_listed(customer):
                    # Dagster would say that the partition isn't in a valid range.
                    instance.report_run_failed(run, f"{customer} isn't in customers.yaml any more: nothing was done.")
                    return
                execute(instance, run)
            remove_folders_of_process()  # a forked process ends without what Python does at its end


def _end_with_parent(life: int) -> None:
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_GRACE)
    os._exit(1)


def _log_to(customer: str) -> None:
    """Let what this process prints, which is what the UI shows of the run, go to the customer's log."""
    log = dagster_home().parent / "logs" / f"run-{customer}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
