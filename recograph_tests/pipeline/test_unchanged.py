"""What hasn't changed isn't built again, and whatever has voids that."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import neo4j as neo4j_driver
import pytest

from recograph.adapters.local.folder_lake import LocalLake
from recograph.adapters.neo4j import Connection
from recograph.lake.erased import add_erased
from recograph.settings import DBT_PROJECT_DIR, PROJECT_DIR
from recograph_tests.conftest import clear
from recograph_tests.environment import share_parsed
from recograph_tests.graph.marts import actual
from recograph_tests.pipeline.installation import COMMAND, Installation
from recograph_tests.pipeline.test_signals import executed, wait_for

CUSTOMER, DAY1, DAY2 = "customer_2", "2026-11-01", "2026-11-02"
ALL = ["landing", "glue", "marts", "similarity"]

# Asks which steps are unchanged. "settle" notes all as it is now, as a run would that built everything.
_ASK = """
import json, sys
from pathlib import Path
{before}
from recograph.definitions import defs
from recograph.adapters import dbt
from recograph.adapters.environment import open_catalog, open_lake
from recograph.defs import unchanged
from recograph.defs.landing import LandingConfig
from recograph.defs.partitions import SETTINGS, Snapshot
from recograph.lake.receipts import Receipt, write_receipt
lake, catalog, snapshot = open_lake(SETTINGS), open_catalog(SETTINGS), Snapshot("customer_2", "2026-11-02")
for line in sys.stdin:
    config = LandingConfig(**json.loads(line)["config"]).model_dump()
    dbt.DBT_PROJECT_DIR = Path(json.loads(line)["project"])
    if json.loads(line)["settle"]:
        for step in unchanged.STEPS:
            made_of = unchanged._made_of_now(step, snapshot, lake, config if step == "landing" else {{}})
            files = unchanged._files(step, snapshot, unchanged.DaysBefore(lake, snapshot.customer, snapshot.date))
            receipt = Receipt(made_of, files, [])
            write_receipt(SETTINGS.home, snapshot.customer, snapshot.date, step, receipt)
    print(json.dumps(list(unchanged.unchanged_steps(snapshot, lake, catalog, config))), flush=True)
"""


class Asker:
    """A process that says which steps of the second day are unchanged."""

    def __init__(self, installation: Installation, before: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _ASK.format(before=before)],
            env=installation.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *, settle: bool = False, project: str = str(DBT_PROJECT_DIR), **config: object) -> list[str]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"settle": settle, "project": project, "config": config}) + "\n")
        self._process.stdin.flush()
        return list(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sample: Path, neo4j_server: Connection) -> Installation:
    """An installation that has built two days of one customer."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(sample, folder / "data")
    share_parsed(folder / "home")
    installation = Installation(folder / "data", folder / "home", neo4j_server)
    with neo4j_driver.GraphDatabase.driver(neo4j_server.uri, auth=("neo4j", neo4j_server.password)) as driver:
        clear(driver)
    ran = installation.recograph("run", "-c", CUSTOMER)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return installation


@pytest.fixture(scope="module")
def asker(built: Installation) -> Iterator[Asker]:
    asker = Asker(built)
    yield asker
    asker.close()


def run(built: Installation, *options: str) -> subprocess.CompletedProcess[str]:
    return built.recograph("run", "-c", CUSTOMER, "-d", DAY2, *options)


def written(built: Installation) -> dict[Path, int]:
    """When each of the day's files in the lake was written."""
    files = (built.home / "lake").rglob(f"*/snapshot_date={DAY2}/*.parquet")
    return {path: path.stat().st_mtime_ns for path in files}


def said(ran: subprocess.CompletedProcess[str]) -> list[str]:
    """What a run says of checks, without the seconds."""
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = [line.split(" s. ")[-1] for line in ran.stdout.splitlines()]
    return sorted(line for line in lines if line.startswith(("Checks:", "warning:")))


def test_a_run_again_builds_nothing_unless_it_is_forced_to(built: Installation) -> None:
    before = written(built)
    again = run(built)
    assert f"not built again (--force builds all): {', '.join(ALL)} of {CUSTOMER} {DAY2}." in again.stdout
    assert "Nothing changed: the graph was up to date." in again.stdout
    assert written(built) == before
    with dg.DagsterInstance.from_config(str(built.home / "dagster")) as instance:
        (last,) = instance.get_runs(limit=1)
    assert last.tags["recograph/unchanged"] == ", ".join(ALL)
    forced = run(built, "--force")
    assert "not built again" not in forced.stdout
    assert all(time > before[path] for path, time in written(built).items())
    # What checks and warnings say is said again, whether or not it was built.
    assert said(again) == said(forced)


