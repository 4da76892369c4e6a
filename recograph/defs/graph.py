"""Step 4, graph: a customer's part of the Neo4j graph is made equal to a day's marts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dagster as dg

from recograph.defs.errors import RETRIES, clear_failures
from recograph.defs.marts import mart_key
from recograph.defs.partitions import OWNERS, SETTINGS, SNAPSHOTS, Snapshot, snapshots_of
from recograph.defs.profile import profile_metadata
from recograph.defs.resources import Neo4jResource
from recograph.graph.model import NODE_SETS, SETS, GraphSet, NodeSet, RelationshipSet
from recograph.lake.interfaces import Warehouse

if TYPE_CHECKING:
    import neo4j as bolt

    from recograph.graph.checks import Check
    from recograph.graph.errors import GuardError
    from recograph.graph.report import SetReport

REMOVAL_IS_PLAUSIBLE = "removal_is_plausible"
NO_DANGLING_ROWS = "no_dangling_rows"


class GraphConfig(dg.Config):
    """Run config of the graph step."""

    allow_older: bool = False
    """Whether the graph may go back to an older snapshot."""
    max_removed_share: float = 0.2
    """The share of a set that a load may remove; 1 lets every removal through."""


def graph_key(set_: GraphSet) -> dg.AssetKey:
    """The asset of a node set or relationship set."""
    return dg.AssetKey(["graph", *set_.path])


def _spec(set_: GraphSet) -> dg.AssetSpec:
    ends = [] if isinstance(set_, NodeSet) else [graph_key(set_.start), graph_key(set_.end)]
    columns = [dg.TableColumn(p.name, type=str(p.type), description=p.description) for p in set_.properties]
    return dg.AssetSpec(
        graph_key(set_),
        deps=[mart_key(set_.mart), *dict.fromkeys(ends)],
        description=f"{set_.description}.",
        group_name="graph",
        kinds={"neo4j"},
        owners=OWNERS,
        metadata={"dagster/column_schema": dg.TableSchema(columns)},
    )


def _checks_of(set_: GraphSet) -> dict[str, str]:
    """Names and descriptions of a set's checks."""
    checks = {
        REMOVAL_IS_PLAUSIBLE: "The snapshot removes no suspiciously large share of the set; else nothing is loaded.",
        "count": "The customer's count in the graph is that of the mart, less the dangling rows.",
        "properties_match": "A sample of the set has the mart's values, property by property.",
        "properties_allowed": "No property is there that the model doesn't declare.",
    }
    if isinstance(set_, RelationshipSet):
        checks["within_customer"] = "No relationship leads to another customer's node."
        checks[NO_DANGLING_ROWS] = (
            "Every row of the mart found both its nodes; a warning, since users and courses do go."
        )
    if set_ is NODE_SETS[0]:
        checks["constraints_online"] = "Every constraint and index of the model is there and online."
    return checks | {
        f"{p.name}_in_range": f"{p.name} lies within {p.between[0]} to {p.between[1]}."
        for p in set_.properties
        if p.between
    }


