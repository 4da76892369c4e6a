"""How many people `recograph serve` answers: ``python -m benchmarks.serve --scale 20``.

On one machine: Neo4j, the service, who asks it, and the daily load.

- 200 people in the first seconds of the service and of Neo4j, which then still makes its plans and compiles them; what
  comes after is measured when both have run for a minute.
- Recommendations that were asked for before, and for the first time, as many as possible a second: by wrk where it is
  installed, else by a client of our own.
- 1,000 people with a connection each, who ask every two seconds on average: alone; while all customers' next day is
  loaded, as once a day; and while such loads go there and back without a pause, which no installation has. Which user,
  course or asset somebody looks at is drawn by Zipf's law: a few are looked at often, most now and then. `WEIGHTS` says
  what they look at.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import neo4j
import psutil

from benchmarks.readers import CUSTOMERS, DAYS, WORDS, load_for, prepare
from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.neo4j import Connection, ManagedServer
from recograph.graph.load import load
from recograph.graph.report import LoadOptions

PORT = 8766
WEIGHTS = {
    "home": 4, "dashboard": 12, "question": 14, "search as one types": 24, "course": 12, "asset": 6, "user": 6,
    "recommendations": 22,
}  # fmt: skip
"""What people ask for, of a hundred."""
QUESTIONS = ("popular_courses", "activity", "languages", "unused_courses", "best_rated_courses", "dormant_users")
_WARM_SECONDS = 20
"""So long people ask before anything but the start is measured: in its first minute Neo4j compiles what it is asked."""
_LUA = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = 0
request = function()
  at = at + 1
  return wrk.format("GET", paths[(at - 1) %% #paths + 1])
end
done = function(summary, latency)
  io.write(string.format('{"requests": %%d, "seconds": %%f, "errors": %%d, "p50": %%f, "p95": %%f}\\n',
    summary.requests, summary.duration / 1e6, summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.timeout, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end
"""


class Mix:
    """Draws addresses as people do."""

    def __init__(self, ids: dict[tuple[str, str], list[int]], seed: int) -> None:
        self._random = random.Random(seed)
        self._ids = ids
        self._sums = {key: list(accumulate(1 / rank for rank in range(1, len(some) + 1))) for key, some in ids.items()}

    def draw(self) -> tuple[str, str]:
        """What is asked for, as `WEIGHTS` names it, and its address."""
        pick = self._random
        (kind,) = pick.choices(list(WEIGHTS), list(WEIGHTS.values()))
        return kind, self._address(kind, pick.choice(CUSTOMERS))

    def _address(self, kind: str, customer: str) -> str:
        pick = self._random
        match kind:
            case "home":
                return "/"
            case "dashboard":
                return f"/{customer}"
            case "question":
                return f"/{customer}/questions/{pick.choice(QUESTIONS)}"
            case "search as one types":
                words = pick.choice(WORDS)
                return f"/{customer}/search.json?q={quote(words[: pick.randint(2, len(words))])}"
            case "recommendations":
                return f"/{customer}/users/{self._zipf(customer, 'User')}/recommendations.json"
        label = kind.title()
        if not self._ids[customer, label]:
            return f"/{customer}"
        return f"/{customer}/{kind}s/{self._zipf(customer, label)}"

    def _zipf(self, customer: str, label: str) -> int:
        (one,) = self._random.choices(self._ids[customer, label], cum_weights=self._sums[customer, label])
        return one


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    """The status of an answer; it is read to its end."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12])


@dataclass(frozen=True)
class Answered:
    """What became of a request."""

    second: int
    """Of the part, in which it was asked."""
    kind: str
    took: float
    """Milliseconds."""
    status: int
    """0: the connection failed."""


async def _people(paths: Mix, people: int, seconds: float, think: float) -> list[Answered]:
    answers: list[Answered] = []
    pause = random.Random(3)
    start = time.monotonic()
    until = start + seconds

    async def person() -> None:
        await asyncio.sleep(pause.random() * think)
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        while time.monotonic() < until:
            began = time.monotonic()
            kind, path = paths.draw()
            try:
                status = await _get(reader, writer, path)
            except (OSError, asyncio.IncompleteReadError):
                status = 0
                reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            answers.append(Answered(int(began - start), kind, (time.monotonic() - began) * 1000, status))
            await asyncio.sleep(pause.expovariate(1 / think))
        writer.close()

    await asyncio.gather(*(person() for _ in range(people)))
    return answers


def ask(ids: dict[tuple[str, str], list[int]], people: int, seconds: float, seed: int) -> dict[str, float]:
    """Let people ask; how long answers took (ms), how many came, and how many weren't right."""
    before = time.process_time()
    answers = asyncio.run(_people(Mix(ids, seed), people, seconds, 2.0))
    times = sorted(answer.took for answer in answers)
    wrong = Counter(answer.status for answer in answers if answer.status != 200)
    at = {f"p{p}": times[int(len(times) * p / 100)] for p in (50, 95, 99)}
    print(f"who asks takes {(time.process_time() - before) / seconds:.0%} of a processor", flush=True)
    for title, parts in (
        ("by second", groupby(sorted(answers, key=lambda one: one.second), lambda one: str(one.second))),
        ("by kind", groupby(sorted(answers, key=lambda one: one.kind), lambda one: one.kind)),
    ):
        shown = ", ".join(f"{name} {_p95([one.took for one in part]):.0f}" for name, part in parts)
        print(f"    95% {title}, ms: {shown}", flush=True)
    if wrong:
        print(f"answers that weren't right, by status: {dict(wrong)}", flush=True)
    return {"answers": len(times), "per_second": len(times) / seconds, "errors": sum(wrong.values()), **at}


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


