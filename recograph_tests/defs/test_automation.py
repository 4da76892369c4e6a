"""What runs by itself, on a real instance: late, replaced and missing dumps, days in order, retries."""

import base64
import datetime
import logging
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import neo4j as neo4j_driver
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.neo4j import Connection
from recograph.defs.resources import Neo4jResource
from recograph.errors import RecographError, UnavailableError
from recograph.lake.inbox import dump_for
from recograph.lake.interfaces import DumpFile
from recograph.pictures import BAD, GOOD, NOTHING
from recograph_tests.environment import set_up
from recograph_tests.graph.marts import Snapshot, actual, expected
from recograph_tests.operating.receivers import web_server

DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
CUSTOMERS = ("customer_1", "customer_2", "customer_3")


@pytest.fixture(scope="module")
def automation() -> ModuleType:
    """The module, loaded as an installation with the sample customers loads it."""
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch)
        from recograph.defs import automation

        return automation


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp() as instance:
        yield instance


@pytest.fixture
def inbox(tmp_path: Path) -> LocalInbox:
    return LocalInbox(tmp_path / "data")


def ship(inbox: LocalInbox, customer: str, *days: str, content: str = "-- a dump") -> None:
    folder = inbox.folder / customer
    folder.mkdir(parents=True, exist_ok=True)
    for day in days:
        (folder / f"{day}.sql").write_text(content)


