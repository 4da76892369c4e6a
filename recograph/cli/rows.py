"""Rows of Neo4j's values on the terminal, as a table, CSV or JSON, or in a file, as Parquet or Excel's too."""

import csv
import io
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from recograph.errors import RecographError
from recograph.graph.values import plain
from recograph.lake.staging import replaced
from recograph.text import csv_cell, dump_json, printable

if TYPE_CHECKING:
    from recograph.graph.reading import Answer


class Format(StrEnum):
    """Form of the rows that a command gives."""

    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"
    xlsx = "xlsx"


Output = Annotated[Format, typer.Option("--format", "-f", help="Form of the rows.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="The file to write; needed for parquet and xlsx.", dir_okay=False)
]


def check_form(output: Format, out: Path | None) -> None:
    """Refuse forms that need a file without one, before anything is asked.

    Raises:
        RecographError: so it is.
    """
    if out is None and output in (Format.parquet, Format.xlsx):
        raise RecographError(f"--format {output} is no text: name the file to write with --out.")


def give(answer: "Answer", output: Format, out: Path | None = None) -> None:
    """Print rows under the names of their columns, or write them into a file.

    Raises:
        RecographError: the file can't be written.
    """
    check_form(output, out)
    if out is None:
        sys.stdout.write(_text(answer, output))
        return
    content = _workbook(answer) if output is Format.xlsx else _parquet(answer) if output is Format.parquet else None
    # A newline stays as it is: CSV has them inside of cells.
    write_whole(out, _text(answer, output).encode() if content is None else content)
    typer.echo(f"{len(answer.rows):,} rows are in {out}.")


def write_whole(out: Path, content: bytes) -> None:
    """Write the file that --out names, or leave what is there as it is.

    Raises:
        RecographError: the file can't be written.
    """
    try:
        with replaced(out) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise RecographError(f"{out} can't be written: {error.strerror}. Name another file with --out.") from error


def _text(answer: "Answer", output: Format) -> str:
    rows = [[plain(value) for value in row] for row in answer.rows]
    text = io.StringIO()
    match output:
        case Format.json:
            records = [dict(zip(answer.columns, row, strict=True)) for row in rows]
            text.write(dump_json(records, indent=2) + "\n")
        case Format.csv:
            cells = [[csv_cell(value) if isinstance(value, str) else _cell(value) for value in row] for row in rows]
            csv.writer(text, lineterminator="\n").writerows([map(csv_cell, answer.columns), *cells])
        case _ if answer.columns:
            table = Table(*map(printable, answer.columns))
            for row in rows:
                table.add_row(*(printable(_cell(value)) for value in row))
            console = Console(markup=False, highlight=False)
            with console.capture() as captured:
                console.print(table)
            text.write(captured.get())
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else dump_json(value)


def _parquet(answer: "Answer") -> bytes:
    from recograph.graph.values import for_files

    content: bytes = for_files(answer).to_parquet(index=False)
    return content


def _workbook(answer: "Answer") -> bytes:
    import pandas as pd

    from recograph.graph.values import for_files

    rows = for_files(answer)
    for name in rows.columns:
        if isinstance(rows[name].dtype, pd.DatetimeTZDtype):
            rows[name] = rows[name].dt.tz_localize(None)  # Excel knows no time zones
        elif rows[name].dtype in ("str", "object"):
            rows[name] = [printable(value) if isinstance(value, str) else value for value in rows[name]]
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as workbook:
        rows.to_excel(workbook, index=False)
        for line in workbook.book.active.iter_rows():
            for cell in line:
                if cell.data_type == "f":  # openpyxl takes every text that begins with = for a formula
                    cell.data_type = "s"
    return file.getvalue()