def test_a_graph_that_was_touched_or_emptied_is_noticed(built: Installation, neo4j_server: Connection) -> None:
    with neo4j_driver.GraphDatabase.driver(neo4j_server.uri, auth=("neo4j", neo4j_server.password)) as driver:
        held = actual(driver)
        driver.execute_query("MATCH (u:User) WITH u LIMIT 1 DETACH DELETE u")
        touched = run(built)
        assert touched.returncode == 1
        assert "graph/nodes/User: count" in touched.stdout
        clear(driver)
        emptied = run(built)
        assert emptied.returncode == 0, emptied.stdout + emptied.stderr
        assert "not built again" in emptied.stdout
        assert actual(driver) == held


def test_a_graph_that_was_restored_from_an_older_day_is_brought_up_to_date(
    built: Installation, neo4j_server: Connection
) -> None:
    with neo4j_driver.GraphDatabase.driver(neo4j_server.uri, auth=("neo4j", neo4j_server.password)) as driver:
        held = actual(driver)
        older = built.recograph("run", "-c", CUSTOMER, "-d", DAY1, "--allow-older")
        assert older.returncode == 0, older.stdout + older.stderr
        assert actual(driver) != held
        newer = run(built)
        assert newer.returncode == 0, newer.stdout + newer.stderr
        assert f"not built again (--force builds all): {', '.join(ALL)} of {CUSTOMER} {DAY2}." in newer.stdout
        assert actual(driver) == held


def test_a_run_that_is_killed_among_the_marts_leaves_no_receipt_of_them(built: Installation, asker: Asker) -> None:
    receipts = built.home / "receipts" / CUSTOMER / DAY2
    command = subprocess.Popen(
        [str(COMMAND), "run", "-c", CUSTOMER, "-d", DAY2, "--force"], env=built.environ, stdout=subprocess.PIPE
    )
    # A step begins by dropping its receipt.
    wait_for(lambda: not (receipts / "marts.json").exists())
    (running,) = executed(built)
    os.kill(int(running.read_text()), signal.SIGKILL)
    command.communicate(timeout=250)
    assert command.returncode == 1
    assert asker.ask() == ["landing", "glue"]
    again = run(built)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "landing, glue of" in again.stdout
    assert asker.ask() == ALL


def test_nothing_has_changed(asker: Asker) -> None:
    assert asker.ask(settle=True) == ALL
    assert asker.ask() == ALL


def _lake(built: Installation, pattern: str) -> Path:
    return next(path for path in sorted((built.home / "lake").rglob("*.parquet")) if path.match(pattern))


def _in_place(path: Path, content: bytes) -> None:
    """Write other content of the same size, and put the time of modification back."""
    before = path.stat()
    assert len(content) == before.st_size
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    _in_place(path, bytes(content))


_DUMP = f"{CUSTOMER}/{DAY2}.sql.gz"
_LANDED = f"landing/{CUSTOMER}/core_user/snapshot_date={DAY2}/*"
_BEFORE = f"landing/{CUSTOMER}/core_user/snapshot_date={DAY1}/*"
_MART = f"marts/users/customer={CUSTOMER}/snapshot_date={DAY2}/*"
_SIMILARITY = f"marts/course_similarity/customer={CUSTOMER}/snapshot_date={DAY2}/*"


def _erase(built: Installation) -> None:
    add_erased(LocalLake(str(built.home / "lake"), str(built.home)), CUSTOMER, 7)


