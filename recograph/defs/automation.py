"""What runs by itself: the job over the flow, its daily schedule, the sensor for new dumps, the freshness check."""

import datetime
import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import dagster as dg

from recograph.defs import catalog, landing
from recograph.defs.alerts import tell
from recograph.defs.dagster_private import observed_versions
from recograph.defs.dumps import SQL_DUMP, seen_events
from recograph.defs.failures import clear_failures
from recograph.defs.graph import graph, graph_key
from recograph.defs.marts import marts
from recograph.defs.partitions import CUSTOMERS, SETTINGS, TIMEZONE, Snapshot, partition_dates
from recograph.defs.platforms import USED
from recograph.defs.resources import Neo4jResource
from recograph.defs.similarity import similarity
from recograph.defs.unchanged import STEPS
from recograph.errors import RecographError, UnavailableError
from recograph.graph.model import NODE_SETS
from recograph.lake.inbox import is_possible, told_of_misdated
from recograph.lake.interfaces import DumpFile, Inbox
from recograph.operating.alerts import one_line
from recograph.pictures import BAD, GOOD, NOTHING, grid, image
from recograph.platforms import platform_of

DEADLINE = "07:00"
_DAYS_SHOWN = 14

dump_to_graph = dg.define_asset_job(
    "dump_to_graph",
    selection=dg.AssetSelection.groups("landing", "catalog", "marts", "graph"),
    description="A customer's day from its SQL dump to the graph, with all asset checks.",
)


def parts_of(customer: str, unchanged: Collection[str] = ()) -> dict[str, Any]:
    """What a run for a customer has of the job, as a request names it: nothing that is other platforms' own.

    It is empty where that is all.

    Args:
        customer: id of the customer.
        unchanged: the steps to leave out, by their names in `unchanged.STEPS`.
    """
    if len(USED) == 1 and not unchanged:
        return {}
    platform = platform_of(CUSTOMERS[customer])
    made = (landing.landing_of(platform), catalog.catalog_of(platform), marts, similarity)
    steps = [step for name, step in zip(STEPS, made, strict=True) if name not in unchanged] + [graph]
    return {
        "asset_selection": [key for step in steps for key in step.keys],
        "asset_check_keys": [key for step in steps for key in step.check_keys],
    }


def request(dump: DumpFile, run_key: str) -> dg.RunRequest:
    """A run for a dump."""
    return dg.RunRequest(
        run_key,
        partition_key=Snapshot(dump.customer, dump.date).key,
        **parts_of(dump.customer),
    )


