"""Reading a dump, against what one would do instead: load it into its server, or take it apart with an expression.

`python -m benchmarks.dumps [MEGABYTES ...]` makes sample dumps of these sizes, and reads and loads them in turns; every
reader is a process of its own. Needs the servers that the tests need (Debian: mariadb-server, postgresql).
"""

import argparse
import multiprocessing
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.queues import Queue
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from benchmarks.forms import compare_forms
from recograph.ahead import ahead
from recograph.dumps import DumpReader
from recograph.dumps.parquet import WRITING, convert
from recograph.platforms.docebo.contracts import CONTRACTS
from recograph_tests.dumps.servers import MariaDB, PostgreSQL


def _postgresql(folder: Path) -> PostgreSQL:
    server = PostgreSQL(folder)
    server.run("create role lms")
    return server


SERVERS: dict[str, tuple[str, Callable[[Path], MariaDB | PostgreSQL]]] = {
    "mariadb": ("customer_2", lambda folder: MariaDB(folder, "--innodb-flush-log-at-trx-commit=0")),
    "psql": ("customer_3", _postgresql),
}
Cost = tuple[float, float, float]
"""Seconds, CPU seconds, and peak memory in MB."""
_VALUE = re.compile(rb"'(?:[^'\\]|\\.|'')*'|[^,'()\s]+")


def to_parquet(dump: Path, out: Path) -> None:
    """All columns of all tables."""
    convert(dump, out)


def contracts_to_parquet(dump: Path, out: Path) -> None:
    """The contract's columns of the contract's tables."""
    out.mkdir()
    schemas = {table: contract.schema for table, contract in CONTRACTS.items()}
    writers = {table: pq.ParquetWriter(out / table, schema, **WRITING) for table, schema in schemas.items()}
    with DumpReader(dump, schemas=schemas) as reader:
        for table, batch in ahead(reader):
            writers[table].write_batch(batch)
    for writer in writers.values():
        writer.close()


def by_expression(dump: Path, _: Path) -> None:
    """Every value of every row found by one regular expression, and not even typed."""
    with dump.open("rb") as file:
        is_copy = False
        for line in file:
            if is_copy:
                line.rstrip(b"\n").split(b"\t")
                is_copy = not line.startswith(b"\\.")
            elif line.startswith((b"INSERT", b"(")):
                _VALUE.findall(line)
            else:
                is_copy = line.startswith(b"COPY")


def _child(read: Callable[[Path, Path], None], dump: Path, out: Path, cores: int, results: "Queue[Cost]") -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    before, cpu = time.perf_counter(), time.process_time()
    read(dump, out)
    results.put((time.perf_counter() - before, time.process_time() - cpu, _peak()))


def _peak() -> float:
    """The most memory that this process held, in MB; what `getrusage` tells includes that of the one it came from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(read: Callable[[Path, Path], None], dump: Path, folder: Path, cores: int) -> Cost:
    """What reading takes in a new process."""
    context = multiprocessing.get_context("spawn")
    results: Queue[Cost] = context.Queue()
    out = folder / "out"
    process = context.Process(target=_child, args=(read, dump, out, cores, results))
    process.start()
    process.join()
    shutil.rmtree(out, ignore_errors=True)
    if process.exitcode:
        sys.exit(process.exitcode)
    return results.get()


def load(server: MariaDB | PostgreSQL, dump: Path) -> Cost:
    """What loading the dump takes of its server and the server's own client."""
    server.create("select 1;")
    before, cpu = time.perf_counter(), _cpu(server)
    server.load(dump)
    seconds = time.perf_counter() - before
    while _is_connected(server):
        time.sleep(0.01)
    return seconds, _cpu(server) - cpu, float("nan")


def _is_connected(server: MariaDB | PostgreSQL) -> bool:
    """Whether PostgreSQL has a process of a connection, whose time it counts when that has ended."""
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.Error):
            if "[local]" in " ".join(child.cmdline()):
                return True
    return False


