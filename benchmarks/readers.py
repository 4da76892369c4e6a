"""How readers and a daily load get on with each other: ``python -m benchmarks.readers --scale 20``.

150 readers, each with a connection of its own, ask the questions of `recograph/graph/queries/` about customers, users
and courses drawn at random, think, and ask again, while the graph goes from one day's snapshot to the next and back.
Look-ups are asked more often than analyses over a whole customer, as people do. The load alone and the readers alone
are the measure for both together; all in one run, on the managed server. The server's time on a processor an answer
tells what a quieter or larger machine can bear. With ``--think 0`` it is the limit that is measured.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import neo4j
import psutil

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.neo4j import Connection, ManagedServer
from recograph.graph.load import load
from recograph.graph.queries import Question, questions
from recograph.graph.report import LoadOptions
from recograph.graph.search import lucene

DAYS = ("2026-11-01", "2026-11-02")
CUSTOMERS = ("customer_1", "customer_2", "customer_3")
LOOK_UPS = {
    "search": 10, "recommendations": 10, "user_history": 10, "popular_courses": 5, "popular_assets": 5,
    "similar_courses": 5, "similar_users": 5, "connection": 3, "course_overlap": 3, "course_audience": 3,
    "assets_before_course": 2,
}  # fmt: skip
"""How often a question is asked, beside 1 for every other one."""
WORDS = ("data", "leadership basics", "pricing", "introduction", "motoin design", "customer service", "cheat sheet")


Answered = tuple[str, float, str | None]
"""A question, how long its answer took (seconds), and the error if there was one."""


class Asker:
    """Draws questions with their parameters."""

    def __init__(self, driver: neo4j.Driver, seed: int) -> None:
        self._random = random.Random(seed)
        self._weights = [LOOK_UPS.get(name, 1) for name in questions()]
        ids = "MATCH (n:{0} {{customer_id: $customer}}) WHERE n.id IS NOT NULL RETURN n.id"
        self._ids = {
            (customer, label): [row[0] for row in driver.execute_query(ids.format(label), customer=customer).records]
            for customer in CUSTOMERS
            for label in ("User", "Course", "Asset")
        }

    def draw(self) -> tuple[Question, dict[str, Any]]:
        """A question and all of its parameters."""
        (asked,) = self._random.choices(list(questions().values()), self._weights)
        customer = self._random.choice(CUSTOMERS)
        users, courses = self._ids[customer, "User"], self._ids[customer, "Course"]
        some = {
            "customer": customer,
            "user": self._random.choice(users),
            "other_user": self._random.choice(users),
            "course": self._random.choice(courses),
            "other_course": self._random.choice(courses),
            "asset": self._random.choice(self._ids[customer, "Asset"] or [0]),
            "language": self._random.choice(("english", "italian", "german")),
            "words": lucene(self._random.choice(WORDS)),
        }
        return asked, asked.bind({name: some[name] for name in asked.parameters if name in some})


async def _read(server: Connection, readers: int, seconds: float, think: float) -> list[Answered]:
    with neo4j.GraphDatabase.driver(server.uri, auth=(server.username, server.password)) as driver:
        asker = Asker(driver, seed=1)
    answers: list[Answered] = []
    pause = random.Random(2)
    auth = (server.username, server.password)
    async with neo4j.AsyncGraphDatabase.driver(server.uri, auth=auth, max_connection_pool_size=readers) as pool:
        until = time.monotonic() + seconds

        async def reader() -> None:
            await asyncio.sleep(pause.random() * think)
            while time.monotonic() < until:
                asked, parameters = asker.draw()
                began, error = time.monotonic(), None
                try:
                    async with pool.session(default_access_mode=neo4j.READ_ACCESS) as session:
                        await session.execute_read(_work, asked.cypher, parameters)
                except Exception as failure:  # whatever it is, it counts
                    error = f"{type(failure).__name__}: {failure}"
                answers.append((asked.name, time.monotonic() - began, error))
                await asyncio.sleep(pause.expovariate(1 / think) if think else 0)

        await asyncio.gather(*(reader() for _ in range(readers)))
    return answers


@neo4j.unit_of_work(timeout=30)
async def _work(tx: neo4j.AsyncManagedTransaction, cypher: str, parameters: dict[str, Any]) -> None:
    result = await tx.run(cypher, parameters)
    async for _ in result:
        pass


def read(server: Connection, readers: int, seconds: float, think: float) -> tuple[list[Answered], float]:
    """What the readers of a process of its own asked, and the server's time on processors meanwhile (seconds)."""
    before = psutil.Process(server.pid).cpu_times()
    answers = asyncio.run(_read(server, readers, seconds, think))
    after = psutil.Process(server.pid).cpu_times()
    return answers, after.user + after.system - before.user - before.system


