"""Days in Glue whose files are gone: deleted by `recograph clean`, or by the bucket's rules, which know no Glue."""

from collections.abc import Collection, Mapping
from typing import Any

from recograph.errors import RecographError
from recograph.lake.interfaces import Lake

_MOST_AT_ONCE = 25
"""Partitions that Glue deletes in a call."""
_Values = tuple[str, ...]


def drop_days_without_files(
    glue: Any, lake: Lake, database: str, before: str, customers: Collection[str] | None = None
) -> int:
    """Take the partitions of a database that are older than a day and have no files out of Glue; returns how many.

    Args:
        glue: boto3's client.
        lake: where the files would be; partitions that lie elsewhere stay.
        database: the landing database of a customer, or that of the marts.
        before: the first day that isn't looked at.
        customers: whose partitions of marts; default: all.

    Raises:
        RecographError: Glue refuses one, or the lake can't be listed.
        botocore.exceptions.ClientError: Glue refuses the call.
    """
    dropped = 0
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            where = {"DatabaseName": database, "TableName": table["Name"]}
            if old := _older(glue, where, table, before, customers):
                gone = _without_files(lake, table["StorageDescriptor"]["Location"], old)
                _delete(glue, where, gone)
                dropped += len(gone)
    return dropped


def _older(
    glue: Any, where: Mapping[str, str], table: Mapping[str, Any], before: str, customers: Collection[str] | None
) -> dict[_Values, str]:
    """The locations of the partitions before a day, by values."""
    keys = [key["Name"] for key in table.get("PartitionKeys", [])]
    if "snapshot_date" not in keys:
        return {}
    pages = glue.get_paginator("get_partitions").paginate(
        **where, Expression=f"snapshot_date < '{before}'", ExcludeColumnSchema=True
    )
    partitions = {
        tuple(partition["Values"]): partition["StorageDescriptor"]["Location"]
        for page in pages
        for partition in page["Partitions"]
    }
    if customers is None or "customer" not in keys:
        return partitions
    return {values: place for values, place in partitions.items() if values[keys.index("customer")] in customers}


def _without_files(lake: Lake, location: str, partitions: Mapping[_Values, str]) -> list[_Values]:
    root = lake.uri("")
    # Listed after Glue was asked: what a run adds meanwhile isn't among the partitions.
    folders = {f"{lake.uri(key).rpartition('/')[0]}/" for key in lake.parquet(location.removeprefix(root))}
    places = {values: f"{place.rstrip('/')}/" for values, place in partitions.items()}
    return sorted(values for values, place in places.items() if place.startswith(root) and place not in folders)


def _delete(glue: Any, where: Mapping[str, str], partitions: list[_Values]) -> None:
    for start in range(0, len(partitions), _MOST_AT_ONCE):
        some = [{"Values": list(values)} for values in partitions[start : start + _MOST_AT_ONCE]]
        for error in glue.batch_delete_partition(**where, PartitionsToDelete=some).get("Errors", []):
            detail = error["ErrorDetail"]
            if detail.get("ErrorCode") != "EntityNotFoundException":  # another one was faster
                raise RecographError(
                    f"Glue can't take partition {'/'.join(error['PartitionValues'])} out of {where['DatabaseName']}."
                    f"{where['TableName']}: {detail.get('ErrorCode')}. {detail.get('ErrorMessage', '')}"
                )
