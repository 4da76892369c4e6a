"""`recograph aws`: the steps of `make deploy` that follow Terraform, each repeatable and alone."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from recograph.customers import check_customer_id
from recograph.errors import RecographError
from recograph.settings import Settings

if TYPE_CHECKING:
    from recograph.operating.deployment import Deployment

app = typer.Typer(help="Fill and look at a deployment on AWS.", no_args_is_help=True)

Customers = Annotated[list[str] | None, typer.Option("--customer", "-c", help="Only this customer; repeatable.")]
Dates = Annotated[list[str] | None, typer.Option("--date", "-d", help="Only this snapshot date; repeatable.")]


@app.command()
def upload(customer: Customers = None) -> None:
    """Send the dumps of the data folder to the lake; those that are there already aren't sent again.

    A dump that can't be sent is told at the end, and keeps no other from it.
    """
    from recograph.operating.deployment import BadDump

    sent = kept = 0
    failed = []
    for dump in _deployment(customer).upload():
        if isinstance(dump, BadDump):
            failed.append(dump.reason)
            continue
        name, uri, new = dump
        typer.echo(f"{name}: {uri} {'uploaded' if new else 'is there already'}")
        sent, kept = sent + new, kept + (not new)
    typer.echo(f"{sent} dumps uploaded, {kept} were there.")
    _tell(failed, "uploaded")


@app.command()
def land(customer: Customers = None, date: Dates = None) -> None:
    """Land the lake's dumps as typed Parquet, whole days or nothing; what is landed already isn't landed again.

    A dump that can't be landed is told at the end, and keeps no other from it. With --date a day is landed again.
    """
    from recograph.operating.deployment import BadDump

    tables = rows = 0
    failed = []
    for landing in _deployment(customer).land(date or ()):
        if isinstance(landing, BadDump):
            failed.append(landing.reason)
            continue
        landed = landing.tables.values()
        typer.echo(f"{landing.dump.customer} {landing.dump.date}: {sum(table.rows for table in landed):,} rows landed")
        tables, rows = tables + len(landed), rows + sum(table.rows for table in landed)
    typer.echo(f"{tables} tables with {rows:,} rows landed.")
    _tell(failed, "landed")


@app.command()
def crawl(customer: Customers = None) -> None:
    """Make what was landed queryable: run the crawlers that have something to discover, and register the rest."""
    deployment = _deployment(customer)
    for name, crawl in deployment.crawl():
        state = "crawled and registered" if crawl.crawled else "nothing new"
        typer.echo(f"{name}: {crawl.tables} tables in the catalog, {state}")
        if crawl.trouble:
            typer.echo(f"{name}: {crawl.trouble} All is registered nevertheless.", err=True)
    if misplaced := deployment.misplaced():
        raise RecographError(" ".join(misplaced))


@app.command()
def tables(customer: Customers = None) -> None:
    """Print the tables that can be queried in Athena."""
    deployment = _deployment(customer)
    queryable = deployment.tables()
    if not queryable:
        raise RecographError("The catalog has no table yet: run `recograph aws land` and `recograph aws crawl`.")
    shown = Table("table", "columns", "partitions", "location", title="In Athena", title_justify="left")
    for table in queryable:
        shown.add_row(f"{table.database}.{table.name}", str(table.columns), str(table.partitions), table.location)
    # As wide as it gets: a name that is cut can't be copied into a query.
    Console(width=200).print(shown)
    typer.echo(f"Query them in the workgroup {deployment.settings.athena_workgroup}.")


@app.command()
def purge(
    customer: Annotated[list[str], typer.Option("--customer", "-c", help="Whose old versions to delete; repeatable.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete the old versions that the bucket keeps of a customer's files, as after an erasure."""
    from recograph.adapters.aws.versions import purge as purge_versions

    deployment = _deployment(None)
    for name in customer:
        check_customer_id(name)
        if not yes:
            typer.confirm(f"Delete all old versions of the dumps, landed tables and marts of {name}?", abort=True)
        typer.echo(f"{name}: {purge_versions(deployment.settings, name):,} old versions deleted.")


@app.command()
def check_empty() -> None:
    """Fail where the bucket has something in it, so that `make destroy` doesn't begin."""
    deployment = _deployment(None)
    if files := deployment.files():
        count = f"{files:,}" if files < 1000 else "a thousand or more"
        raise RecographError(
            f"{deployment.settings.lake} holds {count} objects (old versions count). Nothing was destroyed. "
            "To delete them too: make destroy FORCE=1."
        )


def _tell(failed: list[str], what: str) -> None:
    if failed:
        raise RecographError(f"{len(failed)} of the dumps couldn't be {what}. " + " ".join(failed))


def _deployment(customers: list[str] | None) -> "Deployment":
    from recograph.operating.deployment import Deployment  # loads boto3, which takes a second

    return Deployment.open(Settings.from_env(), customers or ())
