"""What a home remembers about its server: the process, its ports, the version of its store; and the home's lock."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil

from recograph.adapters.neo4j.jvm import SERVER


@dataclass(frozen=True)
class RunningServer:
    """The server as it was started last; kept after it stopped, for the next start."""

    bolt_port: int
    http_port: int
    version: str
    """The newest Neo4j that has opened the store; older ones can't."""
    pid: int | None = None
    ready: bool = False
    """Whether Bolt has answered."""

    def process(self, home: Path) -> psutil.Process | None:
        """The server's process, if it is alive and this home's."""
        if self.pid is None:
            return None
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            # The command of the process names the home by the path that the home had when the server was started.
            return process if _serves(process, home) and f"--home-dir={home}" in process.cmdline() else None
        return None


def find_process(home: Path) -> psutil.Process | None:
    """A server of this home, also one that its state doesn't know: its starter died, or the home was moved since."""
    return next((process for process in psutil.process_iter() if _serves(process, home)), None)


def _serves(process: psutil.Process, home: Path) -> bool:
    """Whether a process is a Neo4j that works in this home.

    The working folder of the process says so. It stays right when the clock is set, it moves when the home is moved,
    and if the home is copied it is the original's only.
    """
    try:
        return (
            SERVER in process.cmdline()
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()).samefile(home)
        )
    except (psutil.Error, OSError):
        return False


def read_state(home: Path) -> RunningServer | None:
    """The state of this home's server; None where none was ever started, or the file is broken."""
    try:
        known = json.loads((home / "server.json").read_text())
        # Other versions of recograph remember other things.
        return RunningServer(
            **{field.name: known[field.name] for field in fields(RunningServer) if field.name in known}
        )
    except (OSError, ValueError, TypeError):
        return None


def write_state(home: Path, state: RunningServer) -> None:
    """Replace the state in one step."""
    write_atomically(home / "server.json", json.dumps(asdict(state), indent=2) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write a file that only its owner may read, so that a reader sees the old or the new content whole."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keep other processes from starting or stopping this home's server; the kernel frees the lock if we die."""
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
