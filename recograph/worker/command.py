"""The runs of one `recograph run`: queued, taken from the queue, and told of."""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any

import dagster as dg

from recograph.adapters.environment import open_catalog, open_lake
from recograph.adapters.neo4j.driver import open_driver
from recograph.definitions import defs
from recograph.defs.automation import dump_to_graph, parts_of
from recograph.defs.dagster_private import queue_run, take_from_queue
from recograph.defs.landing import LandingConfig
from recograph.defs.partitions import CUSTOMERS, SETTINGS, SNAPSHOTS, Snapshot
from recograph.defs.platforms import step_name
from recograph.defs.run_events import SHOWN, facts_of
from recograph.defs.unchanged import unchanged_steps
from recograph.errors import RecographError
from recograph.graph.counts import count_graph
from recograph.lake.receipts import Receipt
from recograph.platforms import platform_of
from recograph.worker.pool import Pool
from recograph.worker.preload import preload_dbt
from recograph.worker.protocol import tell


class Command:
    """The runs of one `recograph run`: queued, taken from the queue with all others, and told of."""

    def __init__(self, instance: dg.DagsterInstance, pool: Pool, request: dict[str, Any]) -> None:
        """Nothing is queued yet."""
        self._instance = instance
        self._pool = pool
        self._run_config = request["run_config"]
        self._force = request["force"]
        partitions: dict[str, list[str]] = request["partitions"]
        in_order = sorted((date, customer) for customer, dates in partitions.items() for date in dates)
        self._runs = {str(uuid.uuid4()): (customer, date) for date, customer in in_order}
        self._cursors: dict[str, str | None] = dict.fromkeys(self._runs)

    def queue(self) -> Iterator[None]:
        """Queue a run for each partition, in date order, of the steps that have something to do."""
        landed_anew: set[str] = set()
        for run_id, (customer, date) in self._runs.items():
            # A day is compared with the one before, so whatever follows a day that is landed anew is built.
            ask = not self._force and customer not in landed_anew
            unchanged = _unchanged(customer, date, self._run_config) if ask else {}
            if "landing" not in unchanged:
                landed_anew.add(customer)
            if "marts" not in unchanged:
                preload_dbt()
            _queue(self._instance, run_id, customer, date, self._run_config, unchanged)
            _tell_unchanged(customer, date, unchanged)
            yield

    def step(self) -> bool:
        """Start what may start, and tell what has happened; says whether all is finished."""
        for run_id in take_from_queue(self._instance):
            self._pool.start(run_id)
        self._pool.reap()
        unfinished = list(self._cursors)
        runs = self._instance.get_runs(dg.RunsFilter(run_ids=unfinished)) if unfinished else []
        for run in runs:
            if run.status != dg.DagsterRunStatus.QUEUED:
                self._tell_of(run)
            if run.is_finished:
                del self._cursors[run.run_id]
        return not self._cursors

    def cancel(self) -> None:
        """Take what is queued out of the queue."""
        for run_id in self._cursors:
            run = self._instance.get_run_by_id(run_id)
            if run and run.status in (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED):
                self._instance.report_run_canceled(run)

    def tell_of_graph(self) -> None:
        """Tell what the graph holds at the end."""
        try:
            with open_driver(SETTINGS) as driver:
                counts = count_graph(driver)
        except RecographError as error:
            tell("graph", trouble=str(error))
        else:
            tell("graph", **asdict(counts))

    def _tell_of(self, run: dg.DagsterRun) -> None:
        customer, date = self._runs[run.run_id]
        told = self._instance.get_records_for_run(run.run_id, self._cursors[run.run_id], SHOWN)
        self._cursors[run.run_id] = told.cursor
        for record in told.records:
            for facts in facts_of(record.event_log_entry):
                tell(**facts, customer=customer, date=date)
        if run.is_finished:
            tell("ended", customer=customer, date=date, succeeded=run.status == dg.DagsterRunStatus.SUCCESS)


def _unchanged(customer: str, date: str, run_config: dict[str, Any]) -> dict[str, Receipt]:
    """The steps that have nothing to do; none where that can't be found out, which the run will tell."""
    given = run_config.get("ops", {}).get("landing", {}).get("config", {})
    config = LandingConfig(**given).model_dump()
    try:
        return unchanged_steps(Snapshot(customer, date), open_lake(SETTINGS), open_catalog(SETTINGS), config)
    except RecographError:
        return {}


def _queue(
    instance: dg.DagsterInstance,
    run_id: str,
    customer: str,
    date: str,
    run_config: dict[str, Any],
    unchanged: Collection[str],
) -> None:
    if configs := run_config.get("ops"):
        landing = step_name("landing", platform_of(CUSTOMERS[customer]))
        configs = {name: config for name, config in configs.items() if name not in unchanged}
        run_config = {"ops": {landing if name == "landing" else name: config for name, config in configs.items()}}
    tags = dict(SNAPSHOTS.get_tags_for_partition_key(Snapshot(customer, date).key))
    if unchanged:
        tags["recograph/unchanged"] = ", ".join(unchanged)
    job = defs.resolve_job_def(dump_to_graph.name)
    queue_run(instance, run_id, job, run_config, tags, parts_of(customer, unchanged))


def _tell_unchanged(customer: str, date: str, unchanged: dict[str, Receipt]) -> None:
    """Tell of the steps that are left out, and again what their checks said when they were done."""
    for step, receipt in unchanged.items():
        tell("unchanged", name=step, customer=customer, date=date)
        for check in receipt.checks:
            facts = {"name": check.name, "passed": check.passed, "warning": True, "description": check.text}
            tell("check", **facts, customer=customer, date=date)
