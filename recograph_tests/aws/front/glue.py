"""Glue as the emulator has it, with what it lacks: partition filters, table versions, deletion of many partitions,
a partition's update, tags of crawlers."""

import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from recograph_tests.aws.front.emulator import ACCOUNT, Emulator

_INTEGERS = {"tinyint", "smallint", "int", "integer", "bigint"}


def call(emulator: Emulator, operation: str, request: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
    """Answer one request to Glue."""
    own = _OPERATIONS.get(operation)
    if own:
        return own(emulator, request, headers)
    status, answer = emulator.call(f"AWSGlue.{operation}", request, headers)
    if operation in ("GetTable", "GetTables"):
        for table in [answer["Table"]] if "Table" in answer else answer.get("TableList", []):
            # AWS leaves out what isn't set; an empty description would be taken for a view's comment.
            for name in ("Description", "Owner"):
                if not table.get(name):
                    table.pop(name, None)
    return status, answer


def _get_partitions(emulator: Emulator, request: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
    expression = request.pop("Expression", None)
    if not expression:
        return emulator.call("AWSGlue.GetPartitions", request, headers)
    table_of = {"DatabaseName": request["DatabaseName"], "Name": request["TableName"]}
    status, answer = emulator.call("AWSGlue.GetTable", table_of, headers)
    if status != 200:
        return status, answer
    keys = answer["Table"].get("PartitionKeys", [])
    partitions: list[Any] = []
    while True:
        status, answer = emulator.call("AWSGlue.GetPartitions", request, headers)
        if status != 200:
            return status, answer
        partitions += answer.get("Partitions", [])
        if not answer.get("NextToken"):
            break
        request["NextToken"] = answer["NextToken"]
    try:
        return 200, {"Partitions": select_partitions(keys, partitions, expression)}
    except sqlite3.Error as error:
        message = f"Expression {expression!r} can't be evaluated: {error}"
        return 400, {"__type": "InvalidInputException", "Message": message}


def select_partitions(keys: list[Any], partitions: list[Any], expression: str) -> list[Any]:
    """The partitions for which a filter holds; it is SQL over the partition keys, so SQLite evaluates it."""
    columns = "".join(f', "{key["Name"]}" {"integer" if key["Type"] in _INTEGERS else "text"}' for key in keys)
    marks = ", ?" * len(keys)
    with sqlite3.connect(":memory:") as database:
        database.execute(f"create table partition_ (number_ integer{columns})")
        rows = [(number, *partition["Values"]) for number, partition in enumerate(partitions)]
        database.executemany(f"insert into partition_ values (?{marks})", rows)
        condition = re.sub(r"\bdate\s+'", "'", expression, flags=re.IGNORECASE)
        numbers = database.execute(f"select number_ from partition_ where {condition} order by 1").fetchall()
    return [partitions[number] for (number,) in numbers]


def _get_table_versions(emulator: Emulator, request: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
    table_of = {"DatabaseName": request["DatabaseName"], "Name": request["TableName"]}
    status, answer = call(emulator, "GetTable", table_of, headers)
    if status != 200:
        return status, answer
    return 200, {"TableVersions": [{"Table": answer["Table"], "VersionId": answer["Table"].get("VersionId", "1")}]}


def _delete_table_version(*_: Any) -> tuple[int, Any]:
    return 200, {}  # the one version that there is stays


def _delete_partitions(emulator: Emulator, request: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
    errors = []
    for partition in request["PartitionsToDelete"]:
        one = {"DatabaseName": request["DatabaseName"], "TableName": request["TableName"]}
        status, answer = emulator.call(
            "AWSGlue.DeletePartition", {**one, "PartitionValues": partition["Values"]}, headers
        )
        if status != 200:
            detail = {"ErrorCode": answer.get("__type"), "ErrorMessage": answer.get("Message")}
            errors.append({"PartitionValues": partition["Values"], "ErrorDetail": detail})
    return 200, {"Errors": errors}


def _update_partition(emulator: Emulator, request: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
    where = {name: request[name] for name in ("DatabaseName", "TableName")}
    old = {**where, "PartitionValues": request["PartitionValueList"]}
    status, answer = emulator.call("AWSGlue.DeletePartition", old, headers)
    if status != 200:
        return status, answer
    new = {**where, "PartitionInput": request["PartitionInput"]}
    return emulator.call("AWSGlue.CreatePartition", new, headers)


def _create_crawler(emulator: Emulator, request: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
    status, answer = emulator.call("AWSGlue.CreateCrawler", request, headers)
    if status == 200 and request.get("Tags"):
        arn = f"arn:aws:glue:{emulator.region}:{ACCOUNT}:crawler/{request['Name']}"
        emulator.call("AWSGlue.TagResource", {"ResourceArn": arn, "TagsToAdd": request["Tags"]}, headers)
    return status, answer


_OPERATIONS: dict[str, Callable[[Emulator, dict[str, Any], Mapping[str, str]], tuple[int, Any]]] = {
    "CreateCrawler": _create_crawler,
    "GetPartitions": _get_partitions,
    "UpdatePartition": _update_partition,
    "GetTableVersions": _get_table_versions,
    "DeleteTableVersion": _delete_table_version,
    "BatchDeleteTableVersion": _delete_table_version,
    "BatchDeletePartition": _delete_partitions,
}
