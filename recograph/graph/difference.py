"""The warehouse's SQL, derived from the model: a set's rows, their fingerprint, and how two days differ.

One text runs on DuckDB and on Athena. Columns have the same names for every set: k (a node's key) or s and e (a
relationship's ends), then p0, p1, ... in the order of the model's properties; datetimes are milliseconds since 1970.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pyarrow as pa

from recograph.errors import RecographError
from recograph.graph.model import GraphSet, NodeSet, Scope, Type
from recograph.lake.interfaces import Warehouse

OPERATION = "operation"
ADDED, CHANGED, REMOVED = "added", "changed", "removed"
STRAYED = "strayed"
"""Only where a snapshot is compared with the graph: what the graph holds that no row can name."""
STRANGE = "strange"
"""Column of what the graph holds: whether it has properties that no load can have written."""

_SQL_TYPES = {
    Type.INTEGER: "bigint",
    Type.FLOAT: "double",
    Type.BOOLEAN: "boolean",
    Type.STRING: "varchar",
}
_ARROW_TYPES = {
    Type.INTEGER: pa.int64(),
    Type.FLOAT: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.STRING: pa.string(),
    Type.DATETIME: pa.int64(),
}
SQL_NAMES = {_ARROW_TYPES[type_]: name for type_, name in _SQL_TYPES.items()}
"""What both engines call the types of a set's rows."""

Measure = tuple[str, tuple[str, ...]]
"""A mart and some of its columns: what a checksum is taken over."""


def key_columns(graph_set: GraphSet) -> list[str]:
    """The columns that tell a set's rows apart."""
    return ["k"] if isinstance(graph_set, NodeSet) else ["s", "e"]


def columns(graph_set: GraphSet) -> list[str]:
    """The columns of a set's rows: keys, then properties."""
    return key_columns(graph_set) + [f"p{at}" for at in range(len(graph_set.properties))]


def schema(graph_set: GraphSet, *, operation: bool = False) -> pa.Schema:
    """The Arrow schema of a set's rows; with the operation in front, that of a difference."""
    if isinstance(graph_set, NodeSet):
        keys = [graph_set.key_type]
    else:
        keys = [graph_set.start.key_type, graph_set.end.key_type]
    types = keys + [prop.type for prop in graph_set.properties]
    fields = [pa.field(name, _ARROW_TYPES[type_]) for name, type_ in zip(columns(graph_set), types, strict=True)]
    return pa.schema([pa.field(OPERATION, pa.string()), *fields] if operation else fields)


def held_schema(graph_set: GraphSet) -> pa.Schema:
    """The Arrow schema of what the graph holds of a set, as `cypher.read` returns it."""
    return schema(graph_set).append(pa.field(STRANGE, pa.bool_()))


def order(graph_set: GraphSet) -> str:
    """How rows are sorted before they are sent: neighbours in the graph come together.

    Mostly they are sorted by start node. Relationships that end at nodes which several customers share are sorted by
    these ends: loads of several customers then lock the shared nodes in the same order and can't block each other.
    """
    if isinstance(graph_set, NodeSet):
        return "k"
    return "s, e" if graph_set.end.scope is Scope.OWNED else "e, s"


def marts(graph_set: GraphSet) -> set[str]:
    """The marts that a set's rows depend on."""
    if isinstance(graph_set, NodeSet):
        return {graph_set.mart}
    return {graph_set.mart, graph_set.start.mart, graph_set.end.mart}


def rows(graph_set: GraphSet, sources: Mapping[str, str], customer: str) -> str:
    """SELECT a set's rows; of relationships only those whose two nodes are there.

    Args:
        graph_set: the set.
        sources: what to put behind FROM, by mart.
        customer: whose rows they are.
    """
    properties = [f", {_value(f'r.{prop.column}', prop.type)} as p{at}" for at, prop in enumerate(graph_set.properties)]
    if isinstance(graph_set, NodeSet):
        where = f" where r.{graph_set.key_column} = '{customer}'" if graph_set.scope is Scope.CUSTOMER else ""
        key = _value(f"r.{graph_set.key_column}", graph_set.key_type)
        return f"select {key} as k{''.join(properties)} from {sources[graph_set.mart]} r{where}"  # noqa: S608
    start, end = graph_set.start, graph_set.end
    end_value = f"r.{graph_set.end_column}" if graph_set.end_column else f"'{customer}'"
    return (
        f"select {_value('r.' + graph_set.start_column, start.key_type)} as s, "  # noqa: S608 - names of the model
        f"{_value(end_value, end.key_type)} as e{''.join(properties)} from {sources[graph_set.mart]} r "
        f"join {sources[start.mart]} a on a.{start.key_column} = r.{graph_set.start_column} "
        f"join {sources[end.mart]} b on b.{end.key_column} = {end_value}"
    )