@dg.schedule(
    job=dump_to_graph,
    cron_schedule=SETTINGS.schedule_cron,
    execution_timezone=SETTINGS.timezone,
    description="Every customer's newest snapshot, so that the graph is fresh before the working day.",
)
def daily(
    context: dg.ScheduleEvaluationContext, inbox: dg.ResourceParam[Inbox]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for each customer's newest dump; a customer without one is left to the sensor."""
    today = context.scheduled_execution_time.astimezone(TIMEZONE).date()
    days = [today.isoformat(), (today - datetime.timedelta(days=1)).isoformat()]
    missing, asked = [], 0
    for customer in CUSTOMERS.customers:
        try:
            dumps = inbox.dumps(customer)
        except UnavailableError as error:
            _tell_that_store_is_away(error, context.log)
            yield dg.SkipReason(one_line(str(error)))
            return
        except RecographError as error:
            _tell_of_passed_over(customer, error, context.log)
            continue
        newest = next((dumps[day] for day in days if day in dumps), None)
        if newest and not _is_coming(newest):
            yield request(newest, f"{customer}|{newest.date}|{today}")
            asked += 1
        else:
            missing.append(customer)
    text = f"No dump of {days[1]} or {days[0]} from {', '.join(missing)}; when it comes, new_dumps starts a run."
    if missing:
        context.log.warning(text)
    if not asked:
        yield dg.SkipReason(text if missing else "No customer's dumps can be listed.")


def _tell_of_passed_over(customer: str, error: RecographError, log: logging.Logger) -> None:
    """Tell people of a customer whose dumps can't be listed, which keeps nobody else from their runs."""
    tell(f"{customer} is passed over: its dumps can't be listed", [one_line(str(error))], "/automation", log)


def _tell_that_store_is_away(error: UnavailableError, log: logging.Logger) -> None:
    """Tell people that nobody's dumps can be listed at the moment: once, for each customer would be told the same."""
    tell("Nobody's dumps can be listed", [one_line(str(error))], "/automation", log)


_STORE = ""
"""Stands in the sensor's cursor for the store of all dumps, where customers stand by their ids."""
_STILL = datetime.timedelta(minutes=1)
"""How long nothing must have been added to a folder before it is taken for whole."""
_RUNS_PER_TICK = 50
"""More than are executed between two ticks, and few enough to be asked for in seconds."""


@dg.sensor(
    job=dump_to_graph,
    minimum_interval_seconds=60,
    description="Asks for a run when a dump appears, for whichever day, or was replaced by another.",
)
def new_dumps(context: dg.SensorEvaluationContext, inbox: dg.ResourceParam[Inbox]) -> dg.SensorResult:
    """Compare the dumps with what was last seen of each, oldest days first.

    What was seen is what Dagster observed of `dumps/sql_dump`, here or when it was landed. The cursor has one short
    text per customer: of the list of dumps of which all were asked for, or of why there is none. A folder that may
    still be copied is left to a later tick.
    """
    finished: dict[str, str] = json.loads(context.cursor or "{}")
    lists: dict[str, str] = {}
    new: dict[str, list[DumpFile]] = {}
    seen: dict[str, str] | None = None
    known = frozenset(partition_dates())
    today = datetime.datetime.now(TIMEZONE).date()
    outside: list[str] = []
    for customer in CUSTOMERS.customers:
        try:
            shipped = inbox.dumps(customer).values()
        except UnavailableError as error:
            if finished.get(_STORE) != (trouble := _short([str(error)])):
                _tell_that_store_is_away(error, context.log)
            cursor = json.dumps(finished | {_STORE: trouble})
            return dg.SensorResult(skip_reason=one_line(str(error)), cursor=cursor)
        except RecographError as error:
            if finished.get(customer) != (trouble := _short([str(error)])):
                _tell_of_passed_over(customer, error, context.log)
                finished[customer] = trouble  # told again only after another trouble, or none
            continue
        dumps = [dump for dump in shipped if dump.date in known]
        outside += [dump.uri for dump in shipped if dump.date not in known and is_possible(dump.date, today)]
        lists[customer] = _short([f"{dump.date} {dump.version}" for dump in dumps])
        if finished.get(customer) != lists[customer]:
            seen = observed_versions(context.instance, SQL_DUMP) if seen is None else seen
            versions = seen
            new[customer] = [dump for dump in dumps if versions.get(f"{customer}|{dump.date}") != dump.version]
    finished.pop(_STORE, None)
    waiting = [dump for dumps in zip_longest(*new.values()) for dump in dumps if dump and not _is_coming(dump)]
    asked = waiting[:_RUNS_PER_TICK]
    for customer, dumps in new.items():
        if all(dump in asked for dump in dumps):
            finished[customer] = lists[customer]
    # A tick that is tried again gives its runs the same keys; a dump that was put back gets another.
    tick = context.last_tick_completion_time or 0
    return dg.SensorResult(
        run_requests=[request(dump, f"{dump.customer}|{dump.date}|{dump.version}|{tick:.0f}") for dump in asked],
        skip_reason=None if asked else " ".join(["No dump is new.", *_told(outside)]),
        cursor=json.dumps(finished),
        asset_events=[event for dump in asked for event in seen_events(dump)],
    )


def _told(outside: Sequence[str]) -> list[str]:
    """What to do about dumps of days that were no partitions when this was loaded: before the first, or tomorrow."""
    if not outside:
        return []
    return [
        f"{len(outside)} are of days that are no partitions yet, such as {outside[0]}: reload the definitions, where "
        "customers.yaml has no later start_date."
    ]


def _is_coming(dump: DumpFile) -> bool:
    """Whether a folder may still be copied. Where a clock was wrong, its last change may be in the future."""
    return dump.changed is not None and abs(datetime.datetime.now(datetime.UTC) - dump.changed) < _STILL


def _short(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


@dg.asset_check(
    # Of the dumps, which no run makes: with an asset of the graph each run of a backfill would check all customers.
    asset=SQL_DUMP,
    name="fresh_by_deadline",
    description=f"By {DEADLINE} every customer's graph holds yesterday's or today's snapshot.",
)
def fresh_by_deadline(
    context: dg.AssetCheckExecutionContext, inbox: dg.ResourceParam[Inbox], neo4j: Neo4jResource
) -> dg.AssetCheckResult:
    """Compare each customer's loaded snapshot with the calendar."""
    from recograph.graph.counts import complete_date  # noqa: PLC0415 - loads neo4j, which only runs need

    now = datetime.datetime.now(TIMEZONE)
    today, yesterday = now.date(), (now.date() - datetime.timedelta(days=1)).isoformat()
    with clear_failures(), neo4j.driver() as driver:
        held = {customer: complete_date(driver, customer) for customer in CUSTOMERS.customers}
    late = {customer: date for customer, date in held.items() if date is None or date < yesterday}
    due = now.strftime("%H:%M") >= DEADLINE
    texts = []
    if late:
        listed = ", ".join(f"{customer} ({date or 'nothing loaded'})" for customer, date in late.items())
        texts.append(f"Behind {yesterday}: {listed}. Look at the dumps and at the last runs.")
    shipped, troubles = _shipped(inbox)
    texts += troubles
    for customer, dates in shipped.items():
        if misdated := told_of_misdated(customer, dates, today):
            texts.append(misdated)
    return dg.AssetCheckResult(
        passed=not (late and due),
        description=" ".join(texts) or None,
        metadata={
            "freshness": _freshness_picture(shipped, _loaded(context.instance), today),
            **{customer: date or "nothing loaded" for customer, date in held.items()},
        },
    )


def _shipped(inbox: Inbox) -> tuple[dict[str, list[str]], list[str]]:
    """The days of which each customer has shipped a dump, and why those of others can't be listed."""
    shipped: dict[str, list[str]] = {}
    troubles: list[str] = []
    for customer in CUSTOMERS.customers:
        try:
            shipped[customer] = list(inbox.dumps(customer))
        except UnavailableError as error:  # each customer would be waited for, and told, the same
            return {one: [] for one in CUSTOMERS.customers} | shipped, [*troubles, one_line(str(error))]
        except RecographError as error:
            shipped[customer] = []
            troubles.append(one_line(str(error)))
    return shipped, troubles


def _loaded(instance: dg.DagsterInstance) -> set[str]:
    """The partitions of which a run has come to its end."""
    return instance.get_materialized_partitions(graph_key(NODE_SETS[0]))


def _freshness_picture(
    shipped: Mapping[str, Sequence[str]], loaded: Collection[str], today: datetime.date
) -> dg.MetadataValue:
    """What became of each customer's last days, as a grid."""
    days = [(today - datetime.timedelta(days=back)).isoformat() for back in range(_DAYS_SHOWN - 1, -1, -1)]
    rows = {
        customer: [GOOD if Snapshot(customer, day).key in loaded else BAD if day in dates else NOTHING for day in days]
        for customer, dates in shipped.items()
    }
    picture = image(grid(rows, [day[5:] for day in days]), "what became of each customer's last days")
    return dg.MetadataValue.md(f"Green: loaded. Red: shipped, and not loaded. Grey: no dump.\n\n{picture}")


freshness = dg.ScheduleDefinition(
    name="freshness",
    job=dg.define_asset_job(
        "freshness_check",
        selection=dg.AssetSelection.checks(fresh_by_deadline),
        description="Whether every customer's graph is fresh.",
    ),
    cron_schedule="0 7 * * *",
    execution_timezone=SETTINGS.timezone,
    description=f"Checks at {DEADLINE} that every customer's graph is fresh.",
)
