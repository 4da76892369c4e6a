"""Step 5, analytics: how good the recommendations are, and the lists of all users.

Jobs of their own, so that the graph needn't wait for them.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow.compute as pc

from recograph.analytics.kinds import KINDS, RECOMMENDATIONS
from recograph.defs.checks import Event, check_result
from recograph.defs.evaluation_metadata import metadata
from recograph.defs.failures import clear_failures
from recograph.defs.marts import mart_key
from recograph.defs.partitions import OWNERS, SNAPSHOTS, snapshot_of
from recograph.lake.interfaces import Catalog, Lake, Warehouse
from recograph.lake.layout import date_of, mart_folder, mart_partition
from recograph.lake.marts import publish_mart

_EVALUATION = dg.AssetKey(["analytics", "recommender_evaluation"])
_LISTS = dg.AssetKey(["analytics", RECOMMENDATIONS])
_MARTS = ("users", "user_languages", *(mart for kind in KINDS.values() for mart in (kind.items, kind.interactions)))
_BEATS = "beats_popularity"


@dg.asset(
    key=_EVALUATION,
    deps=[mart_key(mart) for mart in _MARTS],
    description="Hides what each user had last, learns from the rest as the similarity marts do, and looks for what "
    "was hidden: hit rate@10, NDCG, MRR, coverage and novelty, beside plain EASE, cosine and popularity; for all "
    "users, for short histories, for cold items.",
    group_name="analytics",
    kinds={"python"},
    owners=OWNERS,
    partitions_def=SNAPSHOTS,
    check_specs=[
        dg.AssetCheckSpec(
            _BEATS,
            asset=_EVALUATION,
            description="The recommender finds more of what was hidden than popularity.",
            partitions_def=SNAPSHOTS,
        )
    ],
)
def recommender_evaluation(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[Event]:
    """Evaluate a customer's day; what came out is metadata, whose numbers the UI plots over the partitions."""
    from recograph.analytics.evaluation import ALL, POPULARITY, RECOMMENDER, evaluate_customer

    snapshot = snapshot_of(context)
    with clear_failures():
        evaluations = evaluate_customer(warehouse, snapshot.customer, snapshot.date)
    worse = []
    for kind, evaluation in evaluations.items():
        ours, theirs = (evaluation.scores[ALL][way].hit_rate.mean for way in (RECOMMENDER, POPULARITY))
        if evaluation.scores[ALL][RECOMMENDER].users and ours <= theirs:
            worse.append(f"{kind}s {ours:.3f}, popularity {theirs:.3f}")
    yield dg.MaterializeResult(_EVALUATION, metadata=metadata(snapshot.customer, evaluations))
    key = dg.AssetCheckKey(_EVALUATION, _BEATS)
    yield check_result(snapshot, key, passed=not worse, text="; ".join(worse), severity=dg.AssetCheckSeverity.WARN)


@dg.asset(
    key=_LISTS,
    deps=[mart_key(mart) for mart in (*_MARTS, *(kind.similarity for kind in KINDS.values()))],
    description="The 20 courses and the 20 assets that suit each user best, as a mart for whoever feeds a platform "
    "from it; `since` says from which snapshot on a list is as it is, so that only what changed need be sent.",
    group_name="analytics",
    kinds={"python", "parquet"},
    owners=OWNERS,
    partitions_def=SNAPSHOTS,
)
def recommendations(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    catalog: dg.ResourceParam[Catalog],
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.MaterializeResult[Any]:
    """Make every user's lists of a customer's day, and compare them with those of the snapshot before."""
    from recograph.analytics.recommendations import COLUMNS, SCHEMA, recommend_all

    snapshot = snapshot_of(context)
    partition = (RECOMMENDATIONS, snapshot.customer, snapshot.date)
    # Nobody is erased between the reading of marts and the writing of lists.
    with clear_failures(), lake.locked(snapshot.customer):
        days = {date_of(key) for key in lake.parquet(mart_folder(*partition[:2]))} - {""}
        before = max((day for day in days if day < snapshot.date), default=None)
        rows = recommend_all(warehouse, snapshot.customer, snapshot.date, before)
        publish_mart(lake, catalog, *partition, rows)
    first = rows.filter(pc.field("place") == 1)["since"]
    schema = [dg.TableColumn(field.name, type=str(field.type), description=COLUMNS[field.name]) for field in SCHEMA]
    return dg.MaterializeResult(
        _LISTS,
        metadata={
            "dagster/row_count": rows.num_rows,
            "dagster/uri": lake.uri(mart_partition(*partition)),
            "dagster/column_schema": dg.TableSchema(schema),
            "lists": len(first),
            "changed_lists": pc.sum(pc.equal(first, snapshot.date)).as_py() or 0,
            "compared_with": before or "nothing: there is no earlier snapshot",
        },
    )


evaluate_recommender = dg.define_asset_job(
    "evaluate_recommender",
    selection=dg.AssetSelection.assets(_EVALUATION) | dg.AssetSelection.checks_for_assets(_EVALUATION),
    description="How good the recommendations of a customer's day are.",
    partitions_def=SNAPSHOTS,
)

recommend_to_all = dg.define_asset_job(
    "recommend_to_all",
    selection=dg.AssetSelection.assets(_LISTS),
    description="Every user's recommendations of a customer's day, as a mart.",
    partitions_def=SNAPSHOTS,
)
