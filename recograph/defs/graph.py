"""Step 4, graph: a customer's part of the Neo4j graph is made equal to a day's marts."""

from collections.abc import Iterator, Mapping

import dagster as dg

from recograph.defs.marts import mart_key
from recograph.defs.partitions import OWNERS, SNAPSHOTS
from recograph.graph.model import SETS, GraphSet, NodeSet
from recograph.resources.neo4j import Neo4jResource
from recograph.resources.warehouse import Warehouse


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
    return dg.AssetSpec(
        graph_key(set_),
        deps=[mart_key(set_.mart), *dict.fromkeys(ends)],
        description=set_.description,
        group_name="graph",
        kinds={"neo4j"},
        owners=OWNERS,
        metadata={
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(p.name, type=str(p.type), description=p.description) for p in set_.properties]
            )
        },
    )


CHECKS = {
    "count_equals_mart": "The customer's count in the graph equals the mart's, less the dangling rows.",
    "within_allow_list": "No property is there that the model doesn't declare, and values lie within their bounds.",
}
"""Checks of every set, by name."""

RELATIONSHIP_CHECKS = {
    "no_crossing_of_customers": "No relationship leads from one customer's node to another's.",
    "no_dangling_rows": "Every row of the mart found both its nodes; a warning, since users and courses do go.",
}
"""Further checks of relationship sets."""


def _checks(set_: GraphSet) -> Mapping[str, str]:
    return CHECKS if isinstance(set_, NodeSet) else {**CHECKS, **RELATIONSHIP_CHECKS}


@dg.multi_asset(
    name="graph",
    specs=[_spec(set_) for set_ in SETS.values()],
    check_specs=[
        dg.AssetCheckSpec(name, asset=graph_key(set_), description=description)
        for set_ in SETS.values()
        for name, description in _checks(set_).items()
    ],
    can_subset=True,
    partitions_def=SNAPSHOTS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL),
)
def graph(
    context: dg.AssetExecutionContext,
    config: GraphConfig,
    warehouse: dg.ResourceParam[Warehouse],
    neo4j: Neo4jResource,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Load the snapshots in date order, each as its difference from what the graph holds."""