@pytest.mark.parametrize(
    ("change", "remains"),
    [
        (lambda b: (b.data / _DUMP).touch(), []),
        (lambda b: _flipped(b.data / _DUMP), []),
        (lambda b: (b.data / _DUMP).rename(b.data / CUSTOMER / f"{DAY2}.gz"), []),
        (lambda b: _lake(b, _LANDED).unlink(), []),
        (lambda b: _flipped(_lake(b, _LANDED)), []),
        (lambda b: _flipped(_lake(b, _BEFORE)), []),
        (lambda b: _lake(b, _BEFORE).unlink(), []),
        (_erase, []),
        (lambda b: (b.home / "receipts" / CUSTOMER / DAY2 / "landing.json").unlink(), []),
        (lambda b: (b.home / "receipts" / CUSTOMER / DAY2 / "glue.json").write_text("{"), ["landing"]),
        (lambda b: _lake(b, _MART).unlink(), ["landing", "glue"]),
        (lambda b: _flipped(_lake(b, _MART)), ["landing", "glue"]),
        (lambda b: shutil.copy(_lake(b, _MART), _lake(b, _MART).with_name("more.parquet")), ["landing", "glue"]),
        (lambda b: _flipped(_lake(b, _SIMILARITY)), ["landing", "glue", "marts"]),
    ],
)
def test_what_is_touched_voids_what_is_made_of_it(
    built: Installation, asker: Asker, change: Callable[[Installation], object], remains: list[str]
) -> None:
    kept = built.home.parent / "kept"
    shutil.copytree(built.home, kept / "home")
    shutil.copytree(built.data, kept / "data")
    try:
        assert asker.ask(settle=True) == ALL
        change(built)
        assert asker.ask() == remains
    finally:
        for folder in (built.home, built.data):
            shutil.rmtree(folder)
            (kept / folder.name).rename(folder)
        kept.rmdir()


def test_another_configuration_of_the_landing_voids_it(asker: Asker) -> None:
    assert asker.ask(settle=True) == ALL
    assert asker.ask(max_row_drop=1) == []


def test_another_model_voids_the_marts(asker: Asker, tmp_path: Path) -> None:
    shutil.copytree(DBT_PROJECT_DIR, tmp_path / "dbt_project")
    assert asker.ask(settle=True) == ALL
    assert asker.ask(project=str(tmp_path / "dbt_project")) == ALL
    with (tmp_path / "dbt_project" / "macros" / "time.sql").open("a") as file:
        file.write("\n")
    assert asker.ask(project=str(tmp_path / "dbt_project")) == ["landing"]


def test_another_engine_other_code_and_other_attributes_void_all(
    built: Installation, asker: Asker, tmp_path: Path
) -> None:
    assert asker.ask(settle=True) == ALL

    def asked(before: str = "") -> list[str]:
        other = Asker(built, before)
        try:
            return other.ask()
        finally:
            other.close()

    newer = "import importlib.metadata as m; v = m.version; m.version = lambda n: '99' if n == 'duckdb' else v(n)"
    assert asked(newer) == []

    shutil.copytree(PROJECT_DIR / "recograph", tmp_path / "recograph", ignore=shutil.ignore_patterns("__pycache__"))
    copy = (
        f"sys.path.insert(0, {str(tmp_path)!r}); import pathlib; import recograph.settings as s; "
        f"s.DBT_PROJECT_DIR = pathlib.Path({str(DBT_PROJECT_DIR)!r})"
    )
    assert asked(copy) == ALL
    with (tmp_path / "recograph" / "platforms" / "contract.py").open("a") as file:
        file.write("# Another line.\n")
    assert asked(copy) == []

    listed = built.data / "customers.yaml"
    before = listed.read_text()
    try:
        listed.write_text(before.replace("region:", "region: Far"))
        assert asked() == []
    finally:
        listed.write_text(before)


def test_a_run_that_failed_leaves_no_receipt(built: Installation) -> None:
    receipts = built.home / "receipts" / CUSTOMER / DAY1
    assert sorted(path.stem for path in receipts.iterdir()) == sorted(ALL)
    (built.data / CUSTOMER / f"{DAY1}.sql.gz").write_bytes(b"no dump")
    failed = built.recograph("run", "-c", CUSTOMER, "-d", DAY1)
    assert failed.returncode == 1
    assert "landing" not in {path.stem for path in receipts.iterdir()}


def test_a_check_that_failed_leaves_no_receipt(built: Installation) -> None:
    receipt = built.home / "receipts" / CUSTOMER / DAY2 / "landing.json"
    assert run(built).returncode == 0
    assert receipt.exists()
    failed = run(built, "--max-row-drop", "0")
    assert failed.returncode == 1
    assert "no_sudden_drop" in failed.stdout
    assert not receipt.exists()
