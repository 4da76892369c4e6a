"""Step 2, catalog: the landed tables as the engines see them; these are the sources of dbt."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from recograph.adapters.environment import open_catalog
from recograph.defs.checks import Event, Told, check_result, evaluated
from recograph.defs.failures import clear_failures, tried_again
from recograph.defs.landing import landed_table, table_schema
from recograph.defs.partitions import OWNERS, SETTINGS, SNAPSHOTS, Snapshot, snapshot_of
from recograph.defs.platforms import key_path, left_out, nothing_to_do, step_name
from recograph.defs.unchanged import remembered
from recograph.lake.interfaces import Catalog, CatalogTable, Lake
from recograph.platforms import Contract, Platform

SCHEMA_MATCHES_CONTRACT = "schema_matches_contract"
_KIND = open_catalog(SETTINGS).kind


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
                description=f"{contract.description}: queryable, one partition per snapshot date.",
                group_name="catalog",
                kinds={_KIND},
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
                partitions_def=SNAPSHOTS,
                description="Columns and types in the catalog are those of the contract.",
            )
            for table in platform.contracts
        ],
        can_subset=True,
        partitions_def=SNAPSHOTS,
        pool="catalog",
    )
    def glue(
        context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], catalog: dg.ResourceParam[Catalog]
    ) -> Iterator[Told]:
        """Make the landed partition queryable and compare its tables with their contracts."""
        snapshot = snapshot_of(context)
        if reason := left_out(platform, snapshot):
            yield from nothing_to_do(context, snapshot, reason)
            return
        registered = _register(platform, snapshot, context, catalog)
        yield from evaluated(context, remembered("glue", context, snapshot, lake, registered))

    return glue


def _register(
    platform: Platform, snapshot: Snapshot, context: dg.AssetExecutionContext, catalog: Catalog
) -> Iterator[Event]:
    keys = {table: catalog_table(platform, table) for table in platform.contracts}
    wanted = context.selected_asset_keys | {key.asset_key for key in context.selected_asset_check_keys}
    contracts = [platform.contracts[table] for table, key in keys.items() if key in wanted]
    with clear_failures():
        registered = tried_again(context.log, lambda: catalog.register(snapshot.customer, snapshot.date, contracts))
    for contract in contracts:
        if keys[contract.table] in context.selected_asset_keys:
            table = registered[contract.table]
            yield dg.MaterializeResult(keys[contract.table], metadata=_metadata(platform, contract, table))
    for key in sorted(context.selected_asset_check_keys):
        drift = registered[key.asset_key.path[-1]].drift
        yield check_result(snapshot, key, passed=not drift, text=" ".join(drift))


def _metadata(platform: Platform, contract: Contract, table: CatalogTable) -> dict[str, Any]:
    return {
        "dagster/row_count": table.rows,
        "dagster/uri": table.location,
        "dagster/column_lineage": _lineage(platform, contract),
        "found_schema": dg.TableSchema([dg.TableColumn(name, type=type_) for name, type_ in table.columns]),
    }


def _lineage(platform: Platform, contract: Contract) -> dg.TableColumnLineage:
    """Columns keep their names on the way from the landed files."""
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(landed_table(platform, contract.table), column.name)]
            for column in contract.columns
        }
    )
