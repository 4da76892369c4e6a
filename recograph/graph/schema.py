"""The constraints and indexes that the model needs, and whether the database is recograph's own.

Both are decided by what the database holds, never by names: an index that has one of our names but is on something else
isn't ours, and a node that has one of our labels but that no load has recorded is somebody else's.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import neo4j
from neo4j.exceptions import ClientError, DatabaseError

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
        missing, indexes = _missing(session)
        until = time.monotonic() + _SETTLED
        while any(map(indexes.is_being_created, missing)) and time.monotonic() < until:
            time.sleep(0.1)
            missing, indexes = _missing(session)
        if missing:
            if conflicts := list(filter(None, map(indexes.conflict, missing))):
                raise RecographError(f"{address(driver)}: {'; '.join(conflicts)}. {OWN_DATABASE}")
            for rule in missing:
                _create(session, rule.statement)
            session.run("CALL db.awaitIndexes(300)").consume()


def _missing(session: neo4j.Session) -> tuple[list[Rule], "_Indexes"]:
    """The rules that the database doesn't keep yet, by its indexes of now."""
    indexes = _Indexes(session)
    return [rule for rule in rules() if indexes.state(rule) != "ONLINE"], indexes


_SETTLED = 5.0
"""Seconds within which another load has created the constraint whose index is there."""
_ATTEMPTS = 4
_EXISTING = {"EquivalentSchemaRuleAlreadyExists", "ConstraintAlreadyExists", "IndexAlreadyExists"}


def _create(session: neo4j.Session, statement: str) -> None:
    """Create a constraint or index, which other loads may be creating at the same time."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            # The driver repeats a transaction that meets a deadlock.
            session.execute_write(lambda tx: tx.run(statement).consume())
        except ClientError as error:
            if (error.code or "").rpartition(".")[2] not in _EXISTING:
                raise
        except DatabaseError:  # of the server's own; seen where eight loads create the same
            if attempt == _ATTEMPTS:
                raise
            time.sleep(attempt)
            continue
        return


class _Indexes:
    """The indexes of the database; every constraint has one."""

    def __init__(self, session: neo4j.Session) -> None:
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

    def is_being_created(self, rule: Rule) -> bool:
        """Whether another load seems to be creating the constraint: its index is there, and belongs to none yet."""
        return rule.kind is Kind.UNIQUE and any(
            index["name"] == rule.name and _is_on(index, rule) and not index["owningConstraint"]
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
