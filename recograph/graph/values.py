"""Neo4j's values outside of Neo4j: as JSON can hold them, and as DataFrames."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from recograph.errors import RecographError
from recograph.text import dump_json

if TYPE_CHECKING:
    import pandas as pd

    from recograph.graph.reading import Answer


def plain(value: Any) -> Any:
    """A value of Neo4j as JSON can hold it.

    Nodes and relationships are their labels, type and properties; points their coordinates; times and durations are in
    ISO's form; bytes are Base64; NaN and infinities their names.

    Raises:
        RecographError: it is a value that Neo4j has and Python hasn't, such as a date before Christ.
    """
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else f"{'-' * (value < 0)}Infinity"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "iso_format"):
        return value.iso_format()
    # Importing the driver takes longer than starting the whole command line, which imports this module.
    from neo4j.graph import Node, Path, Relationship

    match value:
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case Node():
            return {"labels": sorted(value.labels), "properties": plain(dict(value))}
        case Relationship():
            return {"type": value.type, "properties": plain(dict(value))}
        case Path():
            return {"nodes": plain(list(value.nodes)), "relationships": plain(list(value.relationships))}
        case bytes() | bytearray():
            return b64encode(value).decode()
    if isinstance(getattr(value, "error", None), Exception):  # within a list or map the driver says nothing
        from neo4j.exceptions import BrokenRecordError

        error = BrokenRecordError("A value of the answer can't be held.")
        raise RecographError(f"{error} Change what the statement returns.") from error
    return str(value)


def frame(answer: "Answer") -> "pd.DataFrame":
    """An answer as a DataFrame: whole numbers stay whole even where values are missing, times are UTC.

    Lists stay lists, nodes and relationships become dictionaries.
    """
    import pandas as pd

    columns = {name: _series(values) for name, values in zip(answer.columns, _transposed(answer), strict=True)}
    return pd.DataFrame(columns, columns=answer.columns)


def for_files(answer: "Answer") -> "pd.DataFrame":
    """An answer as a DataFrame that every form of file can hold: lists and dictionaries are written as JSON."""
    table = frame(answer)
    for name in table.columns:
        if any(isinstance(value, list | dict) for value in table[name]):
            table[name] = [None if value is None else dump_json(value) for value in table[name]]
    return table


def _transposed(answer: "Answer") -> list[list[Any]]:
    return [[row[place] for row in answer.rows] for place in range(len(answer.columns))]


def _series(values: Sequence[Any]) -> "pd.Series[Any]":
    import pandas as pd
    from neo4j.time import DateTime

    kinds = {type(value) for value in values if value is not None}
    if kinds == {DateTime}:
        return pd.Series([_utc(value) for value in values], dtype="datetime64[us, UTC]")
    numeric = {frozenset({int}): "Int64", frozenset({bool}): "boolean", frozenset({float}): "float64"}
    if kind := numeric.get(frozenset(kinds)) or ("float64" if kinds == {int, float} else None):
        return pd.Series(list(values), dtype=kind)
    return pd.Series([plain(value) for value in values], dtype="str" if kinds == {str} else "object")


def _utc(value: Any) -> datetime | None:
    return None if value is None else value.to_native()
