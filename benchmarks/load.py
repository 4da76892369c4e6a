"""How fast a snapshot gets into the graph, against two peers and against Neo4j's offline import.

``python -m benchmarks.load --scale 20`` builds three customers of that scale and measures on the same rows: the first
load of one customer, a day with 1% changed, three customers at once, graphio and neo4j-etl-lib (installed into a
folder of their own), and `neo4j-admin database import`, which writes store files without a server: the limit. Every
load has a new server that is warm: it has loaded another, small customer.
"""

import argparse
import json
import multiprocessing
import resource
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
import neo4j

from benchmarks.snapshots import DAYS, build
from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.neo4j import Connection, ManagedServer
from recograph.adapters.neo4j.jars import classpath
from recograph.adapters.neo4j.jvm import run_admin, write_arguments
from recograph.graph.difference import columns, rows, sources
from recograph.graph.load import load
from recograph.graph.model import ALL_SETS, NodeSet, Scope, Type
from recograph.graph.report import LoadOptions

CUSTOMERS = ("customer_1", "customer_2", "customer_3")
MEASURES = ("first", "day", "several", "peers", "limit")
PEERS = ("graphio==0.23", "neo4j-etl-lib==0.5.1", "neo4j-rust-ext==6.4.1.0", "pyarrow")
_IMPORT_TYPES = {Type.INTEGER: "long", Type.FLOAT: "double", Type.BOOLEAN: "boolean", Type.STRING: "string"}


def measure(scale: float, measures: list[str], folder: Path) -> dict[str, float]:
    """Measure what is asked for, print it line by line, and return it."""
    lake = folder / "lake"
    build(lake, "warm_up", 1)
    for customer in CUSTOMERS if "several" in measures else CUSTOMERS[:1]:
        build(lake, customer, scale)
    figures: dict[str, float] = {}

    def tell(name: str, seconds: float, row_count: int) -> None:
        figures[name] = seconds
        print(f"{name:<34} {seconds:8.1f} s {row_count / seconds:10,.0f} rows/s", flush=True)

    if {"first", "day"} & set(measures):
        with _server(folder / "first", lake) as server, _process() as loader:
            seconds, row_count, _, memory = loader.submit(_load, server, lake, CUSTOMERS[0], DAYS[0]).result()
            tell("first load of one customer", seconds, row_count)
            print(f"  {row_count:,} nodes and relationships; the loader's memory peaked at {memory:.2f} GB")
            if "day" in measures:
                seconds, row_count, changes, _ = loader.submit(_load, server, lake, CUSTOMERS[0], DAYS[1]).result()
                tell(f"a day with {changes / row_count:.1%} changed", seconds, row_count)
    if "several" in measures:
        with _server(folder / "several", lake) as server, _process(len(CUSTOMERS)) as loaders:
            list(loaders.map(_ready, range(len(CUSTOMERS))))
            began = time.monotonic()
            loads = [loaders.submit(_load, server, lake, customer, DAYS[0]) for customer in CUSTOMERS]
            row_count = sum(load.result()[1] for load in loads)
            tell("three customers at once", time.monotonic() - began, row_count)
    if {"peers", "limit"} & set(measures):
        row_count = _export(lake, CUSTOMERS[0], DAYS[0], folder)
    if "peers" in measures:
        python = _peer_environment(folder / "peers")
        for peer in ("graphio", "etl_lib"):
            with _server(folder / peer, lake) as server:
                arguments = [server.uri, server.username, server.password, str(folder / "sets.json"), peer]
                script = str(Path(__file__).with_name("peers.py"))
                ran = subprocess.run([python, script, *arguments], stdout=subprocess.PIPE, text=True, check=True)
                tell(f"peer: {peer}", float(ran.stdout.split()[-1]), row_count)
    if "limit" in measures:
        tell("limit: offline import", _offline_import(folder), row_count)
    return figures


@contextmanager
def _server(home: Path, lake: Path) -> Iterator[Connection]:
    """A new server, warm and with all constraints."""
    server = ManagedServer(home)
    connection = server.start()
    try:
        with _process() as loader:
            for day in DAYS:
                loader.submit(_load, connection, lake, "warm_up", day).result()
        yield connection
    finally:
        server.stop()


def _process(count: int = 1) -> ProcessPoolExecutor:
    """Loaders in processes of their own, as customers have them."""
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def _ready(_: int) -> None:
    time.sleep(0.2)