def difference(graph_set: GraphSet, new: str, old: str, *, held: bool = False) -> str:
    """SELECT the operations that turn old rows into new ones, in the columns of `schema(..., operation=True)`.

    Args:
        graph_set: the set.
        new: SELECT of its rows as they shall be.
        old: SELECT of its rows as they are; no key is in it twice.
        held: the old rows are what the graph holds, in the columns of `held_schema`; strange ones count as changed.
    """
    keys = key_columns(graph_set)
    properties = columns(graph_set)[len(keys) :]
    on = " and ".join(f"n.{key} = o.{key}" for key in keys)
    # `=` can't compare with NULL.
    differs = [f"n.{name} is distinct from o.{name}" for name in properties] + [f"o.{STRANGE}"] * held
    selected = [f"coalesce(n.{key}, o.{key}) as {key}" for key in keys] + [f"n.{name}" for name in properties]
    return (
        f"select case when o.{keys[0]} is null then '{ADDED}' when n.{keys[0]} is null then '{REMOVED}' "  # noqa: S608
        f"else '{CHANGED}' end as {OPERATION}, {', '.join(selected)} from ({new}) n full outer join ({old}) o on {on} "
        f"where o.{keys[0]} is null or n.{keys[0]} is null or {' or '.join(differs) or 'false'}"
    )


def measures(graph_set: GraphSet) -> list[Measure]:
    """What a set's fingerprint is made of: its mart's columns, and which nodes its relationships can end at."""
    used = tuple(prop.column for prop in graph_set.properties)
    if isinstance(graph_set, NodeSet):
        return [(graph_set.mart, (graph_set.key_column, *used))]
    ends = (graph_set.start_column, graph_set.end_column) if graph_set.end_column else (graph_set.start_column,)
    return [
        (graph_set.mart, (*ends, *used)),
        (graph_set.start.mart, (graph_set.start.key_column,)),
        (graph_set.end.mart, (graph_set.end.key_column,)),
    ]


def measuring(
    wanted: Mapping[str, Sequence[Measure]],
    sources: Mapping[str, Mapping[str, str]],
    checksum: Callable[[Sequence[str]], str],
) -> str:
    """SELECT which, mart, row_count and checksums for all measures at once, reading each mart once per day.

    `checksum_0`, `checksum_1`, ... belong to the mart's measures in the order of `measures_by_mart`.

    Args:
        wanted: the measures of every day, by a word for the day.
        sources: what to put behind FROM, by the same word and mart.
        checksum: the warehouse's, see `Warehouse.checksum`.
    """
    by_day = {which: measures_by_mart(day_measures) for which, day_measures in wanted.items()}
    most = max((len(used) for marts_of_day in by_day.values() for used in marts_of_day.values()), default=0)
    selects = []
    for which, marts_of_day in by_day.items():
        for mart, lists in marts_of_day.items():
            taken = [f"coalesce({checksum(used)}, '')" for used in lists] + ["''"] * (most - len(lists))
            listed = "".join(f", {sql} as checksum_{at}" for at, sql in enumerate(taken))
            selects.append(
                f"select '{which}' as which, '{mart}' as mart, count(*) as row_count{listed} "  # noqa: S608
                f"from {sources[which][mart]}"
            )
    return " union all ".join(selects)


def measures_by_mart(wanted: Iterable[Measure]) -> dict[str, list[tuple[str, ...]]]:
    """The lists of columns over which checksums of a mart are taken, each once."""
    by_mart: dict[str, list[tuple[str, ...]]] = {}
    for mart, used in dict.fromkeys(wanted):
        by_mart.setdefault(mart, []).append(used)
    return by_mart


def sources(warehouse: Warehouse, sets: Iterable[GraphSet], customer: str, date: str) -> dict[str, str]:
    """What to put behind FROM for the sets' rows, by mart.

    Raises:
        RecographError: there is no such partition of a mart.
    """
    needed = sorted({mart for graph_set in sets for mart in marts(graph_set)})
    relations = {mart: warehouse.partition(mart, customer, date) for mart in needed}
    if missing := [mart for mart, relation in relations.items() if relation is None]:
        raise RecographError(
            f"{customer} has no marts of {date} for {', '.join(missing)}. Materialize "
            f"{', '.join(f'marts/{mart}' for mart in missing)} for {customer} and {date} first."
        )
    return {mart: relation for mart, relation in relations.items() if relation is not None}


def _value(value: str, type_: Type) -> str:
    if type_ is Type.DATETIME:
        return f"date_diff('millisecond', timestamp '1970-01-01 00:00:00', {value})"
    return f"cast({value} as {_SQL_TYPES[type_]})"
