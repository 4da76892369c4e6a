"""Executes runs, each in a process forked from this one, which has everything imported: ``python -m recograph.worker``.

Standard input has the ids of runs, a line each; or, from `recograph run`, one line of JSON with partitions to queue.
Then this takes runs from the queue until these are finished, and tells of them in lines of JSON on standard output.
When standard input ends or a signal comes, all that runs is interrupted.
"""

import errno
import gc
import json
import os
import select
import signal
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import dagster as dg

from recograph.adapters.dbt_models import mart_columns
from recograph.adapters.local.duckdb_warehouse import remove_spilled
from recograph.defs.dagster_private import execute, keep_connections, queue_run, take_from_queue
from recograph.defs.run_events import facts_of
from recograph.defs.running import alone_with, executing, forget, was_abandoned
from recograph.errors import RecographError
from recograph.lake.staging import is_full, refusal, room_needed

if TYPE_CHECKING:
    from recograph.lake.receipts import Receipt

_POLL = 0.3
"""Seconds between two looks at the queue and at what runs."""
_BEGUN = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
"""Of runs that hold back the customer's later ones."""
_LARGEST_LOG = 10_000_000
"""Bytes of a customer's log, beyond which a new one is begun; the one before is kept."""
_NO_ROOM = 75
"""The exit code of a run's process that couldn't write down what happened, because the disk is full."""
_GRACE = 3.0
"""Seconds that an interrupted run has to say so itself."""


class Pool:
    """The processes of runs."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        """None yet."""
        self._instance = instance
        self._runs: dict[int, str] = {}
        # Nobody writes to it: children read it, which ends when this process does, however it ends.
        self._life, self._mine = os.pipe()

    def __len__(self) -> int:
        """How many run."""
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
                why = refusal(_store(), OSError(errno.ENOSPC, "")) if full else _ENDED
                fail_abandoned(self._instance, self._runs.pop(pid), why)

    def stop(self) -> None:
        """Interrupt all; those that don't end are killed."""
        for sign, seconds in ((signal.SIGINT, _GRACE), (signal.SIGKILL, _GRACE)):
            for pid in self._runs:
                os.kill(pid, sign)
            until = time.monotonic() + seconds
            while self._runs and time.monotonic() < until:
                time.sleep(0.05)
                self.reap()


_ENDED = "The process of the run ended before the run did."


def fail_abandoned(instance: dg.DagsterInstance, run_id: str, why: str = _ENDED) -> None:
    """Fail a run whose process is gone without having ended it; forgotten last, so that what fails here is repeated."""
    run = instance.get_run_by_id(run_id)
    if run and not run.is_finished and run.status != dg.DagsterRunStatus.QUEUED:
        instance.report_run_failed(run, why)
    forget(run_id)


def _store() -> Path:
    return Path(os.environ["DAGSTER_HOME"])


def _execute(instance: dg.DagsterInstance, run_id: str, life: int) -> None:
    """What a forked process does.

    It takes the instance over, which has looked at Dagster's tables; its connections can't be, see `keep_connections`.
    """
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    run = instance.get_run_by_id(run_id)
    assert run
    with executing(run_id) as is_ours:
        run = instance.get_run_by_id(run_id)
        if is_ours and run and run.status in (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED):
            customer = run.tags.get("dagster/partition/customer", "none")
            _log_to(customer)
            with alone_with(customer):
                execute(instance, run)
            remove_spilled()  # a forked process ends without what Python does at its end


def _end_with_parent(life: int) -> None:
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_GRACE)
    os._exit(1)


def _log_to(customer: str) -> None:
    """Let what this process prints, which is what the UI shows of the run, go to the customer's log."""
    log = _store().parent / "logs" / f"run-{customer}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)


class Command:
    """The runs of one `recograph run`: queued, taken from the queue with all others, and told of."""

    def __init__(self, instance: dg.DagsterInstance, pool: Pool, request: dict[str, Any]) -> None:
        """Nothing is queued yet."""
        self._instance = instance
        self._pool = pool
        self._run_config = request["run_config"]
        self._force = request["force"]
        partitions: dict[str, list[str]] = request["partitions"]
        in_order = sorted((date, customer) for customer, dates in partitions.items() for date in dates)
        self._runs = {str(uuid.uuid4()): (customer, date) for date, customer in in_order}
        self._cursors: dict[str, str | None] = dict.fromkeys(self._runs)

    def queue(self) -> Iterator[None]:
        """Queue a run for each partition, in date order, of the steps that have something to do."""
        landed_anew: set[str] = set()
        for run_id, (customer, date) in self._runs.items():
            # A day is compared with the one before, so what is landed anew is no ground to stand on.
            ask = not self._force and customer not in landed_anew
            unchanged = _unchanged(customer, date, self._run_config) if ask else {}
            if "landing" not in unchanged:
                landed_anew.add(customer)
            if "marts" not in unchanged:
                _preload_dbt()
            _queue(self._instance, run_id, customer, date, self._run_config, unchanged)
            _tell_unchanged(customer, date, unchanged)
            yield

    def step(self) -> bool:
        """Start what may start, and tell what has happened; says whether all is finished."""
        for run_id in take_from_queue(self._instance):
            self._pool.start(run_id)
        self._pool.reap()
        unfinished = list(self._cursors)
        runs = self._instance.get_runs(dg.RunsFilter(run_ids=unfinished)) if unfinished else []
        for run in runs:
            if run.status != dg.DagsterRunStatus.QUEUED:
                self._tell_of(run)
            if run.is_finished:
                del self._cursors[run.run_id]
        return not self._cursors

    def cancel(self) -> None:
        """Take what is queued out of the queue."""
        for run_id in self._cursors:
            run = self._instance.get_run_by_id(run_id)
            if run and run.status in (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED):
                self._instance.report_run_canceled(run)

    def _tell_of(self, run: dg.DagsterRun) -> None:
        customer, date = self._runs[run.run_id]
        told = self._instance.get_records_for_run(run.run_id, cursor=self._cursors[run.run_id])
        self._cursors[run.run_id] = told.cursor
        for record in told.records:
            for facts in facts_of(record.event_log_entry):
                _tell(**facts, customer=customer, date=date)
        if run.is_finished:
            _tell("ended", customer=customer, date=date, succeeded=run.status == dg.DagsterRunStatus.SUCCESS)