async def _hammer(paths: list[str], connections: int, seconds: float) -> dict[str, float]:
    times: list[float] = []
    wrong = 0
    turn = iter(paths * 1000)
    until = time.monotonic() + seconds

    async def client() -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        while time.monotonic() < until:
            began = time.perf_counter()
            wrong += await _get(reader, writer, next(turn)) != 200
            times.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(client() for _ in range(connections)))
    times.sort()
    at = {f"p{p}": times[int(len(times) * p / 100)] for p in (50, 95)}
    return {"answers": len(times), "per_second": len(times) / seconds, "errors": wrong, **at}


def hammer(paths: list[str], connections: int, seconds: float) -> dict[str, float]:
    """Ask for these addresses in turn, as often as possible."""
    if (wrk := shutil.which("wrk")) is None:
        return asyncio.run(_hammer(paths, connections, seconds))
    with tempfile.TemporaryDirectory() as folder:
        lines, script = Path(folder, "paths"), Path(folder, "turn.lua")
        lines.write_text("\n".join(paths))
        script.write_text(_LUA % lines)
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script), f"http://127.0.0.1:{PORT}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = json.loads(said.splitlines()[-1])
    return {"answers": figures["requests"], "per_second": figures.pop("requests") / figures.pop("seconds"), **figures}


class Processors:
    """What the service and Neo4j take of the processors, which tells what a quieter machine can bear, and others."""

    def __init__(self, service: int, neo4j_: int) -> None:
        self._processes = {"service_ms": psutil.Process(service), "neo4j_ms": psutil.Process(neo4j_)}
        self.start()

    def start(self) -> None:
        """Count from now."""
        self._before = self._seconds()
        self._began = time.monotonic()

    def an_answer(self, figures: dict[str, float]) -> dict[str, float]:
        """The figures with the processors' time an answer (ms) since the start.

        And with the share (%) of all processors that programs took that are no part of this.
        """
        took = {name: seconds - self._before[name] for name, seconds in self._seconds().items()}
        answers = figures.pop("answers")
        everything = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        others = 100 * (took.pop("all") - took.pop("ours")) / everything
        return figures | {name: 1000 * seconds / answers for name, seconds in took.items()} | {"others_%": others}

    def _seconds(self) -> dict[str, float]:
        own = psutil.Process()
        ours = {own, *own.children(recursive=True), *self._processes.values()}
        every = psutil.cpu_times()
        return {
            **{name: self._of(process) for name, process in self._processes.items()},
            "ours": sum(map(self._of, ours)),
            "all": sum(every) - every.idle - every.iowait - every.guest - every.guest_nice,
        }

    @staticmethod
    def _of(process: psutil.Process) -> float:
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)


def start(home: Path) -> subprocess.Popen[bytes]:
    """The service, as soon as it answers."""
    environ = os.environ | {"RECOGRAPH_HOME": str(home), "RECOGRAPH_DATA": str(home / "data")}
    log = (home / "serve.log").open("wb")
    command = [sys.executable, "-m", "recograph", "serve", "--port", str(PORT)]
    process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{PORT}/-/health").status_code == 200:
                return process
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    process.kill()
    raise SystemExit(f"The service doesn't start; see {home / 'serve.log'}.")


def load_day(server: Connection, lake: Path, day: str) -> float:
    """Load all customers' snapshots of a day; the seconds that it takes."""
    warehouse = DuckDBWarehouse(lake=str(lake))
    began = time.monotonic()
    with neo4j.GraphDatabase.driver(server.uri, auth=(server.username, server.password)) as driver:
        for customer in CUSTOMERS:
            load(driver, warehouse, customer, day, options=LoadOptions(allow_older=True))
    return time.monotonic() - began


