"""Cypher, derived from the model: batches of changes, counts and reading back.

A batch, `$batch`, travels as columns, not as a map per row: `keys` (nodes), or `starts`, `ends` (the distinct ends of
relationships) with `s`, `e` (positions in them), and `p0`, `p1`, ... (properties in the model's order). Each end node
is thus looked up once per batch. The customer is one parameter, times are integers. All columns are one parameter,
because Neo4j plans a statement anew, in 0.1 s, for every order of magnitude of the length of a list that is itself a
parameter. `replan=skip` keeps it from planning anew when the graph has grown: these statements find nodes by unique
keys, so the first plan stays the best.
"""

from recograph.graph.model import KEY, TENANT, GraphSet, NodeSet, Property, RelationshipSet, Scope, Type

STATE = "LoadState"
"""One node per customer and set: what the graph holds of the set. It isn't part of the model, but kept beside it."""
LOCK = "LoadLock"
"""One node per customer: who may write that customer's part."""

_PLANNED_ONCE = "CYPHER replan=skip "


def add(graph_set: GraphSet) -> str:
    """Create a batch of rows that the graph doesn't hold; a shared node may exist already, for another customer."""
    properties = _map(graph_set)
    if isinstance(graph_set, RelationshipSet):
        create = f"CREATE (a)-[:`{graph_set.type}` {properties}]->(b)"
        return f"{_PLANNED_ONCE}{_ends(graph_set)} {create} RETURN count(*) AS written"
    if graph_set.scope is Scope.SHARED:
        merge = f"MERGE (n:`{graph_set.label}` {_key(graph_set, '$batch.keys[i]')}) SET n = {properties}"
        return f"{_PLANNED_ONCE}{_KEYS} {merge} RETURN count(*) AS written"
    return f"{_PLANNED_ONCE}{_KEYS} CREATE (n:`{graph_set.label}` {properties}) RETURN count(*) AS written"


def change(graph_set: GraphSet, *, replace: bool = False) -> str:
    """Set the model's properties of a batch of rows; `replace` drops all others."""
    which = "r" if isinstance(graph_set, RelationshipSet) else "n"
    if replace:
        assignment = f"SET {which} = {_map(graph_set)}"
    else:
        sets = (f"{which}.`{prop.name}` = {_value(prop, at)}" for at, prop in enumerate(graph_set.properties))
        assignment = f"SET {', '.join(sets)}" if graph_set.properties else ""
    return f"{_PLANNED_ONCE}{_match(graph_set)} {assignment} RETURN count(*) AS written"


def remove(graph_set: GraphSet) -> str:
    """Delete a batch of rows, nodes with whatever hangs on them."""
    delete = "DELETE r" if isinstance(graph_set, RelationshipSet) else "DETACH DELETE n"
    return f"{_PLANNED_ONCE}{_match(graph_set)} {delete} RETURN count(*) AS written"


def of_customer(graph_set: GraphSet, *, other_ends: bool = False) -> str:
    """MATCH what the graph holds of a set for `$customer`, by the index on its keys: nodes n, or (a)-[r]->(b).

    Shared nodes are those whose id is in `$members`.

    Args:
        graph_set: the set.
        other_ends: take relationships that end at another customer's node too.
    """
    if isinstance(graph_set, NodeSet):
        return f"MATCH (n:`{graph_set.label}`) WHERE {owned(graph_set, 'n')}"
    start, end = graph_set.start, graph_set.end
    match = f"MATCH (a:`{start.label}`)-[r:`{graph_set.type}`]->(b:`{end.label}`) WHERE {owned(start, 'a')}"
    return match if other_ends else f"{match} AND NOT ({crosses(graph_set)})"


def crosses(relationships: RelationshipSet) -> str:
    """Whether the matched relationship ends at another customer's node."""
    if relationships.end.scope is Scope.SHARED:
        return "false"
    owner = TENANT if relationships.end.scope is Scope.OWNED else KEY
    return f"coalesce(b.`{owner}`, '') <> $customer"