def _unchanged(customer: str, date: str, run_config: dict[str, Any]) -> "dict[str, Receipt]":
    """The steps that have nothing to do; none where that can't be found out, which the run will tell."""
    from recograph.adapters.environment import open_catalog, open_lake
    from recograph.defs.landing import LandingConfig
    from recograph.defs.partitions import SETTINGS, Snapshot
    from recograph.defs.unchanged import unchanged_steps

    given = run_config.get("ops", {}).get("landing", {}).get("config", {})
    config = LandingConfig(**given).model_dump()
    try:
        return unchanged_steps(Snapshot(customer, date), open_lake(SETTINGS), open_catalog(SETTINGS), config)
    except RecographError:
        return {}


def _queue(
    instance: dg.DagsterInstance,
    run_id: str,
    customer: str,
    date: str,
    run_config: dict[str, Any],
    unchanged: Collection[str],
) -> None:
    # Like `_import_all`: what the assets can't be loaded for is told to `recograph run`.
    from recograph.definitions import defs
    from recograph.defs.automation import dump_to_graph, parts_of
    from recograph.defs.partitions import CUSTOMERS, SNAPSHOTS, Snapshot
    from recograph.defs.platforms import step_name
    from recograph.platforms import platform_of

    if configs := run_config.get("ops"):
        landing = step_name("landing", platform_of(CUSTOMERS[customer]))
        configs = {name: config for name, config in configs.items() if name not in unchanged}
        run_config = {"ops": {landing if name == "landing" else name: config for name, config in configs.items()}}
    tags = dict(SNAPSHOTS.get_tags_for_partition_key(Snapshot(customer, date).key))
    if unchanged:
        tags["recograph/unchanged"] = ", ".join(unchanged)
    job = defs.resolve_job_def(dump_to_graph.name)
    queue_run(instance, run_id, job, run_config, tags, parts_of(customer, unchanged))


def _tell_unchanged(customer: str, date: str, unchanged: "dict[str, Receipt]") -> None:
    """Tell of the steps that are left out, and again what their checks said when they were done."""
    for step, receipt in unchanged.items():
        _tell("unchanged", name=step, customer=customer, date=date)
        for check in receipt.checks:
            facts = {"name": check.name, "passed": check.passed, "warning": True, "description": check.text}
            _tell("check", **facts, customer=customer, date=date)


def _tell(kind: str, **facts: Any) -> None:
    print(json.dumps({"kind": kind, **facts}, default=str), flush=True)  # noqa: T201 - this is the worker's protocol


def _import_all(instance: dg.DagsterInstance) -> None:
    """Import what runs need, so that they find it imported; and fail runs whose process is gone."""
    from recograph.definitions import defs

    defs.get_repository_def()
    mart_columns()  # kept, for each step asks for them
    import recograph.graph.checks
    import recograph.graph.load  # noqa: F401 - for the processes that are forked

    for run in instance.get_runs(dg.RunsFilter(statuses=_BEGUN)):
        if was_abandoned(run.run_id):
            fail_abandoned(instance, run.run_id)
    gc.freeze()  # what is shared with the forked processes stays shared


@cache
def _preload_dbt() -> None:
    """Import dbt and parse its project, which takes as long as all the rest, for the processes that will be forked."""
    from recograph.adapters.dbt import preload
    from recograph.defs.partitions import SETTINGS

    preload(SETTINGS)
    gc.freeze()


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _end_with_starter() -> None:
    """End this process soon after the one that started it, also while it imports and reads nothing."""
    starter = os.getppid()
    while os.getppid() == starter:
        time.sleep(_POLL)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Work off what standard input asks for."""
    try:
        with room_needed(_store()):
            return _work_off()
    except RecographError as error:
        _tell("failed", step="definitions", message=str(error), customer=None, date=None)
        return 1


def _work_off() -> int:
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _stop)
    threading.Thread(target=_end_with_starter, daemon=True).start()
    keep_connections()
    instance = dg.DagsterInstance.get()
    pool = Pool(instance)
    command: Command | None = None
    try:
        lines = _lines()
        first = next((line for line in lines if line), None)
        if first is None:
            return 0
        _import_all(instance)
        if first.startswith("{"):
            command = Command(instance, pool, json.loads(first))
            for _ in command.queue():
                command.step()
        else:
            _preload_dbt()
            pool.start(first)
        for run_id in lines:
            if run_id:
                pool.start(run_id)
            pool.reap()
            if command and command.step() and not len(pool):
                return 0
    except KeyboardInterrupt:
        pass
    for sign in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(sign, signal.SIG_IGN)
    if command:
        command.cancel()
    pool.stop()
    return 130


def _lines() -> Iterator[str]:
    """The lines of standard input until it ends; an empty one where none came for a while."""
    rest = ""
    while True:
        if not select.select([0], [], [], _POLL)[0]:
            yield ""
            continue
        data = os.read(0, 65536).decode()
        if not data:
            return
        *whole, rest = (rest + data).split("\n")
        yield from whole


if __name__ == "__main__":
    sys.exit(main())
