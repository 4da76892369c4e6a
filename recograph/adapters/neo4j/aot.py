"""The Java ahead-of-time cache, which halves Neo4j's start.

It is made once per machine, in the background, as soon as the machine has little to do: `train` starts another server,
in a temporary home and at the lowest priority, runs the kind of Cypher that a load runs, and stops it. Java then writes
the cache: the classes, and which code was worth compiling. A JVM silently ignores a cache that doesn't exist, or that
was made by another JVM or from other jars.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from recograph.adapters.neo4j.cache import cache_dir
from recograph.adapters.neo4j.config import settings, write_settings
from recograph.adapters.neo4j.connection import HOST, USERNAME, Connection, choose_port, write_initial_user
from recograph.adapters.neo4j.jars import classpath
from recograph.adapters.neo4j.jvm import OPTIONS, java, spawn_server, write_arguments
from recograph.background import give_session_way, give_way

_PASSWORD = "training-only"  # noqa: S105 - of a server that lives for seconds and holds nothing
_MEMORY = 4 * 1024**3
_BOOT_SECONDS = 300
_PATIENCE_SECONDS = 600
_BUSY_PERCENT = 30
_KEPT_SECONDS = 30 * 24 * 3600
_ENDS = (
    "UNWIND $batch.starts AS key MATCH (a:A {customer_id: $customer, id: key}) WITH collect(a) AS starts "
    "UNWIND $batch.ends AS key MATCH (b:B {customer_id: $customer, id: key}) WITH starts, collect(b) AS ends "
    "WHERE [n IN starts | n.id] = $batch.starts AND [n IN ends | n.id] = $batch.ends "
    "UNWIND range(0, size($batch.s) - 1) AS i WITH starts[$batch.s[i]] AS a, ends[$batch.e[i]] AS b, i "
)
_PREPARING = (
    "CREATE CONSTRAINT a IF NOT EXISTS FOR (n:A) REQUIRE (n.customer_id, n.id) IS UNIQUE",
    "CREATE CONSTRAINT b IF NOT EXISTS FOR (n:B) REQUIRE (n.customer_id, n.id) IS UNIQUE",
    "CREATE FULLTEXT INDEX titles IF NOT EXISTS FOR (n:B) ON EACH [n.name]",
    "CALL db.awaitIndexes()",
    "SHOW CONSTRAINTS",
    "UNWIND $batch.ends AS key MERGE (n:B {customer_id: $customer, id: key}) SET n.name = 'name ' + key",
)
_BATCH = (
    "UNWIND range(0, size($batch.starts) - 1) AS i CREATE (n:A {customer_id: $customer, id: $batch.starts[i], "
    "name: $batch.names[i], at: datetime({epochMillis: $batch.s[i]})}) RETURN count(*) AS written",
    _ENDS + "CREATE (a)-[:R {weight: $batch.s[i], other: $batch.e[i]}]->(b) RETURN count(*) AS written",
    _ENDS + "MATCH (a)-[r:R]->(b) WITH r, i WHERE i % 50 = 0 SET r.weight = $batch.e[i] RETURN count(*) AS written",
    _ENDS + "MATCH (a)-[r:R]->(b) WITH r, i WHERE i % 50 = 1 DELETE r RETURN count(*) AS written",
    _ENDS + "WITH a, i WHERE i % 50 = 2 SET a.name = $batch.names[i] RETURN count(*) AS written",
    _ENDS + "WITH a, i WHERE i % 50 = 3 DETACH DELETE a RETURN count(*) AS written",
)
"""Statements of the same form as those that a load sends: see `recograph.graph.cypher`."""
_QUESTIONS = (
    "MATCH (a:A)-[r:R]->(b:B) WHERE a.customer_id = $customer RETURN count(r) AS n, max(r.weight), max(a.at)",
    "MATCH (a:A {customer_id: $customer})-[:R]->(:B)<-[:R]-(c:A) RETURN a.id, count(*) AS n ORDER BY n DESC LIMIT 10",
)
_BATCHES, _ROWS = 30, 5000


def cache_file(jars: Sequence[Path]) -> Path:
    """Where the cache for these jars, this JDK and these options is, or would be."""
    digest = hashlib.sha256("\n".join(OPTIONS).encode())
    for path in [java().parents[1] / "lib" / "modules", *jars]:
        # Java itself compares these before it accepts a cache.
        stat = path.stat()
        digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return cache_dir() / "aot" / f"{digest.hexdigest()[:16]}.aot"


def options(jars: Sequence[Path]) -> list[str]:
    """The Java options that use the cache; none where there is no cache yet."""
    path = cache_file(jars)
    try:
        os.utime(path)
    except OSError:
        return []
    # Java logs something about most caches, accepted or refused; none of it matters.
    return [f"-XX:AOTCache={path}", "-Xlog:disable", "-Xlog:all=error:stderr"]


def train_in_background() -> None:
    """Start the training in a process of its own, unless there is a cache already; this process doesn't wait for it."""
    jars = classpath(lambda _: None)
    if os.environ.get("RECOGRAPH_AOT", "1") == "0" or cache_file(jars).exists():
        return
    with suppress(OSError):
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", __name__],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )


