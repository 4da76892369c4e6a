"""`recograph dump`: look into a dump."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from recograph.dumps import inspect as inspect_dump

app = typer.Typer(help="Look into SQL dumps.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look into SQL dumps."""


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A dump, plain or compressed.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print dialect, server version, tables, columns and rows of a dump."""
    seen = inspect_dump(file)
    if as_json:
        typer.echo(json.dumps(asdict(seen), indent=2))
        return
    console = Console()
    console.print(f"{seen.dialect} {seen.server_version or ''}, compression {seen.compression}, {seen.bytes:,} bytes")
    console.print(f"sha256 {seen.sha256}", highlight=False)
    table = Table("table", "columns", "rows")
    for name, report in seen.tables.items():
        table.add_row(name, str(len(report.columns)), f"{report.rows:,}")
    console.print(table)
