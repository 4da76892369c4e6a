"""What `recograph run` shows of a run's events, as plain facts."""

from typing import Any

import dagster as dg

SHOWN = {
    dg.DagsterEventType.STEP_START,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
"""The types of events that have facts: a third of a run's."""


def facts_of(entry: dg.EventLogEntry) -> list[dict[str, Any]]:
    """The facts of one event; none where it isn't shown."""
    event = entry.dagster_event
    if event is None:
        return []
    if event.is_step_start:
        return [{"kind": "step", "name": event.step_key}]
    if event.is_step_materialization:
        materialization = event.step_materialization_data.materialization
        metadata = {name: value.value for name, value in materialization.metadata.items()}
        changes = {name: metadata[name] for name in ("added", "changed", "removed") if name in metadata}
        return [{"kind": "materialized", "asset": materialization.asset_key.to_user_string(), "changes": changes}]
    if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        name = f"{check.asset_key.to_user_string()}: {check.check_name}"
        warning = check.severity == dg.AssetCheckSeverity.WARN
        facts = {"name": name, "passed": check.passed, "warning": warning, "description": check.description}
        return [{"kind": "check", **facts}]
    if event.is_step_failure:
        data = event.step_failure_data
        message = data.user_failure_data.description if data.user_failure_data else None
        return [
            {
                "kind": "failed",
                "step": event.step_key,
                "message": message or (data.error and data.error.message.strip()),
            }
        ]
    if event.event_type is dg.DagsterEventType.RUN_FAILURE:
        # A step that failed has told of itself; of a run whose process is gone there are no data.
        has_told = getattr(event.event_specific_data, "first_step_failure_event", None) is not None
        return [] if has_told else [{"kind": "failed", "step": "run", "message": event.message}]
    return []
