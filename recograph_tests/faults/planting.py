"""Faults, and the copies of the repository in which they are planted."""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 300
_TESTED = 100
"""Is added to pytest's exit code, so that a process which ends before it is none of a test that failed."""
_STILL_PASSES = "still passes"
_PASSED, _FAILED = _TESTED, _TESTED + 1
"""Where tests ran; others mean that pytest found none, or couldn't run."""


@dataclass(frozen=True)
class Fault:
    """A line that is wrong, and who must notice."""

    promise: str
    file: str
    before: str
    after: str
    test: str
    quick: bool = False
    """Whether its test needs no server, and is one of those that CI tries each time."""

    def planted(self, text: str) -> str:
        """The file's text with the fault.

        Raises:
            ValueError: the line isn't there, or more than once.
        """
        if text.count(self.before) != 1:
            raise ValueError(f"{self.file} has the line {text.count(self.before)} times: {self.before}")
        return text.replace(self.before, self.after)


def read_table() -> list[Fault]:
    """The faults, in the order of the table."""
    entries = tomllib.loads(Path(__file__).with_name("table.toml").read_text(encoding="utf-8"))["fault"]
    return [Fault(**entry) for entry in entries]


def warm_processes() -> ForkServerContext:
    """Where processes come from that have imported what every test imports, and nothing of recograph."""
    context = ForkServerContext()
    context.set_forkserver_preload(["pytest", "dagster", "duckdb", "neo4j", "pyarrow.parquet", __name__])
    return context


class Copy:
    """A copy of the repository, and the home of a Neo4j that all tests in it share."""

    def __init__(self, folder: Path, processes: ForkServerContext) -> None:
        """Copies what git knows of, as it is now."""
        self.folder = folder / "repository"
        self.neo4j = folder / "neo4j"
        self._processes = processes
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                target = self.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)

    def notices(self, fault: Fault) -> str | None:
        """Plant a fault and run its test; returns what is wrong, if the test doesn't fail."""
        path = self.folder / fault.file
        if not path.exists():
            return f"there is no {fault.file}"
        right = path.read_text(encoding="utf-8")
        try:
            path.write_text(fault.planted(right), encoding="utf-8")
        except ValueError as error:
            return str(error)
        try:
            return self._run(fault.test)
        finally:
            path.write_text(right, encoding="utf-8")

    def passes(self, fault: Fault) -> str | None:
        """Plant nothing and run a fault's test; returns what is wrong, if it doesn't pass: then it notices nothing."""
        outcome = self._run(fault.test)
        return None if outcome == _STILL_PASSES else outcome or "fails without the fault, too"

    def _run(self, test: str) -> str | None:
        log = self.folder.parent / "log"
        process = self._processes.Process(target=_run_test, args=(self.folder, self.neo4j, log, test))
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            assert process.pid
            os.killpg(process.pid, signal.SIGKILL)
            return f"no answer after {_SECONDS} s"
        if process.exitcode == _FAILED:
            return None
        if process.exitcode == _PASSED:
            return _STILL_PASSES
        return f"can't be run:\n{log.read_text(errors='replace')[-2000:]}"


def _run_test(folder: Path, neo4j: Path, log: Path, test: str) -> None:
    """What a process does that was forked with everything imported but what is in the copy."""
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.environ |= {"PYTHONPATH": str(folder), "RECOGRAPH_TESTS_NEO4J": str(neo4j)}
    sys.path.insert(0, str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] in ("recograph", "recograph_tests")]:
        del sys.modules[name]
    os.chdir(folder)
    import pytest

    sys.exit(_TESTED + pytest.main(["-q", "-x", "-p", "no:cacheprovider", test]))
