"""Is the graph what it should be? Each check asks the graph itself, not what a load has recorded."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import neo4j

from recograph.graph import cypher, difference
from recograph.graph.errors import address, explained
from recograph.graph.model import NODE_SETS, GraphSet, RelationshipSet
from recograph.graph.plan import wanted_sets
from recograph.lake.interfaces import Warehouse


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    passed: bool
    message: str
    set: str | None = None
    """The set that was checked; None: the whole graph."""
    metadata: dict[str, Any] = field(default_factory=dict)


def check_constraints(driver: neo4j.Driver) -> Check:
    """Whether every constraint and index of the model is there and online."""
    with explained(address(driver)), driver.session() as session:
        found = dict(session.run("SHOW INDEXES YIELD name, state RETURN name, state").values())
    wanted = [*cypher.key_constraints(NODE_SETS), *cypher.fulltext_indexes(NODE_SETS)]
    wrong = {name: found.get(name, "missing") for name in wanted if found.get(name) != "ONLINE"}
    message = "; ".join(f"{name} is {state.lower()}" for name, state in wrong.items())
    return Check("constraints_online", not wrong, message or f"All {len(wanted)} are online.", metadata=wrong)


def check_customer(
    driver: neo4j.Driver, warehouse: Warehouse, customer: str, date: str, *, sets: Collection[str] | None = None
) -> list[Check]:
    """Check what the graph holds of a customer against its marts of a snapshot date and against the model.

    Of every set: `count` (as many as the mart has rows, dangling ones left out), `properties_allowed` (none outside the
    model); of relationships `within_customer` (none ends at another customer's node), and `PROPERTY_in_range` for every
    property with bounds. One pass over each set, from the customer's own nodes.

    Args:
        driver: of the server.
        warehouse: has the marts.
        customer: id of the customer.
        date: snapshot date that the graph holds.
        sets: names of the sets to check; default: all.

    Raises:
        RecographError: marts are missing, or Neo4j fails.
    """
    wanted = wanted_sets(sets)
    expected = _expected(warehouse, wanted, customer, date)
    checks: list[Check] = []
    with explained(address(driver)), driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
        states = session.run(
            f"MATCH (s:{cypher.STATE} {{customer_id: $customer}}) RETURN s.set, s.members", customer=customer
        )
        members = dict(states.values())
        for each in wanted:
            parameters = {"customer": customer, "members": members.get(each.name) or [], "allowed": [*each.allowed]}
            survey = session.run(cypher.survey(each), parameters).single(strict=True)
            checks += _judge(each, dict(survey), expected[each.name], customer)
    return checks


def _expected(warehouse: Warehouse, sets: list[GraphSet], customer: str, date: str) -> dict[str, int]:
    """How many rows of every set have their nodes."""
    sources = difference.sources(warehouse, sets, customer, date)
    counted = warehouse.query(difference.counting(sets, sources, customer)).to_pylist()
    return {row["name"]: row["row_count"] for row in counted}


def _judge(graph_set: GraphSet, survey: Mapping[str, Any], expected: int, customer: str) -> list[Check]:
    name, total = graph_set.name, survey["total"]
    checks = [
        Check(
            "count",
            total == expected,
            f"{total:,} in the graph, {expected:,} in the mart.",
            name,
            {"graph": total, "mart": expected},
        ),
        Check(
            "properties_allowed",
            not survey["foreign"],
            f"{survey['foreign']:,} have properties outside the model: {', '.join(survey['foreign_keys'])}."
            if survey["foreign"]
            else "None is outside the model.",
            name,
            {"outside": survey["foreign"], "properties": survey["foreign_keys"]},
        ),
    ]
    if isinstance(graph_set, RelationshipSet):
        crossing = survey["crossing"]
        message = f"{crossing:,} end at another customer's node." if crossing else f"All stay within {customer}."
        checks.append(Check("within_customer", crossing == 0, message, name, {"crossing": crossing}))
    for prop in graph_set.properties:
        if prop.between:
            low, high = prop.between
            wrong = survey[f"wrong_{prop.name}"]
            message = f"{wrong:,} have a {prop.name} outside {low}..{high}, or none."
            message = message if wrong else f"All are within {low}..{high}."
            checks.append(Check(f"{prop.name}_in_range", wrong == 0, message, name, {"outside": wrong}))
    return checks
