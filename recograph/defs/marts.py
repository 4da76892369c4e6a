"""Step 3, marts: dbt builds and tests them on the warehouse, one partition in a run."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from recograph.adapters.dbt import NodeResult, build, parsed_project
from recograph.adapters.dbt_models import mart_columns
from recograph.adapters.dbt_rules import found_by
from recograph.adapters.environment import open_dbt
from recograph.defs.catalog import catalog_table
from recograph.defs.checks import Event, Told, check_result, evaluated
from recograph.defs.dagster_dbt import dagster_dbt
from recograph.defs.failures import clear_failures
from recograph.defs.partitions import CUSTOMERS, OWNERS, SETTINGS, SNAPSHOTS, Snapshot, snapshot_of
from recograph.defs.platforms import USED
from recograph.defs.unchanged import remembered
from recograph.lake.interfaces import Catalog, Lake, Warehouse
from recograph.lake.layout import remaking
from recograph.lake.staging import customer_locked, told_of_room
from recograph.platforms import PLATFORMS, Platform, platform_of

DBT_TESTS_PASS = "dbt_tests_pass"  # noqa: S105 - a check's name
_PROJECT = parsed_project(SETTINGS)
_ENGINE = open_dbt(SETTINGS)


def mart_key(mart: str) -> dg.AssetKey:
    """The asset of a mart."""
    return dg.AssetKey(["marts", mart])


def source_key(unique_id: str) -> dg.AssetKey:
    """The asset of a source of dbt, `source.recograph.PLATFORM.TABLE`."""
    platform, table = unique_id.split(".")[2:]
    return catalog_table(PLATFORMS[platform], table)


class Translator(dagster_dbt.DagsterDbtTranslator):
    """Names of dbt's nodes as assets: sources are the catalog's tables, models are marts."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        """A dbt node as an asset."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        kind, *_, name = unique_id.split(".")
        if kind == "source":
            return spec.replace_attributes(key=source_key(unique_id))
        metadata = dict(spec.metadata)
        if not _ENGINE.keeps_tables:
            metadata.pop("dagster/table_name", None)
        unused = {catalog_table(p, table) for p in PLATFORMS.values() if p not in USED for table in p.contracts}
        return spec.replace_attributes(
            key=mart_key(name),
            deps=[dep for dep in spec.deps if dep.asset_key not in unused],
            group_name="marts",
            owners=OWNERS,
            metadata=metadata,
            partitions_def=SNAPSHOTS,
        )


SPECS = [
    spec
    for spec in dagster_dbt.build_dbt_asset_specs(manifest=_PROJECT.manifest, dagster_dbt_translator=Translator())
    if spec.key.path[0] == "marts"
]
_IN_ORDER = list(TopologicalSorter({spec.key: [dep.asset_key for dep in spec.deps] for spec in SPECS}).static_order())


@dg.multi_asset(
    name="marts",
    specs=SPECS,
    check_specs=[
        dg.AssetCheckSpec(
            DBT_TESTS_PASS,
            asset=spec.key,
            description="All of dbt's tests of the mart pass; else nothing is loaded from it.",
            partitions_def=SNAPSHOTS,
        )
        for spec in SPECS
    ],
    can_subset=True,
    partitions_def=SNAPSHOTS,
    pool="warehouse",
)
def marts(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    catalog: dg.ResourceParam[Catalog],
    warehouse: dg.ResourceParam[Warehouse],
) -> Iterator[Told]:
    """Build the partition's marts and test them."""
    snapshot = snapshot_of(context)
    built = _build(snapshot, context, lake, catalog, warehouse)
    yield from evaluated(context, remembered("marts", context, snapshot, lake, built))


