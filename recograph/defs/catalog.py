"""Step 2, catalog: the landed tables as the engines see them; these are the sources of dbt."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import dagster as dg

from recograph.defs.errors import RETRIES, clear_failures
from recograph.defs.landing import landing_key, table_schema
from recograph.defs.partitions import OWNERS, SETTINGS, SNAPSHOTS, snapshots_of
from recograph.lake.interfaces import Catalog
from recograph.platforms import CONTRACTS, Contract

SCHEMA_MATCHES_CONTRACT = "schema_matches_contract"


def glue_key(table: str) -> dg.AssetKey:
    """The asset of a table in the catalog."""
    return dg.AssetKey(["glue", table])


@dg.multi_asset(
    name="glue",
    specs=[
        dg.AssetSpec(
            glue_key(table),
            deps=[landing_key(table)],
            description=f"{contract.description}: queryable, one partition a snapshot date.",
            group_name="catalog",
            kinds={"glue" if SETTINGS.on_aws else "parquet"},
            owners=OWNERS,
            metadata={"dagster/column_schema": table_schema(contract)},
        )
        for table, contract in CONTRACTS.items()
    ],
    check_specs=[
        dg.AssetCheckSpec(
            SCHEMA_MATCHES_CONTRACT,
            asset=glue_key(table),
            blocking=True,
            description="Columns and types in the catalog are those of the contract.",
        )
        for table in CONTRACTS
    ],
    can_subset=True,
    partitions_def=SNAPSHOTS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=RETRIES,
    pool="catalog",
)
def glue(
    context: dg.AssetExecutionContext, catalog: dg.ResourceParam[Catalog]
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Make the landed partitions queryable and compare them with their contracts."""
    tables = [table for table in CONTRACTS if glue_key(table) in context.selected_asset_keys]
    drifts: dict[str, list[str]] = defaultdict(list)
    with clear_failures():
        for snapshot in snapshots_of(context):
            for table, found in catalog.register(snapshot.customer, snapshot.date, tables).items():
                schema = dg.TableSchema([dg.TableColumn(name, type=type_) for name, type_ in found.columns])
                context.add_asset_metadata(
                    {
                        "dagster/row_count": found.rows,
                        "dagster/uri": found.location,
                        "dagster/column_lineage": _lineage(CONTRACTS[table]),
                        "found_schema": schema,
                    },
                    asset_key=glue_key(table),
                    partition_key=snapshot.key,
                )
                drifts[table] += [f"{snapshot.customer} {snapshot.date}: {text}" for text in found.drift]
    for table in tables:
        yield dg.MaterializeResult(glue_key(table))
    for table in tables:
        if dg.AssetCheckKey(glue_key(table), SCHEMA_MATCHES_CONTRACT) in context.selected_asset_check_keys:
            yield dg.AssetCheckResult(
                asset_key=glue_key(table),
                check_name=SCHEMA_MATCHES_CONTRACT,
                passed=not drifts[table],
                description=" ".join(drifts[table]) or None,
            )


def _lineage(contract: Contract) -> dg.TableColumnLineage:
    """Columns keep their names on the way from the landed files."""
    return dg.TableColumnLineage(
        {column.name: [dg.TableColumnDep(landing_key(contract.table), column.name)] for column in contract.columns}
    )
