"""`recograph clean`: old landed tables, marts and runs go, so that nothing grows for ever."""

import datetime
import zoneinfo
from typing import Annotated

import typer

from recograph.customers import check_customer_id, load_customers
from recograph.errors import RecographError
from recograph.operating.instance import prepare_instance
from recograph.settings import Settings


def clean(
    keep_days: Annotated[
        int | None, typer.Option(min=1, help="Days to keep; default: RECOGRAPH_KEEP_DAYS.", show_default=False)
    ] = None,
    customer: Annotated[
        list[str] | None, typer.Option("--customer", "-c", help="Only this customer; repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")] = False,
) -> None:
    """Delete old landed tables, marts and runs; dumps, what the graph holds, and the newest day of each table stay."""
    from recograph.adapters.environment import open_catalog, open_lake
    from recograph.adapters.neo4j.driver import open_driver
    from recograph.graph.counts import held_dates
    from recograph.lake.layout import customer_folder
    from recograph.lake.receipts import drop_other_receipts
    from recograph.operating import retention

    settings = Settings.from_env()
    days = keep_days or settings.keep_days
    if days is None:
        raise RecographError(
            "Say how many days to keep: --keep-days 90, or set RECOGRAPH_KEEP_DAYS. Nothing was deleted."
        )
    lake = open_lake(settings)
    with open_driver(settings) as driver:
        held = held_dates(driver)
    now = datetime.datetime.now(zoneinfo.ZoneInfo(settings.timezone))
    for name in customer or ():
        check_customer_id(name)
        if name not in held and not lake.parquet(customer_folder(name)):
            load_customers(settings.data)[name]  # refuses one who isn't listed either
    partitions = retention.expired(lake, days, now.date(), held, customer)
    for line in retention.described(partitions):
        typer.echo(f"{line} {'would go' if dry_run else 'go'}")
    leftovers = retention.leftovers(settings.home, lake.folder)
    if leftovers:
        typer.echo(f"{len(leftovers)} leftovers of killed processes {'would go' if dry_run else 'go'}")
    runs, kept = 0, retention.remaining(lake, set(partitions))
    if customer is None:
        from recograph.defs.history import clean_history  # loads Dagster

        prepare_instance(settings)
        before = now - datetime.timedelta(days=days)
        runs = clean_history(before, kept, dry_run=dry_run)
    if dry_run:
        typer.echo(f"{len(partitions)} partitions and {runs} runs are older than {days} days; nothing was deleted.")
    else:
        retention.remove_leftovers(leftovers)
        files = retention.delete(lake, partitions)
        drop_other_receipts(settings.home, kept)
        typer.echo(f"{len(partitions)} partitions and {runs} runs older than {days} days deleted, {files} files.")
        # Also those whose files a bucket's rules have deleted.
        first = retention.first_kept(days, now.date())
        if dropped := open_catalog(settings).drop_days_without_files(first, customer):
            typer.echo(f"{dropped} partitions without files taken out of the catalog.")
