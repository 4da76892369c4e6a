"""`recograph customer`: answer requests to erase a customer, or one person."""

from typing import TYPE_CHECKING, Annotated

import typer

from recograph.customers import check_customer_id, load_customers
from recograph.settings import Settings

if TYPE_CHECKING:
    from recograph.lake.interfaces import Lake

app = typer.Typer(help="Erase a customer, or one person.", no_args_is_help=True)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


@app.command()
def remove(
    customer: Annotated[str, typer.Argument(help="Id of the customer, in customers.yaml or no longer there.")],
    yes: Yes = False,
) -> None:
    """Erase a customer from the graph and the lake: nodes, relationships, landed tables and marts of every date."""
    from recograph.adapters.neo4j.driver import open_driver
    from recograph.graph import erase
    from recograph.operating import erasure

    settings, lake = _confirmed(customer, f"Erase all that the graph and the lake hold of {customer}?", yes)
    with open_driver(settings) as driver:
        erased = erase.erase_customer(driver, customer)
    files = erasure.erase_customer(lake, customer)
    typer.echo(f"Graph: {erased.nodes:,} nodes and {erased.relationships:,} relationships of {customer} erased.")
    typer.echo(f"Lake: {files:,} files erased.")
    if customer in load_customers(settings.data).customers:
        typer.echo(
            f"{settings.data / 'customers.yaml'} still lists {customer}: remove the entry, or it is loaded again."
        )
    if dumps := [dump.uri for dump in lake.dumps(customer).values()]:
        typer.echo(f"The dumps themselves are left to you, as are backups: {', '.join(dumps)}.")
    if settings.on_aws:
        typer.echo("Apply Terraform when the entry is gone: it removes the customer's Glue database and crawler.")


@app.command("erase-user")
def erase_user(
    customer: Annotated[str, typer.Argument(help="Id of the customer.")],
    user: Annotated[int, typer.Argument(help="Id of the user within the customer.")],
    yes: Yes = False,
) -> None:
    """Erase one person from the graph and from every date in the lake, and keep them out of what is landed later."""
    from recograph.adapters.neo4j.driver import open_driver
    from recograph.graph import erase
    from recograph.lake.erased import list_key
    from recograph.operating import erasure

    settings, lake = _confirmed(
        customer, f"Erase user {user} of {customer} from the graph and every date in the lake?", yes
    )
    listed = load_customers(settings.data)[customer]
    rows = erasure.erase_user(lake, listed, user)
    with open_driver(settings) as driver:
        erased = erase.erase_user(driver, customer, user)
    typer.echo(f"Lake: {rows:,} rows about user {user} of {customer} erased.")
    typer.echo(f"Graph: {erased.nodes:,} nodes and {erased.relationships:,} relationships erased.")
    typer.echo(f"The id is on a list, {lake.uri(list_key(customer))}: dumps that have it won't bring it back.")
    if dumps := erasure.dumps_about(lake, listed, user):
        typer.echo(f"These dumps still have the person, and are left to you, as are backups: {', '.join(dumps)}.")


def _confirmed(customer: str, question: str, yes: bool) -> "tuple[Settings, Lake]":
    """The installation and its lake, once the customer's id is one and the person means it."""
    from recograph.adapters.environment import open_lake

    settings = Settings.from_env()
    check_customer_id(customer)
    lake = open_lake(settings)
    if not yes:
        typer.confirm(question, abort=True)
    return settings, lake
