"""What keeps lake and history from growing for ever: a job that deletes what is old, and its weekly schedule."""

import datetime

import dagster as dg
from pydantic import Field

from recograph.defs.failures import clear_failures
from recograph.defs.history import clean_history
from recograph.defs.partitions import SETTINGS, TIMEZONE
from recograph.defs.resources import Neo4jResource
from recograph.lake.interfaces import Catalog, Lake
from recograph.lake.receipts import drop_other_receipts
from recograph.operating.retention import delete, described, expired, first_kept, remaining


class CleanConfig(dg.Config):
    """Run config of the cleaning job."""

    keep_days: int | None = Field(
        default=SETTINGS.keep_days, description="How many days of landed tables and marts to keep; none: all."
    )
    dry_run: bool = Field(default=False, description="Whether to say what would go, and delete nothing.")


@dg.op
def delete_old_partitions(
    context: dg.OpExecutionContext,
    config: CleanConfig,
    lake: dg.ResourceParam[Lake],
    catalog: dg.ResourceParam[Catalog],
    neo4j: Neo4jResource,
) -> None:
    """Delete landed tables, marts and runs of old dates, except what the graph holds and each table's newest day."""
    from recograph.graph.counts import held_dates  # noqa: PLC0415 - loads neo4j, which only runs need

    if config.keep_days is None:
        context.log.info("RECOGRAPH_KEEP_DAYS isn't set, and keep_days isn't in the run config: everything is kept.")
        return
    if config.keep_days < 1:
        raise dg.Failure(description=f"keep_days is {config.keep_days}, but must be 1 or more.", allow_retries=False)
    with clear_failures():
        with neo4j.driver() as driver:
            held = held_dates(driver)
        now = datetime.datetime.now(TIMEZONE)
        partitions = expired(lake, config.keep_days, now.date(), held)
        for line in described(partitions):
            context.log.info(f"{line} {'would go' if config.dry_run else 'go'}")
        kept = remaining(lake, set(partitions))
        files = 0 if config.dry_run else delete(lake, partitions)
        first = first_kept(config.keep_days, now.date())
        forgotten = 0 if config.dry_run else catalog.drop_days_without_files(first)
        if not config.dry_run:
            drop_other_receipts(SETTINGS.home, kept)
    before = now - datetime.timedelta(days=config.keep_days)
    runs = clean_history(before, kept, dry_run=config.dry_run, instance=context.instance)
    context.add_output_metadata(
        {
            "partitions": len(partitions),
            "files_deleted": files,
            "partitions_forgotten_by_catalog": forgotten,
            "runs": runs,
            "dry_run": config.dry_run,
        }
    )


@dg.job(description="Deletes landed tables, marts and runs older than RECOGRAPH_KEEP_DAYS; dumps and graph stay.")
def clean_lake() -> None:
    """Delete old partitions."""
    delete_old_partitions()


weekly_clean = dg.ScheduleDefinition(
    name="weekly_clean",
    job=clean_lake,
    cron_schedule="0 12 * * 0",
    execution_timezone=SETTINGS.timezone,
    description="Deletes old landed tables and marts on Sundays, where RECOGRAPH_KEEP_DAYS says how old.",
)
