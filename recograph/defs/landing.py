"""Step 1, landing: the contracted tables of a dump as typed Parquet in the lake."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import Field

from recograph.defs.checks import Event, Told, check_result, evaluated
from recograph.defs.dumps import SQL_DUMP, seen_events
from recograph.defs.failures import clear_failures, tried_again
from recograph.defs.partitions import CUSTOMERS, OWNERS, SNAPSHOTS, Snapshot, snapshot_of
from recograph.defs.platforms import key_path, left_out, nothing_to_do, step_name
from recograph.defs.unchanged import remembered
from recograph.errors import RecographError
from recograph.lake.days_before import DaysBefore, find_drop, find_vanished
from recograph.lake.inbox import dump_for
from recograph.lake.interfaces import Inbox, Lake
from recograph.lake.landing import Landing, land
from recograph.platforms import Contract, Platform

NO_SUDDEN_DROP = "no_sudden_drop"
KEYS_ARE_UNIQUE = "keys_are_unique"
NO_COLUMN_VANISHED = "no_column_vanished"
ALL_COLUMNS_ARE_THERE = "all_columns_are_there"
READ_WITHOUT_WARNINGS = "read_without_warnings"
_DUPLICATES = "duplicates_left_out"
_MISSING = "missing_columns"
_WARNINGS = "dump_warnings"


class LandingConfig(dg.Config):
    """Run config of the landing step."""

    max_row_drop: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="The share of a table's rows that may be gone since the day before; 1 lets every drop through.",
    )
    allow_missing_columns: bool = Field(
        default=False, description="Whether columns of the contract that the day before had may be missing."
    )


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
                partitions_def=SNAPSHOTS,
                description="The table hasn't lost a large share of its rows since the day before, as cut exports do.",
            )
            for table in platform.contracts
        ]
        + [
            dg.AssetCheckSpec(
                NO_COLUMN_VANISHED,
                asset=landed_table(platform, table),
                partitions_def=SNAPSHOTS,
                blocking=True,
                description="No column of the contract is missing that the day before had.",
            )
            for table in platform.contracts
        ]
        + [
            dg.AssetCheckSpec(
                ALL_COLUMNS_ARE_THERE,
                asset=landed_table(platform, table),
                partitions_def=SNAPSHOTS,
                description="The dump has every column of the contract; a warning, since those that it lacks are NULL.",
            )
            for table in platform.contracts
        ]
        + [
            dg.AssetCheckSpec(
                READ_WITHOUT_WARNINGS,
                asset=landed_table(platform, next(iter(platform.contracts))),
                partitions_def=SNAPSHOTS,
                description="The dump says that it is whole, and holds no messages of programs; a warning.",
            )
        ]
        + [
            dg.AssetCheckSpec(
                KEYS_ARE_UNIQUE,
                asset=landed_table(platform, table),
                partitions_def=SNAPSHOTS,
                description="No two rows of the dump have the same key; a warning, since the last one is kept.",
            )
            for table, contract in platform.contracts.items()
            if contract.key
        ],
        can_subset=True,
        partitions_def=SNAPSHOTS,
        pool="lake",
    )
    def landing(
        context: dg.AssetExecutionContext,
        config: LandingConfig,
        inbox: dg.ResourceParam[Inbox],
        lake: dg.ResourceParam[Lake],
    ) -> Iterator[Told]:
        """Read the dump once and land its contracted tables."""
        snapshot = snapshot_of(context)
        if reason := left_out(platform, snapshot):
            yield from nothing_to_do(context, snapshot, reason)
            return
        landed = _land(platform, snapshot, context, config, inbox, lake)
        yield from evaluated(context, remembered("landing", context, snapshot, lake, landed, config.model_dump()))

    return landing


def _land(
    platform: Platform,
    snapshot: Snapshot,
    context: dg.AssetExecutionContext,
    config: LandingConfig,
    inbox: Inbox,
    lake: Lake,
) -> Iterator[Event]:
    tables = [table for table in platform.contracts if landed_table(platform, table) in context.selected_asset_keys]
    counts: dict[str, _Counts] = {}
    with clear_failures():
        if tables:
            landed = tried_again(context.log, lambda: _land_dump(inbox, lake, snapshot, tables))
            counts = {table: _Counts.of(landed, table) for table in tables}
            for event in seen_events(
                landed.dump, dialect=landed.dialect, compression=landed.compression, tables=landed.tables_in_dump
            ):
                context.log_event(event)
            total = sum(result.rows for result in landed.tables.values())
            context.log.info(f"{snapshot}: {total} rows landed from {landed.dump.uri}")
            for table in tables:
                yield dg.MaterializeResult(landed_table(platform, table), metadata=_metadata(platform, landed, table))
        before = DaysBefore(lake, snapshot.customer, snapshot.date)
        for key in sorted(context.selected_asset_check_keys):
            table = key.asset_key.path[-1]
            if table not in counts:
                counts[table] = _counts_when_landed(context, snapshot, key.asset_key)
            if key.name == NO_SUDDEN_DROP:
                yield _no_sudden_drop(platform, snapshot, key, counts[table].rows, config, before)
            elif key.name == NO_COLUMN_VANISHED:
                yield _no_column_vanished(platform, snapshot, key, counts[table].missing_columns, config, before)
            else:
                text = _warning(key.name, counts[table])
                yield check_result(snapshot, key, passed=not text, text=text, severity=dg.AssetCheckSeverity.WARN)


def _land_dump(inbox: Inbox, lake: Lake, snapshot: Snapshot, tables: list[str]) -> Landing:
    dump = dump_for(inbox, snapshot.customer, snapshot.date)
    return land(inbox, lake, dump, CUSTOMERS[snapshot.customer], tables)


def _warning(check: str, counts: "_Counts") -> str:
    """What a check that only warns has to tell; empty where there is nothing."""
    if check == READ_WITHOUT_WARNINGS:
        return counts.warnings
    if check == ALL_COLUMNS_ARE_THERE:
        return f"The dump lacks {counts.missing_columns}, so they are NULL." if counts.missing_columns else ""
    count = counts.duplicates
    return f"{count} row{'s' * (count > 1)} with the key of a later one, left out." if count else ""


def _no_column_vanished(
    platform: Platform,
    snapshot: Snapshot,
    key: dg.AssetCheckKey,
    missing: str,
    config: LandingConfig,
    before: DaysBefore,
) -> dg.AssetCheckResult:
    columns, table = missing.split(", ") if missing else [], key.asset_key.path[-1]
    vanished = find_vanished(before, table, columns)
    text = ""
    if vanished and not config.allow_missing_columns:
        config_text = f"ops: {{{step_name('landing', platform)}: {{config: {{allow_missing_columns: true}}}}}}"
        text = f"{vanished} If it is right, run again with the run config {config_text}."
    return check_result(snapshot, key, passed=not text, text=text)


def _no_sudden_drop(
    platform: Platform, snapshot: Snapshot, key: dg.AssetCheckKey, rows: int, config: LandingConfig, before: DaysBefore
) -> dg.AssetCheckResult:
    text = ""
    if drop := find_drop(before, key.asset_key.path[-1], rows, config.max_row_drop):
        config_text = f"ops: {{{step_name('landing', platform)}: {{config: {{max_row_drop: 1}}}}}}"
        text = f"{drop} If it is right, run again with the run config {config_text}."
    return check_result(snapshot, key, passed=not text, text=text, metadata={"max_row_drop": config.max_row_drop})


def _metadata(platform: Platform, landed: Landing, table: str) -> dict[str, Any]:
    result = landed.tables[table]
    return {
        "dagster/row_count": result.rows,
        "dagster/uri": result.uri,
        "bytes": result.bytes,
        "columns": len(platform.contracts[table].columns),
        "in_dump": result.in_dump,
        "rows_read": result.rows_read,
        _DUPLICATES: result.duplicates,
        "zero_dates_as_null": result.zero_dates,
        "out_of_bounds_as_null": result.out_of_bounds,
        _MISSING: ", ".join(result.missing_columns),
        _WARNINGS: " ".join(landed.warnings),
        "dropped_columns": ", ".join(result.dropped_columns),
        "dump_version": landed.dump.version,
    }


@dataclass(frozen=True)
class _Counts:
    """What the checks need to know of a landed table."""

    rows: int
    duplicates: int
    missing_columns: str
    warnings: str

    @classmethod
    def of(cls, landed: Landing, table: str) -> "_Counts":
        """What landing a table came to."""
        result = landed.tables[table]
        return cls(result.rows, result.duplicates, ", ".join(result.missing_columns), " ".join(landed.warnings))


def _counts_when_landed(context: dg.AssetExecutionContext, snapshot: Snapshot, table: dg.AssetKey) -> _Counts:
    """What landing the table came to, for a check that is executed by itself.

    Raises:
        RecographError: it was never landed.
    """
    wanted = dg.AssetRecordsFilter(table, asset_partitions=[snapshot.key])
    records = context.instance.fetch_materializations(wanted, limit=1).records
    materialization = records[0].asset_materialization if records else None
    if materialization is None:
        raise RecographError(f"{table.to_user_string()} of {snapshot} isn't there. Materialize it first.")
    metadata = {name: value.value for name, value in materialization.metadata.items()}
    return _Counts(
        metadata["dagster/row_count"], metadata[_DUPLICATES], metadata.get(_MISSING, ""), metadata.get(_WARNINGS, "")
    )