def _build(
    snapshot: Snapshot, context: dg.AssetExecutionContext, lake: Lake, catalog: Catalog, warehouse: Warehouse
) -> Iterator[Event]:
    names = [key.path[-1] for key in _IN_ORDER if key in context.selected_asset_keys]
    tested = sorted({key.asset_key.path[-1] for key in context.selected_asset_check_keys})
    with clear_failures():
        catalog.prepare_marts(mart_columns())
        # Nobody is erased between the reading of landed tables and the writing of marts.
        with customer_locked(SETTINGS.home, snapshot.customer):
            results = build(SETTINGS, CUSTOMERS[snapshot.customer], snapshot.date, names or tested, only_test=not names)
        # What was skipped because something else failed says nothing of its own.
        failures = {
            result: found_by(result, warehouse, snapshot.customer, snapshot.date)
            for result in results
            if result.status not in ("skipped", "warn") and not result.succeeded
        }
        told_of_room(lake.folder or SETTINGS.home, " ".join(failures.values()))
    context.log.info(_log(snapshot, results))
    yield from _check_results(context, snapshot, results, failures, warehouse)
    if any(not result.is_test or names for result in failures):
        # A broken file, of this day or of an earlier one, is named with its path.
        advice = dict.fromkeys(remaking(cause) for cause in failures.values() if ".parquet" in cause)
        advice |= dict.fromkeys(filter(None, map(_ENGINE.advice, failures.values())))
        raise dg.Failure(description=f"dbt failed for {snapshot}. {' '.join([*failures.values(), *advice])}")
    if not names:
        return
    built = {result.model: result.adapter_response for result in results if not result.is_test}
    reported = {name: _ENGINE.rows(built[name]) for name in names}
    rows = reported | _row_counts(warehouse, snapshot, [name for name in names if reported[name] is None])
    costs = {name: _ENGINE.cost(response) for name, response in built.items()}
    lineage = _lineage(platform_of(CUSTOMERS[snapshot.customer]))
    for name in names:
        yield dg.MaterializeResult(
            mart_key(name),
            metadata={"dagster/row_count": rows[name], "dagster/column_lineage": lineage[name], **costs[name]},
        )


def _check_results(
    context: dg.AssetExecutionContext,
    snapshot: Snapshot,
    results: list[NodeResult],
    failures: Mapping[NodeResult, str],
    warehouse: Warehouse,
) -> Iterator[dg.AssetCheckResult]:
    by_model: dict[str, list[NodeResult]] = defaultdict(list)
    for result in results:
        by_model[result.model].append(result)
    for key in sorted(context.selected_asset_check_keys):
        of_mart = by_model[key.asset_key.path[-1]]
        tests = [result for result in of_mart if result.is_test]
        failed = [result for result in of_mart if not result.succeeded]
        warned = [result for result in of_mart if result.status == "warn"]
        texts = [failures.get(result, "It was skipped.") for result in failed]
        text = " ".join([*texts, *(found_by(result, warehouse, snapshot.customer, snapshot.date) for result in warned)])
        yield check_result(
            snapshot,
            key,
            passed=bool(tests) and not failed and not warned,
            severity=dg.AssetCheckSeverity.ERROR if failed or not tests else dg.AssetCheckSeverity.WARN,
            text=text or ("" if tests else "It was not tested, since what it is made of failed."),
            metadata={"tests": len(tests), "failed": ", ".join(result.node for result in failed)},
        )


def _row_counts(warehouse: Warehouse, snapshot: Snapshot, names: list[str]) -> dict[str, int]:
    if not names:
        return {}
    relations = {name: warehouse.partition(name, snapshot.customer, snapshot.date) for name in names}
    counts = [
        f"select '{name}' as mart, count(*) as row_count from {relation}"  # noqa: S608 - names of models
        for name, relation in relations.items()
    ]
    return {row["mart"]: row["row_count"] for row in warehouse.query(" union all ".join(counts)).to_pylist()}


def _lineage(platform: Platform) -> dict[str, dg.TableColumnLineage]:
    """What each mart's columns are made of."""
    # Engines know columns in lower case, the catalog's assets as the contract spells them.
    spelt = {
        table: {c.name.lower(): c.name for c in contract.columns} for table, contract in platform.contracts.items()
    }

    def source_column(step: str, table: str, column: str) -> dg.TableColumnDep:
        if step == "marts":
            return dg.TableColumnDep(mart_key(table), column)
        return dg.TableColumnDep(catalog_table(platform, table), spelt[table].get(column, column))

    return {
        mart: dg.TableColumnLineage(
            {column: [source_column(*source) for source in sorted(sources)] for column, sources in columns.items()}
        )
        for mart, columns in _PROJECT.lineage(platform).items()
    }


def _log(snapshot: Snapshot, results: list[NodeResult]) -> str:
    """What dbt did, as one message: each of Dagster's events costs as much as a small model."""
    lines = [f"{result.node}: {result.status}{f', {result.message}' * bool(result.message)}" for result in results]
    return "\n".join([f"{snapshot}: dbt", *lines])
