"""What Dagster is told of checks, on assets made up for it."""

from typing import Any

import dagster as dg
import pytest

from recograph_tests.environment import set_up

DAYS = dg.StaticPartitionsDefinition(["a|2026-11-01"])
MADE, LATER = dg.AssetKey("made"), dg.AssetKey("later")
CHECKS = {"stops": True, "tells": False}


@pytest.fixture
def step() -> dg.AssetsDefinition:
    """Makes the asset where it was asked for, and looks at it."""
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch)
        from recograph.defs.checks import check_result, evaluated
        from recograph.defs.partitions import Snapshot

    checks = [
        dg.AssetCheckSpec(name, asset=MADE, blocking=blocking, partitions_def=DAYS) for name, blocking in CHECKS.items()
    ]

    @dg.multi_asset(
        specs=[dg.AssetSpec(MADE, partitions_def=DAYS)], check_specs=checks, can_subset=True, partitions_def=DAYS
    )
    def step(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
        made: list[Any] = [dg.MaterializeResult(MADE)] if context.selected_asset_keys else []
        snapshot = Snapshot("a", "2026-11-01")
        looked = [check_result(snapshot, key, passed=True) for key in sorted(context.selected_asset_check_keys)]
        yield from evaluated(context, iter([*made, *looked]))

    return step


@dg.asset(deps=[MADE], key=LATER, partitions_def=DAYS)
def later() -> None:
    """Waits for what stops."""


def test_a_check_is_told_once_about_the_days_materialization_and_what_waits_for_it_goes_on(
    step: dg.AssetsDefinition,
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.define_asset_job("all", selection="*")
        defs = dg.Definitions([step, later], jobs=[job])
        run = defs.resolve_job_def("all").execute_in_process(partition_key="a|2026-11-01", instance=instance)
        record = instance.fetch_materializations(MADE, limit=1).records[0]
        assert instance.fetch_materializations(LATER, limit=1).records
        evaluations = {evaluation.check_name: evaluation for evaluation in run.get_asset_check_evaluations()}
        assert {name: evaluation.blocking for name, evaluation in evaluations.items()} == CHECKS
        for evaluation in evaluations.values():
            assert evaluation.partition == "a|2026-11-01"
            assert evaluation.target_materialization_data
            assert evaluation.target_materialization_data.storage_id == record.storage_id
        outputs = {
            event.step_output_data.step_output_handle.output_name
            for event in run.all_events
            if event.event_type is dg.DagsterEventType.STEP_OUTPUT and event.step_key == "step"
        }
        assert outputs == {"made", "made_stops"}
