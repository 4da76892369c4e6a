"""What a partition costs, in CPU seconds of everything that is started for it: `python -m benchmarks.pipeline`.

CPU seconds depend little on who else uses the machine. The local Neo4j is started beforehand and isn't counted.

    python -m benchmarks.pipeline                                  # by `recograph run`
    python -m benchmarks.pipeline daemon --customers 100 --days 1  # as every morning, by Dagster's daemon
    python -m benchmarks.pipeline backfill --customers 3 --days 30 # as from the UI, by GraphQL

Of the last two, what the UI, the daemon and the code server take to start is told apart; what they take later counts.
"""

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import yaml

RECOGRAPH = str(Path(sys.executable).with_name("recograph"))
LONGEST = 7200
"""Seconds that all runs may take."""
RUNS = "{ runsOrError(filter: {}) { ... on Runs { results { status } } } }"
FAILED = {"FAILURE", "CANCELED"}
ASSETS = "{ assetNodes { assetKey { path } jobNames } }"
START_SENSOR = """mutation { startSensor(sensorSelector: {repositoryLocationName: "recograph",
    repositoryName: "__repository__", sensorName: "new_dumps"}) { __typename } }"""
BACKFILL = """mutation($assets: [AssetKeyInput!], $partitions: [String!]) {
    launchPartitionBackfill(backfillParams: {assetSelection: $assets, partitionNames: $partitions}) { __typename } }"""


def cpu_seconds(*arguments: str, environ: dict[str, str]) -> float:
    """What `recograph ARGUMENTS` takes, with all the processes that it waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run([RECOGRAPH, *arguments], env=environ, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode:
        sys.exit(f"recograph {' '.join(arguments)}:\n{ran.stdout}{ran.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_command(environ: dict[str, str]) -> dict[str, float]:
    """Rows of `recograph run`, on three days of three customers."""
    of_customer = ("run", "-c", "customer_2")
    first = cpu_seconds("run", environ=environ)
    forced = cpu_seconds("run", "--force", environ=environ)
    again = cpu_seconds("run", environ=environ)
    one = cpu_seconds(*of_customer, "-d", "2026-10-03", "--force", environ=environ)
    three = cpu_seconds(*of_customer, "--force", environ=environ)
    return {
        "nine partitions, first time (dbt compiled, Dagster's tables made)": first,
        "nine partitions, all built again (--force)": forced,
        "nine partitions again, of which nothing has changed": again,
        "one partition (--force)": one,
        "each further day of the same customer": (three - one) / 2,
        "a partition of which nothing has changed": cpu_seconds(*of_customer, "-d", "2026-10-03", environ=environ),
        "recograph --help": cpu_seconds("--help", environ=environ),
        "recograph search": cpu_seconds("search", "planning", "-c", "customer_2", environ=environ),
        "recograph query": cpu_seconds("query", "popular_courses", "--param", "customer=customer_2", environ=environ),
    }


class Served:
    """`recograph dev`, asked by GraphQL."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        """It may still be starting."""
        self._process = psutil.Process(process.pid)
        self._address = address

    def ask(self, query: str, **variables: Any) -> Any:
        """What GraphQL answers."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self._address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["data"]

    def answers(self) -> bool:
        """Whether it listens, and has loaded the assets."""
        with suppress(OSError):
            return bool(self.ask(ASSETS)["assetNodes"])
        return False

    def cpu_seconds(self) -> float:
        """What all its processes have taken so far, those that have ended too."""
        total = 0.0
        for process in [self._process, *self._process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])
        return total

    def wait(self, runs: int) -> None:
        """Wait until so many runs have succeeded."""
        until = time.monotonic() + LONGEST
        statuses: list[str] = []
        while statuses.count("SUCCESS") < runs:
            if FAILED & set(statuses) or time.monotonic() > until:
                sys.exit(f"Of {runs} runs {statuses.count('SUCCESS')} have succeeded; others failed, or take too long.")
            time.sleep(5)
            statuses = [run["status"] for run in self.ask(RUNS)["runsOrError"]["results"]]


