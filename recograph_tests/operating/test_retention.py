import datetime
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import neo4j as neo4j_driver
import pytest
from typer.testing import CliRunner

from recograph.adapters.local.folder_lake import LocalLake
from recograph.adapters.local.parquet_catalog import ParquetCatalog
from recograph.adapters.neo4j import Connection
from recograph.cli.main import app
from recograph.defs.resources import Neo4jResource
from recograph.errors import RecographError
from recograph.graph.state import State, write_states
from recograph.lake.interfaces import Lake
from recograph.lake.layout import landing_key
from recograph.lake.receipts import Receipt, write_receipt
from recograph.lake.staging import staging_folder
from recograph.operating.instance import prepare_instance
from recograph.operating.retention import delete, described, expired, leftovers, remove_leftovers
from recograph.settings import PROJECT_DIR, Settings
from recograph_tests.environment import set_up
from recograph_tests.graph.small import CUSTOMER_2

TODAY = datetime.date(2026, 11, 30)
OLD, HELD, KEPT, NEWEST = "2026-10-01", "2026-10-02", "2026-11-20", "2026-11-29"


def fill(lake: Lake, customer: str, *dates: str) -> None:
    """A landed table and a mart of each date, and a file that is none of retention's business."""
    with lake.staging() as folder:
        keys = [landing_key(customer, "core_user", date) for date in dates]
        keys += [f"marts/users/customer={customer}/snapshot_date={date}/part-0.parquet" for date in dates]
        for key in [*keys, f"erased/{customer}/users.json"]:
            (folder / "file").write_bytes(b"")
            lake.publish(folder / "file", key)


def check_retention(lake: Lake) -> None:
    """What holds in every lake: one with three customers, of whom the last one ships no dumps any more."""
    fill(lake, "acme", OLD, HELD, KEPT, NEWEST)
    fill(lake, "zeta", OLD, NEWEST)
    fill(lake, "gone", OLD)
    held = {"acme": {HELD}}
    old = expired(lake, 30, TODAY, held)
    assert described(old) == [f"acme {OLD}: 2 tables", f"zeta {OLD}: 2 tables"]
    assert [partition.customer for partition in expired(lake, 30, TODAY, held, ["zeta"])] == ["zeta"] * 2
    assert delete(lake, old) == 4
    dates = {"acme": (HELD, KEPT, NEWEST), "zeta": (NEWEST,), "gone": (OLD,)}
    assert lake.parquet("landing/") == sorted(
        landing_key(customer, "core_user", date) for customer, days in dates.items() for date in days
    )
    assert len(lake.parquet("marts/")) == 5
    assert expired(lake, 30, TODAY, held) == []


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    return LocalLake(root=str(tmp_path / "home" / "lake"), home=str(tmp_path / "home"))


def test_only_what_is_old_not_held_and_not_the_newest_goes(lake: LocalLake) -> None:
    check_retention(lake)
    assert Path(lake.root, "erased", "zeta", "users.json").exists()
    assert not Path(lake.root, f"marts/users/customer=zeta/snapshot_date={OLD}").exists()


def test_a_day_is_kept_that_many_days(lake: LocalLake) -> None:
    fill(lake, "acme", KEPT, NEWEST)
    assert expired(lake, 10, TODAY, {}) == []
    assert described(expired(lake, 9, TODAY, {})) == [f"acme {KEPT}: 2 tables"]


def test_the_newest_of_each_table_is_kept(lake: LocalLake) -> None:
    """Landed tables may be newer than marts, where dbt failed since."""
    fill(lake, "acme", OLD, HELD)
    lake.delete(f"marts/users/customer=acme/snapshot_date={HELD}/")
    assert [partition.prefix for partition in expired(lake, 1, TODAY, {})] == [
        f"landing/acme/core_user/snapshot_date={OLD}/"
    ]


