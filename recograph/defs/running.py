"""Which runs are being executed on this machine, known by locks that the kernel frees when their process ends."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

_CLAIMED = "claimed by "
_LOOKED_AT = 0.5
"""Seconds after which a lock isn't that of somebody who only looks whether there is one, which takes moments."""


def _folder() -> Path:
    folder = Path(os.environ["DAGSTER_HOME"]) / "running"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def executing(run_id: str) -> Iterator[bool]:
    """Hold a run for as long as it is executed; says False where another process has it."""
    path = _folder() / run_id
    with path.open("a+") as file:
        until = time.monotonic() + _LOOKED_AT
        while not _locked(file):
            if time.monotonic() > until:
                yield False
                return
            time.sleep(0.02)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield True
        # Kept after an error, such as a full disk: the run may not have been ended, which somebody must do later.
        path.unlink(missing_ok=True)


@contextmanager
def alone_with(customer: str, on_wait: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Wait until no other run of the customer is executed, and keep later ones waiting.

    The queue sees to that too; this holds where two processes take runs from it at the same moment.

    Args:
        customer: whose runs.
        on_wait: called where one is executed.
    """
    with (_folder() / f"customer-{customer}").open("a") as file:
        if not _locked(file):
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def claim(run_id: str) -> None:
    """Say that this process is about to have a run executed, so that it isn't lost where that never begins."""
    (_folder() / run_id).write_text(f"{_CLAIMED}{os.getpid()}")


def is_executed(run_id: str) -> bool:
    """Whether some process of this machine executes a run."""
    try:
        with (_folder() / run_id).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def executed_by(run_id: str) -> int | None:
    """The id of the process that executes a run; None where none does, or none on this machine."""
    if not is_executed(run_id):
        return None
    with suppress(FileNotFoundError):  # it has ended since
        written = (_folder() / run_id).read_text()
        return int(written) if written.isdigit() else None
    return None


def was_abandoned(run_id: str) -> bool:
    """Whether a run was begun on this machine, and its process is gone without having ended it."""
    path = _folder() / run_id
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            written = file.read()
    except (BlockingIOError, FileNotFoundError):
        return False
    return not (written.startswith(_CLAIMED) and psutil.pid_exists(int(written.removeprefix(_CLAIMED))))


def forget(run_id: str) -> None:
    """Forget a run that was abandoned."""
    (_folder() / run_id).unlink(missing_ok=True)
