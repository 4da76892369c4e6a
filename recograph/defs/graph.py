"""Step 4, graph: a customer's part of the Neo4j graph is made equal to a day's marts."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from recograph.defs.checks import Event, Told, check_result, evaluated
from recograph.defs.failures import clear_failures, tried_again
from recograph.defs.marts import mart_key
from recograph.defs.partitions import OWNERS, SETTINGS, SNAPSHOTS, Snapshot, snapshot_of
from recograph.defs.profile import CHANGES, changes_picture, counts_metadata, model_picture, profile_metadata
from recograph.defs.resources import Neo4jResource
from recograph.errors import RecographError
from recograph.graph.model import NODE_SETS, SETS, GraphSet, NodeSet, RelationshipSet
from recograph.graph.report import LoadOptions
from recograph.lake.interfaces import Warehouse

if TYPE_CHECKING:
    import neo4j as bolt

    from recograph.graph.checks import Check
    from recograph.graph.refusals import GuardError
    from recograph.graph.report import SetReport

REMOVAL_IS_PLAUSIBLE = "removal_is_plausible"
NO_DANGLING_ROWS = "no_dangling_rows"


class GraphConfig(dg.Config):
    """Run config of the graph step."""

    allow_older: bool = Field(
        default=False, description="Whether the graph may go back to an older snapshot than the one it holds."
    )
    max_removed_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="The share of a set that a load may remove; 1 lets every removal through.",
    )
    repair: bool = Field(
        default=False,
        description="Whether to compare every set with the graph itself, whatever is recorded, and set it right.",
    )


_MODEL = model_picture()
_DAYS_SHOWN = 30


def graph_key(set_: GraphSet) -> dg.AssetKey:
    """The asset of a node set or relationship set; the end of its key is what the UI shows of it."""
    kind, *names = set_.path
    return dg.AssetKey(["graph", kind, "_".join(names)])


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
        metadata={"dagster/column_schema": dg.TableSchema(columns), "model": _MODEL},
    )


def _checks_of(set_: GraphSet) -> dict[str, str]:
    """Names and descriptions of a set's checks."""
    checks = {
        "count": "The customer's count in the graph is that of the mart, less the dangling rows.",
        "properties_match": "A sample of the set has the mart's values, property by property.",
        "properties_allowed": "No property is there that the model doesn't declare.",
    }
    if not set_.computed:
        checks[REMOVAL_IS_PLAUSIBLE] = (
            "The snapshot removes no suspiciously large share of the set; else nothing is loaded."
        )
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
        dg.AssetCheckSpec(
            name,
            asset=graph_key(set_),
            description=text,
            blocking=name == REMOVAL_IS_PLAUSIBLE,
            partitions_def=SNAPSHOTS,
        )
        for set_ in SETS.values()
        for name, text in _checks_of(set_).items()
    ],
    can_subset=True,
    partitions_def=SNAPSHOTS,
    pool="neo4j",
)
def graph(
    context: dg.AssetExecutionContext,
    config: GraphConfig,
    warehouse: dg.ResourceParam[Warehouse],
    neo4j: Neo4jResource,
) -> Iterator[Told]:
    """Load the snapshot as its difference from what the graph holds, and check what came of it."""
    yield from evaluated(context, _load(context, config, warehouse, neo4j))


def _load(
    context: dg.AssetExecutionContext, config: GraphConfig, warehouse: Warehouse, neo4j: Neo4jResource
) -> Iterator[Event]:
    # Imported by runs alone, since it loads neo4j and pandas.
    from recograph.graph.refusals import GuardError

    snapshot = snapshot_of(context)
    step = _Step(context, snapshot, warehouse, neo4j)
    with clear_failures():
        try:
            if context.selected_asset_keys:
                outcome = tried_again(context.log, lambda: step.load(config))
            else:
                outcome = tried_again(context.log, step.check)
        except GuardError as error:
            yield from step.implausible(error)
            raise
    for name in step.names:
        yield dg.MaterializeResult(graph_key(SETS[name]), metadata=outcome.metadata[name])
    yield from step.results(outcome.checks)


@dataclass(frozen=True)
class _Outcome:
    checks: "list[Check]"
    metadata: dict[str, dict[str, dg.MetadataValue]]
    """By name of the set."""