def read(graph_set: GraphSet) -> str:
    """Everything that the graph holds of a set for `$customer`, in the columns of `difference.held_schema`.

    Others may have written to the graph, too. A value of another type counts as absent and makes its row strange; so
    does a property that the model doesn't declare. A node whose id has another type isn't returned.
    """
    keys = _keys(graph_set)
    where = " AND ".join(_is(key, type_) for key, type_ in keys.items())
    return f"{of_customer(graph_set)} AND {where} RETURN {', '.join([*keys, *_held_properties(graph_set)])}"


def sample(graph_set: GraphSet) -> str:
    """What `read` returns, but only of the nodes with the ids `$keys`, or of the relationships that begin at them.

    All rows are in one record: for the driver a record costs more than the values in it.
    """
    node = graph_set if isinstance(graph_set, NodeSet) else graph_set.start
    which = "n" if isinstance(graph_set, NodeSet) else "a"
    match = f"UNWIND $keys AS key MATCH ({which}:`{node.label}` {_key(node, 'key')})"
    if isinstance(graph_set, RelationshipSet):
        match += f" MATCH (a)-[r:`{graph_set.type}`]->(b:`{graph_set.end.label}`)"
    return f"{match} RETURN collect([{', '.join([*_keys(graph_set), *_held_properties(graph_set)])}]) AS rows"


def strays(graph_set: GraphSet) -> str:
    """MATCH what no load of `$customer` has written: nodes n with an id of another type, relationships r that cross."""
    if isinstance(graph_set, RelationshipSet):
        return f"{of_customer(graph_set, other_ends=True)} AND ({crosses(graph_set)})"
    return f"{of_customer(graph_set)} AND NOT ({_is(f'n.{KEY}', graph_set.key_type)})"


def remove_strays(graph_set: GraphSet) -> str:
    """Delete what `strays` matches."""
    delete = "DELETE r" if isinstance(graph_set, RelationshipSet) else "DETACH DELETE n"
    return f"{strays(graph_set)} {delete} RETURN count(*) AS written"


def _keys(graph_set: GraphSet) -> dict[str, Type]:
    if isinstance(graph_set, NodeSet):
        return {f"n.{KEY}": graph_set.key_type}
    return {f"a.{KEY}": graph_set.start.key_type, f"b.{KEY}": graph_set.end.key_type}


def _held_properties(graph_set: GraphSet) -> list[str]:
    """Expressions for the properties in the model's order, and for whether the row is strange (see `read`)."""
    which = "n" if isinstance(graph_set, NodeSet) else "r"
    returned, strange = [], [f"any(name IN keys({which}) WHERE NOT name IN {sorted(graph_set.allowed)})"]
    for prop in graph_set.properties:
        value = f"{which}.`{prop.name}`"
        suffix = ".epochMillis" if prop.type is Type.DATETIME else ""
        returned.append(f"CASE WHEN {_is(value, prop.type)} THEN {value}{suffix} END")
        strange.append(f"NOT ({value} IS NULL OR {_is(value, prop.type)})")
    return [*returned, " OR ".join(strange)]


def _is(value: str, type_: Type) -> str:
    return f"{value} IS :: {_TYPES[type_]} NOT NULL"


