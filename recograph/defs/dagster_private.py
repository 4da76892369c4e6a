"""The few things of Dagster that have no public name, each with the reason.

Beside `dagster_sqlite` no other module imports Dagster's inside.

The base classes of run launchers, from which `launcher` builds ours, have no public name either, nor has what an
evaluation of a check says of a materialization; they are passed on.
"""

import datetime
import sys
from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as MaterializationTarget,
)
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import create_execution_plan, execute_run_iterator
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.snap import snapshot_from_execution_plan
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from recograph.defs.running import claim

__all__ = [
    "LOCATION",
    "CheckRunHealthResult",
    "ConfigurableClass",
    "ConfigurableClassData",
    "LaunchRunContext",
    "MaterializationTarget",
    "RunLauncher",
    "WorkerStatus",
    "delete_backfills",
    "execute",
    "forget_runs",
    "observed_versions",
    "queue_run",
    "take_from_queue",
]

_MODULE = "recograph.definitions"
LOCATION = "recograph"
"""The name of the code location, in workspace.yaml."""


def observed_versions(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str, str]:
    """The data version that was last observed of each partition of an asset.

    The public way reads one whole event per partition: minutes for 100,000 of them, where this takes a second.
    """
    tags = instance.event_log_storage.get_latest_tags_by_partition(
        asset, dg.DagsterEventType.ASSET_OBSERVATION, [DATA_VERSION_TAG]
    )
    return {partition: tag[DATA_VERSION_TAG] for partition, tag in tags.items() if DATA_VERSION_TAG in tag}


def queue_run(
    instance: dg.DagsterInstance,
    run_id: str,
    job: dg.JobDefinition,
    run_config: Mapping[str, Any],
    tags: Mapping[str, str],
    parts: Mapping[str, Any],
) -> None:
    """Put a run of this code location's job into the queue, as the UI does.

    The UI's public way, GraphQL, needs a webserver and a code server, which take 8 s to start. The origin is what lets
    the UI show the run on the job's page and execute it again.
    """
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=_MODULE)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, LOCATION)
    repository = RemoteRepositoryOrigin(location, "__repository__")
    code = ReconstructableRepository.for_module(_MODULE, "defs").get_reconstructable_job(job.name)
    assets, checks = parts.get("asset_selection"), parts.get("asset_check_keys")
    subset = job.get_subset(
        asset_selection=set(assets) if assets else None, asset_check_selection=set(checks) if checks else None
    )
    plan = create_execution_plan(subset, run_config=run_config, instance_ref=instance.get_ref(), tags=tags)
    run = instance.create_run(
        job_name=job.name,
        run_id=run_id,
        run_config=run_config,
        status=None,
        tags=tags,
        root_run_id=None,
        parent_run_id=None,
        step_keys_to_execute=plan.step_keys_to_execute,
        execution_plan_snapshot=snapshot_from_execution_plan(plan, subset.get_job_snapshot_id()),
        job_snapshot=subset.get_job_snapshot(),
        parent_job_snapshot=subset.get_parent_job_snapshot(),
        asset_selection=frozenset(assets) if assets else None,
        asset_check_selection=frozenset(checks) if checks else None,
        resolved_op_selection=None,
        op_selection=None,
        remote_job_origin=repository.get_job_origin(job.name),
        job_code_origin=code.get_python_origin(),
        asset_graph=subset.asset_layer.asset_graph,
    )
    instance.report_dagster_event(dg.DagsterEvent.job_enqueue(run), run_id=run_id)


def take_from_queue(instance: dg.DagsterInstance) -> list[str]:
    """The ids of the runs whose turn it is by dagster.yaml's limits, marked as starting.

    This is what Dagster's daemon does every few seconds; a daemon of our own would take 6 s to start.
    """
    from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

    queue = QueuedRunCoordinatorDaemon(interval_seconds=1)
    taken = []
    for queued in queue._get_runs_to_dequeue(instance, instance.get_concurrency_config(), None):
        run = instance.get_run_by_id(queued.run_id)
        origin = run.remote_job_origin if run else None
        if run and run.status == dg.DagsterRunStatus.QUEUED and origin and origin.location_name == LOCATION:
            claim(run.run_id)
            starting = dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, run.job_name)
            instance.report_dagster_event(starting, run_id=run.run_id)
            taken.append(run.run_id)
    return taken


def forget_runs(instance: dg.DagsterInstance, run_ids: Collection[str]) -> None:
    """Delete what Dagster keeps of runs after it has deleted them: results of checks, and partitions' states.

    Of each partition it notes once that it was materialized, and looks at later runs only.
    """
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Results

    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        for run_id in run_ids:
            connection.execute(sqlalchemy.delete(Results).where(Results.c.run_id == run_id))
    instance.wipe_asset_cached_status(instance.all_asset_keys())


def delete_backfills(instance: dg.DagsterInstance, before: datetime.datetime) -> None:
    """Delete the backfills that began before a time, have ended, and of which no run is left.

    Dagster never deletes one, and a row of theirs holds the state of every asset and partition.
    """
    from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionsFilter
    from dagster._core.storage.runs.schema import BackfillTagsTable, BulkActionsTable

    ended = BulkActionsFilter(statuses=BULK_ACTION_TERMINAL_STATUSES, created_before=before)
    ids = [backfill.backfill_id for backfill in instance.get_backfills(ended)]
    gone = [id_ for id_ in ids if not instance.get_runs_count(dg.RunsFilter.for_backfill(id_))]
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        for column in (BackfillTagsTable.c.backfill_id, BulkActionsTable.c.key):
            for id_ in gone:
                connection.execute(sqlalchemy.delete(column.table).where(column == id_))


def execute(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Execute a run that was created, here, as `dagster api execute_run` does in a process of its own."""
    job = ReconstructableRepository.for_module(_MODULE, "defs").get_reconstructable_job(run.job_name)
    for _ in execute_run_iterator(job, run, instance):
        pass  # the event is in the event log already
