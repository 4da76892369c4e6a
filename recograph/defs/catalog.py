"""Step 2, catalog: the landed tables as the engines see them; these are the sources of dbt."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import dagster as dg

from recograph.defs.errors import RETRIES, clear_failures
from recograph.defs.landing import landed_table, table_schema
from recograph.defs.partitions import OWNERS, SETTINGS, SNAPSHOTS, snapshots_of
from recograph.defs.platforms import key_path, leave_out, left_out, step_name
from recograph.lake.interfaces import Catalog
from recograph.platforms import Contract, Platform

SCHEMA_MATCHES_CONTRACT = "schema_matches_contract"


def catalog_table(platform: Platform, table: str) -> dg.AssetKey:
    """The asset of a table in the catalog."""
    return dg.AssetKey(["glue", *key_path(platform, table)])


def catalog_of(platform: Platform) -> dg.AssetsDefinition:
    """The catalog of a platform's tables."""

    @dg.multi_asset(
        name=step_name("glue", platform),
        specs=[
            dg.AssetSpec(
                catalog_table(platform, table),
                deps=[landed_table(platform, table)],
                description=f"{contract.description}: queryable, one partition a snapshot date.",
                group_name="catalog",
                kinds={"glue" if SETTINGS.on_aws else "parquet"},
                owners=OWNERS,
                metadata={"dagster/column_schema": table_schema(contract)},
            )
            for table, contract in platform.contracts.items()
        ],
        check_specs=[
            dg.AssetCheckSpec(
                SCHEMA_MATCHES_CONTRACT,
                asset=catalog_table(platform, table),
                blocking=True,
                description="Columns and types in the catalog are those of the contract.",
            )
            for table in platform.contracts
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
        yield from _register(platform, context, catalog)

    return glue


def _register(
    platform: Platform, context: dg.AssetExecutionContext, catalog: Catalog
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    tables = [table for table in platform.contracts if catalog_table(platform, table) in context.selected_asset_keys]
    drifts: dict[str, list[str]] = defaultdict(list)
    with clear_failures():
        for snapshot in snapshots_of(context):
            if reason := left_out(platform, snapshot):
                leave_out(context, [catalog_table(platform, table) for table in tables], snapshot, reason)
                continue
            contracts = [platform.contracts[table] for table in tables]
            for table, found in catalog.register(snapshot.customer, snapshot.date, contracts).items():
                schema = dg.TableSchema([dg.TableColumn(name, type=type_) for name, type_ in found.columns])
                context.add_asset_metadata(
                    {
                        "dagster/row_count": found.rows,
                        "dagster/uri": found.location,
                        "dagster/column_lineage": _lineage(platform, platform.contracts[table]),
                        "found_schema": schema,
                    },
                    asset_key=catalog_table(platform, table),
                    partition_key=snapshot.key,
                )
                drifts[table] += [f"{snapshot.customer} {snapshot.date}: {text}" for text in found.drift]
    for table in tables:
        yield dg.MaterializeResult(catalog_table(platform, table))
    for table in tables:
        if (
            dg.AssetCheckKey(catalog_table(platform, table), SCHEMA_MATCHES_CONTRACT)
            in context.selected_asset_check_keys
        ):
            yield dg.AssetCheckResult(
                asset_key=catalog_table(platform, table),
                check_name=SCHEMA_MATCHES_CONTRACT,
                passed=not drifts[table],
                description=" ".join(drifts[table]) or None,
            )


def _lineage(platform: Platform, contract: Contract) -> dg.TableColumnLineage:
    """Columns keep their names on the way from the landed files."""
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(landed_table(platform, contract.table), column.name)]
            for column in contract.columns
        }
    )
