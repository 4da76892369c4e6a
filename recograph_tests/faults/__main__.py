"""Plants every fault of `table.toml` in a copy of the repository and wants the test that it names to fail.

    python -m recograph_tests.faults            # all of them
    python -m recograph_tests.faults 2/8        # the second of eight parts, for a CI that takes turns
    python -m recograph_tests.faults guard      # those whose test or file has the word

A promise of README and docs is worth what its test is worth: one that still passes with the fault is no test of it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from recograph.adapters.neo4j import ManagedServer

ROOT = Path(__file__).resolve().parents[2]
_WORKERS = 2
_SECONDS = 300
_FAILED = 1
"""pytest's exit code where tests ran and failed; others mean that it found none, or couldn't run."""


@dataclass(frozen=True)
class Fault:
    """A line that is wrong, and who must notice."""

    promise: str
    file: str
    before: str
    after: str
    test: str

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


class Copy:
    """A copy of the repository, and a Neo4j that all tests in it share."""

    def __init__(self, folder: Path) -> None:
        """Copies what git knows of, as it is now."""
        self.folder = folder / "repository"
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
        # The first test that needs it starts it.
        self.server = ManagedServer(folder / "neo4j")

    def notices(self, fault: Fault) -> str | None:
        """Plant a fault and run its test; returns what is wrong, if the test doesn't fail."""
        path = self.folder / fault.file
        right = path.read_text(encoding="utf-8")
        try:
            path.write_text(fault.planted(right), encoding="utf-8")
        except ValueError as error:
            return str(error)
        environ = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        environ["RECOGRAPH_TESTS_NEO4J"] = str(self.server.home)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", fault.test]
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"no answer after {_SECONDS} s"
        finally:
            path.write_text(right, encoding="utf-8")
        if done.returncode == _FAILED:
            return None
        return "still passes" if done.returncode == 0 else f"can't be run:\n{done.stdout[-1000:]}{done.stderr[-1000:]}"


def chosen(faults: list[Fault], wish: str) -> list[Fault]:
    """Those of a part, such as 2/8, or with a word in them."""
    part, slash, parts = wish.partition("/")
    if slash and part.isdigit() and parts.isdigit():
        return faults[int(part) - 1 :: int(parts)]
    return [fault for fault in faults if wish in f"{fault.file} {fault.test} {fault.promise}"]


def main(arguments: Sequence[str]) -> int:
    """Try all faults, or those asked for; returns how many weren't noticed."""
    faults = read_table()
    for wish in arguments:
        faults = chosen(faults, wish)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="recograph-faults-") as name:
        folders = [Path(name) / str(number) for number in range(min(_WORKERS, len(faults)))]
        copies = [Copy(folder) for folder in folders]
        free: SimpleQueue[Copy] = SimpleQueue()
        for copy in copies:
            free.put(copy)

        def tried(fault: Fault) -> bool:
            copy = free.get()
            try:
                problem = copy.notices(fault)
            finally:
                free.put(copy)
            told = f"NOT NOTICED: {fault.test}: {problem}" if problem else "noticed"
            print(f"{fault.promise}\n    {fault.file}: {told}", flush=True)
            return problem is None

        try:
            with ThreadPoolExecutor(_WORKERS) as pool:
                noticed = list(pool.map(tried, faults))
        finally:
            for copy in copies:
                copy.server.stop()
    seconds = time.monotonic() - started
    print(f"{sum(noticed)} passed, {len(noticed) - sum(noticed)} failed")
    print(f"{len(noticed)} faults in {seconds:.0f} s.")
    return len(noticed) - sum(noticed)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
