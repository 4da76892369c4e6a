"""What Athena can query, as Glue lists it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recograph.adapters.aws.clients import client
from recograph.adapters.aws.messages import aws_explained


@dataclass(frozen=True)
class QueryableTable:
    """A table as Athena sees it."""

    database: str
    name: str
    columns: int
    partitions: int
    location: str


def queryable_tables(region: str, database: str) -> Iterator[QueryableTable]:
    """The tables of a database.

    Raises:
        RecographError: Glue can't be asked, or there is no such database.
    """
    glue = client("glue", region)
    with aws_explained(f"Glue database {database}", {"EntityNotFoundException": "Run `make deploy`."}):
        for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
            for table in page["TableList"]:
                yield _queryable(database, table, _count_partitions(glue, database, table["Name"]))


def _count_partitions(glue: Any, database: str, table: str) -> int:
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=database, TableName=table, ExcludeColumnSchema=True
    )
    return sum(len(page["Partitions"]) for page in pages)


def _queryable(database: str, table: Mapping[str, Any], partitions: int) -> QueryableTable:
    storage = table["StorageDescriptor"]
    columns = len(storage["Columns"]) + len(table.get("PartitionKeys", []))
    return QueryableTable(database, table["Name"], columns, partitions, storage["Location"])
