"""Old runs go, with all that Dagster keeps of them; the dumps that they landed stay known."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from recograph.defs.dagster_private import observed_versions

DAYS = ("2026-01-01", "2026-01-02")
KEYS = [f"customer_1|{day}" for day in DAYS]
DUMP = dg.AssetKey(["dumps", "sql_dump"])
PARTITIONS = dg.StaticPartitionsDefinition(KEYS)


@dg.asset(partitions_def=PARTITIONS, check_specs=[dg.AssetCheckSpec("good", asset="landed", partitions_def=PARTITIONS)])
def landed(context: dg.AssetExecutionContext) -> Iterator[dg.Output[None] | dg.AssetCheckResult]:
    context.log_event(
        dg.AssetObservation(DUMP, partition=context.partition_key, tags={"dagster/data_version": context.run_id})
    )
    yield dg.Output(None)
    yield dg.AssetCheckResult(check_name="good", passed=True)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def test_old_runs_go_unless_the_lake_has_their_partition_and_dumps_stay_known(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    from recograph.defs.history import clean_history

    runs = [dg.materialize([landed], instance=instance, partition_key=key).run_id for key in KEYS]
    seen = observed_versions(instance, DUMP)
    assert seen == dict(zip(KEYS, runs, strict=True))
    now = datetime.datetime.now(datetime.UTC)
    assert clean_history(now - datetime.timedelta(days=30), [], dry_run=False, instance=instance) == 0
    assert clean_history(now, KEYS[1:], dry_run=True, instance=instance) == 1
    assert len(instance.get_runs()) == 2
    assert clean_history(now, KEYS[1:], dry_run=False, instance=instance) == 1
    assert [run.run_id for run in instance.get_runs()] == runs[1:]
    assert not [path for path in tmp_path.rglob("*") if runs[0] in str(path)]
    assert observed_versions(instance, DUMP) == seen


def test_a_partition_whose_run_is_gone_is_missing_and_has_no_results_of_checks(instance: dg.DagsterInstance) -> None:
    from recograph.defs.history import clean_history

    def materialized() -> set[str]:
        """As the UI asks, which notes the answer."""
        state = get_and_update_asset_status_cache_value(instance, landed.key, PARTITIONS)
        assert state
        return set(state.deserialize_materialized_partition_subsets(PARTITIONS).get_partition_keys())

    def checked() -> int:
        check = dg.AssetCheckKey(landed.key, "good")
        return len(instance.event_log_storage.get_asset_check_execution_history(check, limit=10))

    for key in KEYS:
        dg.materialize([landed], instance=instance, partition_key=key)
    assert materialized() == set(KEYS)
    assert checked() == 2
    clean_history(datetime.datetime.now(datetime.UTC), KEYS[1:], dry_run=False, instance=instance)
    assert materialized() == set(KEYS[1:])
    assert checked() == 1


def test_old_backfills_go_when_none_of_their_runs_is_left(instance: dg.DagsterInstance) -> None:
    from recograph.defs.history import clean_history

    now = datetime.datetime.now(datetime.UTC)
    for id_, status in (("gone", "COMPLETED_SUCCESS"), ("kept", "COMPLETED_FAILED"), ("going_on", "REQUESTED")):
        tags, old = {"title": id_}, now.timestamp() - 3600
        instance.add_backfill(PartitionBackfill(id_, BulkActionStatus(status), False, tags, old))
    for id_, key in zip(("gone", "kept"), KEYS, strict=True):
        dg.materialize([landed], instance=instance, partition_key=key, tags={"dagster/backfill": id_})
    later = now + datetime.timedelta(minutes=1)
    for before, dry_run in ((now - datetime.timedelta(days=1), False), (later, True)):
        clean_history(before, KEYS[1:], dry_run=dry_run, instance=instance)
        assert len(instance.get_backfills()) == 3
    clean_history(later, KEYS[1:], dry_run=False, instance=instance)
    assert {backfill.backfill_id for backfill in instance.get_backfills()} == {"kept", "going_on"}
