"""What runs by itself, on a real instance: late, replaced and missing dumps, days in order, retries."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import neo4j as neo4j_driver
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.local.folder_lake import LocalLake
from recograph.adapters.neo4j import Connection
from recograph.defs.resources import Neo4jResource
from recograph.errors import RecographError, UnavailableError
from recograph_tests.environment import set_up
from recograph_tests.graph.marts import Snapshot, actual, expected

DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
CUSTOMERS = ("customer_1", "customer_2", "customer_3")


@pytest.fixture(scope="module")
def automation(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The module, loaded as an installation with the sample customers loads it."""
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch, tmp_path_factory.mktemp("home"))
        from recograph.defs import automation

        return automation


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp() as instance:
        yield instance


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    return LocalLake(root=str(tmp_path / "lake"), data=str(tmp_path / "data"), home=str(tmp_path / "home"))


def ship(lake: LocalLake, customer: str, *days: str, content: str = "-- a dump") -> None:
    folder = Path(lake.data) / customer
    folder.mkdir(parents=True, exist_ok=True)
    for day in days:
        (folder / f"{day}.sql").write_text(content)


class Ticks:
    """Evaluates the sensor, each time with the cursor of the time before."""

    def __init__(self, automation: ModuleType, instance: dg.DagsterInstance, lake: LocalLake) -> None:
        self.automation, self.instance, self.lake = automation, instance, lake
        self.cursor: str | None = None

    def __call__(self) -> dg.SensorResult | dg.SkipReason:
        context = dg.build_sensor_context(self.instance, self.cursor, resources={"lake": self.lake})
        result = self.automation.new_dumps(context)
        assert isinstance(result, (dg.SensorResult, dg.SkipReason))
        if isinstance(result, dg.SensorResult):
            self.cursor = result.cursor
        return result

    def asked(self) -> list[str]:
        """The partitions or ranges of the runs that a tick asks for."""
        result = self()
        return [] if isinstance(result, dg.SkipReason) else [partitions(run) for run in result.run_requests or ()]


@pytest.fixture
def tick(automation: ModuleType, instance: dg.DagsterInstance, lake: LocalLake) -> Ticks:
    return Ticks(automation, instance, lake)


def partitions(run: dg.RunRequest) -> str:
    key = run.partition_key_range
    return run.partition_key or f"{key.start} to {key.end}"  # type: ignore[union-attr]


def test_the_sensor_asks_for_each_new_dump_once(tick: Ticks, lake: LocalLake) -> None:
    assert isinstance(tick(), dg.SkipReason)
    ship(lake, "customer_1", DAYS[1])
    ship(lake, "customer_3", DAYS[1])
    assert tick.asked() == [f"customer_1|{DAYS[1]}", f"customer_3|{DAYS[1]}"]
    assert isinstance(tick(), dg.SkipReason)
    # A late one, and one of an earlier day, are as welcome.
    ship(lake, "customer_2", DAYS[1])
    ship(lake, "customer_1", DAYS[0])
    assert tick.asked() == [f"customer_1|{DAYS[0]}", f"customer_2|{DAYS[1]}"]


def test_many_days_of_a_customer_are_one_run(tick: Ticks, lake: LocalLake) -> None:
    for customer in CUSTOMERS:
        ship(lake, customer, *DAYS, "2026-11-05")
    assert tick.asked() == [
        asked
        for customer in CUSTOMERS
        for asked in (f"{customer}|{DAYS[0]} to {customer}|{DAYS[2]}", f"{customer}|2026-11-05")
    ]


def test_a_replaced_dump_is_loaded_again_and_marks_its_partition(
    tick: Ticks, lake: LocalLake, instance: dg.DagsterInstance
) -> None:
    ship(lake, "customer_1", *DAYS)
    first = tick()
    ship(lake, "customer_1", DAYS[1], content="-- another dump")
    second = tick()
    assert isinstance(first, dg.SensorResult)
    assert isinstance(second, dg.SensorResult)
    (run,) = second.run_requests or ()
    assert partitions(run) == f"customer_1|{DAYS[1]}"
    (event,) = second.asset_events
    assert isinstance(event, dg.AssetObservation)
    assert event.partition == f"customer_1|{DAYS[1]}"
    versions = {each.partition: each.tags["dagster/data_version"] for each in first.asset_events}
    assert event.tags["dagster/data_version"] != versions[event.partition]


