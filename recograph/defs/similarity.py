"""Step 3, marts beside dbt: which course and which asset leads to which, computed from the marts of interactions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from recograph.analytics.kinds import KINDS, Kind
from recograph.defs.checks import Event, Told, check_result, evaluated
from recograph.defs.failures import clear_failures
from recograph.defs.marts import mart_key
from recograph.defs.partitions import OWNERS, SNAPSHOTS, Snapshot, snapshot_of
from recograph.defs.unchanged import remembered
from recograph.errors import RecographError
from recograph.lake.interfaces import Catalog, Lake, Warehouse
from recograph.lake.layout import mart_partition
from recograph.lake.marts import publish_mart

if TYPE_CHECKING:
    import pyarrow as pa

    from recograph.analytics.similarity import Similarity

KEY_IS_UNIQUE = "key_is_unique"
SCORE_IS_POSITIVE = "score_is_positive"


def _spec(kind: Kind) -> dg.AssetSpec:
    columns = {
        kind.item: ("int64", f"The {kind.name}"),
        f"similar_{kind.item}": ("int64", f"What the {kind.name} leads to"),
        "score": ("double", "How much having the one speaks for the other"),
    }
    item = dg.TableColumnDep(mart_key(kind.interactions), kind.item)
    of_score = [dg.TableColumnDep(mart_key(kind.interactions), column) for column in ("user_id", "recency", kind.time)]
    of_score += [dg.TableColumnDep(mart_key(kind.items), column) for column in (kind.title, *kind.traits)]
    lineage = {kind.item: [item], f"similar_{kind.item}": [item], "score": [item, *of_score]}
    return dg.AssetSpec(
        mart_key(kind.similarity),
        deps=[mart_key(mart) for mart in (kind.items, kind.interactions, "users", "user_languages")],
        description=f"To which {kind.name}s each {kind.name} leads, by the users who had both and by what is known of "
        "the two: EASE with content, the 20 strongest of each.",
        group_name="marts",
        kinds={"python", "parquet"},
        owners=OWNERS,
        metadata={
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(name, type=type_, description=text) for name, (type_, text) in columns.items()]
            ),
            "dagster/column_lineage": dg.TableColumnLineage(lineage),
        },
    )


@dg.multi_asset(
    name="similarity",
    specs=[_spec(kind) for kind in KINDS.values()],
    check_specs=[
        dg.AssetCheckSpec(name, asset=mart_key(kind.similarity), description=text, partitions_def=SNAPSHOTS)
        for kind in KINDS.values()
        for name, text in (
            (KEY_IS_UNIQUE, f"No two rows are of the same two {kind.name}s, as the warehouse reads them."),
            (SCORE_IS_POSITIVE, "Every score is greater than 0, and nothing leads to itself."),
        )
    ],
    can_subset=True,
    partitions_def=SNAPSHOTS,
    pool="warehouse",
)
def similarity(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    catalog: dg.ResourceParam[Catalog],
    warehouse: dg.ResourceParam[Warehouse],
) -> Iterator[Told]:
    """Compute the partition's similarities from its marts, put them beside these, and read them back."""
    snapshot = snapshot_of(context)
    compared = _compare(snapshot, context, lake, catalog, warehouse)
    yield from evaluated(context, remembered("similarity", context, snapshot, lake, compared))


def _compare(
    snapshot: Snapshot, context: dg.AssetExecutionContext, lake: Lake, catalog: Catalog, warehouse: Warehouse
) -> Iterator[Event]:
    users = None
    for kind in KINDS.values():
        key = mart_key(kind.similarity)
        with clear_failures():
            if key in context.selected_asset_keys:
                if users is None:
                    users = _users(snapshot, warehouse)
                yield dg.MaterializeResult(key, metadata=_build(kind, snapshot, users, lake, catalog, warehouse))
            wrong = _look(kind, snapshot, warehouse)
        for check in sorted(context.selected_asset_check_keys):
            if check.asset_key == key:
                yield check_result(snapshot, check, passed=not wrong[check.name], text=wrong[check.name])


def _users(snapshot: Snapshot, warehouse: Warehouse) -> "pa.Table":
    from recograph.analytics.interactions import fetch_users  # see `_build`

    return fetch_users(warehouse, snapshot.customer, snapshot.date)


def _build(
    kind: Kind, snapshot: Snapshot, users: "pa.Table", lake: Lake, catalog: Catalog, warehouse: Warehouse
) -> dict[str, Any]:
    """Compute and publish one partition; returns its metadata."""
    # Imported here, because numpy and scipy take a while to load, and only runs need them.
    from recograph.analytics.interactions import fetch
    from recograph.analytics.similarity import similarity as compare
    from recograph.analytics.similarity import table

    data = fetch(warehouse, kind, snapshot.customer, snapshot.date, users)
    similar = compare(data)
    rows = table(data, kind, similar.weights)
    publish_mart(lake, catalog, kind.similarity, *_partition(snapshot), rows)
    uri = lake.uri(mart_partition(kind.similarity, *_partition(snapshot)))
    return {"dagster/row_count": rows.num_rows, "dagster/uri": uri, **metadata(similar, len(data.items))}


def metadata(similar: "Similarity", items: int) -> dict[str, Any]:
    """How the similarity of some items was computed, as metadata."""
    way = similar.parameters
    by_cosine = items - similar.in_closed_form
    return {
        "items": items,
        "method": f"EASE of the {similar.in_closed_form:,} most used items, cosine for the other {by_cosine:,}"
        if by_cosine
        else "EASE",
        "regularisation": float(way.regularisation),
        "content": float(way.content),
        "fading": float(way.fading),
        "chosen_on_users": similar.chosen_on,
    }


def _look(kind: Kind, snapshot: Snapshot, warehouse: Warehouse) -> dict[str, str]:
    """What is wrong with a partition as the warehouse reads it, by the name of the check; an empty text: nothing."""
    relation = warehouse.partition(kind.similarity, *_partition(snapshot))
    if relation is None:
        raise RecographError(f"{snapshot} has no marts/{kind.similarity}. Materialize it first.")
    one, other = kind.item, f"similar_{kind.item}"
    pairs = f"select {one}, {other}, count(*) as times, min(score) as score from {relation} t group by 1, 2"  # noqa: S608
    counts = warehouse.query(
        "select coalesce(sum(case when times > 1 then 1 else 0 end), 0) as twice, "  # noqa: S608 - our own names
        f"coalesce(sum(case when score > 0 and {one} <> {other} then 0 else 1 end), 0) as bad from ({pairs}) p"
    ).to_pylist()[0]
    return {
        KEY_IS_UNIQUE: f"{counts['twice']} pairs are there twice." if counts["twice"] else "",
        SCORE_IS_POSITIVE: f"{counts['bad']} scores are of one item with itself, or not above 0."
        if counts["bad"]
        else "",
    }


def _partition(snapshot: Snapshot) -> tuple[str, str]:
    return snapshot.customer, snapshot.date
