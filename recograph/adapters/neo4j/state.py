"""What a home remembers of its server: the process, its ports, the version of its store; and the lock around it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class State:
    """The server as it was started last; kept after it stopped, for the next start."""

    bolt_port: int
    http_port: int
    version: str
    """The newest Neo4j that has opened the store; older ones can't."""
    pid: int | None = None
    created: float | None = None
    """When the process was made (seconds since 1970), which tells it from a later one with the same pid."""
    ready: bool = False
    """Whether Bolt has answered."""

    def process(self) -> psutil.Process | None:
        """The server's process, if it is alive and still the one that was started."""
        if self.pid is None or self.created is None:
            return None
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


def read_state(home: Path) -> State | None:
    """The state of this home's server; None where none was ever started, or the file is broken."""
    try:
        return State(**json.loads((home / "server.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_state(home: Path, state: State) -> None:
    """Replace the state in one step."""
    write_atomically(home / "server.json", json.dumps(asdict(state), indent=2) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write a file that only its owner may read, so that a reader sees the old or the new content whole."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keep other processes from starting or stopping this home's server meanwhile; the kernel frees it if we die."""
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
