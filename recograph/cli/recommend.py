"""`recograph recommend`: what a user should take and watch next, and why."""

from typing import Annotated

import typer

from recograph.cli.query import Output, Timeout, show
from recograph.cli.rows import Format
from recograph.settings import Settings


def recommend(
    customer: Annotated[str, typer.Option("--customer", "-c", help="Id of the customer.")],
    user: Annotated[int, typer.Option("--user", "-u", help="Id of the user.")],
    k: Annotated[int, typer.Option(help="How many courses, and how many assets.", min=1, max=1000)] = 10,
    output: Output = Format.table,
    timeout: Timeout = 30,
) -> None:
    """Recommend courses and assets that the user hasn't had, each with the reason."""
    from recograph.graph.recommend import recommend as recommended
    from recograph.graph.server import connect, find_server

    with connect(find_server(Settings.from_env())) as driver:
        answer = recommended(driver, customer, user, k, timeout=timeout)
    show(answer, output, "There is nothing that the user hasn't had.")