def test_what_was_landed_already_is_not_asked_for(tick: Ticks, lake: LocalLake, instance: dg.DagsterInstance) -> None:
    ship(lake, "customer_1", DAYS[0])
    dump = lake.dumps("customer_1")[DAYS[0]]
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            ["landing", "core_user"], metadata={"dump_version": dump.version}, partition=f"customer_1|{DAYS[0]}"
        )
    )
    assert isinstance(tick(), dg.SkipReason)
    ship(lake, "customer_1", DAYS[0], content="-- another dump")
    assert tick.asked() == [f"customer_1|{DAYS[0]}"]


def test_a_customer_whose_dumps_are_unclear_keeps_no_other_from_its_run(
    tick: Ticks, automation: ModuleType, lake: LocalLake, instance: dg.DagsterInstance
) -> None:
    ship(lake, "customer_1", DAYS[0])
    (Path(lake.data) / "customer_1" / f"{DAYS[0]}.sql.gz").touch()
    ship(lake, "customer_2", DAYS[0])
    assert tick.asked() == [f"customer_2|{DAYS[0]}"]
    runs, _ = scheduled(automation, instance, lake, DAYS[0])
    assert runs == [f"customer_2|{DAYS[0]}"]


def test_the_schedule_starts_those_that_are_there(
    automation: ModuleType, lake: LocalLake, instance: dg.DagsterInstance
) -> None:
    ship(lake, "customer_1", *DAYS)
    ship(lake, "customer_2", DAYS[1])
    runs, skipped = scheduled(automation, instance, lake, DAYS[2])
    assert runs == [f"customer_1|{DAYS[2]}", f"customer_2|{DAYS[1]}"]
    assert not skipped


def test_the_schedule_says_whose_dump_is_missing(
    automation: ModuleType, lake: LocalLake, instance: dg.DagsterInstance
) -> None:
    ship(lake, "customer_1", DAYS[0])
    runs, skipped = scheduled(automation, instance, lake, "2026-11-04")
    assert not runs
    assert skipped == [
        "No dump of 2026-11-03 or 2026-11-04 from customer_1, customer_2, customer_3; "
        "when it comes, new_dumps starts a run."
    ]


def scheduled(
    automation: ModuleType, instance: dg.DagsterInstance, lake: LocalLake, day: str
) -> tuple[list[str], list[str]]:
    """What the schedule asks for at that day's time, and what it says when it skips."""
    at = datetime.datetime.fromisoformat(f"{day}T05:00:00+00:00")
    context = dg.build_schedule_context(instance, scheduled_execution_time=at, resources={"lake": lake})
    results = list(automation.daily(context))
    runs = [partitions(result) for result in results if isinstance(result, dg.RunRequest)]
    return runs, [result.skip_message or "" for result in results if isinstance(result, dg.SkipReason)]


@pytest.fixture
def server(neo4j_server: Connection, monkeypatch: pytest.MonkeyPatch) -> Neo4jResource:
    """The resource, in an environment that names the shared server."""
    monkeypatch.setenv("NEO4J_URI", neo4j_server.uri)
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_server.username)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    return Neo4jResource()


