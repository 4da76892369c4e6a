"""Step 3, marts: dbt builds them on the warehouse, one partition at a time; its tests are asset checks."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from recograph.adapters.aws.athena_cost import usage
from recograph.adapters.dbt import dbt_environment, dbt_vars, manifest, mart_columns
from recograph.adapters.dbt_lineage import column_lineage
from recograph.adapters.dbt_rules import broken_rules
from recograph.defs.catalog import catalog_table
from recograph.defs.dagster_dbt import DbtResource, dagster_dbt
from recograph.defs.errors import clear_failures
from recograph.defs.partitions import CUSTOMERS, OWNERS, SETTINGS, SNAPSHOTS, Snapshot, snapshots_of
from recograph.defs.platforms import USED
from recograph.lake.interfaces import Catalog, Warehouse
from recograph.lake.layout import remaking
from recograph.platforms import PLATFORMS, Platform, platform_of


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
        if not SETTINGS.on_aws:
            metadata.pop("dagster/table_name", None)  # a table in memory, gone with the run; the Parquet files stay
        unused = {catalog_table(p, table) for p in PLATFORMS.values() if p not in USED for table in p.contracts}
        deps = [dep for dep in spec.deps if dep.asset_key not in unused]
        return spec.replace_attributes(
            key=mart_key(name), group_name="marts", owners=OWNERS, metadata=metadata, deps=deps
        )


os.environ.update(dbt_environment(SETTINGS))


@dagster_dbt.dbt_assets(
    name="marts",
    manifest=manifest(SETTINGS),
    dagster_dbt_translator=Translator(dagster_dbt.DagsterDbtTranslatorSettings(enable_source_tests_as_checks=False)),
    partitions_def=SNAPSHOTS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="warehouse",
)
def marts(
    context: dg.AssetExecutionContext,
    dbt: DbtResource,
    catalog: dg.ResourceParam[Catalog],
    warehouse: dg.ResourceParam[Warehouse],
) -> Iterator[Any]:
    """Build the partitions' marts, each with one dbt run.

    A run over several days reports each asset once, as Dagster wants it, and a check as failed if it failed on any day.
    """
    outputs: dict[str, dg.Output[Any]] = {}
    checks: dict[dg.AssetCheckKey, dg.AssetCheckResult] = {}
    names = [key.path[-1] for key in context.selected_asset_keys]
    with clear_failures():
        catalog.prepare_marts(mart_columns())
    lineages: dict[Platform, dict[str, dg.TableColumnLineage]] = {}
    for snapshot in snapshots_of(context):
        if not SETTINGS.on_aws:
            _make_folders(snapshot, names)
        arguments = ["build", "--exclude-resource-type", "unit_test"]
        arguments += ["--vars", json.dumps(dbt_vars(CUSTOMERS[snapshot.customer], snapshot.date))]
        context.log.info(f"{snapshot.customer} {snapshot.date}: dbt {' '.join(arguments)}")
        invocation = dbt.cli(arguments, context=context, raise_on_error=False)
        for event in invocation.stream():
            if isinstance(event, dg.Output):
                outputs[event.output_name] = event
            elif isinstance(event, dg.AssetCheckResult):
                assert event.asset_key
                assert event.check_name
                key = dg.AssetCheckKey(event.asset_key, event.check_name)
                if key not in checks or checks[key].passed:
                    checks[key] = event
            else:
                yield event
        if not invocation.is_successful():
            broken = _broken_rules(invocation, warehouse, snapshot)
            for key, check in checks.items():
                yield _described(check, broken.get(key.name))
            raise dg.Failure(description=_failure(snapshot, invocation, broken))
        platform = platform_of(CUSTOMERS[snapshot.customer])
        if platform not in lineages:  # the same for every day
            lineages[platform] = _lineage(invocation, platform)
        rows = _row_counts(warehouse, snapshot, names)
        costs = scanned(invocation.get_artifact("run_results.json"))
        for name in names:
            context.add_asset_metadata(
                {
                    "dagster/row_count": rows[name],
                    "dagster/column_lineage": lineages[platform][name],
                    **costs.get(name, {}),
                },
                mart_key(name),
                snapshot.key,
            )
    yield from outputs.values()
    yield from checks.values()


def _row_counts(warehouse: Warehouse, snapshot: Snapshot, names: list[str]) -> dict[str, int]:
    relations = {name: warehouse.partition(name, snapshot.customer, snapshot.date) for name in names}
    counts = [
        f"select '{name}' as mart, count(*) as row_count from {relation}"  # noqa: S608 - names of models
        for name, relation in relations.items()
    ]
    return {row["mart"]: row["row_count"] for row in warehouse.query(" union all ".join(counts)).to_pylist()}


def _lineage(invocation: dagster_dbt.DbtCliInvocation, platform: Platform) -> dict[str, dg.TableColumnLineage]:
    """What each mart's columns are made of, from the SQL that this invocation compiled."""
    names = {
        table: {column.name.lower(): column.name for column in contract.columns}
        for table, contract in platform.contracts.items()
    }

    def source_column(step: str, table: str, column: str) -> dg.TableColumnDep:
        if step == "marts":
            return dg.TableColumnDep(mart_key(table), column)
        # Engines know columns in lower case, the catalog's assets as the contract spells them.
        return dg.TableColumnDep(catalog_table(platform, table), names[table].get(column, column))

    found = column_lineage(
        invocation.get_artifact("manifest.json"),
        invocation.target_path / "compiled",
        {table: [*columns, "snapshot_date"] for table, columns in names.items()},
        "athena" if SETTINGS.on_aws else "duckdb",
    )
    return {
        mart: dg.TableColumnLineage(
            {column: [source_column(*source) for source in sorted(sources)] for column, sources in columns.items()}
        )
        for mart, columns in found.items()
    }


