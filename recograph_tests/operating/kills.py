"""Kills at random moments what `recograph run` starts, and wants the next run to make the graph right.

    python -m recograph_tests.operating.kills                 # 50 kills of processes, 20 of the server
    python -m recograph_tests.operating.kills 5 2 --seed 3    # fewer, others

Not a part of `make test`: a kill and the run after it take half a minute. What must hold after each of them is in
`Home.kill` and `Home.recover`.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psutil

from recograph.adapters.neo4j import ManagedServer
from recograph.adapters.neo4j.driver import Server, connect
from recograph.adapters.neo4j.jvm import SERVER
from recograph.operating.retention import leftovers
from recograph.platforms.sample_dumps import generate, prepare
from recograph_tests.graph.marts import Graph, actual
from recograph_tests.pipeline.installation import COMMAND, bare_environment

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
VICTIMS = ("command", "worker", "run")
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_ORPHANED_SECONDS = 5
_LONGEST = 900


@dataclass(frozen=True)
class Home:
    """An installation with a server of its own."""

    data: Path
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """What its commands are started with."""
        return bare_environment() | {
            "RECOGRAPH_DATA": str(self.data),
            "RECOGRAPH_HOME": str(self.folder),
            "RECOGRAPH_AOT": "0",
            "COLUMNS": "400",
        }

    @property
    def server(self) -> ManagedServer:
        """Its Neo4j."""
        return ManagedServer(self.folder / "neo4j")

    def start(self) -> subprocess.Popen[str]:
        """Start `recograph run`."""
        return subprocess.Popen(
            [str(COMMAND), "run"],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # What a shell starts in the background ignores Ctrl-C, and so would all that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        )

    def processes(self, named: str = "") -> list[psutil.Process]:
        """Everything of ours that runs for this home, but for its Neo4j; or what has a name in its command."""
        ours = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                command = process.cmdline()
                alive = process.status() != psutil.STATUS_ZOMBIE
                if alive and process.environ().get("RECOGRAPH_HOME") == str(self.folder):
                    ours += [process] if SERVER not in command and (not named or named in command) else []
        return ours

    def graph(self) -> Graph:
        """All that is in the graph."""
        connection = self.server.start()
        with connect(Server(connection.uri, connection.username, connection.password)) as driver:
            return actual(driver)

    def victims(self, command: subprocess.Popen[str], kind: str) -> list[int]:
        """The ids of the processes that are there of a kind."""
        if kind == "command":
            return [command.pid]
        if kind == "server":
            running = self.server.running()
            return [running.pid] if running else []
        parents: dict[int, int] = {}
        for process in self.processes(named="recograph.worker"):
            with suppress(psutil.Error):
                parents[process.pid] = process.ppid()
        return [pid for pid, parent in parents.items() if (parent in parents) == (kind == "run")]

    def kill(self, kind: str, sign: signal.Signals, after: float, chance: random.Random) -> str:
        """Begin a run, and kill something; returns what is wrong then, or nothing.

        Raises:
            AssertionError: the command never ends.
        """
        command = self.start()
        time.sleep(after)
        until = time.monotonic() + 60
        while not (ids := self.victims(command, kind)) and command.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        if ids:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(ids), sign)
        try:
            output, _ = command.communicate(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            command.kill()
            return f"it never ended: {command.communicate()[0][-500:]}"
        problems = []
        if "Traceback" in output:
            problems.append(f"a traceback: {output[-2000:]}")
        if not wait_for(lambda: not self.processes(), _ORPHANED_SECONDS):
            problems.append(f"orphans: {self.processes()}")
        return "; ".join(problems)

    def recover(self, wanted: Graph | None) -> str:
        """Run as anybody would; returns what is wrong then, or nothing."""
        command = self.start()
        output, _ = command.communicate(timeout=2 * _LONGEST)
        problems = []
        if command.returncode:
            problems.append(f"the run failed: {output[-2000:]}")
        with dg.DagsterInstance.from_config(str(self.folder / "dagster")) as instance:
            if unfinished := instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
                problems.append(f"unfinished: {[(run.run_id, run.status) for run in unfinished]}")
        if wanted and (differing := difference(self.graph(), wanted)):
            problems.append(f"another graph: {differing}")
        if left := leftovers(self.folder, self.folder / "lake"):
            problems.append(f"left behind: {left}")
        stores = [process for process in psutil.process_iter() if self._serves(process)]
        if len(stores) != 1:
            problems.append(f"{len(stores)} servers on one store")
        return "; ".join(problems)

    def _serves(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error, OSError):
            return SERVER in process.cmdline() and Path(process.cwd()).samefile(self.server.home)
        return False


def difference(actual: Graph, wanted: Graph) -> str:
    """How two graphs differ: of each kind of node and relationship how many are missing, too many, or others."""
    counts: Counter[str] = Counter()
    examples: dict[str, object] = {}
    for ours, theirs in zip(actual, wanted, strict=True):
        for key in ours.keys() | theirs.keys():
            if ours.get(key) != theirs.get(key):
                how = "missing" if key not in ours else "too many" if key not in theirs else "changed"
                counts[f"{key[0]} {how}"] += 1
                examples[f"{key[0]} {how}"] = key, ours.get(key), theirs.get(key)
    return f"{dict(counts)}, such as {examples}" if counts else ""


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    """Whether something comes true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@dataclass(frozen=True)
class Dumps:
    """A day of two customers, of which there are two versions: what one run loads, the other has to change."""

    data: Path
    days: tuple[dict[Path, bytes], dict[Path, bytes]]

    @classmethod
    def make(cls, data: Path, scale: float = 0.05) -> "Dumps":
        """Two days of dumps, of which the second is kept as another version of the first."""
        chosen = list(prepare(data).values())[:2]
        made = generate(data, scale=scale, days=2, customers=chosen)
        first, second = sorted({dump.date for dump in made})
        shown = {dump.customer: dump.path for dump in made if dump.date == first}
        days = [
            {shown[dump.customer]: dump.path.read_bytes() for dump in made if dump.date == day}
            for day in (first, second)
        ]
        for dump in made:
            if dump.date == second:
                dump.path.unlink()
        return cls(data, (days[0], days[1]))

    def ship(self, version: int) -> None:
        """Replace the dumps by the first or the second version."""
        for path, content in self.days[version].items():
            path.write_bytes(content)


