"""Is the graph what it should be? Each check asks the graph itself, not what a load has recorded."""

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import neo4j
import pyarrow.compute as pc

from recograph.graph import cypher, difference, slots
from recograph.graph.model import GraphSet, RelationshipSet
from recograph.graph.plan import wanted_sets
from recograph.graph.refusals import address, neo4j_explained
from recograph.graph.schema import rules, wrong_rules
from recograph.lake.interfaces import Warehouse

_SAMPLED_ROWS = 1000
"""About how many rows of a set are compared property by property; each check takes other rows."""


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
    wrong = wrong_rules(driver)
    message = f"{'; '.join(wrong.values())}. The next `recograph run` makes what is missing." if wrong else ""
    return Check("constraints_online", not wrong, message or f"All {len(rules())} are online.", metadata=wrong)


def check_customer(
    driver: neo4j.Driver, warehouse: Warehouse, customer: str, date: str, *, sets: Collection[str] | None = None
) -> list[Check]:
    """Check what the graph holds of a customer against its marts of a snapshot date and against the model.

    Of every set: `count` (as many as the mart has rows, without dangling rows), `properties_match` (a sample has the
    mart's values), `properties_allowed` (none outside the model); of relationships `within_customer` (none ends at
    another customer's node), and `PROPERTY_in_range` for every property with bounds. One pass over each set, from the
    customer's own nodes. What fails names the command that sets it right.

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
    sources = difference.sources(warehouse, wanted, customer, date)
    advice = f" To set it right: recograph run --customer {customer} --date {date} --repair"
    checks: list[Check] = []
    with neo4j_explained(address(driver)), driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
        states = {
            name: (members or [], rows or 0)
            for name, members, rows in session.run(
                f"MATCH (s:{cypher.STATE} {{customer_id: $customer}}) RETURN s.set, s.members, s.rows",
                customer=customer,
            ).values()
        }
        surveys = {}
        for graph_set in wanted:
            members, _ = states.get(graph_set.name, (None, None))
            parameters = {"customer": customer, "members": members or [], "allowed": [*graph_set.allowed]}
            surveys[graph_set.name] = dict(session.run(cypher.survey(graph_set), parameters).single(strict=True))
        # About as many rows as the mart has; only how many of them are compared depends on it.
        sizes = {name: max(survey["total"], states.get(name, (None, None))[1] or 0) for name, survey in surveys.items()}
        expected, samples = _samples(warehouse, wanted, sources, customer, sizes)
        for graph_set in wanted:
            checks += _judge(graph_set, surveys[graph_set.name], expected[graph_set.name], customer, advice)
            checks.append(_match(session, graph_set, samples[graph_set.name], customer, advice))
    return checks


_Rows = dict[tuple[Any, ...], tuple[Any, ...]]
"""Properties by key, as `difference.columns` orders them."""


def _samples(
    warehouse: Warehouse, sets: list[GraphSet], sources: Mapping[str, str], customer: str, sizes: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, _Rows]]:
    """How many rows of every set have their nodes, and some of them: every n-th node, or what begins at such nodes."""
    chosen = {}
    for graph_set in sets:
        step = max(1, sizes[graph_set.name] // _SAMPLED_ROWS)
        chosen[graph_set.name] = (step, random.randrange(step))  # noqa: S311 - no secret
    sampled = warehouse.query(slots.sampling(sets, sources, customer, chosen))
    counts, samples = {}, {}
    for graph_set in sets:
        of_set = sampled.filter(pc.equal(sampled[slots.NAME], graph_set.name))
        counts[graph_set.name] = int(pc.sum(of_set["row_count"]).as_py() or 0)
        own = of_set.filter(of_set["is_sampled"]).select(slots.slots(difference.schema(graph_set)))
        rows = own.rename_columns(difference.columns(graph_set)).cast(difference.schema(graph_set))
        samples[graph_set.name] = _by_key(graph_set, zip(*(column.to_pylist() for column in rows.columns), strict=True))
    return counts, samples


def _by_key(graph_set: GraphSet, rows: "Collection[tuple[Any, ...]] | zip[tuple[Any, ...]]") -> _Rows:
    keys = len(difference.key_columns(graph_set))
    return {tuple(row[:keys]): tuple(row[keys:]) for row in rows}


def _match(session: neo4j.Session, graph_set: GraphSet, sampled: _Rows, customer: str, advice: str) -> Check:
    """Whether the sampled rows are in the graph, with the properties of the mart and no others."""
    keys = sorted({key[0] for key in sampled})
    rows = session.run(cypher.sample(graph_set), customer=customer, keys=keys).single(strict=True)["rows"]
    held = _by_key(graph_set, rows)
    names = [prop.name for prop in graph_set.properties]
    differing: Counter[str] = Counter()
    wrong = 0
    for key, values in sampled.items():
        held_values = held.get(key)
        if held_values == (*values, False):
            continue
        wrong += 1
        if held_values:
            differing.update(name for name, new, old in zip(names, values, held_values, strict=False) if new != old)
    where = f" ({', '.join(f'{name} {count:,} times' for name, count in differing.items())})" if differing else ""
    message = (
        f"{wrong:,} of {len(sampled):,} that were compared aren't as in the mart{where}.{advice}"
        if wrong
        else f"{len(sampled):,} were compared, all are as in the mart."
    )
    return Check("properties_match", not wrong, message, graph_set.name, {"compared": len(sampled), "differing": wrong})


def _judge(graph_set: GraphSet, survey: Mapping[str, Any], expected: int, customer: str, advice: str) -> list[Check]:
    name, total = graph_set.name, survey["total"]
    checks = [
        Check(
            "count",
            total == expected,
            f"{total:,} in the graph, {expected:,} in the mart.{advice if total != expected else ''}",
            name,
            {"graph": total, "mart": expected},
        ),
        Check(
            "properties_allowed",
            not survey["foreign"],
            f"{survey['foreign']:,} have properties outside the model: {', '.join(survey['foreign_keys'])}.{advice}"
            if survey["foreign"]
            else "None is outside the model.",
            name,
            {"outside": survey["foreign"], "properties": survey["foreign_keys"]},
        ),
    ]
    if isinstance(graph_set, RelationshipSet):
        crossing = survey["crossing"]
        message = (
            f"{crossing:,} end at another customer's node.{advice}" if crossing else f"All stay within {customer}."
        )
        checks.append(Check("within_customer", crossing == 0, message, name, {"crossing": crossing}))
    for prop in graph_set.properties:
        if prop.between:
            low, high = prop.between
            wrong = survey[f"wrong_{prop.name}"]
            message = f"{wrong:,} have a {prop.name} outside {low}..{high}, or none.{advice}"
            message = message if wrong else f"All are within {low}..{high}."
            checks.append(Check(f"{prop.name}_in_range", wrong == 0, message, name, {"outside": wrong}))
    return checks
