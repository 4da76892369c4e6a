"""`recograph dump`: look into SQL dumps, and turn them into Parquet."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from recograph.text import printable

if TYPE_CHECKING:
    from recograph.dumps import Declared, Limits

app = typer.Typer(help="Look into SQL dumps, and turn them into Parquet.", no_args_is_help=True)

DumpFile = Annotated[
    Path,
    typer.Argument(
        help="A dump of MySQL, MariaDB or PostgreSQL: SQL text, an archive of pg_dump, a folder of mydumper, MySQL "
        "Shell or --tab; perhaps compressed, in tar or zip; - for standard input."
    ),
]
Database = Annotated[
    str | None, typer.Option("--database", "-d", help="Database (MySQL) or schema (PostgreSQL) to read.")
]

Dialect = Annotated[
    str | None, typer.Option("--dialect", help="mysql, mariadb or postgresql, where the dump doesn't tell it.")
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="Character set of the text, whatever the dump says: utf8, latin1, ...")
]
TimeZone = Annotated[
    str | None, typer.Option("--time-zone", help="Of MySQL's TIMESTAMPs, where the dump doesn't say it: UTC, +02:00.")
]

LimitOption = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="NAME=NUMBER", help="Raise a limit that a message names; may be repeated."),
]


def _opened(file: Path) -> "Path | BinaryIO":
    return sys.stdin.buffer if file == Path("-") else file


def _limits(options: list[str] | None) -> "Limits":
    from recograph.dumps import Limits

    known = [field.name for field in fields(Limits)]
    values = {}
    for option in options or ():
        name, _, number = option.partition("=")
        if name not in known or not number.isdecimal():
            raise typer.BadParameter(f"{option}: NAME=NUMBER is needed, NAME one of {', '.join(known)}.")
        values[name] = int(number)
    return Limits(**values)


def _declared(dialect: str | None, encoding: str | None, time_zone: str | None) -> "Declared":
    from recograph.dumps import Declared

    return Declared(dialect, encoding, time_zone)


def _warn(sentence: str) -> None:
    """Tell something on the error stream."""
    typer.echo(f"Warning: {sentence}", err=True)


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on the error stream, shown only to people."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(file.name, total=None)
        yield lambda bytes_read, size: bar.update(task, completed=bytes_read, total=size)


@app.command()
def inspect(
    file: DumpFile,
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    dialect: Dialect = None,
    encoding: Encoding = None,
    time_zone: TimeZone = None,
    limit: LimitOption = None,
) -> None:
    """Show what a dump holds: dialect, server version, tables, columns, rows, bytes."""
    from recograph import dumps

    with _progress(file) as on_progress:
        seen = dumps.inspect(
            _opened(file),
            database=database,
            declared=_declared(dialect, encoding, time_zone),
            limits=_limits(limit),
            on_progress=on_progress,
        )
    if as_json:
        typer.echo(json.dumps(asdict(seen), indent=2))
        return
    console = Console()
    console.print(
        f"{printable(seen.name)}: {seen.dialect} {printable(seen.server_version or '(version unknown)')}, "
        f"{seen.form}, {seen.bytes:,} bytes, compression {seen.compression}\nsha256 {seen.sha256}",
        highlight=False,
        markup=False,
    )
    table = Table("table", "columns", "rows", "bytes")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, report in seen.tables.items():
        table.add_row(printable(name), str(len(report.columns)), f"{report.rows:,}", f"{report.bytes:,}")
    console.print(table)
    for warning in seen.warnings:
        _warn(warning)


@app.command()
def convert(
    file: DumpFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for TABLE.parquet; made if need be.")],
    table: Annotated[list[str] | None, typer.Option("--table", "-t", help="Only this table; may be repeated.")] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", help="Write TABLE.COLUMN as text; may be repeated.")
    ] = None,
    database: Database = None,
    dialect: Dialect = None,
    encoding: Encoding = None,
    time_zone: TimeZone = None,
    limit: LimitOption = None,
) -> None:
    """Write every table of a dump as typed Parquet, OUT/TABLE.parquet, all of them or none."""
    from recograph.dumps.parquet import convert as convert_dump

    with _progress(file) as on_progress:
        tables = convert_dump(
            _opened(file),
            out,
            tables=table or None,
            database=database,
            as_text=text or (),
            declared=_declared(dialect, encoding, time_zone),
            limits=_limits(limit),
            on_warning=_warn,
            on_progress=on_progress,
        )
    rows = sum(report.rows for report in tables.values())
    typer.echo(f"{len(tables)} tables with {rows:,} rows written to {out}")
