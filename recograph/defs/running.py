"""Which runs are being executed on this machine, known by locks that the kernel frees when their process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _folder() -> Path:
    folder = Path(os.environ["DAGSTER_HOME"]) / "running"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def executing(run_id: str) -> Iterator[bool]:
    """Hold a run for as long as it is executed; says False where another process has it."""
    path = _folder() / run_id
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def alone_with(customer: str) -> Iterator[None]:
    """Wait until no other run of the customer is executed, and keep later ones waiting.

    The queue sees to that too; this holds where two processes take runs from it at the same moment.
    """
    with (_folder() / f"customer-{customer}").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def executed_by(run_id: str) -> int | None:
    """The id of the process that executes a run; None where none does, or none on this machine."""
    try:
        with (_folder() / run_id).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int((_folder() / run_id).read_text() or 0) or None
    except FileNotFoundError:
        return None
    return None


def was_abandoned(run_id: str) -> bool:
    """Whether a run was begun on this machine, and its process is gone without having ended it."""
    return (_folder() / run_id).exists() and executed_by(run_id) is None


def forget(run_id: str) -> None:
    """Forget a run that was abandoned."""
    (_folder() / run_id).unlink(missing_ok=True)
