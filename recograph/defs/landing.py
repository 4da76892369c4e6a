"""Step 1, landing: the contracted tables of a dump as typed Parquet in the lake."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import dagster as dg

from recograph.defs.dumps import SQL_DUMP, observation
from recograph.defs.errors import RETRIES, clear_failures
from recograph.defs.partitions import CUSTOMERS, OWNERS, SNAPSHOTS, snapshots_of
from recograph.defs.platforms import key_path, leave_out, left_out, step_name
from recograph.lake.inbox import dump_for
from recograph.lake.interfaces import Lake
from recograph.lake.landing import find_drop, land
from recograph.platforms import Contract, Platform

NO_SUDDEN_DROP = "no_sudden_drop"
KEYS_ARE_UNIQUE = "keys_are_unique"


class LandingConfig(dg.Config):
    """Run config of the landing step."""

    max_row_drop: float = 0.3
    """The share of a table's rows that may be gone since the day before; 1 lets every drop through."""


def landed_table(platform: Platform, table: str) -> dg.AssetKey:
    """The asset of a landed table."""
    return dg.AssetKey(["landing", *key_path(platform, table)])


def table_schema(contract: Contract) -> dg.TableSchema:
    """A contract as the Dagster UI shows it."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                type=str(column.type),
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=not column.required),
            )
            for column in contract.columns
        ]
    )


def landing_of(platform: Platform) -> dg.AssetsDefinition:
    """The landing of a platform's tables."""

    @dg.multi_asset(
        name=step_name("landing", platform),
        specs=[
            dg.AssetSpec(
                landed_table(platform, table),
                deps=[SQL_DUMP],
                description=f"{contract.description}: the columns that the contract lets through, typed.",
                group_name="landing",
                kinds={"parquet", "python"},
                owners=OWNERS,
                metadata={"dagster/column_schema": table_schema(contract)},
            )
            for table, contract in platform.contracts.items()
        ],
        check_specs=[
            dg.AssetCheckSpec(
                NO_SUDDEN_DROP,
                asset=landed_table(platform, table),
                blocking=True,
                description="The table hasn't lost a large share of its rows since the day before, as cut exports do.",
            )
            for table in platform.contracts
        ]
        + [
            dg.AssetCheckSpec(
                KEYS_ARE_UNIQUE,
                asset=landed_table(platform, table),
                description="No two rows of the dump have the same key; a warning, since the last one is kept.",
            )
            for table, contract in platform.contracts.items()
            if contract.key
        ],
        can_subset=True,
        partitions_def=SNAPSHOTS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        pool="lake",
    )
    def landing(
        context: dg.AssetExecutionContext, config: LandingConfig, lake: dg.ResourceParam[Lake]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        """Read each dump once and land its contracted tables."""
        yield from _land(platform, context, config, lake)

    return landing


def _land(
    platform: Platform, context: dg.AssetExecutionContext, config: LandingConfig, lake: Lake
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    tables = [table for table in platform.contracts if landed_table(platform, table) in context.selected_asset_keys]
    drops: dict[str, list[str]] = defaultdict(list)
    duplicates: dict[str, list[str]] = defaultdict(list)
    with clear_failures():
        for snapshot in snapshots_of(context):
            if reason := left_out(platform, snapshot):
                leave_out(context, [landed_table(platform, table) for table in tables], snapshot, reason)
                continue
            dump = dump_for(lake, snapshot.customer, snapshot.date)
            landed = land(lake, dump, CUSTOMERS[snapshot.customer], tables)
            context.log_event(
                observation(
                    landed.dump,
                    dialect=landed.dialect,
                    compression=landed.compression,
                    tables=landed.tables_in_dump,
                )
            )
            for table in tables:
                result = landed.tables[table]
                context.add_asset_metadata(
                    {
                        "dagster/row_count": result.rows,
                        "dagster/uri": result.uri,
                        "bytes": result.bytes,
                        "columns": len(platform.contracts[table].columns),
                        "in_dump": result.in_dump,
                        "rows_read": result.rows_read,
                        "duplicates_left_out": result.duplicates,
                        "zero_dates_as_null": result.zero_dates,
                        "dropped_columns": ", ".join(result.dropped_columns),
                        "dump_version": landed.dump.version,
                    },
                    asset_key=landed_table(platform, table),
                    partition_key=snapshot.key,
                )
                if result.duplicates:
                    rows = f"{result.duplicates} row{'s' * (result.duplicates > 1)} with the key of a later one"
                    duplicates[table].append(f"{landed.dump.uri}: {rows}, left out.")
                if drop := find_drop(lake, snapshot.customer, table, snapshot.date, result.rows, config.max_row_drop):
                    config_text = f"ops: {{{step_name('landing', platform)}: {{config: {{max_row_drop: 1}}}}}}"
                    drops[table].append(f"{drop} If it is right, run again with the run config {config_text}.")
            total = sum(result.rows for result in landed.tables.values())
            context.log.info(f"{snapshot.customer} {snapshot.date}: {total} rows landed from {landed.dump.uri}")
    for table in tables:
        yield dg.MaterializeResult(landed_table(platform, table))
    for key in context.selected_asset_check_keys:
        table, is_drop = key.asset_key.path[-1], key.name == NO_SUDDEN_DROP
        found = drops[table] if is_drop else duplicates[table]
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=not found,
            severity=dg.AssetCheckSeverity.ERROR if is_drop else dg.AssetCheckSeverity.WARN,
            description=" ".join(found) or None,
            metadata={"max_row_drop": config.max_row_drop} if is_drop else {},
        )