def _make_folders(snapshot: Snapshot, models: list[str]) -> None:
    """Make the folders into which DuckDB will write the partition's files: it makes none itself."""
    for model in models:
        partition = Path(
            SETTINGS.lake, "marts", model, f"customer={snapshot.customer}", f"snapshot_date={snapshot.date}"
        )
        partition.mkdir(parents=True, exist_ok=True)


def scanned(run_results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By model what Athena scanned to build it, as metadata of its asset; DuckDB bills nothing."""
    models = {
        result["unique_id"].split(".")[-1]: result["adapter_response"].get("data_scanned_in_bytes")
        for result in run_results["results"]
        if result["unique_id"].startswith("model.")
    }
    return {model: usage([size]) for model, size in models.items() if size is not None}


def _broken_rules(invocation: dagster_dbt.DbtCliInvocation, warehouse: Warehouse, snapshot: Snapshot) -> dict[str, str]:
    try:
        results = invocation.get_artifact("run_results.json")["results"]
    except FileNotFoundError:
        return {}
    nodes = invocation.get_artifact("manifest.json")["nodes"]
    return broken_rules(results, nodes, warehouse, snapshot.customer, snapshot.date)


def _described(check: dg.AssetCheckResult, description: str | None) -> dg.AssetCheckResult:
    if check.passed or not description:
        return check
    return dg.AssetCheckResult(
        passed=False,
        asset_key=check.asset_key,
        check_name=check.check_name,
        severity=check.severity,
        metadata=check.metadata,
        description=description,
    )


def _failure(snapshot: Snapshot, invocation: dagster_dbt.DbtCliInvocation, broken: Mapping[str, str]) -> str:
    """One sentence per dbt node that failed."""
    failed = f"dbt failed for {snapshot.customer} on {snapshot.date}."
    try:
        results = invocation.get_artifact("run_results.json")["results"]
    except FileNotFoundError:
        return f"{failed} It built nothing: {invocation.get_error()}"
    causes = []
    for result in results:
        if result["status"] in ("error", "fail"):
            node = result["unique_id"].split(".", 2)[2]
            causes.append(broken.get(node.split(".")[0]) or f"{node}: {' '.join((result['message'] or '').split())}")
    # A broken file, of this day or of an earlier one, is named with its path.
    advice = [remaking(cause) for cause in causes if ".parquet" in cause]
    return " ".join([failed, *causes, *dict.fromkeys(advice)])