def train() -> bool:
    """Make the cache, unless another process is making it; returns whether there is a cache now."""
    jars = classpath(lambda _: None)
    target = cache_file(jars)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if not target.exists():
            # Who holds the lock knows that these are of trainings that were killed.
            for leftover in target.parent.glob("training-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix="training-") as home:
                _train(Path(home), jars, target)
    return target.exists()


def _train(home: Path, jars: Sequence[Path], target: Path) -> None:
    bolt, http = choose_port([]), choose_port([])
    write_initial_user(home / "data", _PASSWORD)
    write_settings(home / "conf", settings(bolt, http, _MEMORY))
    arguments, written = home / "conf" / "java.args", home / "cache.aot"
    write_arguments(arguments, jars, ["-Xmx512m", f"-XX:AOTCacheOutput={written}"])
    server = spawn_server(home, arguments, home / "logs" / "console.log")
    give_session_way(server.pid)
    try:
        connection = Connection(f"bolt://{HOST}:{bolt}", "", USERNAME, _PASSWORD, home / "password", server.pid)
        deadline = time.monotonic() + _BOOT_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            if connection.answers():
                _exercise(connection)
                server.terminate()
                # Java writes the cache before its process ends.
                server.wait(_BOOT_SECONDS)
                break
            time.sleep(0.5)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
    if written.exists():
        _delete_unused(target.parent)
        written.replace(target)


def _exercise(connection: Connection) -> None:
    import neo4j

    ends = list(range(100))
    batch: dict[str, list[Any]] = {"ends": ends, "s": list(range(_ROWS)), "e": ends * (_ROWS // len(ends))}
    with neo4j.GraphDatabase.driver(connection.uri, auth=(connection.username, connection.password)) as driver:
        for statement in _PREPARING:
            driver.execute_query(statement, batch=batch, customer="c")
        for number in range(_BATCHES):
            starts = list(range(number * _ROWS, (number + 1) * _ROWS))
            batch |= {"starts": starts, "names": [f"name {start}" for start in starts]}
            for statement in _BATCH:
                driver.execute_query(statement, batch=batch, customer="c")
        for statement in _QUESTIONS:
            driver.execute_query(statement, customer="c")


def _delete_unused(folder: Path) -> None:
    """Delete what no start has used for a month: caches of earlier versions, 180 MB each."""
    for path in folder.glob("*.aot"):
        if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
            path.unlink(missing_ok=True)


def _wait_for_quiet() -> None:
    """Wait until the machine has little to do: the process that has started the server is about to use it."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while psutil.cpu_percent(interval=5) > _BUSY_PERCENT and time.monotonic() < deadline:
        pass


if __name__ == "__main__":
    give_way()
    _wait_for_quiet()
    train()
