"""Rows of Neo4j's values on the terminal: as a table, CSV or JSON."""

import csv
import json
import sys
from enum import StrEnum
from typing import Any

import typer
from rich.console import Console
from rich.table import Table


class Format(StrEnum):
    """Form of the rows that a command prints."""

    table = "table"
    json = "json"
    csv = "csv"


def plain(value: Any) -> Any:
    """A value of Neo4j as JSON can hold it: nodes and relationships as their labels, type and properties."""
    from neo4j.graph import Node, Relationship
    from neo4j.graph import Path as GraphPath

    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case Node():
            return {"labels": sorted(value.labels), "properties": plain(dict(value))}
        case Relationship():
            return {"type": value.type, "properties": plain(dict(value))}
        case GraphPath():
            return {"nodes": plain(list(value.nodes)), "relationships": plain(list(value.relationships))}
    return value.iso_format() if hasattr(value, "iso_format") else str(value)


def print_rows(keys: list[str], rows: list[list[Any]], output: Format) -> None:
    """Print rows of Neo4j's values under the names of their columns."""
    rows = [[plain(value) for value in row] for row in rows]
    match output:
        case Format.json:
            typer.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2, ensure_ascii=False))
        case Format.csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerows([keys, *([_cell(value) for value in row] for row in rows)])
        case Format.table if keys:
            table = Table(*keys)
            for row in rows:
                table.add_row(*(_cell(value) for value in row))
            Console(markup=False, highlight=False).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