def test_days_of_one_run_are_loaded_in_order_and_each_tells_what_it_did(
    automation: ModuleType,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    neo4j: neo4j_driver.Driver,
    server: Neo4jResource,
) -> None:
    from recograph.defs.graph import graph
    from recograph.defs.partitions import range_tags

    days = {
        day: Snapshot({"users": [(id_, at == 2, True, None) for id_ in range(3 + at)]}) for at, day in enumerate(DAYS)
    }
    for day, snapshot in days.items():
        snapshot.marts["languages"] = [("english", "English")]
        snapshot.marts["user_languages"] = [(99, "english")]
        snapshot.write(tmp_path, "customer_1", day)
    result = dg.materialize(
        [graph],
        instance=instance,
        resources={"warehouse": DuckDBWarehouse(lake=str(tmp_path)), "neo4j": server},
        tags=range_tags("customer_1", DAYS[0], DAYS[-1]),
    )
    assert result.success
    assert actual(neo4j) == expected({"customer_1": days[DAYS[-1]]})
    told: dict[str | None, dict[str, Any]] = {}
    for event in result.all_events:
        if event.is_step_materialization and event.asset_key == dg.AssetKey(["graph", "nodes", "User"]):
            metadata = event.step_materialization_data.materialization.metadata
            told[event.partition] = {name: value.value for name, value in metadata.items()}
    names = ("rows_in_mart", "added", "changed", "removed", "unchanged", "dangling", "dagster/row_count", "loaded_by")
    assert {day: [told[f"customer_1|{day}"][name] for name in names] for day in DAYS} == {
        DAYS[0]: [3, 3, 0, 0, 0, 0, 3, "created"],
        DAYS[1]: [4, 1, 0, 0, 3, 0, 4, "difference"],
        DAYS[2]: [5, 1, 4, 0, 0, 0, 5, "difference"],
    }
    assert all(each["rows_per_second"] > 0 for each in told.values())
    spoken = next(
        event.step_materialization_data.materialization.metadata
        for event in result.all_events
        if event.is_step_materialization and event.asset_key == dg.AssetKey(["graph", "relationships", "SPEAKS"])
    )
    assert (spoken["rows_in_mart"].value, spoken["dangling"].value, spoken["dagster/row_count"].value) == (1, 1, 0)


def test_backfills_are_single_runs_and_what_talks_to_servers_retries(automation: ModuleType) -> None:
    from recograph.defs import catalog, graph, landing, marts
    from recograph.defs.errors import RETRIES

    for asset in (landing.landing, catalog.glue, marts.marts, graph.graph):
        assert asset.backfill_policy == dg.BackfillPolicy.single_run()
        assert asset.op.pool
    for asset in (landing.landing, catalog.glue, graph.graph):
        assert asset.op.retry_policy == RETRIES
    assert RETRIES.calculate_delay(3) > RETRIES.calculate_delay(2) > RETRIES.calculate_delay(1) > 0


@pytest.mark.parametrize(("error", "tries"), [(UnavailableError("gone for now"), 3), (RecographError("wrong"), 1)])
def test_only_servers_that_may_come_back_are_tried_again(
    automation: ModuleType, instance: dg.DagsterInstance, error: RecographError, tries: int
) -> None:
    from recograph.defs.errors import clear_failures

    tried = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def talking() -> None:
        with clear_failures():
            tried.append(1)
            raise error

    result = dg.materialize([talking], instance=instance, raise_on_error=False)
    assert not result.success
    assert len(tried) == tries
    failure = result.all_node_events[-1].step_failure_data
    assert failure.user_failure_data
    assert failure.user_failure_data.description == str(error)


def test_freshness_names_the_customers_that_are_behind(
    automation: ModuleType, neo4j: neo4j_driver.Driver, server: Neo4jResource
) -> None:
    today = datetime.datetime.now(automation.TIMEZONE).date()
    rows = [["customer_1", today], ["customer_2", today - datetime.timedelta(days=1)]]
    rows += [["customer_3", today - datetime.timedelta(days=3)]]
    neo4j.execute_query(
        "UNWIND $rows AS row UNWIND ['nodes/User', 'nodes/Course'] AS set "
        "CREATE (:LoadState {customer_id: row[0], set: set, snapshot_date: toString(row[1])})",
        rows=rows,
    )
    result = automation.fresh_by_deadline(neo4j=server)
    assert "customer_3" in result.description
    assert "customer_1" not in result.description
    # A set whose first load was broken off isn't fresh, whatever the others hold.
    neo4j.execute_query("CREATE (:LoadState {customer_id: 'customer_1', set: 'relationships/SPEAKS', status: 'dirty'})")
    assert "customer_1 (nothing loaded)" in automation.fresh_by_deadline(neo4j=server).description
