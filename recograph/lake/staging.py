"""Folders for files that are being written, and what becomes of them when their process is killed.

A folder is locked for as long as its process uses it; the kernel frees the lock when the process ends, however it ends.
Whoever makes the next folder at the same place removes the folders that no process locks any more.
"""

import atexit
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

from recograph.errors import RecographError

_PREFIX = "tmp"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def staging_folder(home: str | Path) -> Iterator[Path]:
    """A new folder below HOME/staging that is removed at the end.

    Raises:
        RecographError: the folder can't be written.
    """
    with temporary_folder(Path(home) / "staging") as folder:
        yield folder


_OF_PROCESS = ExitStack()


def folder_of_process(home: str | Path) -> Path:
    """A new folder below HOME/staging that is removed when this process ends.

    Raises:
        RecographError: the folder can't be written.
    """
    return _OF_PROCESS.enter_context(staging_folder(home))


@atexit.register
def remove_folders_of_process() -> None:
    """Remove what `folder_of_process` made; called by processes that end without what `atexit` does."""
    _OF_PROCESS.close()


@contextmanager
def temporary_folder(parent: Path, prefix: str = _PREFIX) -> Iterator[Path]:
    """A new folder below `parent`, removed at the end, or at the latest when the next one with this prefix is made.

    Raises:
        RecographError: it can't be made, or the disk is full.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(parent, prefix)
        folder, lock = _locked_folder(parent, prefix)
    except OSError as error:
        raise RecographError(refusal(parent, error)) from error
    try:
        with room_needed(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


_DRAFT = ".recograph-"
"""How the folder is called in which a file is written that will take another one's place."""


@contextmanager
def replaced(file: Path) -> Iterator[Path]:
    """The path of a draft, which takes the file's place when the block has ended well; else the file stays as it was.

    A link goes on leading to its file, and the file keeps its permissions. What can't be replaced is written in its
    place: what is no file, such as /dev/stdout or a pipe, and a file beside which nothing may be written.

    Raises:
        OSError: it can't be written.
    """
    if file.exists() and not (file.is_file() and os.access(file.resolve().parent, os.W_OK)):
        yield file
        return
    if file.exists() and not os.access(file, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    file = file.resolve()
    remove_abandoned(file.parent, _DRAFT)
    folder, lock = _locked_folder(file.parent, _DRAFT)
    try:
        draft = folder / file.name
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        if file.exists():
            shutil.copymode(file, draft)
        draft.replace(file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@cache
def hold(folder: Path) -> int:
    """Make a folder unless it is there, and lock it for as long as this process lives, or one that it forks.

    Others may hold it at the same time; nobody takes it for abandoned. Gives the lock's descriptor.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            # Somebody may have removed it before it was locked.
            if folder.exists() and folder.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
            os.close(descriptor)


def abandoned(parent: Path, prefix: str = _PREFIX) -> list[Path]:
    """The folders that ended processes have left behind."""
    folders = (path for path in parent.glob(f"{prefix}*") if path.is_dir())
    return sorted(filter(_is_abandoned, folders))


def _is_abandoned(folder: Path) -> bool:
    lock = _lock(folder)
    if lock is not None:
        os.close(lock)
    return lock is not None


def remove_abandoned(parent: Path, prefix: str = _PREFIX) -> None:
    """Delete the folders that ended processes have left behind, each while it is locked: somebody may be making it."""
    for folder in abandoned(parent, prefix):
        if (lock := _lock(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        # Somebody may have taken it for abandoned before it was locked.
        if (lock := _lock(folder)) is not None and folder.exists():
            return folder, lock


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock, or None where another process has it or the folder is gone."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor
    return None


def stamp_of(status: os.stat_result) -> str:
    """What changes when a file is written, replaced or touched.

    Whoever replaces a file can set its time of modification to the old one, but not that of its change.
    """
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


@contextmanager
def customer_locked(home: str | Path, customer: str) -> Iterator[None]:
    """Keep the other processes of this installation from making or erasing a customer's tables during the block.

    Raises:
        RecographError: the home can't be written.
    """
    folder = Path(home) / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / customer).open("w")
    except OSError as error:
        raise RecographError(refusal(folder, error)) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def room_needed(folder: str | Path) -> Iterator[None]:
    """Turn the many errors that a full disk causes into one sentence with the folder and what to do.

    Raises:
        RecographError: the disk is full.
    """
    try:
        yield
    except RecographError:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        raise RecographError(_full(folder)) from error


def told_of_room(folder: str | Path, text: str) -> None:
    """Look for a full disk in what another program said.

    Raises:
        RecographError: it says so.
    """
    if _says_full(text):
        raise RecographError(_full(folder))


def refusal(folder: str | Path, error: OSError) -> str:
    """One sentence about a file that couldn't be written."""
    if is_full(error):
        return _full(folder)
    reason = error.strerror or str(error)
    return f"{folder} can't be written ({reason}). Let RECOGRAPH_HOME name a folder that can."


def is_full(error: Exception) -> bool:
    """Whether an error is that of a full disk."""
    if getattr(error, "errno", None) in _FULL:
        return True
    # The error classes of DuckDB and SQLite have no number, so their words are compared.
    return _says_full(str(error))


def _says_full(text: str) -> bool:
    words = (*map(os.strerror, _FULL), "failed to offload data block", "database or disk is full")
    return any(word in text for word in words)


def _full(folder: str | Path) -> str:
    existing = next(path for path in (Path(folder), *Path(folder).parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1024**2
    return (
        f"{folder} can't be written, because the disk is full: {free:,.1f} MB are free. Make room, for example with "
        "`recograph clean --keep-days 30`, and run this again: it goes on from what is there."
    )