@contextmanager
def served(environ: dict[str, str]) -> Iterator[Served]:
    """The UI, its daemon and a code server, stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # What it says may be long, and goes where nobody must read it.
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([RECOGRAPH, "dev", "--port", str(port)], env=environ, stdout=said, stderr=said)
        try:
            dev = Served(process, f"http://127.0.0.1:{port}")
            until = time.monotonic() + 300
            while not dev.answers():
                if process.poll() is not None or time.monotonic() > until:
                    said.seek(0)
                    sys.exit(f"recograph dev doesn't answer:\n{said.read()}")
                time.sleep(1)
            yield dev
        finally:
            process.terminate()
            process.wait()


def ask_sensor(dev: Served, partitions: list[str]) -> None:
    """Let the sensor find the dumps: a run of each, which the daemon queues and launches like the schedule's."""
    kind = dev.ask(START_SENSOR)["startSensor"]["__typename"]
    if kind != "Sensor":
        sys.exit(f"The sensor isn't started for {len(partitions)} partitions: {kind}")


def ask_backfill(dev: Served, partitions: list[str]) -> None:
    """Ask for a backfill as the UI does: a run of each partition."""
    assets = [node["assetKey"] for node in dev.ask(ASSETS)["assetNodes"] if "dump_to_graph" in node["jobNames"]]
    kind = dev.ask(BACKFILL, assets=assets, partitions=partitions)["launchPartitionBackfill"]["__typename"]
    if kind != "LaunchBackfillSuccess":
        sys.exit(f"The backfill isn't begun: {kind}")


def by_daemon(environ: dict[str, str], ask: Callable[[Served, list[str]], None]) -> dict[str, float]:
    """Rows of runs that Dagster's daemon launches: the start, all of them, and each."""
    dumps = sorted(Path(environ["RECOGRAPH_DATA"]).glob("*/*.sql.gz"))
    partitions = [f"{dump.parent.name}|{dump.name.split('.')[0]}" for dump in dumps]
    with served(environ) as dev:
        start = dev.cpu_seconds()
        ask(dev, partitions)
        dev.wait(len(partitions))
        runs = dev.cpu_seconds() - start
    return {
        "start of the UI, the daemon and the code server": start,
        f"{len(partitions)} partitions": runs,
        "each partition": runs / len(partitions),
    }


def main() -> None:
    """Measure on sample data of the given size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", nargs="?", choices=["command", "daemon", "backfill"], default="command")
    parser.add_argument("--scale", default="1", help="of the sample data")
    parser.add_argument("--customers", type=int, default=3)
    parser.add_argument("--days", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, home = Path(folder, "data"), Path(folder, "home")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("RECOGRAPH_", "NEO4J_"))}
        environ |= {"RECOGRAPH_DATA": str(data), "RECOGRAPH_HOME": str(home)}
        data.mkdir()
        customer = {"region": "us-east-1", "size": "mid", "category": "retail"}
        entries = [{"id": f"customer_{n}", "name": f"Customer {n}"} | customer for n in range(1, asked.customers + 1)]
        (data / "customers.yaml").write_text(yaml.safe_dump({"customers": entries}))
        # So long ago that thirty days of it are over.
        size = ("--scale", asked.scale, "--days", str(asked.days), "--start", "2026-10-01")
        cpu_seconds("sample-data", *size, "--out", str(data), environ=environ)
        cpu_seconds("neo4j", "start", environ=environ)
        try:
            if asked.way == "command":
                rows = by_command(environ)
            else:
                rows = by_daemon(environ, ask_sensor if asked.way == "daemon" else ask_backfill)
        finally:
            cpu_seconds("neo4j", "stop", environ=environ)
    for name, seconds in rows.items():
        print(f"{name:70} {seconds:6.1f} CPU s")


if __name__ == "__main__":
    main()
