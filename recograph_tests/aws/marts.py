"""dbt for one partition, told of it as the marts asset tells it, on either engine; and what a partition holds then."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from recograph.adapters.dbt_models import mart_columns
from recograph.adapters.dbt_variables import dbt_environment, partition_variable
from recograph.adapters.environment import open_catalog, open_dbt, open_warehouse
from recograph.customers import load_customers
from recograph.settings import DBT_PROJECT_DIR, Settings

MARTS = tuple(path.stem for path in sorted((DBT_PROJECT_DIR / "models" / "marts").glob("*.sql")))


def dbt(environ: Mapping[str, str], customer: str, date: str, *arguments: str) -> subprocess.Popen[str]:
    """Start `dbt ARGUMENTS` for a partition, in the installation that the environment names."""
    settings = Settings.from_env(environ)
    if settings.on_aws:
        open_catalog(settings).prepare_marts(mart_columns())
    else:
        for mart in MARTS:
            folder = f"customer={customer}/snapshot_date={date}"
            Path(settings.lake, "marts", mart, folder).mkdir(parents=True, exist_ok=True)
    scratch = str(settings.home / "dbt-test" / f"{customer}-{date}")
    partition = partition_variable(load_customers(settings.data)[customer], date)
    command = [
        *(str(Path(sys.executable).with_name("dbt")), *arguments, "--target", open_dbt(settings).target),
        *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
        *("--target-path", scratch, "--log-path", scratch),
    ]
    return subprocess.Popen(
        command,
        env={**environ, **dbt_environment(settings), **partition},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for a process that must succeed."""
    output, _ = process.communicate()
    assert process.returncode == 0, output


def rows(settings: Settings, mart: str, customer: str, date: str) -> list[dict[str, Any]]:
    """A partition of a mart, sorted by all of its columns; times as whole milliseconds."""
    warehouse = open_warehouse(settings)
    relation = warehouse.partition(mart, customer, date)
    if relation is None:
        return []
    read = [row for batch in warehouse.stream(f"select * from {relation} t") for row in _comparable(batch)]
    return sorted(read, key=lambda row: [(value is None, str(value)) for value in row.values()])


def _comparable(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    wanted = pa.schema(
        [
            field.with_type(pa.timestamp("ms")) if pa.types.is_timestamp(field.type) else field.with_nullable(True)
            for field in batch.schema
        ]
    )
    comparable: list[dict[str, Any]] = batch.cast(wanted).to_pylist()
    return comparable
