"""The guards, through Dagster: what stops a run before it harms the graph, and what runs by itself and when."""

import datetime
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import dagster as dg
import neo4j as neo4j_driver
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.neo4j import Connection
from recograph.defs.resources import Neo4jResource
from recograph.graph.model import SETS
from recograph.settings import PROJECT_DIR
from recograph_tests.environment import set_up
from recograph_tests.graph.marts import Snapshot

DAYS = ("2026-11-01", "2026-11-02")
BLOCKING = {"no_sudden_drop", "no_column_vanished", "schema_matches_contract", "removal_is_plausible"}


@pytest.fixture(scope="module")
def definitions() -> Iterator[ModuleType]:
    """The code location, loaded as an installation with the sample customers loads it."""
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch)
        from recograph import definitions

        yield definitions


@pytest.fixture(scope="module")
def repository(definitions: ModuleType) -> dg.RepositoryDefinition:
    loaded: dg.RepositoryDefinition = definitions.defs.get_repository_def()
    return loaded


def test_guards_block_what_comes_after_them_on_every_table_and_set(repository: dg.RepositoryDefinition) -> None:
    specs = {key: repository.asset_graph.get_check_spec(key) for key in repository.asset_graph.asset_check_keys}
    ours = {key: spec for key, spec in specs.items() if key.asset_key.path[0] in ("landing", "glue", "graph")}
    assert {key.name for key, spec in ours.items() if spec.blocking} == BLOCKING
    assert all(spec.blocking for spec in ours.values() if spec.name in BLOCKING)
    landing = [("landing", "no_sudden_drop"), ("landing", "no_column_vanished")]
    for step, name in (*landing, ("glue", "schema_matches_contract")):
        assets = {key for key in repository.asset_graph.get_all_asset_keys() if key.path[0] == step}
        assert {key.asset_key for key in ours if key.name == name} == assets


def test_a_run_of_any_assets_has_no_check_of_all_customers(repository: dg.RepositoryDefinition) -> None:
    """A backfill from the UI names assets, and brings all checks of these."""
    graph = repository.asset_graph
    (freshness,) = [key for key in graph.asset_check_keys if key.name == "fresh_by_deadline"]
    assert not graph.get(freshness.asset_key).is_materializable
    assert repository.get_job("freshness_check").asset_layer.selected_asset_keys == set()


def test_schedules_are_due_when_the_docs_say(repository: dg.RepositoryDefinition) -> None:
    schedules = {schedule.name: (schedule.cron_schedule, schedule.job_name) for schedule in repository.schedule_defs}
    assert schedules == {
        "daily": ("0 5 * * *", "dump_to_graph"),
        "freshness": ("0 7 * * *", "freshness_check"),
        "weekly_clean": ("0 12 * * 0", "clean_lake"),
    }


def test_guards_let_through_what_the_docs_say(definitions: ModuleType) -> None:
    from recograph.defs.graph import GraphConfig
    from recograph.defs.landing import LandingConfig

    (drop,) = re.findall(r"lost more than (\d+)% of its rows", (PROJECT_DIR / "README.md").read_text())
    (removed,) = re.findall(r"would remove more than (\d+)% of", (PROJECT_DIR / "docs" / "loading.md").read_text())
    assert (LandingConfig().max_row_drop, GraphConfig().max_removed_share) == (int(drop) / 100, int(removed) / 100)


def test_what_runs_by_itself_is_what_the_docs_list(repository: dg.RepositoryDefinition) -> None:
    page = (PROJECT_DIR / "docs" / "operating.md").read_text()
    told = re.findall(r"^\| `(\w+)` \| (schedule|sensor)[^|]* \| (on|off) \|", page, re.M)
    schedules = [(one.name, "schedule", one.default_status.value) for one in repository.schedule_defs]
    sensors = [(one.name, "sensor", one.default_status.value) for one in repository.sensor_defs]
    ours = {(name, kind, "on" if status == "RUNNING" else "off") for name, kind, status in schedules + sensors}
    assert set(told) == ours
    assert repository.get_sensor_def("new_dumps").minimum_interval_seconds == 60


def test_alerts_are_on_without_being_turned_on(repository: dg.RepositoryDefinition) -> None:
    on = {sensor.name for sensor in repository.sensor_defs if sensor.default_status == dg.DefaultSensorStatus.RUNNING}
    assert on >= {"alert_on_failure", "alert_on_failed_check"}


@pytest.mark.parametrize(("hour", "passed"), [(6, True), (7, False)])
def test_a_graph_that_is_behind_fails_the_check_from_seven_on(
    definitions: ModuleType,
    server: Neo4jResource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hour: int,
    passed: bool,
) -> None:
    from recograph.defs import automation

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Clock":
            return cls(2026, 11, 20, hour, 0, tzinfo=tz)

    # For this module alone: what is imported meanwhile keeps the clock that it was imported with.
    monkeypatch.setattr(automation, "datetime", SimpleNamespace(**{**vars(datetime), "datetime": Clock}))
    result = automation.fresh_by_deadline(dg.build_asset_check_context(), inbox=LocalInbox(tmp_path), neo4j=server)
    assert isinstance(result, dg.AssetCheckResult)
    assert result.passed is passed


@pytest.fixture
def server(neo4j: neo4j_driver.Driver, neo4j_server: Connection, monkeypatch: pytest.MonkeyPatch) -> Neo4jResource:
    """The resource, in an environment that names the shared server."""
    monkeypatch.setenv("NEO4J_URI", neo4j_server.uri)
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_server.username)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    return Neo4jResource()


