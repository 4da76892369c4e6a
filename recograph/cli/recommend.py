"""`recograph recommend` and `recograph view`: what a user should take and watch next, and what is around a user."""

from pathlib import Path
from typing import Annotated

import typer

from recograph.cli.driver import import_driver
from recograph.cli.query import Timeout, show
from recograph.cli.rows import Format, Out, Output, check_form, write_whole
from recograph.settings import Settings

CustomerId = Annotated[str, typer.Option("--customer", "-c", help="Id of the customer.")]
UserId = Annotated[int, typer.Option("--user", "-u", help="Id of the user.")]


def recommend(
    customer: CustomerId,
    user: UserId,
    k: Annotated[int, typer.Option(help="How many courses, and how many assets.", min=1, max=1000)] = 10,
    output: Output = Format.table,
    out: Out = None,
    timeout: Timeout = 30,
) -> None:
    """Recommend courses and assets that the user hasn't had, each with the reason."""
    import_driver()
    from recograph.adapters.neo4j.driver import open_driver
    from recograph.graph.recommend import recommend as recommended

    check_form(output, out)
    with open_driver(Settings.from_env()) as driver:
        answer = recommended(driver, customer, user, k, timeout=timeout)
    show(answer, output, out, "There is nothing that the user hasn't had.")


def view(
    customer: CustomerId,
    user: UserId,
    out: Annotated[Path, typer.Option(help="The HTML file to write; one that is there is replaced.")] = Path(
        "user.html"
    ),
    limit: Annotated[int, typer.Option(help="Neighbours of each kind, the latest first.", min=1, max=500)] = 20,
    timeout: Timeout = 30,
) -> None:
    """Write an interactive picture of what is around a user; it opens in any browser, without a network."""
    import_driver()
    from recograph.adapters.neo4j.driver import open_driver
    from recograph.serve.view import view as drawn

    with open_driver(Settings.from_env()) as driver:
        page = drawn(driver, customer, user, limit, timeout=timeout)
    write_whole(out, page.encode())
    typer.echo(f"The picture is in {out} ({len(page.encode()) / 1e3:.0f} KB); open it in a browser.")
