"""Which columns of which tables a mart's columns are made of, read from the SQL that dbt compiled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from recograph.errors import RecographError

Columns = Mapping[str, set[tuple[str, str, str]]]
"""By column, what the column is made of: (step, table, column), where step is "glue" or "marts"."""


def column_lineage(
    manifest: Mapping[str, Any], compiled: Path, tables: Mapping[str, list[str]], dialect: str
) -> dict[str, Columns]:
    """The lineage of every mart that was compiled.

    Args:
        manifest: dbt's manifest of the project that was compiled.
        compiled: dbt's folder of compiled models.
        tables: the columns of the source tables, by table.
        dialect: sqlglot's name for the SQL: duckdb or athena.

    Raises:
        RecographError: a mart takes a column that isn't there.
    """
    marts = {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] != "ephemeral"
    }
    relations = {node["relation_name"]: f"marts.{name}" for name, node in marts.items()}
    relations |= {
        node["relation_name"]: f'glue."{node["name"]}"'
        for node in manifest["sources"].values()
        if node["name"] in tables
    }
    schema = {
        "glue": {table: dict.fromkeys(columns, "unknown") for table, columns in tables.items()},
        "marts": {name: dict.fromkeys(node["columns"], "unknown") for name, node in marts.items()},
    }
    lineage = {}
    for name, node in marts.items():
        path = compiled / node["package_name"] / node["original_file_path"]
        if path.exists():
            sql = path.read_text(encoding="utf-8")
            for relation, plain in relations.items():
                sql = sql.replace(relation, plain)
            try:
                lineage[name] = _of_statement(sql, schema, dialect)
            except SqlglotError as error:
                raise RecographError(
                    f"{node['original_file_path']}: {_said(error)} The platform's contract and staging say which "
                    "columns there are; what some platforms lack is taken by only_of('PLATFORM', 'COLUMN', 'TYPE')."
                ) from error
    return lineage


def _said(error: SqlglotError) -> str:
    """What the parser said, without the place: it is one in the compiled statement."""
    return str(error).splitlines()[0].partition(" Line:")[0].rstrip(".") + "."


def _of_statement(sql: str, schema: dict[str, Any], dialect: str) -> Columns:
    statement = cast(exp.Query, qualify(sqlglot.parse_one(sql, dialect=dialect), dialect=dialect, schema=schema))
    scope = build_scope(statement)
    return {
        column: set(filter(None, map(_source, lineage(column, statement, schema, dialect=dialect, scope=scope).walk())))
        for column in (select.alias_or_name for select in statement.selects)
    }


def _source(node: Node) -> tuple[str, str, str] | None:
    """The column of a table that a leaf of the lineage stands for."""
    if not isinstance(node.source, exp.Table):
        return None
    return node.source.db, node.source.name, exp.to_column(node.name).name
