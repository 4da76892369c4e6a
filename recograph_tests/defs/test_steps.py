"""The steps before the graph, through Dagster: what they observe, block, tell and say where it came from."""

import errno
import fcntl
import gzip
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.local.folder_lake import LocalLake
from recograph.errors import RecographError
from recograph_tests.environment import set_up

DAYS = ("2026-11-01", "2026-11-02")
CUSTOMER = "customer_2"


@dataclass(frozen=True)
class Steps:
    """Materializes steps of a customer's day, on the sample's dumps, in the home that the definitions know."""

    instance: dg.DagsterInstance
    data: Path

    @property
    def lake(self) -> LocalLake:
        from recograph.defs.partitions import SETTINGS

        return LocalLake(root=SETTINGS.lake, home=str(SETTINGS.home))

    def __call__(
        self, *steps: str, day: str = DAYS[0], fails: bool = False, **config: Any
    ) -> dg.ExecuteInProcessResult:
        """The result of a run that succeeds, or that `fails`; of another one the error, which says why."""
        from recograph.defs import catalog, landing, marts
        from recograph.defs.partitions import SETTINGS
        from recograph.defs.platforms import USED
        from recograph.defs.resources import resources

        assets = {"landing": landing.landing_of(USED[0]), "glue": catalog.catalog_of(USED[0]), "marts": marts.marts}
        result = dg.materialize(
            [assets[step] for step in steps],
            instance=self.instance,
            resources=resources(SETTINGS) | {"inbox": LocalInbox(self.data)},
            partition_key=f"{CUSTOMER}|{day}",
            run_config={"ops": {"landing": {"config": config}}} if config else None,
            raise_on_error=not fails,
        )
        assert result.success is not fails
        return result

    def dump(self, day: str) -> Path:
        return self.data / CUSTOMER / f"{day}.sql"

    def change(self, day: str, change: Callable[[str], str]) -> None:
        """Replace a day's dump by one that is a little different."""
        text = self.dump(day).read_text()
        changed = change(text)
        assert changed != text
        self.dump(day).write_text(changed)


@pytest.fixture
def steps(sample: Path, tmp_path: Path) -> Iterator[Steps]:
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch)
        from recograph import definitions  # noqa: F401 - loaded as an installation with the sample customers loads it
    for day in DAYS:
        target = tmp_path / "data" / CUSTOMER / f"{day}.sql"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.decompress((sample / CUSTOMER / f"{day}.sql.gz").read_bytes()))
    with dg.DagsterInstance.local_temp() as instance:
        made = Steps(instance, tmp_path / "data")
        yield made
        shutil.rmtree(made.lake.root, ignore_errors=True)