def ids_of(server: Connection) -> dict[tuple[str, str], list[int]]:
    """The ids of users, courses and assets of each customer, in any order."""
    ids: dict[tuple[str, str], list[int]] = {}
    with neo4j.GraphDatabase.driver(server.uri, auth=(server.username, server.password)) as driver:
        for label in ("User", "Course", "Asset"):
            for customer in CUSTOMERS:
                query = f"MATCH (n:{label} {{customer_id: $customer}}) WHERE n.id IS NOT NULL RETURN n.id"
                ids[customer, label] = [row[0] for row in driver.execute_query(query, customer=customer).records]
                random.Random(4).shuffle(ids[customer, label])
    return ids


def tell(title: str, figures: dict[str, float]) -> None:
    """Print figures: answers a second, wrong ones, how long they took (ms), and processors' time an answer (ms)."""
    shown = ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
    print(f"{title:<36} {shown}", flush=True)


def measure(home: Path, people: int, seconds: float) -> dict[str, Any]:
    """All of it, on the installation in that home."""
    managed = ManagedServer(home / "neo4j")
    running = managed.running() is not None
    server = managed.start()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as processes:
        later, earlier = (
            (processes.submit(load_day, server, home / "lake", day).result(), ids_of(server))[1]
            for day in reversed(DAYS)
        )
        # Those that are there on both days.
        ids = {key: [one for one in some if one in kept] for key, some in later.items() for kept in [set(earlier[key])]}
    users = [f"/{CUSTOMERS[n % 3]}/users/{key}/recommendations.json" for n, key in _interleaved(ids)]
    figures: dict[str, Any] = {}
    service = start(home)
    processors = Processors(service.pid, server.pid)
    try:
        with ProcessPoolExecutor(2, mp_context=spawn) as processes:
            # Both start now: that a process imports what loads need belongs to no load.
            wait([processes.submit(time.sleep, 1) for _ in range(2)])
            figures["start"] = processors.an_answer(processes.submit(ask, ids, 200, seconds, 4).result())
            tell("200 people right after the start", figures["start"])
            hammer(users[:6000], 16, seconds)
            processes.submit(ask, ids, people, _WARM_SECONDS, 5).result()
            processors.start()
            figures["first time"] = processors.an_answer(hammer(users[6000:], 16, min(seconds, 15)))
            tell("recommendations, the first time", figures["first time"])
            hammer(users[:500], 16, 5)
            processors.start()
            figures["before"] = processors.an_answer(hammer(users[:500], 32, seconds))
            tell("recommendations, asked for before", figures["before"])
            processors.start()
            figures["alone"] = processors.an_answer(processes.submit(ask, ids, people, seconds, 6).result())
            tell(f"{people:,} people", figures["alone"])
            asking = processes.submit(ask, ids, people, seconds, 7)
            processors.start()
            took = processes.submit(load_day, server, home / "lake", DAYS[1]).result()
            figures["beside"] = processors.an_answer(asking.result())
            tell(f"{people:,} people beside a daily load", figures["beside"])
            print(f"the load of all customers beside them: {took:.1f} s")
            asking = processes.submit(ask, ids, people, seconds, 8)
            processors.start()
            rounds = processes.submit(load_for, server, home / "lake", seconds).result()
            figures["always"] = processors.an_answer(asking.result())
            tell(f"{people:,} people beside loads without end", figures["always"])
            print(f"rounds of loads beside them, there and back, s: {', '.join(f'{took:.1f}' for took in rounds)}")
        figures["megabytes"] = psutil.Process(service.pid).memory_info().rss / 1e6
        print(f"the service's memory: {figures['megabytes']:.0f} MB")
    finally:
        service.terminate()
        service.wait()
        if not running:
            managed.stop()
    return figures


def _interleaved(ids: dict[tuple[str, str], list[int]]) -> list[tuple[int, int]]:
    """All users, the customers' in turn, so that each address is there once."""
    users = [ids[customer, "User"] for customer in CUSTOMERS]
    longest = max(map(len, users))
    return [(number, own[place]) for place in range(longest) for number, own in enumerate(users) if place < len(own)]


def main() -> None:
    """Read the arguments, measure, and print the figures as JSON in the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1, help="times the sample's size")
    parser.add_argument("--home", type=Path, help="an installation to make or to use; as benchmarks.readers has it")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30, help="how long each part takes")
    given = parser.parse_args()
    home = (given.home or Path(f".recograph-readers-{given.scale:g}")).resolve()
    prepare(home, given.scale)
    print(json.dumps(measure(home, given.people, given.seconds)))


if __name__ == "__main__":
    main()
