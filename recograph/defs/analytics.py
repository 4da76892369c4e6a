"""Step 5, analytics: how good the recommendations are, measured on a day's marts.

A job of its own, so that the graph needn't wait for it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from recograph.defs.checks import check_result
from recograph.defs.errors import clear_failures
from recograph.defs.marts import mart_key
from recograph.defs.partitions import OWNERS, SNAPSHOTS, snapshot_of
from recograph.lake.interfaces import Warehouse

if TYPE_CHECKING:
    from recograph.analytics.evaluation import Evaluation

_KEY = dg.AssetKey(["analytics", "recommender_evaluation"])
_MARTS = (
    "users",
    "courses",
    "course_enrolments",
    "course_ratings",
    "assets",
    "asset_views",
    "asset_ratings",
)
_BEATS = "beats_popularity"


@dg.asset(
    key=_KEY,
    deps=[mart_key(mart) for mart in _MARTS],
    description="Hides one of the latest interactions of each user, recommends from the rest with the formula of the "
    "similarity marts, and looks for what was hidden: hit rate@10, mean reciprocal rank and coverage, beside lists of "
    "what is popular and lists drawn blindly.",
    group_name="analytics",
    kinds={"duckdb"},
    owners=OWNERS,
    partitions_def=SNAPSHOTS,
    check_specs=[
        dg.AssetCheckSpec(
            _BEATS,
            asset=_KEY,
            description="The recommender finds more of what was hidden than popularity.",
            partitions_def=SNAPSHOTS,
        )
    ],
)
def recommender_evaluation(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Evaluate a customer's day; what came out is metadata, whose numbers the UI plots over the partitions."""
    from recograph.analytics.evaluation import evaluate_customer

    snapshot = snapshot_of(context)
    with clear_failures():
        found = evaluate_customer(warehouse, snapshot.customer, snapshot.date)
    worse = [
        f"{kind}s {each.recommender.hit_rate:.3f}, popularity {each.popularity.hit_rate:.3f}"
        for kind, each in found.items()
        if each.users and each.recommender.hit_rate <= each.popularity.hit_rate
    ]
    yield dg.MaterializeResult(_KEY, metadata=metadata(found))
    key = dg.AssetCheckKey(_KEY, _BEATS)
    yield check_result(snapshot, key, passed=not worse, text="; ".join(worse), severity=dg.AssetCheckSeverity.WARN)


def metadata(found: "dict[str, Evaluation]") -> dict[str, dg.MetadataValue]:
    """The numbers of the recommender and of popularity, and all of them as a table."""
    entries: dict[str, dg.MetadataValue] = {}
    lines = ["| | users | hit rate@10 | MRR | coverage |", "|---|--:|--:|--:|--:|"]
    for kind, each in found.items():
        if not each.users:
            continue
        entries[f"{kind}_users"] = dg.MetadataValue.int(each.users)
        for way in ("recommender", "popularity", "random"):
            score = getattr(each, way)
            lines.append(
                f"| {kind}s, {way} | {each.users:,} | {score.hit_rate:.3f} | {score.mrr:.3f} | {score.coverage:.3f} |"
            )
            entries |= {
                f"{kind}_{name}_{way}": dg.MetadataValue.float(round(float(value), 4))
                for name, value in (
                    ("hit_rate_at_10", score.hit_rate),
                    ("mrr", score.mrr),
                    ("coverage", score.coverage),
                )
            }
    return {"scores": dg.MetadataValue.md("\n".join(lines)), **entries}


evaluate_recommender = dg.define_asset_job(
    "evaluate_recommender",
    selection=dg.AssetSelection.assets(_KEY) | dg.AssetSelection.checks_for_assets(_KEY),
    description="How good the recommendations of a customer's day are.",
    partitions_def=SNAPSHOTS,
)
