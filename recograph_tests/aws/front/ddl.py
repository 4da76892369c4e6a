"""Hive's DDL, which Athena takes and Trino doesn't: done through Glue.

The statements are those that dbt-athena, the project's macros and people use on Parquet tables.
"""

import re
from collections.abc import Callable
from typing import Any

from recograph_tests.aws.front.sql import NAME, RefusedError, split

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_TABLE_INPUT = (
    *("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys"),
    *("ViewOriginalText", "ViewExpandedText", "TableType", "Parameters"),
)


def run(sql: str, database: str, glue: Any) -> list[str] | None:
    """Do a DDL statement; returns its lines of output, or None where it is none of those done here.

    Raises:
        RefusedError: Athena refuses it.
    """
    for pattern, do in _STATEMENTS:
        if match := re.fullmatch(pattern, sql, re.IGNORECASE | re.DOTALL):
            return do(glue, database, **match.groupdict())
    return None


def _name(text: str, database: str) -> tuple[str, str]:
    parts = [part.strip('`" ') for part in re.findall(r"`[^`]*`|\"[^\"]*\"|[^.\s]+", text)]
    return (parts[-2] if len(parts) > 1 else database), parts[-1]


def _create_schema(glue: Any, database: str, name: str, lenient: str | None, location: str | None) -> list[str]:
    _, name = _name(name, database)
    try:
        glue.create_database(DatabaseInput={"Name": name, **({"LocationUri": location} if location else {})})
    except glue.exceptions.AlreadyExistsException:
        if not lenient:
            raise RefusedError(f"FAILED: SemanticException [Error 10095]: Database {name} already exists") from None
    return []


def _create_table(
    glue: Any, database: str, name: str, lenient: str | None, columns: str, keys: str | None, location: str
) -> list[str]:
    schema, table = _name(name, database)
    storage = {
        "Columns": _columns(columns),
        "Location": location,
        "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe"},
    }
    new = {
        "Name": table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        "StorageDescriptor": storage,
        "PartitionKeys": _columns(keys or ""),
    }
    try:
        glue.create_table(DatabaseName=schema, TableInput=new)
    except glue.exceptions.AlreadyExistsException:
        if not lenient:
            raise RefusedError(f"FAILED: Execution Error: AlreadyExistsException: Table {table} exists") from None
    return []


def _drop_table(glue: Any, database: str, name: str, lenient: str | None) -> list[str]:
    schema, table = _name(name, database)
    try:
        glue.delete_table(DatabaseName=schema, Name=table)  # tables are external: their files stay
    except glue.exceptions.EntityNotFoundException:
        if not lenient:
            raise RefusedError(f"FAILED: SemanticException [Error 10001]: Table not found {table}") from None
    return []


def _show_partitions(glue: Any, database: str, name: str) -> list[str]:
    schema, table = _name(name, database)
    keys = glue.get_table(DatabaseName=schema, Name=table)["Table"]["PartitionKeys"]
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=schema, TableName=table)
    return [_path(keys, partition["Values"]) for page in pages for partition in page["Partitions"]]


def _set_properties(glue: Any, database: str, name: str, properties: str) -> list[str]:
    schema, name = _name(name, database)
    table = glue.get_table(DatabaseName=schema, Name=name)["Table"]
    pairs = dict(re.findall(r"['\"]([^'\"]+)['\"]\s*=\s*['\"]([^'\"]*)['\"]", properties))
    table["Parameters"] = table.get("Parameters", {}) | pairs
    _update(glue, schema, table)
    return []


def _add_columns(glue: Any, database: str, name: str, columns: str) -> list[str]:
    schema, name = _name(name, database)
    table = glue.get_table(DatabaseName=schema, Name=name)["Table"]
    table["StorageDescriptor"]["Columns"] += _columns(columns)
    _update(glue, schema, table)
    return []