def _cpu(server: MariaDB | PostgreSQL) -> float:
    process, client = psutil.Process(server.process.pid), resource.getrusage(resource.RUSAGE_CHILDREN)
    times = process.cpu_times()
    # PostgreSQL has a process for each connection, whose time is its parent's when it has ended.
    return times.user + times.system + times.children_user + times.children_system + client.ru_utime + client.ru_stime


def sample(folder: Path, customer: str, megabytes: float) -> Path:
    """A sample dump of about a size."""

    def generate(scale: float) -> Path:
        command = [
            str(Path(sys.executable).with_name("recograph")),
            "sample-data",
            "--out",
            str(folder / customer),
            "--plain",
        ]
        command += ["--customer", customer, "--days", "1", "--scale", str(scale)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return next((folder / customer / customer).glob("*.sql"))

    scale = 10.0
    size = generate(scale).stat().st_size
    shutil.rmtree(folder / customer)
    return generate(scale * megabytes * 1e6 / size)


def compare(name: str, megabytes: float, rounds: int, folder: Path) -> None:
    """Measure all ways on one dump, in turns, and print medians."""
    customer, start = SERVERS[name]
    dump = sample(folder, customer, megabytes)
    size = dump.stat().st_size / 1e6
    server_folder = Path(tempfile.mkdtemp(prefix="recograph-"))
    server_folder.chmod(0o755)
    try:
        server = start(server_folder)
    except pytest.skip.Exception as error:
        print(f"{name}: {error}")
        return
    ways: dict[str, Callable[[], Cost]] = {
        f"{name} < dump": lambda: load(server, dump),
        "recograph, all columns, 1 core": lambda: measure(to_parquet, dump, folder, 1),
        "recograph, all columns, 2 cores": lambda: measure(to_parquet, dump, folder, 2),
        "recograph, contract, 1 core": lambda: measure(contracts_to_parquet, dump, folder, 1),
        "recograph, contract, 2 cores": lambda: measure(contracts_to_parquet, dump, folder, 2),
        "one regular expression": lambda: measure(by_expression, dump, folder, 1),
    }
    measured: dict[str, list[Cost]] = {way: [] for way in ways}
    try:
        for _ in range(rounds):
            for way, run in ways.items():
                measured[way].append(run())
    finally:
        server.process.terminate()
        server.process.wait(60)
        shutil.rmtree(server_folder, ignore_errors=True)
        shutil.rmtree(folder / customer)
    peer = [statistics.median(values) for values in zip(*measured[f"{name} < dump"], strict=True)]
    print(f"\n{size:.0f} MB, {rounds} rounds; x is how many times the server's\n")
    print(f"{'way':34}{'MB/s':>8}{'x':>7}{'MB/CPU s':>10}{'x':>7}{'peak MB':>9}")
    for way, runs in measured.items():
        seconds, cpu, _ = (statistics.median(values) for values in zip(*runs, strict=True))
        speeds = f"{size / seconds:8.1f}{peer[0] / seconds:7.1f}{size / cpu:10.1f}{peer[1] / cpu:7.1f}"
        print(f"{way:34}{speeds}{max(memory for _, _, memory in runs):9.0f}", flush=True)


def main() -> None:
    """Compare the ways for each size and server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", nargs="*", type=float, default=[100])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", choices=list(SERVERS), action="append")
    parser.add_argument("--only-forms", action="store_true", help="measure nothing but the forms of 300 tables")
    arguments = parser.parse_args()
    for megabytes in arguments.megabytes:
        compare_forms(megabytes, arguments.rounds, measure)
    if arguments.only_forms:
        return
    for name in arguments.server or SERVERS:
        for megabytes in arguments.megabytes:
            with tempfile.TemporaryDirectory() as folder:
                compare(name, megabytes, arguments.rounds, Path(folder))


if __name__ == "__main__":
    main()
