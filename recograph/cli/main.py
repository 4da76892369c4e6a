"""Puts the commands together and turns errors that the user can mend into one clear line."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

import recograph
from recograph.cli import aws, customer, dev, dump, neo4j, query, recommend, run, sample_data
from recograph.errors import RecographError

app = typer.Typer(
    name="recograph",
    help="One Neo4j graph from many customers' daily SQL dumps.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("dev")(dev.dev)
app.command("query")(query.query)
app.command("search")(query.search)
app.command("recommend")(recommend.recommend)
app.command("view")(recommend.view)
app.command("sample-data")(sample_data.sample_data)
app.add_typer(aws.app, name="aws")
app.add_typer(customer.app, name="customer")
app.add_typer(dump.app, name="dump")
app.add_typer(neo4j.app, name="neo4j")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(recograph.__version__)


def main() -> None:
    """Entry point of the `recograph` command."""
    try:
        app()
    except RecographError as error:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
        sys.exit(1)