@pytest.fixture
def environ(lake: LocalLake, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of an installation with that lake, whose Neo4j can't be reached."""
    for name, value in {
        "RECOGRAPH_HOME": lake.home,
        "RECOGRAPH_DATA": str(Path(lake.home).parent / "data"),
        "NEO4J_URI": "bolt://127.0.0.1:9",
        "NEO4J_PASSWORD": "password",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RECOGRAPH_LAKE", raising=False)
    monkeypatch.delenv("RECOGRAPH_KEEP_DAYS", raising=False)
    return monkeypatch


def clean(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["clean", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


RunJob = Callable[..., bool]


@pytest.fixture(scope="module")
def run_job() -> RunJob:
    """Runs the job on a lake with that config; returns whether it succeeded."""
    with pytest.MonkeyPatch.context() as patch:
        # The module is loaded as an installation with the sample customers loads it.
        set_up(patch)
        from recograph.defs.retention import clean_lake

    def run(lake: LocalLake, **config: object) -> bool:
        run_config = {"ops": {"delete_old_partitions": {"config": config}}} if config else {}
        resources = {"lake": lake, "catalog": ParquetCatalog(lake), "neo4j": Neo4jResource()}
        return clean_lake.execute_in_process(run_config, resources=resources, raise_on_error=False).success

    return run


def dates_in(lake: Lake) -> set[str]:
    return {key.split("snapshot_date=")[1].split("/")[0] for key in lake.parquet("marts/")}


def test_command_and_job_keep_what_the_graph_holds(
    run_job: RunJob, lake: LocalLake, neo4j: neo4j_driver.Driver, neo4j_server: Connection, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("NEO4J_URI", neo4j_server.uri)
    environ.setenv("NEO4J_PASSWORD", neo4j_server.password)
    for date in (OLD, HELD, KEPT, NEWEST):
        CUSTOMER_2.write(Path(lake.root), "acme", date)
    with neo4j.session() as session:
        session.execute_write(
            write_states, "acme", [State("nodes/User", HELD, clean=True, fingerprint="", rows=0, total=0)]
        )

    receipts = {date: Path(lake.home, "receipts", "acme", date, "landing.json") for date in (OLD, HELD)}
    for date in receipts:
        write_receipt(Path(lake.home), "acme", date, "landing", Receipt("of", {}, []))

    environ.setenv("RECOGRAPH_KEEP_DAYS", "1")
    assert f"acme {OLD}: 13 tables would go" in clean("--dry-run")
    assert run_job(lake, keep_days=1, dry_run=True)
    assert len(dates_in(lake)) == 4
    assert all(receipt.exists() for receipt in receipts.values())
    assert clean().endswith("26 partitions and 0 runs older than 1 days deleted, 26 files.\n")
    assert dates_in(lake) == {HELD, NEWEST}
    assert {date: receipt.exists() for date, receipt in receipts.items()} == {OLD: False, HELD: True}

    CUSTOMER_2.write(Path(lake.root), "acme", OLD)
    assert run_job(lake, keep_days=1)
    assert dates_in(lake) == {HELD, NEWEST}


@dg.op
def nothing() -> None:
    """Do nothing, in a run."""


@dg.job
def ended() -> None:
    """A run that ends at once."""
    nothing()


@pytest.mark.usefixtures("run_job")  # loads the definitions as an installation does
def test_runs_stay_where_it_is_only_tried_and_where_one_customer_is_cleaned(
    lake: LocalLake, neo4j: neo4j_driver.Driver, neo4j_server: Connection, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("NEO4J_URI", neo4j_server.uri)
    environ.setenv("NEO4J_PASSWORD", neo4j_server.password)
    environ.setenv("DAGSTER_HOME", "")  # so that what is set next is gone after the test
    prepare_instance(Settings.from_env())
    fill(lake, "acme", NEWEST)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    clock = SimpleNamespace(datetime=SimpleNamespace(now=later.astimezone), timedelta=datetime.timedelta)
    environ.setattr("recograph.cli.clean.datetime", clock)
    with dg.DagsterInstance.get() as instance:
        ended.execute_in_process(instance=instance)
        assert "0 partitions and 1 runs are older than 1 days; nothing was deleted." in clean(
            "--keep-days=1", "--dry-run"
        )
        assert instance.get_runs_count() == 1
        clean("--keep-days=1", "--customer=acme")
        assert instance.get_runs_count() == 1
        assert "0 partitions and 1 runs older than 1 days deleted" in clean("--keep-days=1")
        assert instance.get_runs_count() == 0


def test_a_customer_of_whom_nothing_is_known_is_refused(
    lake: LocalLake, neo4j: neo4j_driver.Driver, neo4j_server: Connection, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("NEO4J_URI", neo4j_server.uri)
    environ.setenv("NEO4J_PASSWORD", neo4j_server.password)
    environ.setenv("RECOGRAPH_DATA", str(PROJECT_DIR / "data"))
    fill(lake, "gone", OLD, NEWEST)
    for left in ("gone", "customer_1"):
        clean("--keep-days=1", "--dry-run", f"--customer={left}")
    with pytest.raises(RecographError, match=r"Customer 'custmer_1' isn't in customers\.yaml, which lists: customer_1"):
        clean("--keep-days=1", "--customer=custmer_1")


def test_nothing_is_deleted_unless_it_is_clear_what(
    run_job: RunJob, lake: LocalLake, environ: pytest.MonkeyPatch
) -> None:
    fill(lake, "acme", OLD, NEWEST)
    with pytest.raises(RecographError, match=r"Say how many days to keep.*Nothing was deleted"):
        clean()
    with pytest.raises(RecographError, match="can't be reached"):
        clean("--keep-days", "1")
    assert run_job(lake)  # keeps all
    assert not run_job(lake, keep_days=1)
    assert not run_job(lake, keep_days=0)
    assert dates_in(lake) == {OLD, NEWEST}


def test_leftovers_of_killed_processes_are_found_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    lake, old = tmp_path / "lake", 10 * 24 * 3600
    folder = lake / "marts/users/customer=acme/snapshot_date=2026-01-01"
    folder.mkdir(parents=True)
    for name in (".users.parquet.0123", "tmp_users.parquet", "users.parquet"):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - old, time.time() - old))
    (folder / ".users.parquet.new").touch()
    left = [tmp_path / "staging" / "tmpdead", tmp_path / "dbt" / "build-dead", tmp_path / "neo4j" / "restore-dead"]
    with staging_folder(tmp_path):
        for path in left:
            path.mkdir(parents=True)
        remaining = leftovers(tmp_path, lake)
        assert remaining == sorted([*left, folder / ".users.parquet.0123", folder / "tmp_users.parquet"])
        remove_leftovers(remaining)
        assert leftovers(tmp_path, lake) == []
    assert sorted(path.name for path in folder.iterdir()) == [".users.parquet.new", "users.parquet"]
