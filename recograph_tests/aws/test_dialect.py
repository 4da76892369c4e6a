"""One dialect of SQL for two engines: every macro gives the same fixed values on both, every statement is Athena's."""

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest
import sqlglot

from recograph.adapters.dbt_variables import dbt_environment, partition_variable
from recograph.adapters.environment import open_warehouse
from recograph.customers import Customer
from recograph.settings import DBT_PROJECT_DIR, Settings
from recograph_tests.aws.stack import Deployment, LocalAws

CUSTOMER = Customer(id="customer_1", name='O\'Neill & "Sons"', region="us-east-1", size="mid", category="pharma")
PARTITION = partition_variable(CUSTOMER, "2026-11-01")
VARS: dict[str, Any] = {"similar_per_item": 20, "similarity_shrinkage": 10, "history_per_user": 2}
END = 1793577600000  # 2026-11-02 00:00 UTC in milliseconds
WEEK = 7 * 24 * 3600 * 1000


def at(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts)  # type: ignore[arg-type] # noqa: DTZ001 - as the engines have it, without a zone


VALUES = [
    ("epoch_ms_to_timestamp('cast(1735689600123 as bigint)')", at(2025, 1, 1, 0, 0, 0, 123_000)),
    ("epoch_ms_to_timestamp('cast(1767225599999 as bigint)')", at(2025, 12, 31, 23, 59, 59, 999_000)),
    ("epoch_ms_to_timestamp('cast(0 as bigint)')", at(1970, 1, 1)),
    ("epoch_ms_to_timestamp('cast(-1 as bigint)')", at(1969, 12, 31, 23, 59, 59, 999_000)),
    ("epoch_ms_to_timestamp('cast(253402300799999 as bigint)')", at(9999, 12, 31, 23, 59, 59, 999_000)),
    ("epoch_ms_to_timestamp('cast(null as bigint)')", None),
    ("snapshot_end_ms()", END),
    ("recency('cast(null as bigint)')", 1),
    (f"recency('{END + 99 * WEEK}')", 9),
    (f"recency('{END - WEEK + 1}')", 9),
    (f"recency('{END - WEEK}')", 8),
    (f"recency('{END - 2 * WEEK}')", 7),
    (f"recency('{END - 64 * WEEK}')", 2),
    (f"recency('{END - 128 * WEEK + 1}')", 2),
    (f"recency('{END - 128 * WEEK}')", 1),
    ("literal(partition('customer_name'))", CUSTOMER.name),
    ("literal('')", ""),
]


def written(engine: str, expression: str, **scope: Any) -> str:
    """The SQL that an expression of the project's macros becomes, as dbt would have it on an engine."""
    files = ("time.sql", "partition.sql")
    text = "".join((DBT_PROJECT_DIR / "macros" / file).read_text() for file in files)
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    adapter = SimpleNamespace(
        dispatch=lambda name, package: getattr(environment.from_string(text).module, f"{engine}__{name}"),
        generate_s3_location=lambda mart, folder, naming: f"{folder}{mart.identifier}",
    )
    environment.globals |= {
        "var": VARS.__getitem__,
        "env_var": PARTITION.__getitem__,
        "fromjson": json.loads,
        "execute": True,
        "return": lambda value: value,
        "modules": SimpleNamespace(datetime=datetime),
        "adapter": adapter,
        "target": SimpleNamespace(s3_data_dir="s3://lake/marts/", s3_data_naming="table"),
        **scope,
    }
    return environment.from_string(f"{text}{{{{ {expression} }}}}").render().strip()


@pytest.mark.parametrize(("call", "expected"), VALUES)
def test_a_macro_on_duckdb(call: str, expected: Any) -> None:
    assert duckdb.execute(f"select {written('duckdb', call)}").fetchone() == (expected,)


@pytest.mark.aws
@pytest.mark.timeout(600)
def test_the_macros_on_athena(athena: LocalAws, deploy: Callable[..., Deployment]) -> None:
    warehouse = open_warehouse(Settings.from_env(deploy().environ))
    selected = ", ".join(f"{written('athena', call)} as v{number}" for number, (call, _) in enumerate(VALUES))
    assert list(warehouse.query(f"select {selected}").to_pylist()[0].values()) == [value for _, value in VALUES]


def test_every_compiled_statement_parses_as_athenas(
    ministack: LocalAws, deploy: Callable[..., Deployment], tmp_path: Path
) -> None:
    settings = Settings.from_env(deploy("customer_1").environ)
    command = [
        *(str(Path(sys.executable).with_name("dbt")), "--quiet", "compile", "--target", "athena"),
        *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
        *("--target-path", str(tmp_path), "--log-path", str(tmp_path)),
    ]
    environ = {**os.environ, **dbt_environment(settings), **PARTITION}
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    compiled = [path for path in (tmp_path / "compiled").rglob("*") if path.is_file()]
    models = {path.stem for path in (DBT_PROJECT_DIR / "models").rglob("*.sql")}
    assert models <= {path.stem for path in compiled}
    assert len(compiled) > len(models)  # the tests, too
    for path in compiled:
        (statement,) = sqlglot.parse(path.read_text(), dialect="athena")
        assert isinstance(statement, sqlglot.exp.Query), path
        assert not statement.find(sqlglot.exp.Qualify, sqlglot.exp.Command), path