def _add_partitions(glue: Any, database: str, name: str, lenient: str | None, partitions: str) -> list[str]:
    schema, name = _name(name, database)
    table = glue.get_table(DatabaseName=schema, Name=name)["Table"]
    storage, keys = table["StorageDescriptor"], table["PartitionKeys"]
    for spec, location in re.findall(r"partition\s*\(([^)]*)\)(?:\s*location\s*'([^']+)')?", partitions, re.I):
        values = _values(spec, keys)
        place = location or f"{storage['Location'].rstrip('/')}/{_path(keys, values)}/"
        new = {"Values": values, "StorageDescriptor": {**storage, "Location": place}}
        try:
            glue.create_partition(DatabaseName=schema, TableName=name, PartitionInput=new)
        except glue.exceptions.AlreadyExistsException:
            if not lenient:
                raise RefusedError(f"FAILED: Execution Error: partition {values} already exists") from None
    return []


def _drop_partitions(glue: Any, database: str, name: str, lenient: str | None, partitions: str) -> list[str]:
    schema, name = _name(name, database)
    keys = glue.get_table(DatabaseName=schema, Name=name)["Table"]["PartitionKeys"]
    for spec in re.findall(r"partition\s*\(([^)]*)\)", partitions, re.I):
        try:
            glue.delete_partition(DatabaseName=schema, TableName=name, PartitionValues=_values(spec, keys))
        except glue.exceptions.EntityNotFoundException:
            if not lenient:
                raise RefusedError(f"FAILED: SemanticException [Error 10006]: Partition not found {spec}") from None
    return []


def _columns(text: str) -> list[dict[str, str]]:
    pairs = (column.split(None, 1) for column in split(text))
    return [{"Name": name.strip("`"), "Type": type_.lower()} for name, type_ in pairs]


def _update(glue: Any, schema: str, table: dict[str, Any]) -> None:
    kept = {name: table[name] for name in _TABLE_INPUT if table.get(name) not in (None, "")}
    glue.update_table(DatabaseName=schema, TableInput=kept)


def _values(spec: str, keys: list[dict[str, str]]) -> list[str]:
    given = dict(re.findall(r"`?(\w+)`?\s*=\s*'?([^',]*)'?", spec))
    return [given[key["Name"]] for key in keys]


def _path(keys: list[dict[str, str]], values: list[str]) -> str:
    return "/".join(f"{key['Name']}={value}" for key, value in zip(keys, values, strict=True))


_TABLE = rf"(?P<name>{NAME})"
_STATEMENTS: list[tuple[str, Callable[..., list[str]]]] = [
    (
        rf"create\s+(?:schema|database)\s+(?P<lenient>if\s+not\s+exists\s+)?{_TABLE}(?:\s+location\s+'(?P<location>[^']+)')?",
        _create_schema,
    ),
    (
        rf"create\s+external\s+table\s+(?P<lenient>if\s+not\s+exists\s+)?{_TABLE}\s*\((?P<columns>[^()]*)\)"
        r"(?:\s*partitioned\s+by\s*\((?P<keys>[^()]*)\))?\s*stored\s+as\s+parquet"
        r"\s+location\s+'(?P<location>[^']+)'(?:\s*tblproperties\s*\([^()]*\))?",
        _create_table,
    ),
    (rf"drop\s+table\s+(?P<lenient>if\s+exists\s+)?{_TABLE}", _drop_table),
    (rf"show\s+partitions\s+{_TABLE}", _show_partitions),
    (rf"alter\s+table\s+{_TABLE}\s+set\s+tblproperties\s*\((?P<properties>.*)\)", _set_properties),
    (rf"alter\s+table\s+{_TABLE}\s+add\s+columns\s*\((?P<columns>.*)\)", _add_columns),
    (
        rf"alter\s+table\s+{_TABLE}\s+add\s+(?P<lenient>if\s+not\s+exists\s+)?(?P<partitions>partition\b.*)",
        _add_partitions,
    ),
    (
        rf"alter\s+table\s+{_TABLE}\s+drop\s+(?P<lenient>if\s+exists\s+)?(?P<partitions>partition\b.*)",
        _drop_partitions,
    ),
]