def materialize(lake: Path, server: Neo4jResource, day: str, **config: Any) -> dg.ExecuteInProcessResult:
    from recograph.defs.graph import graph

    return dg.materialize(
        [graph],
        resources={"warehouse": DuckDBWarehouse(lake=str(lake)), "neo4j": server},
        partition_key=dg.MultiPartitionKey({"customer": "customer_1", "date": day}),
        run_config={"ops": {"graph": {"config": config}}},
        raise_on_error=False,
    )


def test_a_day_that_would_remove_much_fails_its_check_and_loads_nothing_until_it_is_let_through(
    definitions: ModuleType, tmp_path: Path, neo4j: neo4j_driver.Driver, server: Neo4jResource
) -> None:
    for day, count in zip(DAYS, (100, 50), strict=True):
        Snapshot({"users": [(id_, True, True, None) for id_ in range(count)]}).write(tmp_path, "customer_1", day)
    assert materialize(tmp_path, server, DAYS[0]).success
    stopped = materialize(tmp_path, server, DAYS[1])
    assert not stopped.success
    failed = {check.asset_key.path[-1] for check in stopped.get_asset_check_evaluations() if not check.passed}
    assert failed == {"User", "WORKS_AT"}
    assert neo4j.execute_query("MATCH (u:User) RETURN count(u)").records[0][0] == 100
    assert materialize(tmp_path, server, DAYS[1], max_removed_share=0.6).success
    assert neo4j.execute_query("MATCH (u:User) RETURN count(u)").records[0][0] == 50


def test_an_older_day_is_refused_until_it_is_allowed(
    definitions: ModuleType, tmp_path: Path, neo4j: neo4j_driver.Driver, server: Neo4jResource
) -> None:
    for day in DAYS:
        Snapshot({"users": [(1, True, day == DAYS[0], None)]}).write(tmp_path, "customer_1", day)
    assert materialize(tmp_path, server, DAYS[1]).success
    materialize(tmp_path, server, DAYS[0])
    assert neo4j.execute_query("MATCH (u:User) RETURN u.valid").records[0][0] is False
    assert materialize(tmp_path, server, DAYS[0], allow_older=True).success
    assert neo4j.execute_query("MATCH (u:User) RETURN u.valid").records[0][0] is True


def test_checks_alone_look_at_what_is_there_and_make_nothing(
    definitions: ModuleType, neo4j: neo4j_driver.Driver, server: Neo4jResource
) -> None:
    from recograph.defs.graph import graph_key
    from recograph.defs.partitions import SETTINGS, SNAPSHOTS

    lake = Path(SETTINGS.lake)
    for day, count in zip(DAYS, (3, 4), strict=True):
        Snapshot({"users": [(id_, True, True, None) for id_ in range(count)]}).write(lake, "customer_1", day)
    assert materialize(lake, server, DAYS[0]).success
    neo4j.execute_query("MATCH (u:User {id: 2}) DETACH DELETE u")

    def check(asset: dg.AssetKey, name: str, day: str) -> dg.ExecuteInProcessResult:
        job = definitions.defs.resolve_job_def("dump_to_graph").get_subset(
            asset_selection=set(), asset_check_selection={dg.AssetCheckKey(asset, name)}
        )
        key = SNAPSHOTS.get_partition_key_from_str(f"customer_1|{day}")
        result: dg.ExecuteInProcessResult = job.execute_in_process(
            tags=dict(SNAPSHOTS.get_tags_for_partition_key(key)), raise_on_error=False
        )
        return result

    def failure(result: dg.ExecuteInProcessResult) -> str:
        (event,) = (event for event in result.all_events if event.is_step_failure)
        said = event.step_failure_data.user_failure_data
        return (said and said.description) or ""

    try:
        users = graph_key(SETS["nodes/User"])
        (evaluated,) = check(users, "count", DAYS[0]).get_asset_check_evaluations()
        assert not evaluated.passed
        assert "2 in the graph, 3 in the mart" in (evaluated.description or "")
        said = failure(check(users, "count", DAYS[1]))
        assert said == f"The graph of customer_1 holds {DAYS[0]}, so nothing can be checked of {DAYS[1]}."
        said = failure(check(dg.AssetKey(["landing", "core_user"]), "no_sudden_drop", DAYS[0]))
        assert said == f"landing/core_user of customer_1 {DAYS[0]} isn't there. Materialize it first."
        assert neo4j.execute_query("MATCH (u:User) RETURN count(u)").records[0][0] == 2
    finally:
        shutil.rmtree(lake)


def test_runs_that_are_asked_for_are_about_a_customers_day(definitions: ModuleType) -> None:
    from recograph.defs.automation import request
    from recograph.lake.interfaces import DumpFile

    asked = request(DumpFile("customer_1", DAYS[0], "a.sql", 1, "1"), "key")
    assert asked.partition_key == "customer_1|2026-11-01"


def test_repair_in_the_run_config_compares_with_the_graph(
    definitions: ModuleType, tmp_path: Path, neo4j: neo4j_driver.Driver, server: Neo4jResource
) -> None:
    Snapshot({"users": [(1, True, True, None)]}).write(tmp_path, "customer_1", DAYS[0])
    assert materialize(tmp_path, server, DAYS[0]).success
    neo4j.execute_query("MATCH (u:User) SET u.valid = false")
    materialize(tmp_path, server, DAYS[0])
    assert neo4j.execute_query("MATCH (u:User) RETURN u.valid").records[0][0] is False
    assert materialize(tmp_path, server, DAYS[0], repair=True).success
    assert neo4j.execute_query("MATCH (u:User) RETURN u.valid").records[0][0] is True
