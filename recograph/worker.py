"""Materializes some days of one customer in a process of its own: ``python -m recograph.worker CUSTOMER DATE...``.

The command line starts one worker a customer, so that customers don't wait for each other. A worker runs the same job
in the same Dagster instance as the UI does, and reports what happens as lines of JSON on standard output.
"""

import json
import sys
from typing import Any

import dagster as dg
from dagster._core.utils import make_new_run_id

from recograph.errors import RecographError


def materialize(customer: str, date: str, run_config: dict[str, Any]) -> bool:
    """Run the job for a day of a customer; returns whether it succeeded."""
    from recograph.definitions import defs
    from recograph.defs.automation import dump_to_graph, parts_of  # the code location is loaded here
    from recograph.defs.partitions import CUSTOMERS, Snapshot
    from recograph.defs.platforms import step_name
    from recograph.platforms import platform_of

    if configs := run_config.get("ops"):
        landing = step_name("landing", platform_of(CUSTOMERS[customer]))
        run_config = {"ops": {landing if name == "landing" else name: config for name, config in configs.items()}}
    instance = dg.DagsterInstance.get()
    run_id = make_new_run_id()
    instance.add_event_listener(run_id, _report)
    parts = parts_of(customer)
    job = defs.resolve_job_def(dump_to_graph.name).get_subset(
        asset_selection=set(parts["asset_selection"]) if parts else None,
        asset_check_selection=set(parts["asset_check_keys"]) if parts else None,
    )
    result = job.execute_in_process(
        instance=instance,
        run_id=run_id,
        run_config=run_config,
        partition_key=Snapshot(customer, date).key,
        raise_on_error=False,
    )
    return result.success


def _report(entry: dg.EventLogEntry) -> None:
    event = entry.dagster_event
    if event is None:
        return
    if event.is_step_start:
        _tell("step", name=event.step_key)
    elif event.is_step_materialization:
        materialization = event.step_materialization_data.materialization
        metadata = {name: value.value for name, value in materialization.metadata.items()}
        changes = {name: metadata[name] for name in ("added", "changed", "removed") if name in metadata}
        _tell("materialized", asset=materialization.asset_key.to_user_string(), changes=changes)
    elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        name = f"{check.asset_key.to_user_string()}: {check.check_name}"
        warning = check.severity == dg.AssetCheckSeverity.WARN
        _tell("check", name=name, passed=check.passed, warning=warning, description=check.description)
    elif event.is_step_failure:
        data = event.step_failure_data
        message = data.user_failure_data.description if data.user_failure_data else None
        _tell("failed", step=event.step_key, message=message or (data.error.message.strip() if data.error else ""))


def _tell(kind: str, **facts: Any) -> None:
    print(json.dumps({"kind": kind, **facts}, default=str), flush=True)  # noqa: T201 - this is the worker's protocol


def main() -> int:
    """Read customer and dates from the arguments and the run config as JSON from standard input."""
    customer, *dates = sys.argv[1:]
    run_config = json.loads(sys.stdin.read() or "{}")
    try:
        succeeded = [materialize(customer, date, run_config) for date in sorted(dates)]
        return 0 if all(succeeded) else 1
    except RecographError as error:
        _tell("failed", step="definitions", message=str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