@dg.multi_asset(
    name="graph",
    specs=[_spec(set_) for set_ in SETS.values()],
    check_specs=[
        dg.AssetCheckSpec(name, asset=graph_key(set_), description=text, blocking=name == REMOVAL_IS_PLAUSIBLE)
        for set_ in SETS.values()
        for name, text in _checks_of(set_).items()
    ],
    can_subset=True,
    partitions_def=SNAPSHOTS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=RETRIES,
    pool="neo4j",
)
def graph(
    context: dg.AssetExecutionContext,
    config: GraphConfig,
    warehouse: dg.ResourceParam[Warehouse],
    neo4j: Neo4jResource,
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Load the snapshots in date order, each as its difference from what the graph holds."""
    # Here for the reason that Neo4jResource.driver gives.
    from recograph.graph.checks import check_constraints, check_customer
    from recograph.graph.errors import GuardError
    from recograph.graph.load import load
    from recograph.graph.report import LoadOptions

    names = [name for name, set_ in SETS.items() if graph_key(set_) in context.selected_asset_keys]
    options = LoadOptions(
        allow_older=config.allow_older, max_removed_share=config.max_removed_share, home=str(SETTINGS.home)
    )
    found: dict[str, list[Check]] = {}
    with clear_failures(), neo4j.driver() as driver:
        browser = neo4j.browser()
        chosen = _worth_loading(context, driver, config)
        last = {snapshot.customer: snapshot for snapshot in chosen}.values()
        for snapshot in chosen:
            try:
                report = load(driver, warehouse, snapshot.customer, snapshot.date, sets=names, options=options)
            except GuardError as error:
                yield from _implausible(context, error)
                raise
            changes = sum(done.added + done.changed + done.removed for done in report.sets.values())
            context.log.info(f"{snapshot.customer} {snapshot.date}: {changes} changes in {report.seconds:.1f} s")
            # Later days of the run replace the checks of earlier ones: the graph holds one snapshot.
            found[snapshot.customer] = [
                *check_customer(driver, warehouse, snapshot.customer, snapshot.date, sets=names),
                *(_dangling(done) for done in report.sets.values()),
                replace(check_constraints(driver), set=NODE_SETS[0].name),
            ]
            usage = warehouse.usage()
            for name, done in report.sets.items():
                metadata = {**_metadata(done), **usage}
                if snapshot in last:
                    metadata |= profile_metadata(driver, browser, SETS[name], snapshot.customer)
                context.add_asset_metadata(metadata, graph_key(SETS[name]), snapshot.key)
    for name in names:
        yield dg.MaterializeResult(graph_key(SETS[name]))
    yield from _results(context, names, [check for checks in found.values() for check in checks])


def _worth_loading(context: dg.AssetExecutionContext, driver: "bolt.Driver", config: GraphConfig) -> list[Snapshot]:
    """The snapshots to load: a run over several days passes over those that are older than what the graph holds.

    A run for one older day isn't passed over here: the load refuses it, and says how to let it through.
    """
    from recograph.graph.counts import loaded_date

    asked = snapshots_of(context)
    if config.allow_older:
        return asked
    backfill = "dagster/backfill" in context.run.tags
    chosen = []
    for customer in sorted({snapshot.customer for snapshot in asked}):
        days = [snapshot for snapshot in asked if snapshot.customer == customer]
        held = loaded_date(driver, customer) or ""
        newer = [snapshot for snapshot in days if snapshot.date >= held]
        for snapshot in days:
            if snapshot not in newer and (newer or backfill):
                context.log.warning(f"{customer} {snapshot.date}: passed over, the graph holds {held}.")
        chosen += newer or ([] if backfill else days)
    return chosen


def _metadata(done: "SetReport") -> dict[str, dg.MetadataValue]:
    counts = {
        "dagster/row_count": done.total,
        "rows_in_mart": done.rows,
        "added": done.added,
        "changed": done.changed,
        "removed": done.removed,
        "unchanged": done.unchanged,
        "dangling": done.dangling,
        "rows_per_second": round(done.rows_per_second),
    }
    texts = {"loaded_by": dg.MetadataValue.text(done.how)}
    return {**{name: dg.MetadataValue.int(count) for name, count in counts.items()}, **texts}


def _dangling(done: "SetReport") -> "Check":
    from recograph.graph.checks import Check

    message = f"{done.dangling} of {done.rows} rows point to a node that isn't there, and are left out."
    return Check(NO_DANGLING_ROWS, not done.dangling, message if done.dangling else "", done.name)


def _implausible(context: dg.AssetExecutionContext, error: "GuardError") -> Iterator[dg.AssetCheckResult]:
    for name, (removed, held) in error.removed.items():
        key = graph_key(SETS[name])
        if dg.AssetCheckKey(key, REMOVAL_IS_PLAUSIBLE) in context.selected_asset_check_keys:
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=REMOVAL_IS_PLAUSIBLE,
                passed=False,
                description=str(error),
                metadata={"would_be_removed": removed, "held": held},
            )


def _results(
    context: dg.AssetExecutionContext, names: list[str], found: "list[Check]"
) -> Iterator[dg.AssetCheckResult]:
    """A result a check: failed if it failed for any customer of the run."""
    for name in names:
        for check_name in _checks_of(SETS[name]):
            key = dg.AssetCheckKey(graph_key(SETS[name]), check_name)
            if key not in context.selected_asset_check_keys:
                continue
            checks = [check for check in found if (check.set, check.name) == (name, check_name)]
            failed = [check for check in checks if not check.passed]
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=check_name,
                passed=not failed,
                severity=dg.AssetCheckSeverity.WARN if check_name == NO_DANGLING_ROWS else dg.AssetCheckSeverity.ERROR,
                description=" ".join(check.message for check in failed or checks).strip() or None,
                metadata={key: value for check in checks for key, value in check.metadata.items()},
            )