def survey(graph_set: GraphSet) -> str:
    """What the checks want to know about a set of `$customer`, in one pass; `$allowed` are its properties in the model.

    Returns total, foreign (how many have other properties) with foreign_keys, crossing (how many end at another
    customer's node), and wrong_NAME for every property with bounds.
    """
    which = "n" if isinstance(graph_set, NodeSet) else "r"
    crossing = crosses(graph_set) if isinstance(graph_set, RelationshipSet) else "false"
    wrong = {
        f"wrong_{prop.name}": f"{prop.between[0]} <= {which}.`{prop.name}` <= {prop.between[1]}"
        for prop in graph_set.properties
        if prop.between
    }
    return (
        f"{of_customer(graph_set, other_ends=True)} "
        f"WITH {which}, {crossing} AS crossing, [key IN keys({which}) WHERE NOT key IN $allowed] AS foreign "
        "RETURN count(*) AS total, count(CASE WHEN crossing THEN 1 END) AS crossing, "
        "count(CASE WHEN size(foreign) > 0 THEN 1 END) AS foreign, "
        "reduce(all = [], keys IN collect(DISTINCT foreign) | all + [k IN keys WHERE NOT k IN all]) AS foreign_keys"
        + "".join(
            f", count(CASE WHEN coalesce({test}, false) THEN null ELSE 1 END) AS {name}" for name, test in wrong.items()
        )
    )


_TYPES = {
    Type.INTEGER: "INTEGER",
    Type.FLOAT: "FLOAT",
    Type.BOOLEAN: "BOOLEAN",
    Type.STRING: "STRING",
    Type.DATETIME: "ZONED DATETIME",
}
_KEYS = "UNWIND range(0, size($batch.keys) - 1) AS i"


def owned(node: NodeSet, name: str) -> str:
    """Whether a node is `$customer`'s; for a shared node, whether its id is in `$members`."""
    if node.scope is Scope.SHARED:
        return f"{name}.`{KEY}` IN $members"
    if node.scope is Scope.CUSTOMER:
        return f"{name}.`{KEY}` = $customer"
    # The condition on the second part of the key lets Neo4j answer from the key's index.
    return f"{name}.`{TENANT}` = $customer AND {name}.`{KEY}` IS NOT NULL"


def _key(node: NodeSet, value: str) -> str:
    return f"{{{TENANT}: $customer, {KEY}: {value}}}" if node.scope is Scope.OWNED else f"{{{KEY}: {value}}}"


def _match(graph_set: GraphSet) -> str:
    if isinstance(graph_set, NodeSet):
        return f"{_KEYS} MATCH (n:`{graph_set.label}` {_key(graph_set, '$batch.keys[i]')})"
    return f"{_ends(graph_set)} MATCH (a)-[r:`{graph_set.type}`]->(b) WITH r, i"


def _ends(relationships: RelationshipSet) -> str:
    """Look every end node up once; then one row per relationship: a, b and i. No row at all if a node is missing."""
    start, end = relationships.start, relationships.end
    return (
        f"UNWIND $batch.starts AS key MATCH (a:`{start.label}` {_key(start, 'key')}) WITH collect(a) AS starts "
        f"UNWIND $batch.ends AS key MATCH (b:`{end.label}` {_key(end, 'key')}) WITH starts, collect(b) AS ends "
        # $batch.s and $batch.e are positions in starts and ends, so all of these nodes must be there, in this order.
        f"WHERE [n IN starts | n.{KEY}] = $batch.starts AND [n IN ends | n.{KEY}] = $batch.ends "
        "UNWIND range(0, size($batch.s) - 1) AS i WITH starts[$batch.s[i]] AS a, ends[$batch.e[i]] AS b, i"
    )


def _map(graph_set: GraphSet) -> str:
    entries = []
    if isinstance(graph_set, NodeSet):
        entries = [f"{KEY}: $batch.keys[i]"]
        if graph_set.scope is Scope.OWNED:
            entries.insert(0, f"{TENANT}: $customer")
    entries += [f"`{prop.name}`: {_value(prop, at)}" for at, prop in enumerate(graph_set.properties)]
    return f"{{{', '.join(entries)}}}"


def _value(prop: Property, at: int) -> str:
    if prop.type is Type.DATETIME:
        return f"CASE WHEN $batch.p{at}[i] IS NULL THEN NULL ELSE datetime({{epochMillis: $batch.p{at}[i]}}) END"
    return f"$batch.p{at}[i]"
