"""The results of asset checks: each result is about one partition, and its message says which."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from recograph.defs.dagster_private import MaterializationTarget
from recograph.defs.dagster_sqlite import written
from recograph.defs.partitions import Snapshot

Event = dg.MaterializeResult[Any] | dg.AssetCheckResult
"""What a step says of its assets and checks."""
Told = Event | dg.AssetCheckEvaluation
"""What Dagster is told of them."""


def check_result(
    snapshot: Snapshot,
    key: dg.AssetCheckKey,
    passed: bool,
    text: str = "",
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    metadata: Mapping[str, Any] | None = None,
) -> dg.AssetCheckResult:
    """A check's result, whose message begins with customer and day."""
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=passed,
        severity=severity,
        description=f"{snapshot}: {text or ('holds.' if passed else 'does not hold.')}",
        metadata=metadata,
    )


def evaluated(context: dg.AssetExecutionContext, events: Iterator[Event]) -> Iterator[Told]:
    """Pass on what a step says, with the results of checks as the evaluations that Dagster would make of them.

    Of a result Dagster also makes an output, for steps that wait for the check, and asks for the materialization that
    the check is about: with 128 checks a sixth of all that a partition takes. Steps wait for blocking checks only,
    whose results stay results; and the materialization is asked for once per asset.
    """
    targets: dict[dg.AssetKey, MaterializationTarget | None] = {}
    for event in events:
        asset = event.asset_key
        assert asset
        if isinstance(event, dg.MaterializeResult):
            targets.pop(asset, None)
            yield event
            continue
        assert event.check_name
        spec = context.assets_def.get_spec_for_check_key(dg.AssetCheckKey(asset, event.check_name))
        if spec.blocking:
            yield event
            continue
        if asset not in targets:
            targets[asset] = _target(context, asset)
        yield dg.AssetCheckEvaluation(
            asset,
            spec.name,
            passed=event.passed,
            metadata=event.metadata,
            target_materialization_data=targets[asset],
            severity=event.severity,
            description=event.description,
            blocking=False,
            partition=context.partition_key,
        )


def _target(context: dg.AssetExecutionContext, asset: dg.AssetKey) -> MaterializationTarget | None:
    """The latest materialization of the partition of an asset."""
    if target := written(asset, context.partition_key):
        return target
    of_partition = dg.AssetRecordsFilter(asset, asset_partitions=[context.partition_key])
    for record in context.instance.fetch_materializations(of_partition, limit=1).records:
        return MaterializationTarget(run_id=record.run_id, storage_id=record.storage_id, timestamp=record.timestamp)
    return None