def _load(server: Connection, lake: Path, customer: str, day: str) -> tuple[float, int, int, float]:
    """Load a snapshot; returns seconds, rows in the graph, rows changed, and this process's peak memory (GB)."""
    auth = (server.username, server.password)
    with neo4j.GraphDatabase.driver(server.uri, auth=auth, notifications_min_severity="OFF") as driver:
        report = load(driver, DuckDBWarehouse(lake=str(lake)), customer, day, options=LoadOptions())
    total = sum(of_set.total for of_set in report.sets.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return report.seconds, total, report.changes, peak


def _export(lake: Path, customer: str, day: str, folder: Path) -> int:
    """Write the rows of every set for the peers (Parquet, and sets.json that describes it) and the import (CSV)."""
    described, total = [], 0
    with duckdb.connect() as connection:
        relations = sources(DuckDBWarehouse(lake=str(lake)), ALL_SETS, customer, day)
        for number, graph_set in enumerate(ALL_SETS):
            owned = {
                node: node.scope is Scope.OWNED
                for node in ([graph_set] if isinstance(graph_set, NodeSet) else [graph_set.start, graph_set.end])
            }
            keys = ["k"] if isinstance(graph_set, NodeSet) else ["s", "e"]
            names = columns(graph_set)[len(keys) :]
            times = {name for name, prop in zip(names, graph_set.properties, strict=True) if prop.type is Type.DATETIME}
            values = [f"make_timestamp({name} * 1000) as {name}" if name in times else name for name in names]
            relation = f"(select {', '.join(keys + values)} from ({rows(graph_set, relations, customer)}))"
            parquet, csv = folder / f"{number}.parquet", folder / f"{number}.csv"
            total += connection.execute(f"copy (from {relation}) to '{parquet}'").fetchall()[0][0]
            # Ids are unique only within a label, so the import gets a key of its own for every node.
            nodes = [graph_set] if isinstance(graph_set, NodeSet) else [graph_set.start, graph_set.end]
            ids = [
                f"{f'''{customer!r} || '/' ||''' if owned[node] else ''} cast({key} as varchar)"
                for node, key in zip(nodes, keys, strict=True)
            ]
            types = [
                f"{prop.name}:{'datetime' if prop.type is Type.DATETIME else _IMPORT_TYPES[prop.type]}"
                for prop in graph_set.properties
            ]
            csv_values = [f"strftime({n}, '%Y-%m-%dT%H:%M:%S.%gZ')" if n in times else n for n in names]
            if isinstance(graph_set, NodeSet):
                header = [f":ID({graph_set.label})", "id:" + _IMPORT_TYPES[graph_set.key_type], *types]
                selected = [ids[0], "k", *csv_values]
                if owned[graph_set]:
                    header.append("customer_id:string")
                    selected.append(f"{customer!r}")
            else:
                header = [f":START_ID({graph_set.start.label})", f":END_ID({graph_set.end.label})", *types]
                selected = [*ids, *csv_values]
            connection.execute(f"copy (select {', '.join(selected)} from {relation}) to '{csv}' (header false)")
            (folder / f"{number}.header.csv").write_text(",".join(header) + "\n")
            described.append(
                {
                    "file": str(parquet),
                    "labels": [node.label for node in nodes],
                    "keys": [["customer_id", "id"] if owned[node] else ["id"] for node in nodes],
                    "type": None if isinstance(graph_set, NodeSet) else graph_set.type,
                    "properties": {name: prop.name for name, prop in zip(names, graph_set.properties, strict=True)},
                    "customer": customer,
                    "csv": f"{number}.header.csv,{number}.csv",
                }
            )
    (folder / "sets.json").write_text(json.dumps(described))
    return total


def _peer_environment(folder: Path) -> str:
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def _offline_import(folder: Path) -> float:
    """Import all sets into a new store; returns the seconds, Java's start included."""
    home = folder / "import"
    (home / "conf").mkdir(parents=True)
    arguments = home / "java.args"
    write_arguments(arguments, classpath(print), [])
    command = ["database", "import", "full", "neo4j", "--overwrite-destination"]
    for declared in json.loads((folder / "sets.json").read_text()):
        files = ",".join(str(folder / name) for name in declared["csv"].split(","))
        kind = f"--relationships={declared['type']}" if declared["type"] else f"--nodes={declared['labels'][0]}"
        command.append(f"{kind}={files}")
    began = time.monotonic()
    ran = run_admin(home, arguments, command)
    if ran.returncode:
        raise SystemExit(ran.stdout)
    return time.monotonic() - began


def _print_ratios(figures: dict[str, float], customers: int) -> None:
    first, limit = figures.get("first load of one customer"), figures.get("limit: offline import")
    several = figures.get("three customers at once")
    peers = [seconds for name, seconds in figures.items() if name.startswith("peer")]
    day = next((seconds for name, seconds in figures.items() if name.startswith("a day")), None)
    for text, above, below in (
        ("first load / limit, rows a second (aim 0.6)", limit, first),
        ("first load / best peer, rows a second (aim 2)", min(peers, default=None), first),
        ("several at once / limit, rows a second (aim 0.9)", limit and limit * customers, several),
        ("1% day, times faster than the first load (aim 40 at x20)", first, day),
    ):
        if above and below:
            print(f"{text:<60} {above / below:6.2f}")


def main() -> None:
    """Read the arguments, measure, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=[1.0], nargs="+", help="1 is 6,000 users; several compare the cost of a row"
    )
    parser.add_argument("--only", choices=MEASURES, nargs="+", default=list(MEASURES))
    parser.add_argument("--folder", type=Path, help="where to put everything (default: a temporary folder)")
    arguments = parser.parse_args()
    for scale in arguments.scale:
        print(f"scale {scale:g}")
        with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="recograph-benchmark-") as folder:
            figures = measure(scale, arguments.only, Path(folder))
        _print_ratios(figures, len(CUSTOMERS))


if __name__ == "__main__":
    main()
