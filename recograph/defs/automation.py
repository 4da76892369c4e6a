"""What runs by itself: the job over the flow, its daily schedule, the sensor for new dumps, the freshness check."""

import datetime
import json
import zoneinfo
from collections.abc import Iterator

import dagster as dg

from recograph.defs.graph import graph_key
from recograph.defs.landing import landing_key
from recograph.defs.partitions import CUSTOMERS, SETTINGS, SNAPSHOTS, Snapshot
from recograph.graph.model import NODE_SETS
from recograph.resources.lake import DumpFile, Lake
from recograph.resources.neo4j import Neo4jResource

FRESHNESS = dg.AssetSelection.checks(dg.AssetCheckKey(graph_key(NODE_SETS[0]), "fresh_by_deadline"))
TIMEZONE = zoneinfo.ZoneInfo(SETTINGS.timezone)
DEADLINE = "07:00"

dump_to_graph = dg.define_asset_job(
    "dump_to_graph",
    selection=dg.AssetSelection.groups("landing", "catalog", "marts", "graph") - FRESHNESS,
    description="A customer's day from its SQL dump to the graph, with all asset checks.",
    partitions_def=SNAPSHOTS,
)


def request(dump: DumpFile) -> dg.RunRequest:
    """A run for a dump; a dump that was replaced asks for another run."""
    return dg.RunRequest(
        run_key=f"{dump.customer}|{dump.date}|{dump.version}",
        partition_key=Snapshot(dump.customer, dump.date).key,
        tags={"recograph/customer": dump.customer},
    )


def newest_dumps(lake: Lake, today: datetime.date) -> tuple[list[DumpFile], list[str]]:
    """Today's or else yesterday's dump of each customer, and the customers that have neither."""
    days = [today.isoformat(), (today - datetime.timedelta(days=1)).isoformat()]
    found, missing = [], []
    for customer in CUSTOMERS.customers:
        dumps = lake.dumps(customer)
        dump = next((dumps[day] for day in days if day in dumps), None)
        if dump:
            found.append(dump)
        else:
            missing.append(customer)
    return found, missing


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
    found, missing = newest_dumps(lake, today)
    if missing:
        text = (
            f"No dump of today or yesterday from {', '.join(missing)}; the sensor new_dumps starts a run when it comes."
        )
        context.log.warning(text)
        if not found:
            yield dg.SkipReason(text)
    for dump in found:
        yield request(dump)


@dg.sensor(
    job=dump_to_graph,
    minimum_interval_seconds=60,
    description="Asks for a run when a dump appears, for whichever day, or was replaced by another.",
)
def new_dumps(context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]) -> dg.SensorResult | dg.SkipReason:
    """Compare the dumps with those that were landed; the cursor remembers what was asked for."""
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    requests = []
    for customer in CUSTOMERS.customers:
        for dump in lake.dumps(customer).values():
            key = Snapshot(customer, dump.date).key
            if asked.get(key) == dump.version or not SNAPSHOTS.has_partition_key(key):
                continue
            asked[key] = dump.version
            if _landed_version(context.instance, key) != dump.version:
                requests.append(request(dump))
    if not requests:
        return dg.SkipReason("No dump is new.")
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(asked))


def _landed_version(instance: dg.DagsterInstance, key: dg.MultiPartitionKey) -> str | None:
    """The version of the dump that the partition was last landed from."""
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(landing_key("core_user"), asset_partitions=[key]), limit=1
    ).records
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
    from recograph.graph.counts import loaded_date

    now = datetime.datetime.now(TIMEZONE)
    yesterday = (now.date() - datetime.timedelta(days=1)).isoformat()
    with neo4j.driver() as driver:
        held = {customer: loaded_date(driver, customer) for customer in CUSTOMERS.customers}
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