class Ticks:
    """Evaluates the sensor, each time with the cursor of the time before; what it saw is in the instance's log."""

    def __init__(self, automation: ModuleType, instance: dg.DagsterInstance, inbox: LocalInbox) -> None:
        self.automation, self.instance, self.inbox = automation, instance, inbox
        self.cursor: str | None = None

    def __call__(self) -> dg.SensorResult:
        context = dg.build_sensor_context(self.instance, self.cursor, resources={"inbox": self.inbox})
        result = self.automation.new_dumps(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        return result

    def asked(self) -> list[str]:
        """The partitions of the runs that a tick asks for."""
        return [str(run.partition_key) for run in self().run_requests or ()]


@pytest.fixture
def tick(automation: ModuleType, instance: dg.DagsterInstance, inbox: LocalInbox) -> Ticks:
    return Ticks(automation, instance, inbox)


def test_the_sensor_asks_for_each_new_dump_once(tick: Ticks, inbox: LocalInbox) -> None:
    assert not tick.asked()
    ship(inbox, "customer_1", DAYS[1])
    ship(inbox, "customer_3", DAYS[1])
    assert tick.asked() == [f"customer_1|{DAYS[1]}", f"customer_3|{DAYS[1]}"]
    assert not tick.asked()
    # A late one, and one of an earlier day, are as welcome.
    ship(inbox, "customer_2", DAYS[1])
    ship(inbox, "customer_1", DAYS[0])
    assert tick.asked() == [f"customer_1|{DAYS[0]}", f"customer_2|{DAYS[1]}"]


def test_a_folder_that_may_still_be_copied_is_left_to_a_later_tick(
    tick: Ticks, inbox: LocalInbox, automation: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = inbox.folder / "customer_1" / DAYS[1]
    folder.mkdir(parents=True)
    (folder / "metadata").write_text("Finished dump at: now")
    os.utime(folder / "metadata", (0, 0))
    ship(inbox, "customer_1", DAYS[0])
    assert tick.asked() == [f"customer_1|{DAYS[0]}"]
    assert tick.asked() == []
    monkeypatch.setattr(automation, "_STILL", datetime.timedelta(0))
    assert tick.asked() == [f"customer_1|{DAYS[1]}"]
    assert tick.asked() == []


def test_a_folder_that_a_wrong_clock_dated_into_the_future_is_not_waited_for(automation: ModuleType) -> None:
    now = datetime.datetime.now(datetime.UTC)
    folder = DumpFile("customer_1", DAYS[0], "folder", 1, "1", is_folder=True, changed=now)
    assert automation._is_coming(folder)
    assert not automation._is_coming(replace(folder, changed=now + datetime.timedelta(days=400)))


def test_days_of_a_customer_are_asked_for_in_order_and_customers_in_turn(tick: Ticks, inbox: LocalInbox) -> None:
    for customer in CUSTOMERS:
        ship(inbox, customer, *DAYS)
    assert tick.asked() == [f"{customer}|{day}" for day in DAYS for customer in CUSTOMERS]


def test_more_dumps_than_a_tick_can_ask_for_are_left_to_the_next(
    tick: Ticks, inbox: LocalInbox, automation: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automation, "_RUNS_PER_TICK", 2)
    ship(inbox, "customer_1", *DAYS)
    assert tick.asked() == [f"customer_1|{day}" for day in DAYS[:2]]
    assert tick.asked() == [f"customer_1|{DAYS[2]}"]
    assert not tick.asked()


def test_a_replaced_dump_is_loaded_again_and_one_that_was_put_back_too(tick: Ticks, inbox: LocalInbox) -> None:
    path = inbox.folder / "customer_1" / f"{DAYS[1]}.sql"
    ship(inbox, "customer_1", *DAYS)
    first = tick()
    put_aside = path.read_bytes(), path.stat().st_mtime_ns
    ship(inbox, "customer_1", DAYS[1], content="-- another dump")
    second = tick()
    path.write_bytes(put_aside[0])
    os.utime(path, ns=(put_aside[1], put_aside[1]))
    third = tick()
    for result in (second, third):
        assert [run.partition_key for run in result.run_requests or ()] == [f"customer_1|{DAYS[1]}"]
        assert {str(event.partition) for event in result.asset_events} == {f"customer_1|{DAYS[1]}"}
    versions = [
        next(
            event.tags
            for event in result.asset_events
            if isinstance(event, dg.AssetObservation) and event.partition == f"customer_1|{DAYS[1]}"
        )
        for result in (first, second, third)
    ]
    assert versions[0] == versions[2] != versions[1]


def test_what_was_landed_already_is_not_asked_for(
    tick: Ticks, inbox: LocalInbox, instance: dg.DagsterInstance, automation: ModuleType
) -> None:
    ship(inbox, "customer_1", DAYS[0])
    for event in automation.seen_events(inbox.dumps("customer_1")[DAYS[0]]):  # as landing tells it
        instance.report_runless_asset_event(event)
    assert not tick.asked()
    ship(inbox, "customer_1", DAYS[0], content="-- another dump")
    assert tick.asked() == [f"customer_1|{DAYS[0]}"]


def test_a_dump_of_the_future_is_not_asked_for(tick: Ticks, inbox: LocalInbox) -> None:
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=2)
    ship(inbox, "customer_1", tomorrow.isoformat())
    assert not tick.asked()


def test_a_dump_of_a_day_that_has_begun_since_the_start_is_asked_for(
    tick: Ticks, inbox: LocalInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    ship(inbox, "customer_1", later.date().isoformat())
    assert not tick.asked()
    monkeypatch.setattr("dagster._time._mockable_get_current_datetime", lambda: later)
    monkeypatch.setattr("dagster._time._mockable_get_current_timestamp", later.timestamp)
    assert tick.asked() == [f"customer_1|{later.date()}"]


def test_dumps_of_days_that_are_no_partitions_yet_are_told(tick: Ticks, inbox: LocalInbox) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    tomorrow, later = (str(today + datetime.timedelta(days=days)) for days in (1, 2))
    ship(inbox, "customer_1", "2026-10-31", tomorrow, later)
    told = tick().skip_reason
    assert told
    said = r"2 are of days that are no partitions yet, such as .*2026-10-31\.sql: reload the definitions, where"
    assert re.search(said, told.skip_message or "")


def test_a_day_with_two_dumps_keeps_no_other_from_its_run_and_fails_itself(
    tick: Ticks, automation: ModuleType, inbox: LocalInbox, instance: dg.DagsterInstance
) -> None:
    ship(inbox, "customer_1", DAYS[0])
    (inbox.folder / "customer_1" / f"{DAYS[0]}.sql.gz").touch()
    ship(inbox, "customer_2", DAYS[0])
    both = [f"customer_1|{DAYS[0]}", f"customer_2|{DAYS[0]}"]
    assert tick.asked() == both
    assert not tick.asked()
    runs, _ = scheduled(automation, instance, inbox, DAYS[0])
    assert runs == both
    with pytest.raises(RecographError, match=r"2026.*Keep one"):
        inbox.open_dump(dump_for(inbox, "customer_1", DAYS[0]))


def test_the_schedule_starts_those_that_are_there(
    automation: ModuleType, inbox: LocalInbox, instance: dg.DagsterInstance
) -> None:
    ship(inbox, "customer_1", *DAYS)
    ship(inbox, "customer_2", DAYS[1])
    runs, skipped = scheduled(automation, instance, inbox, DAYS[2])
    assert runs == [f"customer_1|{DAYS[2]}", f"customer_2|{DAYS[1]}"]
    assert not skipped


def test_the_schedule_says_whose_dump_is_missing(
    automation: ModuleType, inbox: LocalInbox, instance: dg.DagsterInstance
) -> None:
    ship(inbox, "customer_1", DAYS[0])
    runs, skipped = scheduled(automation, instance, inbox, "2026-11-04")
    assert not runs
    assert skipped == [
        "No dump of 2026-11-03 or 2026-11-04 from customer_1, customer_2, customer_3; "
        "when it comes, new_dumps starts a run."
    ]


def scheduled(
    automation: ModuleType, instance: dg.DagsterInstance, inbox: LocalInbox, day: str
) -> tuple[list[str], list[str]]:
    """What the schedule asks for at that day's time, and what it says when it skips."""
    at = datetime.datetime.fromisoformat(f"{day}T05:00:00+00:00")
    context = dg.build_schedule_context(instance, scheduled_execution_time=at, resources={"inbox": inbox})
    results = list(automation.daily(context))
    runs = [str(result.partition_key) for result in results if isinstance(result, dg.RunRequest)]
    return runs, [result.skip_message or "" for result in results if isinstance(result, dg.SkipReason)]


@pytest.fixture
def server(neo4j_server: Connection, monkeypatch: pytest.MonkeyPatch) -> Neo4jResource:
    """The resource, in an environment that names the shared server."""
    monkeypatch.setenv("NEO4J_URI", neo4j_server.uri)
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_server.username)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    return Neo4jResource()


def test_each_day_is_loaded_and_tells_what_it_did(
    automation: ModuleType,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    neo4j: neo4j_driver.Driver,
    server: Neo4jResource,
) -> None:
    from recograph.defs.graph import graph

    days = {
        day: Snapshot({"users": [(id_, at == 2, True, None) for id_ in range(3 + at)]}) for at, day in enumerate(DAYS)
    }
    for day, snapshot in days.items():
        snapshot.marts["languages"] = [("english", "English")]
        snapshot.marts["user_languages"] = [(99, "english")]
        snapshot.write(tmp_path, "customer_1", day)
    resources = {"warehouse": DuckDBWarehouse(lake=str(tmp_path)), "neo4j": server}

    def load(day: str) -> tuple[dict[str, Any], Sequence[dg.AssetCheckEvaluation]]:
        """What a day's run tells of users, and what its checks say."""
        result = dg.materialize([graph], instance=instance, resources=resources, partition_key=f"customer_1|{day}")
        assert result.success
        users = [
            event.step_materialization_data.materialization
            for event in result.all_events
            if event.is_step_materialization and event.asset_key == dg.AssetKey(["graph", "nodes", "User"])
        ]
        return {name: value.value for name, value in users[0].metadata.items()}, result.get_asset_check_evaluations()

    names = ("rows_in_mart", "added", "changed", "removed", "unchanged", "dangling", "dagster/row_count", "loaded_by")
    told = {day: load(day) for day in DAYS}
    assert {day: [metadata[name] for name in names] for day, (metadata, _) in told.items()} == {
        DAYS[0]: [3, 3, 0, 0, 0, 0, 3, "created"],
        DAYS[1]: [4, 1, 0, 0, 3, 0, 4, "difference"],
        DAYS[2]: [5, 1, 4, 0, 0, 0, 5, "difference"],
    }
    assert all(metadata["rows_per_second"] > 0 for metadata, _ in told.values())
    drawn = base64.b64decode(told[DAYS[2]][0]["changes"].split("base64,")[1].rstrip(")")).decode()
    assert [day[5:] in drawn for day in DAYS] == [True, True, True]
    held = expected({"customer_1": days[DAYS[-1]]})
    assert actual(neo4j) == held
    for day, (_, checks) in told.items():
        assert checks
        assert {check.partition for check in checks} == {f"customer_1|{day}"}
        assert all((check.description or "").startswith(f"customer_1 {day}: ") for check in checks)
    (dangling,) = [check for check in told[DAYS[0]][1] if check.check_name == "no_dangling_rows" and not check.passed]
    assert dangling.severity == dg.AssetCheckSeverity.WARN
    assert "1 of 1 rows point to a node that isn't there" in str(dangling.description)
    # A late day is passed over: the graph keeps the newest.
    late, checks = load(DAYS[0])
    assert late["passed_over_for"] == DAYS[-1]
    assert all(check.passed for check in checks)
    assert actual(neo4j) == held


def test_a_run_is_about_one_partition(automation: ModuleType) -> None:
    from recograph.defs import catalog, graph, landing, marts
    from recograph.defs.platforms import USED

    for asset in (*map(landing.landing_of, USED), *map(catalog.catalog_of, USED), marts.marts, graph.graph):
        assert asset.backfill_policy is None
        assert asset.op.pool
        assert all(spec.partitions_def is not None for spec in asset.check_specs)


def test_only_servers_that_may_come_back_are_tried_again() -> None:
    from recograph.defs.failures import tried_again

    tried: list[Exception] = []

    def fails_with(error: Exception) -> None:
        tried.append(error)
        raise error

    for error, tries in ((UnavailableError("gone for now"), 3), (RecographError("wrong"), 1), (OSError("full"), 1)):
        tried.clear()
        with pytest.raises(type(error), match=str(error)):
            tried_again(logging.getLogger("test"), partial(fails_with, error), waits=(0, 0))
        assert len(tried) == tries


def test_freshness_names_the_customers_that_are_behind(
    automation: ModuleType,
    inbox: LocalInbox,
    instance: dg.DagsterInstance,
    neo4j: neo4j_driver.Driver,
    server: Neo4jResource,
) -> None:
    today = datetime.datetime.now(automation.TIMEZONE).date()
    rows = [["customer_1", today], ["customer_2", today - datetime.timedelta(days=1)]]
    rows += [["customer_3", today - datetime.timedelta(days=3)]]
    neo4j.execute_query(
        "UNWIND $rows AS row UNWIND ['nodes/User', 'nodes/Course'] AS set "
        "CREATE (:LoadState {customer_id: row[0], set: set, snapshot_date: toString(row[1])})",
        rows=rows,
    )
    ship(inbox, "customer_1", today.isoformat(), "2999-01-01", "1970-01-01")

    def said() -> str:
        context = dg.build_asset_check_context(instance=instance)
        result = automation.fresh_by_deadline(context, inbox=inbox, neo4j=server)
        assert isinstance(result, dg.AssetCheckResult)
        assert "data:image/svg+xml" in str(result.metadata["freshness"].value)
        return str(result.description)

    late, misdated = said().split(" Look at the dumps and at the last runs. ")
    assert "customer_3" in late
    assert "customer_1" not in late
    assert "customer_2" not in late  # yesterday's is as good
    told = "customer_1 has dumps that are dated before 2000 or in the future and aren't read: 1970-01-01, 2999-01-01."
    assert misdated == told
    # A set whose first load was broken off isn't fresh, whatever the others hold.
    neo4j.execute_query("CREATE (:LoadState {customer_id: 'customer_1', set: 'relationships/SPEAKS', status: 'dirty'})")
    assert "customer_1 (nothing loaded)" in said()
    shutil.rmtree(inbox.folder / "customer_2", ignore_errors=True)
    (inbox.folder / "customer_2").write_text("a file where a folder should be")
    assert "customer_2 can't be read" in said()


def test_a_day_is_green_where_it_was_loaded_and_red_where_it_was_only_shipped(automation: ModuleType) -> None:
    picture = automation._freshness_picture(
        {"customer_1": ["2026-11-01", "2026-11-02"]}, {"customer_1|2026-11-01"}, datetime.date(2026, 11, 3)
    )
    svg = base64.b64decode(picture.value.split("base64,")[1].rstrip(")")).decode()
    boxes = re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="14.0" height="14.0" fill="(#\w+)"', svg)
    assert boxes[-3:] == [GOOD, BAD, NOTHING]


def test_a_customer_whose_dumps_cant_be_listed_is_told_once_and_keeps_nobody_from_a_run(
    tick: Ticks,
    automation: ModuleType,
    inbox: LocalInbox,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ship(inbox, "customer_1", DAYS[0])
    (inbox.folder / "customer_2").write_text("a file where a folder should be")
    with web_server() as (url, posted):
        monkeypatch.setenv("RECOGRAPH_ALERT_WEBHOOK", url)
        assert tick.asked() == [f"customer_1|{DAYS[0]}"]
        assert not tick.asked()
        (message,) = posted
        title, text, _ = message["text"].split("\n")
        assert title == "customer_2 is passed over: its dumps can't be listed"
        assert "customer_2 can't be read: Not a directory" in text
        assert scheduled(automation, instance, inbox, DAYS[0]) == ([f"customer_1|{DAYS[0]}"], [])
        assert len(posted) == 2
        (inbox.folder / "customer_2").unlink()
        ship(inbox, "customer_2", DAYS[0])
        assert tick.asked() == [f"customer_2|{DAYS[0]}"]


def test_a_store_that_is_away_is_told_once_and_not_for_each_customer(
    automation: ModuleType, instance: dg.DagsterInstance, inbox: LocalInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recograph.defs.dumps import sql_dump

    asked: list[str] = []

    class Away(LocalInbox):
        def dumps(self, customer: str) -> dict[str, DumpFile]:
            asked.append(customer)
            raise UnavailableError("s3://lake: AWS can't be reached.")

    tick = Ticks(automation, instance, Away(inbox.folder))
    with web_server() as (url, posted):
        monkeypatch.setenv("RECOGRAPH_ALERT_WEBHOOK", url)
        for _ in range(2):
            reason = tick().skip_reason
            assert reason
            assert reason.skip_message == "s3://lake: AWS can't be reached."
        assert [message["title"] for message in posted] == ["Nobody's dumps can be listed"]
        assert scheduled(automation, instance, tick.inbox, DAYS[0]) == ([], ["s3://lake: AWS can't be reached."])
        assert automation._shipped(tick.inbox) == (
            {customer: [] for customer in CUSTOMERS},
            ["s3://lake: AWS can't be reached."],
        )
        observe = dg.Definitions([sql_dump], resources={"inbox": tick.inbox}).resolve_implicit_global_asset_job_def()
        assert not observe.execute_in_process(instance=instance, raise_on_error=False).success
        assert asked == [CUSTOMERS[0]] * 5
        ship(inbox, "customer_2", DAYS[0])
        tick.inbox = inbox
        assert tick.asked() == [f"customer_2|{DAYS[0]}"]
        tick.inbox = Away(inbox.folder)
        assert not tick.asked()
        assert len(posted) == 3  # of which the second is the schedule's


def _dangling(folder: Path) -> None:
    (folder / f"{DAYS[0]}.sql").unlink()
    (folder / f"{DAYS[0]}.sql").symlink_to(folder / "nowhere")


def _looping(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder)


def _file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("a file where a folder should be")


BREAKAGES: dict[str, Callable[[Path], object]] = {
    "missing": shutil.rmtree,
    "a file": _file,
    "a link to itself": _looping,
    "a dangling link": _dangling,
    "twice": lambda folder: (folder / f"{DAYS[1]}.sql.gz").touch(),
    "cut": lambda folder: (folder / f"{DAYS[2]}.sql").write_bytes(b""),
    "of long ago": lambda folder: (folder / "0001-01-01.sql").touch(),
    "a pipe": lambda folder: os.mkfifo(folder / "2026-11-04.sql"),
    "of the future": lambda folder: (folder / "2999-01-01.sql").touch(),
    "no dump": lambda folder: (folder / "notes.txt").touch(),
}


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_broken_of_some_customers_the_others_are_asked_for_as_without_it(
    automation: ModuleType, inbox: LocalInbox, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    whole = LocalInbox(tmp_path / "whole")
    for customer in CUSTOMERS:
        ship(inbox, customer, *DAYS)
        ship(whole, customer, *DAYS)
    broken = chance.sample(CUSTOMERS, chance.randint(1, len(CUSTOMERS) - 1))
    for customer in broken:
        BREAKAGES[chance.choice(list(BREAKAGES))](inbox.folder / customer)

    def asked(of: LocalInbox) -> list[list[str]]:
        """What sensor and schedule ask for, of the customers that aren't broken."""
        with dg.DagsterInstance.local_temp() as instance:
            both = Ticks(automation, instance, of).asked(), scheduled(automation, instance, of, DAYS[2])[0]
        return [[key for key in keys if key.split("|")[0] not in broken] for keys in both]

    assert asked(inbox) == asked(whole)
    assert all(asked(whole))