def main() -> int:
    """Kill, recover, compare; returns after how many kills something was wrong."""
    parser = argparse.ArgumentParser(description="Kills what `recograph run` starts, and compares the graphs.")
    parser.add_argument("processes", type=int, nargs="?", default=50)
    parser.add_argument("servers", type=int, nargs="?", default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1000))
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    kinds = [chance.choice(VICTIMS) for _ in range(arguments.processes)] + ["server"] * arguments.servers
    chance.shuffle(kinds)
    with tempfile.TemporaryDirectory(prefix="recograph-kills-") as name:
        place = Path(name).resolve()
        dumps = Dumps.make(place / "data")
        undisturbed, home = Home(place / "data", place / "undisturbed"), Home(place / "data", place / "home")
        try:
            problem = undisturbed.recover(None)
            assert not problem, problem
            wanted = undisturbed.graph()
            undisturbed.server.stop()
            problem = home.recover(wanted)
            assert not problem, problem
            began = time.monotonic()
            dumps.ship(1)
            home.start().communicate()
            whole = time.monotonic() - began
            counts: Counter[str] = Counter()
            for number, kind in enumerate(kinds, 1):
                sign = signal.SIGKILL if kind == "server" else chance.choice(SIGNALS)
                after = chance.uniform(0, whole)
                dumps.ship(1)
                problem = home.kill(kind, sign, after, chance)
                dumps.ship(0)
                problem = "; ".join(filter(None, [problem, home.recover(wanted)]))
                counts[kind] += 1
                counts["wrong"] += bool(problem)
                print(f"{number}: {sign.name} of {kind} after {after:.1f} s: {problem or 'right again'}", flush=True)
        finally:
            for folder in (home, undisturbed):
                for process in folder.processes():
                    with suppress(psutil.Error):
                        process.kill()
                folder.server.stop()
    print(f"seed {arguments.seed}, {dict(counts)}")
    return counts["wrong"]


if __name__ == "__main__":
    sys.exit(min(main(), 1))
