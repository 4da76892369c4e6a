"""`recograph serve`: the graph for people, in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from recograph.errors import RecographError
from recograph.settings import Settings

app = typer.Typer(help="The graph for people: pages, JSON and CSV.", invoke_without_command=True)


@app.callback()
def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine need --access.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8080,
    access: Annotated[
        Path | None, typer.Option(help="File that says who may see which customer; see docs/sharing.md.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Log no requests, only what goes wrong.")] = False,
    until_stdin_closes: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Serve the graph's pages until Ctrl-C; they only read."""
    if context.invoked_subcommand is not None:
        return
    from recograph.adapters.neo4j.driver import find_server
    from recograph.serve.server import listen, open_access, run

    settings = Settings.from_env()
    entrance = open_access(access or settings.serve_access, host, settings.home)
    listening = listen(host, port)
    server = find_server(settings)
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"The graph: http://{shown}:{port}/")
    run(server, entrance, listening, quiet=quiet, until_stdin_closes=until_stdin_closes)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="Whose token it is.")],
    customer: Annotated[
        list[str] | None, typer.Option("--customer", "-c", help="A customer that it lets see; repeatable.")
    ] = None,
    all_customers: Annotated[bool, typer.Option("--all", help="Let it see all customers.")] = False,
) -> None:
    """Make a token, and print the lines for the file of access, which holds its digest only."""
    from recograph.serve.access import make_token

    if bool(customer) == all_customers:
        raise RecographError("Name customers with --customer, or give --all.")
    made, entry = make_token(name, customer or [])
    typer.echo(
        f"The token, which is shown only now: {made}\n\nBelow `tokens:` in the file of access:\n\n{entry}", nl=False
    )
