"""`recograph customer`: answer requests to erase a customer, or one person."""

from typing import TYPE_CHECKING, Annotated

import typer

from recograph.customers import check_customer_id, load_customers
from recograph.lake.layout import erased_list
from recograph.lake.receipts import drop_receipts
from recograph.operating.instance import prepare_instance
from recograph.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from recograph.graph.erase import Erased
    from recograph.lake.interfaces import Inbox, Lake
    from recograph.operating.erasure import Erasure

app = typer.Typer(help="Erase a customer, or one person.", no_args_is_help=True)

_REMAINING = 3
"""Exit code: erased, but there are copies that recograph leaves to people."""
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


@app.command()
def remove(
    customer: Annotated[str, typer.Argument(help="Id of the customer, which customers.yaml needn't have any more.")],
    yes: Yes = False,
) -> None:
    """Erase a customer from the graph and the lake: nodes, relationships, landed tables and marts of every date."""
    from recograph.adapters.environment import open_catalog
    from recograph.defs.running import alone_with
    from recograph.graph import erase
    from recograph.operating.erasure import erase_customer

    settings, inbox, lake = _confirmed(customer, f"Erase all that the graph and the lake hold of {customer}?", yes)
    prepare_instance(settings)
    # A run that is under way would bring back what was erased before its end.
    with alone_with(customer, _say_that_it_waits):
        erasure = erase_customer(
            inbox, lake, customer, lambda: _in_graph(settings, erase.erase_customer, customer), _backups(settings)
        )
        drop_receipts(settings.home, customer)
    typer.echo(f"Graph: {erasure.nodes:,} nodes and {erasure.relationships:,} relationships of {customer} erased.")
    typer.echo(f"Lake: {erasure.rows:,} files erased.")
    with erasure.tried():
        if customer in load_customers(settings.data).customers:
            typer.echo(
                f"{settings.data / 'customers.yaml'} still lists {customer}: remove the entry, or it is loaded again."
            )
    if advice := open_catalog(settings).removal_advice:
        typer.echo(advice)
    _report(settings, lake, erasure, customer)


@app.command("erase-user")
def erase_user(
    customer: Annotated[str, typer.Argument(help="Id of the customer.")],
    user: Annotated[int, typer.Argument(help="Id of the user within the customer.")],
    yes: Yes = False,
) -> None:
    """Erase one person from the graph and from every date in the lake, and keep them out of what is landed later."""
    from recograph.graph import erase
    from recograph.lake.erased import check_user
    from recograph.operating.erasure import erase_user

    check_user(user)
    settings, inbox, lake = _confirmed(
        customer, f"Erase user {user} of {customer} from the graph and every date in the lake?", yes
    )
    erasure = erase_user(
        inbox,
        lake,
        load_customers(settings.data)[customer],
        user,
        lambda: _in_graph(settings, erase.erase_user, customer, user),
        _backups(settings),
    )
    typer.echo(f"Lake: {erasure.rows:,} rows about user {user} of {customer} erased.")
    typer.echo(f"Graph: {erasure.nodes:,} nodes and {erasure.relationships:,} relationships erased.")
    typer.echo(f"The id is on a list, {lake.uri(erased_list(customer))}: dumps that have it won't bring it back.")
    _report(settings, lake, erasure, f"user {user} of {customer}")


def _say_that_it_waits() -> None:
    typer.echo("A run of the customer is under way; this waits for its end.", err=True)


def _in_graph(settings: Settings, erase: "Callable[..., Erased]", *of: object) -> "Erased":
    from recograph.adapters.neo4j.driver import open_driver

    with open_driver(settings) as driver:
        return erase(driver, *of)


def _backups(settings: Settings) -> "list[Path]":
    from recograph.adapters.neo4j.backup import backups

    return backups(settings.home / "neo4j")


def _report(settings: Settings, lake: "Lake", erasure: "Erasure", whom: str) -> None:
    """Say what is left to people, and end the command accordingly.

    Raises:
        typer.Exit: 1 where something couldn't be erased, 3 where copies remain that recograph leaves to people.
    """
    if not settings.has_own_neo4j:
        typer.echo(
            f"Neo4j's transaction logs ({settings.home / 'neo4j' / 'data' / 'transactions'}) keep what was deleted "
            "until they are rotated."
        )
    if lake.deletion_advice:
        typer.echo(lake.deletion_advice)
    if erasure.remaining:
        typer.echo(f"These still have {whom}, and are left to you:")
        for place in erasure.remaining:
            typer.echo(f"  {place}")
        typer.echo("Copies made by others, such as backups of disks, are not known here.")
    for problem in erasure.problems:
        typer.echo(f"Not erased, or not known: {problem}", err=True)
    if erasure.problems:
        raise typer.Exit(1)
    if erasure.remaining:
        raise typer.Exit(_REMAINING)


def _confirmed(customer: str, question: str, yes: bool) -> "tuple[Settings, Inbox, Lake]":
    """The installation and its lake, once the id can be a customer's and the person has said yes."""
    from recograph.adapters.environment import open_inbox, open_lake

    settings = Settings.from_env()
    check_customer_id(customer)
    inbox, lake = open_inbox(settings), open_lake(settings)
    if not yes:
        typer.confirm(question, abort=True)
    return settings, inbox, lake
