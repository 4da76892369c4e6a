"""The constraints and indexes that the model needs, and whether the database is recograph's own.

Both are decided by what the database holds, never by names: an index that has one of our names but is on something else
isn't ours, and a node that has one of our labels but that no load has recorded is somebody else's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import neo4j

from recograph.errors import RecographError
from recograph.graph.cypher import LOCK, STATE
from recograph.graph.model import KEY, NODE_SETS, TENANT, NodeSet, Scope
from recograph.graph.refusals import address, neo4j_explained

_STATE_KEYS = {STATE: (TENANT, "set"), LOCK: (TENANT,)}
_ANALYZER = "standard-folding"
"""The analyzer of full-text indexes; with it, accents don't matter in a search."""
OWN_DATABASE = (
    "recograph needs a database of its own: name one in NEO4J_URI, or none for a local server (docs/sharing.md)."
)


class Kind(StrEnum):
    """What a rule asks for."""

    UNIQUE = "uniqueness constraint"
    FULLTEXT = "full-text index"


@dataclass(frozen=True)
class Rule:
    """A constraint or index that the model needs."""

    name: str
    kind: Kind
    label: str
    properties: tuple[str, ...]

    def __str__(self) -> str:
        """What it is on, such as "a uniqueness constraint on User (customer_id, id)"."""
        return f"a {self.kind} on {self.label} ({', '.join(self.properties)})"

    @property
    def statement(self) -> str:
        """The Cypher that creates it."""
        properties = ", ".join(f"n.`{name}`" for name in self.properties)
        if self.kind is Kind.UNIQUE:
            return f"CREATE CONSTRAINT `{self.name}` FOR (n:`{self.label}`) REQUIRE ({properties}) IS UNIQUE"
        return (
            f"CREATE FULLTEXT INDEX `{self.name}` FOR (n:`{self.label}`) ON EACH [{properties}] "
            f"OPTIONS {{indexConfig: {{`fulltext.analyzer`: '{_ANALYZER}'}}}}"
        )


def rules(nodes: Sequence[NodeSet] = NODE_SETS) -> list[Rule]:
    """Uniqueness constraints on the keys of the model, of states and of locks; the model's full-text indexes."""
    keys = {node.label: (TENANT, KEY) if node.scope is Scope.OWNED else (KEY,) for node in nodes} | _STATE_KEYS
    return [
        *(Rule(f"{label.lower()}_key", Kind.UNIQUE, label, key) for label, key in keys.items()),
        *(
            Rule(index, Kind.FULLTEXT, node.label, tuple(prop.name for prop in node.properties if prop.fulltext))
            for node in nodes
            if (index := node.fulltext_index)
        ),
    ]


def wrong_rules(driver: neo4j.Driver) -> dict[str, str]:
    """What isn't as the model needs it: rules by name, and what is wrong with each.

    Raises:
        RecographError: Neo4j fails.
    """
    with neo4j_explained(address(driver)), driver.session() as session:
        indexes = _Indexes(session)
        wrong = {}
        for rule in rules():
            if conflict := indexes.conflict(rule):
                wrong[rule.name] = conflict
            elif (state := indexes.state(rule)) != "ONLINE":
                wrong[rule.name] = f"{rule} is {(state or 'missing').lower()}"
        return wrong


def prepare(driver: neo4j.Driver) -> None:
    """Make sure that the database is ours and has the model's constraints and indexes, all of them online.

    Raises:
        RecographError: the server can't be reached, or the database holds what isn't recograph's.
    """
    with neo4j_explained(address(driver)), driver.session() as session:
        refuse_strangers(session, address(driver))
        _ensure(session, rules(), address(driver))


def prepare_locks(driver: neo4j.Driver) -> None:
    """Make sure that a customer has one lock node at most, also where nothing has been loaded yet.

    Raises:
        RecographError: the server can't be reached, or an index of others is in the way.
    """
    with neo4j_explained(address(driver)), driver.session() as session:
        _ensure(session, [rule for rule in rules() if rule.label == LOCK], address(driver))


def _ensure(session: neo4j.Session, wanted: Sequence[Rule], server: str) -> None:
    """Create what is missing; one process at a time, and those that waited find it made."""

    @neo4j.unit_of_work(timeout=_CREATING_SECONDS)
    def create(tx: neo4j.ManagedTransaction) -> bool:
        """Whether everything is there; otherwise what was in the way is gone."""
        _enter(tx)
        indexes = _Indexes(tx)
        missing = [rule for rule in wanted if indexes.state(rule) is None]
        if abandoned := [rule for rule in missing if indexes.is_abandoned(rule)]:
            for rule in abandoned:
                tx.run(f"DROP INDEX `{rule.name}`").consume()
            return False  # Neo4j doesn't create a constraint in the transaction that drops such an index.
        if conflicts := list(filter(None, map(indexes.conflict, missing))):
            raise RecographError(f"{server}: {'; '.join(conflicts)}. {OWN_DATABASE}")
        for rule in missing:
            tx.run(rule.statement).consume()
        return True

    indexes = _Indexes(session)
    if any(indexes.state(rule) != "ONLINE" for rule in wanted):
        while not session.execute_write(create):
            pass
        session.run("CALL db.awaitIndexes(300)").consume()


