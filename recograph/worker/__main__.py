"""Executes runs, each in a process forked from this one, which has everything imported.

``python -m recograph.worker 4711`` ends with process 4711, which started it. Standard input has the ids of runs, a line
each, and perhaps that none follows, so that this ends with the last of them. Or, from `recograph run`, it has one line
of JSON with partitions to queue. Then this takes runs from the queue until these are finished, and tells of them in
lines of JSON on standard output. When standard input ends or a signal comes, all that runs is interrupted.
"""

# ruff: noqa: E402 - what comes before the imports is about them
import gc

gc.disable()  # imports leave no garbage, and looking for it would take a fifth of their time; see `preload`

from recograph.worker.starter import end_with_starter

if __name__ == "__main__":
    end_with_starter()  # which may be gone before all is imported

import atexit
import json
import os
import signal
import sys
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING

import dagster as dg

from recograph.defs.dagster_sqlite import write_cheaply
from recograph.defs.launcher import LAST
from recograph.errors import RecographError
from recograph.lake.staging import room_needed
from recograph.settings import Settings
from recograph.worker.pool import Pool, dagster_home, fail_abandoned
from recograph.worker.protocol import lines, tell

if TYPE_CHECKING:
    from recograph.worker.command import Command


def main() -> int:
    """Work off what standard input asks for."""
    try:
        with room_needed(dagster_home()):
            return _work_off()
    except RecographError as error:
        tell("failed", step="definitions", message=str(error), customer=None, date=None)
        return 1


def _work_off() -> int:
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _stop)
    write_cheaply()
    instance = dg.DagsterInstance.get()
    pool = Pool(instance)
    command: Command | None = None
    try:
        asked = lines()
        first = next((line for line in asked if line), None)
        if first is None:
            return 0
        from recograph.adapters.dbt import parsed_project

        # The definitions would have it parsed by a command, since most of those who load them need no dbt.
        parsed_project(Settings.from_env(), here=True)
        from recograph.worker.preload import preload_dbt, preload_definitions

        preload_definitions()
        fail_abandoned(instance)
        if first.startswith("{"):
            command = _command(instance, pool, first)
            for _ in command.queue():
                command.step()
        else:
            preload_dbt()
            pool.start(first)
        if execute_asked(asked, pool, command):
            return 0
    except KeyboardInterrupt:
        pass
    for sign in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(sign, signal.SIG_IGN)
    if command:
        command.cancel()
    pool.stop()
    return 130


def execute_asked(asked: Iterable[str], pool: Pool, command: "Command | None" = None) -> bool:
    """Execute the runs that are asked for, and those of a command; says whether all has ended before the lines did."""
    is_last = False
    for line in asked:
        if line == LAST:
            is_last = True
        elif line:
            pool.start(line)
        pool.reap()
        if is_last and not len(pool):
            return True
        if command and command.step() and not len(pool):
            command.tell_of_graph()
            return True
    return False


def _command(instance: dg.DagsterInstance, pool: Pool, request: str) -> "Command":
    from recograph.worker.command import Command

    return Command(instance, pool, json.loads(request))


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    atexit._run_exitfuncs()  # has no public name
    # What else Python does at its end lets DuckDB's bindings print sixty lines, in which what matters is lost.
    os._exit(code)
