"""Tables and partitions in Glue, made and kept as they should be.

When a table's columns change, its earlier partitions keep theirs: where a column wasn't there yet Athena reads NULL,
and where it had another type Athena converts what can be converted.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from recograph.errors import RecographError, UnavailableError

Columns = Sequence[tuple[str, str]]
"""Names, and types as Glue spells them."""
_Values = tuple[str, ...]
"""Values of a partition's keys."""
_Partition = dict[str, Any]
"""A partition as Glue takes it."""

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet."
_MOST_AT_ONCE = 100
"""Partitions that Glue takes in a call."""
_KEPT = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
"""What of an existing table goes into its update."""


@dataclass(frozen=True)
class GlueTable:
    """A table as it should be."""

    database: str
    name: str
    description: str
    columns: Columns
    keys: Columns
    location: str
    """Address of its folder, with a slash at the end."""

    def partition_location(self, values: Sequence[str]) -> str:
        """Address of a partition's folder."""
        folders = (f"{key}={value}/" for (key, _), value in zip(self.keys, values, strict=True))
        return self.location + "".join(folders)


def bring_along(glue: Any, table: GlueTable, existing: Mapping[str, Any] | None) -> bool:
    """Make the table, or give it the columns and the place that it should have; returns whether it was changed.

    Raises:
        RecographError: it is partitioned in another way, which can't be changed.
        botocore.exceptions.ClientError: Glue refuses.
    """
    wanted = _storage(table.columns, table.location)
    if existing is None:
        made = {
            "Name": table.name,
            "Description": table.description,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
            "StorageDescriptor": wanted,
            "PartitionKeys": _named(table.keys),
        }
        with suppress(glue.exceptions.AlreadyExistsException):  # made by another run at the same time
            glue.create_table(DatabaseName=table.database, TableInput=made)
        return True
    if _listed(existing.get("PartitionKeys", [])) != list(table.keys):
        keys = ", ".join(f"{name} {type_}" for name, type_ in table.keys)
        raise RecographError(
            f"Glue table {table.database}.{table.name} isn't partitioned by {keys}. Delete it in Glue (its files stay) "
            "and run again."
        )
    storage = existing["StorageDescriptor"]
    same_place = storage.get("Location", "").rstrip("/") == table.location.rstrip("/")
    if same_place and _listed(storage["Columns"]) == list(table.columns):
        return False
    storage = {**storage, "Columns": wanted["Columns"], "Location": table.location}
    update = {name: existing[name] for name in _KEPT if name in existing} | {"StorageDescriptor": storage}
    glue.update_table(DatabaseName=table.database, TableInput=update, SkipArchive=True)
    return True


def register_partitions(
    glue: Any, table: GlueTable, partitions: Mapping[_Values, Columns], *, expected: bool = False
) -> bool:
    """Make partitions, or give them the columns and the place that they should have; returns whether any was there.

    Args:
        glue: boto3's client.
        table: which exists.
        partitions: by values of the keys, the columns that their files have.
        expected: whether they are likely to be there, which makes looking first the shorter way.

    Raises:
        RecographError: Glue refuses one.
        botocore.exceptions.ClientError: Glue refuses the call.
    """
    where = {"DatabaseName": table.database, "TableName": table.name}
    wanted = {
        values: {"Values": list(values), "StorageDescriptor": _storage(columns, table.partition_location(values))}
        for values, columns in partitions.items()
    }
    was_there = False
    listed = sorted(wanted)
    for start in range(0, len(listed), _MOST_AT_ONCE):
        some = {values: wanted[values] for values in listed[start : start + _MOST_AT_ONCE]}
        storages = _storages(glue, where, list(some)) if expected else {}
        missing = {values: partition for values, partition in some.items() if values not in storages}
        known = {*storages, *_create(glue, table, where, missing)}
        if unasked := sorted(known - storages.keys()):
            storages |= _storages(glue, where, unasked)
        for values in sorted(known):
            if values not in storages:  # somebody took it away since
                raise _unanswered(where, values)
            _correct(glue, where, storages[values], some[values])
        was_there = was_there or bool(known)
    return was_there


def _create(
    glue: Any, table: GlueTable, where: Mapping[str, str], wanted: Mapping[_Values, _Partition]
) -> Iterator[_Values]:
    """Make partitions; gives the values of those that were there already."""
    if not wanted:
        return
    for error in glue.batch_create_partition(**where, PartitionInputList=[*wanted.values()]).get("Errors", []):
        if error["ErrorDetail"].get("ErrorCode") != "AlreadyExistsException":
            _refuse(table, error["PartitionValues"], error["ErrorDetail"])
        yield tuple(error["PartitionValues"])


def _storages(glue: Any, where: Mapping[str, str], wanted: Sequence[_Values]) -> dict[_Values, Mapping[str, Any]]:
    """How partitions are stored that are there, by their values."""
    asked = [{"Values": list(values)} for values in wanted]
    storages: dict[_Values, Mapping[str, Any]] = {}
    while asked:
        answer = glue.batch_get_partition(**where, PartitionsToGet=asked)
        storages |= {tuple(partition["Values"]): partition["StorageDescriptor"] for partition in answer["Partitions"]}
        left = answer.get("UnprocessedKeys", [])  # Glue answers a part where it is asked a lot
        if len(left) == len(asked):
            raise _unanswered(where, left[0]["Values"])
        asked = left
    return storages


def _correct(glue: Any, where: Mapping[str, str], storage: Mapping[str, Any], wanted: _Partition) -> None:
    """Change a partition that isn't stored as it should be."""
    right = wanted["StorageDescriptor"]
    same_place = storage.get("Location", "").rstrip("/") == right["Location"].rstrip("/")
    if not same_place or _listed(storage.get("Columns", [])) != _listed(right["Columns"]):
        glue.update_partition(**where, PartitionValueList=wanted["Values"], PartitionInput=wanted)


def _unanswered(where: Mapping[str, str], values: Sequence[str]) -> RecographError:
    table = f"{where['DatabaseName']}.{where['TableName']}"
    return UnavailableError(f"Glue doesn't tell of partition {'/'.join(values)} of {table}, which it has. Run again.")


def _refuse(table: GlueTable, values: Sequence[str], detail: Mapping[str, str]) -> None:
    raise RecographError(
        f"Glue can't add partition {'/'.join(values)} to {table.database}.{table.name}: {detail.get('ErrorCode')}. "
        f"{detail.get('ErrorMessage', '')}"
    )


def _listed(columns: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in columns]


def _named(columns: Columns) -> list[dict[str, str]]:
    return [{"Name": name, "Type": type_} for name, type_ in columns]


def _storage(columns: Columns, location: str) -> dict[str, Any]:
    return {
        "Columns": _named(columns),
        "Location": location,
        "InputFormat": f"{_PARQUET}MapredParquetInputFormat",
        "OutputFormat": f"{_PARQUET}MapredParquetOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": f"{_PARQUET}serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
        "Parameters": {"classification": "parquet"},
    }
