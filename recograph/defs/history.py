"""Dagster's history of an installation: old runs go, with their events and logs; what is known of the dumps stays."""

import datetime
from collections.abc import Collection
from pathlib import Path

import dagster as dg

from recograph.defs.dagster_private import delete_backfills, forget_runs, observed_versions
from recograph.defs.dumps import SQL_DUMP

_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def clean_history(
    before: datetime.datetime, kept: Collection[str], *, dry_run: bool, instance: dg.DagsterInstance | None = None
) -> int:
    """Delete the runs that began before a time and have ended; returns how many were deleted.

    Backfills of which no run is left go with them.

    Args:
        before: the time, with its zone.
        kept: partitions, ``customer|date``, whose runs are kept whatever their age, since the lake has them.
        dry_run: whether to delete nothing.
        instance: whose runs; default: that of DAGSTER_HOME.
    """
    if instance is None:
        with dg.DagsterInstance.get() as instance:
            return clean_history(before, kept, dry_run=dry_run, instance=instance)
    old = [
        record.dagster_run.run_id
        for record in instance.get_run_records(dg.RunsFilter(statuses=_FINISHED, created_before=before))
        if record.dagster_run.tags.get("dagster/partition") not in kept
    ]
    if not dry_run:
        if old:
            _delete(instance, old)
        delete_backfills(instance, before)
    return len(old)


def _delete(instance: dg.DagsterInstance, run_ids: Collection[str]) -> None:
    seen = observed_versions(instance, SQL_DUMP)
    for run_id in run_ids:
        instance.delete_run(run_id)
        # Dagster empties the run's own SQLite file, and leaves it and what the run printed.
        for file in Path(instance.root_directory, "history", "runs").glob(f"{run_id}.db*"):
            file.unlink()
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    forget_runs(instance, run_ids)
    # Else the sensor would take dumps for new whose observation was deleted with its run.
    known = observed_versions(instance, SQL_DUMP)
    for partition, version in seen.items():
        if known.get(partition) != version:
            tags = {"dagster/data_version": version}
            for event in (dg.AssetObservation, dg.AssetMaterialization):
                instance.report_runless_asset_event(event(SQL_DUMP, partition=partition, tags=tags))