def load_for(server: Connection, lake: Path, seconds: float) -> list[float]:
    """Go from one day to the next and back, with every customer, for so long; the seconds of each round."""
    warehouse = DuckDBWarehouse(lake=str(lake))
    rounds: list[float] = []
    until = time.monotonic() + seconds
    with neo4j.GraphDatabase.driver(server.uri, auth=(server.username, server.password)) as driver:
        while not rounds or time.monotonic() < until:
            began = time.monotonic()
            for day in reversed(DAYS):
                for customer in CUSTOMERS:
                    load(driver, warehouse, customer, day, options=LoadOptions(allow_older=True))
            rounds.append(time.monotonic() - began)
    return rounds


def tell(title: str, answered: tuple[list[Answered], float], seconds: float, *, by_question: bool) -> dict[str, Any]:
    """Print what the readers found, and return it."""
    answers, processor = answered
    times = sorted(took * 1000 for _, took, _ in answers)
    at = {p: times[min(len(times) - 1, int(len(times) * p / 100))] for p in (50, 95, 99)}
    errors = [error for *_, error in answers if error]
    print(
        f"{title:<22} {len(times) / seconds:7.1f} answers/s, {len(errors)} errors, "
        f"p50 {at[50]:.1f}, p95 {at[95]:.1f}, p99 {at[99]:.1f} ms; the server's processors: "
        f"{processor * 1000 / len(times):.1f} ms an answer",
        flush=True,
    )
    for error in sorted(set(errors))[:5]:
        print(f"  {error[:200]}")
    if by_question:
        grouped = defaultdict(list)
        for name, took, _ in answers:
            grouped[name].append(took * 1000)
        for name, some in sorted(grouped.items(), key=lambda item: -statistics.median(item[1])):
            print(f"    {name:<28} {len(some):6}   median {statistics.median(some):7.1f} ms   most {max(some):7.1f} ms")
    return {
        "answers_per_second": len(times) / seconds,
        **{f"p{p}": value for p, value in at.items()},
        "errors": len(errors),
    }


def prepare(home: Path, scale: float) -> None:
    """Make an installation of the sample customers with marts of both days, unless there is one."""
    if (home / "lake" / "marts").exists():
        return
    environ = os.environ | {"RECOGRAPH_HOME": str(home), "RECOGRAPH_DATA": str(home / "data")}
    for command in (["sample-data", "--out", str(home / "data"), "--scale", str(scale), "--days", "2"], ["run"]):
        subprocess.run([str(Path(sys.executable).with_name("recograph")), *command], env=environ, check=True)
    # `run` leaves its server to whoever looks at the graph.
    ManagedServer(home / "neo4j").stop()


def measure(home: Path, readers: int, seconds: float, think: float) -> dict[str, Any]:
    """Measure readers alone, the load alone, and both together."""
    running = ManagedServer(home / "neo4j").running() is not None
    managed = ManagedServer(home / "neo4j")
    server = managed.start()
    spawn = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(2, mp_context=spawn) as processes:

            def both(first: Any, *arguments: Any) -> Any:
                return processes.submit(first, server, *arguments)

            # Warm up: plans are made and compiled, and the graph is on the first day.
            both(load_for, home / "lake", 1).result()
            both(read, 20, seconds, 0.05).result()
            alone = tell("readers alone", both(read, readers, seconds, think).result(), seconds, by_question=True)
            quiet = both(load_for, home / "lake", seconds).result()
            loading, reading = both(load_for, home / "lake", seconds), both(read, readers, seconds, think)
            busy = loading.result()
            together = tell("readers during loads", reading.result(), seconds, by_question=False)
    finally:
        if not running:
            managed.stop()
    slower = statistics.median(busy) / statistics.median(quiet)
    print(
        f"loads there and back, all customers: {statistics.median(quiet):.2f} s alone, "
        f"{statistics.median(busy):.2f} s with the readers: {slower:.2f} times as long"
    )
    return {"alone": alone, "together": together, "load_slower": slower}


def main() -> None:
    """Read the arguments, measure, and print the figures as JSON in the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1, help="times the sample's size")
    parser.add_argument(
        "--home", type=Path, help="an installation to make or to use; default: .recograph-readers-SCALE"
    )
    parser.add_argument("--readers", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=30, help="how long each of the three parts takes")
    parser.add_argument(
        "--think", type=float, default=2, help="seconds that a reader waits between questions, on average"
    )
    given = parser.parse_args()
    home = (given.home or Path(f".recograph-readers-{given.scale:g}")).resolve()
    prepare(home, given.scale)
    print(json.dumps(measure(home, given.readers, given.seconds, given.think)))


if __name__ == "__main__":
    main()
