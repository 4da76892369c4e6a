"""Rows of several sets in one SELECT: each set's columns stand in slots, named by type, which the sets share.

On Athena each statement costs by itself, and lists and reads each mart that it names once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from recograph.graph.difference import SQL_NAMES, columns, key_columns, rows, schema
from recograph.graph.model import GraphSet, NodeSet, Type

NAME = "name"
"""The column that tells of which set a row is."""

_UNREACHED = 10**12


@dataclass(frozen=True)
class Part:
    """One of the SELECTs."""

    sql: str
    schema: pa.Schema
    """The schema of its rows."""


def slots(schema: pa.Schema) -> list[str]:
    """The slots of a SELECT's columns, in their order."""
    taken: Counter[str] = Counter()
    names = []
    for type_ in schema.types:
        name = SQL_NAMES[type_]
        names.append(f"{name}_{taken[name]}")
        taken[name] += 1
    return names


def joined_schema(parts: Mapping[str, Part]) -> pa.Schema:
    """The Arrow schema of what `joined` selects."""
    return pa.schema({NAME: pa.string()} | _types(part.schema for part in parts.values()))


def joined(parts: Mapping[str, Part]) -> str:
    """SELECT the rows of several SELECTs, which keep their names in the column `name`.

    Nothing has as many rows as the limit; it leads all rows through one place, so that Athena writes one file of them.
    """
    types = _types(part.schema for part in parts.values())
    selects = []
    for name, part in parts.items():
        own = dict(zip(slots(part.schema), part.schema.names, strict=True))
        listed = (f"t.{own[slot]} as {slot}" if slot in own else _nothing(slot, type_) for slot, type_ in types.items())
        selects.append(f"select '{name}' as {NAME}, {', '.join(listed)} from ({part.sql}) t")  # noqa: S608 - names of the model
    return f"select * from ({' union all '.join(selects)}) s limit {_UNREACHED}"  # noqa: S608


def sampling(
    sets: Sequence[GraphSet], sources: Mapping[str, str], customer: str, chosen: Mapping[str, tuple[int, int]]
) -> str:
    """SELECT some rows of several sets at once and count all of them, reading each set once.

    The columns are `name`, `is_sampled`, `row_count`, and the slots of all sets. A sampled row comes as it is, with how
    often it is there; all others of the set are one row, of which only the count means something.

    Args:
        sets: the sets.
        sources: what to put behind FROM, by mart.
        customer: whose rows they are.
        chosen: by set, (step, remainder): the rows are taken whose first key, divided by step, leaves remainder. Of a
            set whose key is a text all rows are taken.
    """
    types = _types(map(schema, sets))
    selects = []
    for graph_set in sets:
        own = dict(zip(slots(schema(graph_set)), columns(graph_set), strict=True))
        listed = (
            f"case when t.is_sampled then t.{own[slot]} end as {slot}" if slot in own else _nothing(slot, type_)
            for slot, type_ in types.items()
        )
        node = graph_set if isinstance(graph_set, NodeSet) else graph_set.start
        step, remainder = chosen[graph_set.name]
        is_sampled = (
            f"mod(abs(r.{key_columns(graph_set)[0]}), {step}) = {remainder}"
            if node.key_type is Type.INTEGER
            else "true"
        )
        rows_of_set = rows(graph_set, sources, customer)
        selects.append(
            f"select '{graph_set.name}' as {NAME}, t.is_sampled, {', '.join(listed)} "  # noqa: S608
            f"from (select r.*, {is_sampled} as is_sampled from ({rows_of_set}) r) t"
        )
    listed_slots = ", ".join(types)
    return (
        f"select {NAME}, is_sampled, count(*) as row_count, {listed_slots} from ({' union all '.join(selects)}) s "  # noqa: S608
        f"group by {NAME}, is_sampled, {listed_slots}"
    )


def _types(schemas: Iterable[pa.Schema]) -> dict[str, pa.DataType]:
    """All slots that are needed, with their types."""
    return {slot: type_ for own in schemas for slot, type_ in zip(slots(own), own.types, strict=True)}


def _nothing(slot: str, type_: pa.DataType) -> str:
    return f"cast(null as {SQL_NAMES[type_]}) as {slot}"
