"""Servers that tests start: child processes on loopback, waited for, and stopped by their own handle."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str, wanted: bytes = b"") -> bool:
    """Whether a GET of the URL succeeds with a body that has the wanted text in it."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return wanted in response.read()
    except (urllib.error.URLError, OSError):
        return False


class ServerProcess:
    """A child process that is ready once `ready` says so; what it prints is kept in a log file.

    It works in the log's folder, so that what it writes beside itself goes with that.
    """

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(environ),
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait(self, ready: Callable[[], bool], seconds: float = 600) -> None:
        """Wait until the server is ready.

        Raises:
            RuntimeError: it ended, or isn't ready in time; the end of its log is in the message.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                last = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
                raise RuntimeError(f"{self.name} did not start (exit code {self._process.returncode}):\n{last}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End the process, first gently."""
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