class _Step:
    """What a run does to one customer's part of the graph."""

    def __init__(
        self, context: dg.AssetExecutionContext, snapshot: Snapshot, warehouse: Warehouse, neo4j: Neo4jResource
    ) -> None:
        self._context = context
        self._snapshot = snapshot
        self._warehouse = warehouse
        self._neo4j = neo4j
        self.names = [name for name, set_ in SETS.items() if graph_key(set_) in context.selected_asset_keys]
        self._checked = sorted(context.selected_asset_check_keys)

    def load(self, config: GraphConfig) -> _Outcome:
        """Load the snapshot, unless the graph holds a later one: then the graph stays as it is.

        Metadata and checks are about what the graph holds afterwards.
        """
        from recograph.graph.counts import loaded_date
        from recograph.graph.load import load

        snapshot = self._snapshot
        options = LoadOptions(
            allow_older=config.allow_older,
            max_removed_share=config.max_removed_share,
            repair=config.repair,
            home=str(SETTINGS.home),
        )
        self._neo4j.require_room()
        with self._neo4j.driver() as driver:
            held = loaded_date(driver, snapshot.customer) or ""
            if held > snapshot.date and not config.allow_older:
                return self._passed_over(driver, held)
            report = load(driver, self._warehouse, snapshot.customer, snapshot.date, sets=self.names, options=options)
            self._context.log.info(f"{snapshot}: {report.changes} changes in {report.seconds:.1f} s")
            browser = self._neo4j.browser()
            metadata = {
                name: counts_metadata(set_report)
                | profile_metadata(driver, browser, SETS[name], snapshot.customer)
                | {"changes": self._changes(set_report)}
                for name, set_report in report.sets.items()
            }
            checks = [*self._checks(driver), *map(_dangling, report.sets.values())]
        # With one set only: what Athena scanned was for all sets together.
        metadata[self.names[0]] |= self._warehouse.usage()
        return _Outcome(checks, metadata)

    def _changes(self, set_report: "SetReport") -> dg.MetadataValue:
        """What this day and those before it changed, as their materializations say."""
        last = datetime.date.fromisoformat(self._snapshot.date)
        before = [(last - datetime.timedelta(days=back)).isoformat() for back in range(_DAYS_SHOWN - 1, 0, -1)]
        keys = [Snapshot(self._snapshot.customer, date).key for date in before]
        history = self._context.instance.fetch_materializations(
            dg.AssetRecordsFilter(graph_key(SETS[set_report.name]), asset_partitions=keys), limit=2 * _DAYS_SHOWN
        )
        days: dict[str, list[int]] = {}
        for record in reversed(history.records):
            told = record.asset_materialization.metadata if record.asset_materialization else {}
            if record.partition_key and all(name in told for name in CHANGES):
                days[record.partition_key.split("|")[1]] = [int(str(told[name].value)) for name in CHANGES]
        days[self._snapshot.date] = [set_report.added, set_report.changed, set_report.removed]
        return changes_picture(dict(sorted(days.items())))

    def check(self) -> _Outcome:
        """Check what the graph holds, and load nothing.

        Raises:
            RecographError: it holds another day.
        """
        from recograph.graph.counts import loaded_date

        with self._neo4j.driver() as driver:
            held = loaded_date(driver, self._snapshot.customer)
            if held != self._snapshot.date:
                raise RecographError(
                    f"The graph of {self._snapshot.customer} holds {held or 'nothing'}, so nothing can be checked of "
                    f"{self._snapshot.date}."
                )
            return _Outcome(self._checks(driver), {})

    def _checks(self, driver: "bolt.Driver") -> "list[Check]":
        from recograph.graph.checks import check_constraints, check_customer

        sets = [name for name, set_ in SETS.items() if any(graph_key(set_) == key.asset_key for key in self._checked)]
        customer, date = self._snapshot.customer, self._snapshot.date
        return [
            *check_customer(driver, self._warehouse, customer, date, sets=sets),
            replace(check_constraints(driver), set=NODE_SETS[0].name),
        ]

    def _passed_over(self, driver: "bolt.Driver", held: str) -> _Outcome:
        from recograph.graph.checks import Check

        text = f"passed over, since the graph holds {held}; `allow_older: true` in the run config lets it go back."
        self._context.log.warning(f"{self._snapshot}: {text}")
        checks = [
            Check(name, passed=True, message=text, set=set_) for set_ in self.names for name in _checks_of(SETS[set_])
        ]
        browser = self._neo4j.browser()
        metadata = {
            name: {"passed_over_for": dg.MetadataValue.text(held)}
            | profile_metadata(driver, browser, SETS[name], self._snapshot.customer)
            for name in self.names
        }
        return _Outcome(checks, metadata)

    def implausible(self, error: "GuardError") -> Iterator[dg.AssetCheckResult]:
        """The check that fails where a load would remove too much."""
        for name, (removed, held) in error.removed.items():
            key = dg.AssetCheckKey(graph_key(SETS[name]), REMOVAL_IS_PLAUSIBLE)
            if key in self._checked:
                counts = {"would_be_removed": removed, "held": held}
                yield check_result(self._snapshot, key, passed=False, text=str(error), metadata=counts)

    def results(self, checks: "list[Check]") -> Iterator[dg.AssetCheckResult]:
        """A result for each check that was asked for; what a load would have refused is plausible."""
        by_key = {(graph_key(SETS[check.set]), check.name): check for check in checks if check.set in SETS}
        for key in self._checked:
            check = by_key.get((key.asset_key, key.name))
            yield check_result(
                self._snapshot,
                key,
                passed=check is None or check.passed,
                text=check.message if check else "",
                severity=dg.AssetCheckSeverity.WARN if key.name == NO_DANGLING_ROWS else dg.AssetCheckSeverity.ERROR,
                metadata=check.metadata if check else None,
            )


def _dangling(set_report: "SetReport") -> "Check":
    from recograph.graph.checks import Check

    message = f"{set_report.dangling} of {set_report.rows} rows point to a node that isn't there, and are left out."
    return Check(NO_DANGLING_ROWS, not set_report.dangling, message if set_report.dangling else "", set_report.name)
