"""What runs by itself: the job over the flow, its daily schedule, the sensor for new dumps, the freshness check."""

import datetime
import hashlib
import json
import logging
from collections.abc import Iterator, Sequence

import dagster as dg

from recograph.defs.catalog import catalog_table
from recograph.defs.dumps import observation
from recograph.defs.errors import clear_failures
from recograph.defs.graph import graph_key
from recograph.defs.landing import landed_table
from recograph.defs.marts import marts
from recograph.defs.partitions import CUSTOMERS, SETTINGS, SNAPSHOTS, TIMEZONE, Snapshot, consecutive, range_tags
from recograph.defs.platforms import USED
from recograph.defs.resources import Neo4jResource
from recograph.errors import RecographError
from recograph.graph.model import NODE_SETS, SETS
from recograph.lake.interfaces import DumpFile, Lake
from recograph.platforms import platform_of

FRESHNESS = dg.AssetSelection.checks(dg.AssetCheckKey(graph_key(NODE_SETS[0]), "fresh_by_deadline"))
DEADLINE = "07:00"

dump_to_graph = dg.define_asset_job(
    "dump_to_graph",
    selection=dg.AssetSelection.groups("landing", "catalog", "marts", "graph") - FRESHNESS,
    description="A customer's day from its SQL dump to the graph, with all asset checks.",
)


def assets_of(customer: str) -> list[dg.AssetKey] | None:
    """The assets of a run for a customer, without other platforms' own; None, for all, where there are none."""
    if len(USED) == 1:
        return None
    tables = platform_of(CUSTOMERS[customer]).contracts
    own = [key(platform_of(CUSTOMERS[customer]), table) for table in tables for key in (landed_table, catalog_table)]
    return [*own, *marts.keys, *(graph_key(set_) for set_ in SETS.values())]


def request(dumps: Sequence[DumpFile]) -> dg.RunRequest:
    """One run for a customer's dumps of consecutive days; a dump that was replaced asks for another run."""
    first, last = dumps[0], dumps[-1]
    tags = {"recograph/customer": first.customer}
    if first is last:
        run_key = f"{first.customer}|{first.date}|{first.version}"
        key = Snapshot(first.customer, first.date).key
        return dg.RunRequest(run_key, partition_key=key, tags=tags, asset_selection=assets_of(first.customer))
    versions = hashlib.sha256("|".join(dump.version for dump in dumps).encode()).hexdigest()[:16]
    return dg.RunRequest(
        f"{first.customer}|{first.date}..{last.date}|{versions}",
        tags=tags | range_tags(first.customer, first.date, last.date),
        asset_selection=assets_of(first.customer),
    )


def dumps_of(lake: Lake, customer: str, log: logging.Logger) -> dict[str, DumpFile]:
    """The customer's dumps by date; a customer whose dumps can't be listed doesn't keep others from their runs."""
    try:
        return lake.dumps(customer)
    except RecographError as error:
        log.warning(f"{customer} is passed over: {error}")
        return {}


@dg.schedule(
    job=dump_to_graph,
    cron_schedule=SETTINGS.schedule_cron,
    execution_timezone=SETTINGS.timezone,
    description="Every customer's newest snapshot, so that the graph is fresh before the working day.",
)
def daily(
    context: dg.ScheduleEvaluationContext, lake: dg.ResourceParam[Lake]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for each customer's newest dump; a customer without one is left to the sensor."""
    today = context.scheduled_execution_time.astimezone(TIMEZONE).date()
    days = [today.isoformat(), (today - datetime.timedelta(days=1)).isoformat()]
    missing = []
    for customer in CUSTOMERS.customers:
        dumps = dumps_of(lake, customer, context.log)
        if newest := next((dumps[day] for day in days if day in dumps), None):
            yield request([newest])
        else:
            missing.append(customer)
    if missing:
        text = f"No dump of {days[1]} or {days[0]} from {', '.join(missing)}; when it comes, new_dumps starts a run."
        context.log.warning(text)
        if len(missing) == len(CUSTOMERS.customers):
            yield dg.SkipReason(text)


@dg.sensor(
    job=dump_to_graph,
    minimum_interval_seconds=60,
    description="Asks for a run when a dump appears, for whichever day, or was replaced by another.",
)
def new_dumps(context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]) -> dg.SensorResult | dg.SkipReason:
    """Compare the dumps with those that were landed; the cursor remembers what was asked for.

    A replaced dump is observed too, so that the UI shows what was made of the earlier one as outdated.
    """
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    new: dict[str, DumpFile] = {}
    for customer in CUSTOMERS.customers:
        for dump in dumps_of(lake, customer, context.log).values():
            key = Snapshot(customer, dump.date).key
            if asked.get(key) == dump.version or not SNAPSHOTS.has_partition_key(key):
                continue
            asked[key] = dump.version
            if _landed_version(context.instance, key) != dump.version:
                new[key] = dump
    if not new:
        return dg.SkipReason("No dump is new.")
    requests = []
    for customer in dict.fromkeys(dump.customer for dump in new.values()):
        by_date = {dump.date: dump for dump in new.values() if dump.customer == customer}
        requests += [request([by_date[date] for date in days]) for days in consecutive(list(by_date))]
    return dg.SensorResult(
        run_requests=requests, cursor=json.dumps(asked), asset_events=[observation(dump) for dump in new.values()]
    )


def _landed_version(instance: dg.DagsterInstance, key: dg.MultiPartitionKey) -> str | None:
    """The version of the dump that the partition was last landed from."""
    platform = platform_of(CUSTOMERS[key.keys_by_dimension["customer"]])
    table = landed_table(platform, next(iter(platform.contracts)))
    records = instance.fetch_materializations(dg.AssetRecordsFilter(table, asset_partitions=[key]), limit=1).records
    materialization = records[0].asset_materialization if records else None
    version = materialization.metadata.get("dump_version") if materialization else None
    return str(version.value) if version else None


@dg.asset_check(
    asset=graph_key(NODE_SETS[0]),
    name="fresh_by_deadline",
    description=f"By {DEADLINE} every customer's graph holds yesterday's or today's snapshot.",
)
def fresh_by_deadline(neo4j: Neo4jResource) -> dg.AssetCheckResult:
    """Compare each customer's loaded snapshot with the calendar."""
    from recograph.graph.counts import complete_date

    now = datetime.datetime.now(TIMEZONE)
    yesterday = (now.date() - datetime.timedelta(days=1)).isoformat()
    with clear_failures(), neo4j.driver() as driver:
        held = {customer: complete_date(driver, customer) for customer in CUSTOMERS.customers}
    late = {customer: date for customer, date in held.items() if date is None or date < yesterday}
    due = now.strftime("%H:%M") >= DEADLINE
    listed = ", ".join(f"{customer} ({date or 'nothing loaded'})" for customer, date in late.items())
    return dg.AssetCheckResult(
        passed=not (late and due),
        description=f"Behind {yesterday}: {listed}. Look at the dumps and at the last runs." if late else None,
        metadata={customer: date or "nothing loaded" for customer, date in held.items()},
    )


freshness = dg.ScheduleDefinition(
    name="freshness",
    job=dg.define_asset_job("freshness_check", selection=dg.AssetSelection.checks(fresh_by_deadline)),
    cron_schedule="0 7 * * *",
    execution_timezone=SETTINGS.timezone,
    description=f"Checks at {DEADLINE} that every customer's graph is fresh.",
)