def failed(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """The checks that failed, and what they say."""
    return {
        f"{check.asset_key.to_user_string()} {check.check_name}": check.description or ""
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    }


def lineage(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, list[str]]:
    """Of what columns each column of an asset says that it was made."""
    (event,) = (result.asset_materializations_for_node(asset.split("/")[0]),)
    materialized = next(one for one in event if one.asset_key.to_user_string() == asset)
    told = materialized.metadata["dagster/column_lineage"].value
    assert isinstance(told, dg.TableColumnLineage)
    return {
        column: sorted(f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps)
        for column, deps in told.deps_by_column.items()
    }


def test_columns_say_where_they_came_from_and_dbt_what_is_wrong(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    from recograph.defs.partitions import CUSTOMERS

    # A name is text: it is no template of dbt's, and ends no literal of SQL.
    name = "{{ env_var('HOME') }} O'Neil \\ 🎓 {% raw %} {# x #} %s"
    monkeypatch.setitem(CUSTOMERS.customers, CUSTOMER, CUSTOMERS[CUSTOMER].model_copy(update={"name": name}))
    whole = steps("landing", "glue", "marts")
    (mart,) = Path(steps.lake.root, "marts", "customers", f"customer={CUSTOMER}").rglob("*.parquet")
    assert pq.read_table(mart, partitioning=None)["name"].to_pylist() == [name]
    assert lineage(whole, "glue/learning_course")["name"] == ["landing/learning_course.name"]
    courses = lineage(whole, "marts/courses")
    assert courses["id"] == ["glue/learning_course.idCourse"]
    assert courses["difficulty"] == ["glue/learning_course.difficult"]
    assert all(check.passed for check in whole.get_asset_check_evaluations() if check.check_name == "dbt_tests_pass")

    landed = next(Path(steps.lake.root, "landing", CUSTOMER, "learning_course").rglob("*.parquet"))
    landed.write_bytes(landed.read_bytes()[:1000])
    broken = steps("marts", fails=True)
    (event,) = [event for event in broken.all_events if event.is_step_failure]
    told = event.step_failure_data.user_failure_data
    assert told
    assert told.description
    assert told.description.startswith(f"dbt failed for {CUSTOMER} {DAYS[0]}. ")
    assert str(landed) in told.description
    assert f"recograph run --customer {CUSTOMER} --date {DAYS[0]}" in told.description
    assert "marts/courses dbt_tests_pass" in failed(broken)


def test_what_a_step_made_is_known_to_dagster_before_the_step_counts_as_done(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the UI would never show what was made by a process that was killed in between."""
    known: list[tuple[str, bool]] = []

    def look(_home: Path, _customer: str, _day: str, step: str, _receipt: object) -> None:
        key = dg.AssetKey(["landing", "core_user"])
        # A thread of its own sees what is written, not what is being written.
        with ThreadPoolExecutor(1) as other:
            known.append((step, bool(other.submit(steps.instance.fetch_materializations, key, 1).result().records)))

    monkeypatch.setattr("recograph.defs.unchanged.write_receipt", look)
    steps("landing")
    assert known == [("landing", True)]


def test_a_disk_that_is_full_at_the_receipt_is_one_sentence(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("recograph.defs.unchanged.write_receipt", write)
    told = steps("landing", fails=True).failure_data_for_node("landing")
    assert told
    assert told.user_failure_data
    assert re.match(r".* can't be written, because the disk is full: .*", told.user_failure_data.description or "")


def test_marts_that_fill_the_disk_fail_with_one_sentence(steps: Steps, disk: Callable[[int], Path]) -> None:
    steps("landing", "glue")
    marts = Path(steps.lake.root, "marts")
    marts.symlink_to(disk(1), target_is_directory=True)
    ballast = marts / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(marts).free))
    full = steps("marts", fails=True)
    told = full.failure_data_for_node("marts")
    assert told
    assert told.user_failure_data
    assert re.fullmatch(
        rf"{steps.lake.root} can't be written, because the disk is full: .* MB are free\. Make room.* run this again.*",
        told.user_failure_data.description or "",
    )
    assert not full.get_asset_check_evaluations()
    ballast.unlink()
    steps("marts")


def test_a_table_that_lost_many_rows_stops_the_run_until_it_is_let_through(steps: Steps) -> None:
    steps("landing", "glue")
    steps.change(DAYS[1], lambda text: re.sub(r"INSERT INTO `learning_courseuser`.*?;\n", "", text, flags=re.S))
    stopped = steps("landing", "glue", day=DAYS[1], fails=True)
    assert failed(stopped).keys() == {"landing/learning_courseuser no_sudden_drop"}
    assert not stopped.asset_materializations_for_node("glue")
    steps("landing", "glue", day=DAYS[1], max_row_drop=1)


def test_a_column_that_vanished_stops_the_run_until_it_is_let_through(steps: Steps) -> None:
    steps("landing", "glue")
    steps.change(DAYS[1], lambda text: text.replace("`course_type`", "`kind_of_course`"))
    stopped = steps("landing", "glue", day=DAYS[1], fails=True)
    assert failed(stopped).keys() == {"landing/learning_course no_column_vanished"}
    assert not stopped.asset_materializations_for_node("glue")
    steps("landing", "glue", day=DAYS[1], allow_missing_columns=True)


def test_a_landed_table_that_differs_from_its_contract_stops_the_run(steps: Steps) -> None:
    import pyarrow.parquet as pq

    steps("landing")
    landed = next(Path(steps.lake.root, "landing", CUSTOMER, "learning_course").rglob("*.parquet"))
    table = pq.read_table(landed)
    at = table.schema.get_field_index("idCourse")
    pq.write_table(table.set_column(at, "idCourse", table["name"]), landed)
    stopped = steps("glue", fails=True)
    assert failed(stopped).keys() == {"glue/learning_course schema_matches_contract"}


def test_each_dump_is_observed_once_and_a_broken_one_keeps_no_other_from_it(steps: Steps) -> None:
    from recograph.defs.dumps import SQL_DUMP, sql_dump

    failures: list[str | None] = []

    def observed() -> tuple[bool, dict[str, str]]:
        """Whether it succeeded, and the dialects of the partitions that it observed."""
        job = dg.Definitions(
            [sql_dump], resources={"inbox": LocalInbox(steps.data)}
        ).resolve_implicit_global_asset_job_def()
        known = steps.instance.fetch_observations(SQL_DUMP, limit=1).records
        result = job.execute_in_process(instance=steps.instance, raise_on_error=False)
        failed = [event.step_failure_data for event in result.all_events if event.is_step_failure]
        failures.extend(data.user_failure_data and data.user_failure_data.description for data in failed)
        # A run that failed doesn't give its observations back.
        new = dg.AssetRecordsFilter(SQL_DUMP, after_storage_id=known[0].storage_id if known else None)
        records = steps.instance.fetch_observations(new, limit=100, ascending=True).records
        seen = [record.asset_observation for record in records]
        return result.success, {
            str(event.partition): str(event.metadata["dialect"].value) for event in seen if event and event.partition
        }

    keys = [f"{CUSTOMER}|{day}" for day in DAYS]
    succeeded, first = observed()
    assert succeeded
    assert list(first) == keys
    assert observed() == (True, {})
    steps.change(DAYS[1], lambda text: text + "\n")
    assert list(observed()[1]) == keys[1:]
    other = steps.data / "customer_1" / f"{DAYS[0]}.sql"
    other.parent.mkdir()
    other.write_text("Dear all,\nthe dump comes tomorrow.\n" * 20)
    os.utime(steps.dump(DAYS[0]))
    succeeded, again = observed()
    assert not succeeded
    (told,) = failures  # in the words of the alert, which leaves out what isn't recograph's own
    assert (told or "").startswith(f"1 of the dumps can't be read; the first: {other}: this isn't a SQL dump.")
    assert list(again) == keys[:1]
    assert steps.instance.get_latest_materialization_event(SQL_DUMP)


def test_nobody_is_erased_while_marts_or_lists_are_made(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what was read before would be written after it."""
    from recograph.defs.analytics import recommendations
    from recograph.defs.partitions import SETTINGS
    from recograph.defs.resources import resources

    locked: list[bool] = []

    def look(*_: object, **__: object) -> None:
        with (SETTINGS.home / "locks" / CUSTOMER).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked.append(True)
        raise RecographError("That was all.")

    monkeypatch.setattr("recograph.defs.marts.build", look)
    steps("marts", fails=True)
    assert locked == [True]
    monkeypatch.setattr("recograph.analytics.recommendations.recommend_all", look)
    dg.materialize(
        [recommendations],
        instance=steps.instance,
        resources=resources(SETTINGS),
        partition_key=f"{CUSTOMER}|{DAYS[0]}",
        raise_on_error=False,
    )
    assert locked == [True, True]


def test_a_run_over_several_days_is_refused(steps: Steps) -> None:
    from recograph.defs.partitions import SNAPSHOTS, snapshot_of

    @dg.asset(partitions_def=SNAPSHOTS, backfill_policy=dg.BackfillPolicy.single_run())
    def told(context: dg.AssetExecutionContext) -> None:
        context.add_output_metadata({"snapshot": str(snapshot_of(context))})

    first, last = (f"{CUSTOMER}|{day}" for day in DAYS)
    one = dg.materialize([told], instance=steps.instance, partition_key=first)
    assert one.asset_materializations_for_node("told")[0].metadata["snapshot"].value == f"{CUSTOMER} {DAYS[0]}"
    several = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    refused = dg.materialize([told], instance=steps.instance, tags=several, raise_on_error=False)
    assert not refused.success