def _enter(tx: neo4j.ManagedTransaction) -> None:
    """Keep others out of here until the transaction's end, which is also when its process or connection is gone.

    An index that is created locks its label for all the transaction; dropped again, it leaves nothing else behind.
    Without that, the server takes a constraint that another transaction is creating for one that was left half made,
    takes it over, and fails in the one or the other.
    """
    tx.run(f"CREATE INDEX recograph_schema FOR (n:{_SCHEMA}) ON (n.{TENANT})").consume()
    tx.run("DROP INDEX recograph_schema").consume()


_SCHEMA = "LoadSchema"
"""A label that no node has; who holds its lock changes constraints and indexes."""
_CREATING_SECONDS = 600


class _Indexes:
    """The indexes of the database; every constraint has one."""

    def __init__(self, session: neo4j.Session | neo4j.ManagedTransaction) -> None:
        query = (
            "SHOW INDEXES YIELD name, state, type, entityType, labelsOrTypes, properties, owningConstraint, options "
            "RETURN name, state, type, entityType, labelsOrTypes, properties, owningConstraint, options"
        )
        self._indexes: list[Mapping[str, Any]] = [record.data() for record in session.run(query)]

    def state(self, rule: Rule) -> str | None:
        """The state of the index that does what the rule asks for, or None. A constraint's index may have any name."""
        return next(
            (
                index["state"]
                for index in self._indexes
                if _is_on(index, rule)
                and (
                    index["owningConstraint"]
                    if rule.kind is Kind.UNIQUE
                    # Searches name the full-text index.
                    else index["name"] == rule.name and _analyzer(index) == _ANALYZER
                )
            ),
            None,
        )

    def is_abandoned(self, rule: Rule) -> bool:
        """Whether the rule's index is what a server left that was killed while it created the constraint.

        To be asked while nobody else creates: for others, a constraint that is being created looks the same.
        """
        return rule.kind is Kind.UNIQUE and any(
            index["name"] == rule.name
            and _is_on(index, rule)
            and index["state"] == "POPULATING"
            and not index["owningConstraint"]
            for index in self._indexes
        )

    def conflict(self, rule: Rule) -> str | None:
        """What keeps the rule from being created, and how to remove that; None where nothing does."""
        if self.state(rule):
            return None
        for index in self._indexes:
            if index["name"] == rule.name or _is_on(index, rule):
                kind = "CONSTRAINT" if index["owningConstraint"] else "INDEX"
                on = f"{'/'.join(index['labelsOrTypes'] or ())} ({', '.join(index['properties'] or ())})"
                return (
                    f"the {index['type'].lower()} index {index['name']!r} on {on} is in the way of {rule} named "
                    f"{rule.name!r}; if nobody needs it: DROP {kind} `{index['name']}`"
                )
        return None


def _is_on(index: Mapping[str, Any], rule: Rule) -> bool:
    """Whether an index is of the rule's kind and on what the rule is on."""
    return (
        index["type"] == ("RANGE" if rule.kind is Kind.UNIQUE else "FULLTEXT")
        and index["entityType"] == "NODE"
        and index["labelsOrTypes"] == [rule.label]
        and tuple(index["properties"]) == rule.properties
    )


def _analyzer(index: Mapping[str, Any]) -> str | None:
    analyzer: str | None = index["options"].get("indexConfig", {}).get("fulltext.analyzer")
    return analyzer


def refuse_strangers(session: neo4j.Session, server: str) -> None:
    """Make sure that no node with a label of ours is somebody else's.

    The server keeps counts per label; nodes are looked at only where such a count is greater than what loads recorded.

    Raises:
        RecographError: there are such nodes.
    """
    # Counted before the states are read: what a load adds in between is then recorded, and not taken for a stranger's.
    counts = {
        node.label: session.run(f"MATCH (n:`{node.label}`) RETURN count(n)").single(strict=True)[0]
        for node in NODE_SETS
    }
    if not any(counts.values()):
        return
    states = session.run(
        f"MATCH (s:{STATE}) RETURN s.set AS name, count(CASE WHEN s.status <> 'clean' THEN 1 END) AS dirty, "
        "sum(s.total) AS total, collect(s.customer_id) AS customers, "
        "reduce(all = [], some IN collect(coalesce(s.members, [])) | all + some) AS members"
    )
    known = {state["name"]: state for state in states}
    strangers = {}
    for node in NODE_SETS:
        state = known.get(node.name)
        # While a load writes, or since one died, what is recorded is out of date.
        if not counts[node.label] or (state and (state["dirty"] or counts[node.label] <= _recorded(node, state))):
            continue
        if count := session.run(*_strangers(node, state)).single(strict=True)[0]:
            strangers[node.label] = count
    if strangers:
        numbers = ", ".join(f"{count:,} {label}" for label, count in strangers.items())
        raise RecographError(f"{server} holds nodes that recograph hasn't made: {numbers}. {OWN_DATABASE}")


def _recorded(node: NodeSet, state: Mapping[str, Any]) -> int:
    return len(set(state["members"])) if node.scope is Scope.SHARED else int(state["total"])


def _strangers(node: NodeSet, state: Mapping[str, Any] | None) -> tuple[str, dict[str, Iterable[str]]]:
    """The statement that counts the label's nodes which no load has recorded, and its parameters."""
    name = TENANT if node.scope is Scope.OWNED else KEY
    ours = (state["members"] if node.scope is Scope.SHARED else state["customers"]) if state else []
    query = f"MATCH (n:`{node.label}`) WHERE NOT coalesce(n.`{name}` IN $ours, false) RETURN count(n)"
    return query, {"ours": ours}
