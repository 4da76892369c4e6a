"""`recograph neo4j`: the local server, and Cypher on whichever server is in use."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from recograph.cli.parameters import name_and_value
from recograph.cli.rows import Format, Out, Output, check_form, give
from recograph.errors import RecographError
from recograph.settings import Settings

app = typer.Typer(help="The local Neo4j server, and Cypher on the server in use.", no_args_is_help=True)


@app.command()
def fetch() -> None:
    """Fetch Neo4j itself where this machine lacks it, so that the first start needn't."""
    from recograph.adapters.neo4j.jars import classpath

    classpath(typer.echo)


@app.command()
def start() -> None:
    """Start the local server, or find the one that runs."""
    server = _server()
    is_running = server.running() is not None
    connection = server.start()
    typer.echo(f"Neo4j {'runs already' if is_running else 'started'} (pid {connection.pid}).")
    typer.echo(f"  Bolt      {connection.uri}\n  Browser   {connection.http}")
    typer.echo(f"  User      {connection.username}\n  Password  in {connection.password_file}")
    if uri := Settings.from_env().neo4j_uri:
        typer.echo(f"recograph itself uses {uri}, which NEO4J_URI names.")


@app.command()
def stop(timeout: Annotated[float, typer.Option(help="Seconds to wait for the shutdown.")] = 60) -> None:
    """Shut the local server down and wait until it has."""
    typer.echo("Neo4j has shut down." if _server().stop(timeout) else "No local Neo4j is running.")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Show the server in use: NEO4J_URI's, or the local one."""
    report = _status()
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    typer.echo(
        f"Neo4j {report['version'] or ''} {'runs' if report['running'] else 'is not running'}.".replace("  ", " ")
    )
    for name, key in (("Bolt", "uri"), ("Browser", "http"), ("User", "username"), ("Password", "password_file")):
        if report[key]:
            typer.echo(f"  {name:<9} {report[key]}")


@app.command()
def cypher(
    query: Annotated[str, typer.Argument(help="A Cypher statement.")],
    param: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE for $NAME; VALUE is JSON, or else text. Repeatable.")
    ] = None,
    output: Output = Format.table,
    out: Out = None,
) -> None:
    """Run one Cypher statement on the server in use and print its rows."""
    from neo4j.exceptions import DriverError, Neo4jError

    from recograph.adapters.neo4j.driver import open_driver
    from recograph.graph.reading import Answer
    from recograph.graph.refusals import neo4j_explained, parameters_explained

    check_form(output, out)
    parameters = dict(_parameter(text) for text in param or [])
    with open_driver(Settings.from_env()) as driver:
        try:
            with parameters_explained():
                result = driver.execute_query(query, parameters_=parameters)
        except Neo4jError as error:
            raise RecographError(f"Neo4j refused the query: {error.message}") from error
        except DriverError:
            with neo4j_explained("Neo4j"):
                raise
    give(Answer(list(result.keys), [list(record.values()) for record in result.records]), output, out)
    changes = {name: count for name, count in vars(result.summary.counters).items() if type(count) is int and count}
    if output is Format.table and changes:
        typer.echo(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in changes.items()))


@app.command()
def style() -> None:
    """Print the style of Neo4j Browser in which each label has a colour and a caption."""
    from recograph.graph.style import browser_style

    typer.echo(browser_style(), nl=False)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    force: Annotated[bool, typer.Option(help="Replace the file if it exists.")] = False,
) -> None:
    """Write the local graph into one file; a running server is down meanwhile."""
    from recograph.adapters.neo4j.backup import back_up

    back_up(_server(), file, overwrite=force)
    typer.echo(f"The graph is in {file} ({file.stat().st_size:,} bytes).")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    force: Annotated[bool, typer.Option(help="Replace the graph that is there.")] = False,
) -> None:
    """Put a backup in the place of the local graph; a running server is down meanwhile."""
    from recograph.adapters.neo4j.backup import restore as restore_from

    restore_from(_server(), file, overwrite=force)
    typer.echo(
        f"The graph is the one in {file} now. Who was erased since is in it again until `recograph run` has ended."
    )


def _server() -> Any:
    from recograph.adapters.neo4j import ManagedServer

    return ManagedServer(Settings.from_env().home / "neo4j", say=typer.echo)


def _status() -> dict[str, Any]:
    settings = Settings.from_env()
    report: dict[str, Any] = dict.fromkeys(("uri", "http", "username", "password_file", "pid"))
    if settings.has_own_neo4j:
        from recograph.adapters.neo4j.driver import find_server

        server = find_server(settings)
        report |= {"uri": server.uri, "username": server.username}
        version = _version(server.uri, server.username, server.password)
        return report | {"running": version is not None, "version": version, "managed": False}
    connection = _server().running()
    if connection is None:
        return report | {"running": False, "version": None, "managed": True}
    report |= {
        "uri": connection.uri,
        "http": connection.http,
        "username": connection.username,
        "password_file": str(connection.password_file),
        "pid": connection.pid,
    }
    version = _version(connection.uri, connection.username, connection.password)
    return report | {"running": version is not None, "version": version, "managed": True}


def _version(uri: str, username: str, password: str) -> str | None:
    """The server's version as it says itself; None where nothing answers."""
    from recograph.adapters.neo4j.driver import Server, connect

    try:
        with connect(Server(uri, username, password)) as driver:
            return driver.get_server_info().agent.removeprefix("Neo4j/")
    except RecographError as error:
        typer.echo(str(error), err=True)
        return None


def _parameter(text: str) -> tuple[str, Any]:
    name, value = name_and_value(text)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
