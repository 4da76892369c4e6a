"""Sensors that alert people: to a run that failed, a check that failed, a customer whose graph is late."""

import logging
from collections.abc import Mapping, Sequence

import dagster as dg

from recograph.defs.dagster_private import LOCATION
from recograph.operating.alerts import Alert, one_line, send, targets
from recograph.settings import Settings


def snapshot_of_run(tags: Mapping[str, str]) -> str:
    """The customer and date that a run's tags name; empty where they name none."""
    return tags.get("dagster/partition", "").replace("|", " ")


@dg.run_failure_sensor(
    description="Tells of every run that failed: in the log, and by webhook or e-mail where the environment names one.",
    # Of all code locations, since runs that are started without a UI belong to none.
    monitor_all_code_locations=True,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
    """Say which steps and checks failed, and why."""
    causes = [*map(_cause, context.get_step_failure_events()), *_failed_checks(context)]
    _tell(context, "failed", causes or [one_line(context.failure_event.message or "It gave no reason.")])


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    description="Tells of checks that failed in a run that succeeded, such as a graph that isn't fresh when it is due.",
    monitor_all_code_locations=True,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def alert_on_failed_check(context: dg.RunStatusSensorContext) -> None:
    """Say which checks failed, and why."""
    if failed := _failed_checks(context):
        _tell(context, "a check failed", failed)


def _cause(event: dg.DagsterEvent) -> str:
    """Why a step failed: our own errors in their words, others by their name, since those may hold anything."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return one_line(f"{event.step_key}: {data.user_failure_data.description}")
    error = data.error
    while error and error.cause:
        error = error.cause
    return f"{event.step_key}: {error.cls_name if error else 'it gave no reason'}; its log says more."


def _failed_checks(context: dg.RunStatusSensorContext) -> list[str]:
    """The run's checks that failed; warnings are for whoever looks."""
    records = context.instance.get_records_for_run(
        context.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    events = [record.event_log_entry.dagster_event for record in records]
    checks = [event.asset_check_evaluation_data for event in events if event]
    return [
        one_line(f"{check.asset_key.to_user_string()}, {check.check_name}: {check.description or 'failed'}")
        for check in checks
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    ]


def is_ours(run: dg.DagsterRun, repository: dg.RepositoryDefinition | None) -> bool:
    """Whether a run is of recograph: of its code location where the run knows one, and of its jobs and assets."""
    origin = run.remote_job_origin
    if origin and origin.repository_origin.code_location_origin.location_name != LOCATION:
        return False
    if repository is None:
        return origin is not None
    checks = run.asset_check_selection or ()
    keys = {*(run.asset_selection or ()), *(check.asset_key for check in checks)}
    return repository.has_job(run.job_name) and keys <= set(repository.asset_graph.get_all_asset_keys())


def _tell(context: dg.RunStatusSensorContext, outcome: str, causes: Sequence[str]) -> None:
    run = context.dagster_run
    if not is_ours(run, context.repository_def):
        return
    snapshot = snapshot_of_run(run.tags)
    job = "Materializing assets" if run.job_name.startswith("__") else run.job_name
    title = f"{job}{f' for {snapshot}' if snapshot else ''}: {outcome}"
    tell(title, causes, f"/runs/{run.run_id}", context.log)


def tell(title: str, causes: Sequence[str], page: str, log: logging.Logger) -> None:
    """Alert people: in the log, and by webhook or e-mail if the environment names one.

    Args:
        title: one line: what, and whose.
        causes: what went wrong.
        page: of the UI, where more is to be seen.
        log: of the sensor or schedule that has seen it.
    """
    settings = Settings.from_env()
    alert = Alert(title, causes, f"{settings.dagster_url}{page}")
    log.error(alert.text)
    for problem in send(alert, targets(settings)):
        log.error(problem)
