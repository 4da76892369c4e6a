"""The rules of the marts: each that a partition breaks is named, and how many rows break it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recograph.adapters.dbt import NodeResult
from recograph.adapters.dbt_rules import found_by
from recograph.adapters.dbt_variables import DBT, partition_variable
from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.settings import DBT_PROJECT_DIR
from recograph_tests.dbt.test_models import ANYONE

DAY = "2026-11-01"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """dbt's manifest after it has compiled the rules of two marts."""
    folder = tmp_path_factory.mktemp("dbt")
    command = [str(DBT), "compile", "--select", "course_enrolments_rules_hold", "users_rules_hold"]
    folders = ["--project-dir", DBT_PROJECT_DIR, "--profiles-dir", DBT_PROJECT_DIR]
    folders += ["--target-path", folder, "--log-path", folder]
    environ = os.environ | {"RECOGRAPH_LAKE": str(folder / "lake")} | partition_variable(ANYONE, DAY)
    compiled = subprocess.run([*command, *map(str, folders)], env=environ, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stdout
    by_id: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["nodes"]
    return by_id


def broken(nodes: dict[str, Any], lake: Path, mart: str, rows: dict[str, list[int | None]]) -> str:
    """What is said of a partition with these rows."""
    partition = lake / "marts" / mart / f"customer={ANYONE.id}" / f"snapshot_date={DAY}"
    partition.mkdir(parents=True)
    count = len(next(iter(rows.values())))
    named = {"customer": [ANYONE.id] * count, "snapshot_date": [DAY] * count}
    pq.write_table(pa.table({**rows, **named}), partition / f"{mart}.parquet")
    test = next(node for node in nodes.values() if node["name"] == f"{mart}_rules_hold")
    failed = NodeResult(
        node=test["name"],
        model=mart,
        is_test=True,
        succeeded=False,
        status="fail",
        message="",
        generic_test=test["test_metadata"]["name"],
        sql=test["compiled_code"],
        relation=nodes[test["attached_node"]]["relation_name"],
    )
    return found_by(failed, DuckDBWarehouse(lake=str(lake)), ANYONE.id, DAY)


def test_each_broken_rule_is_named(nodes: dict[str, Any], tmp_path: Path) -> None:
    rows: dict[str, list[int | None]] = {
        "user_id": [1, 1, 1, None],
        "course_id": [5, 5, 6, 7],
        "recency": [9, 10, 0, None],
    }
    assert broken(nodes, tmp_path, "course_enrolments", rows) == (
        "1 row of course_enrolments breaks the rule that no two rows have the same user_id, course_id. "
        "1 row of course_enrolments breaks the rule that user_id has a value. "
        "1 row of course_enrolments breaks the rule that recency has a value. "
        "2 rows of course_enrolments break the rule that recency is from 1 to 9."
    )


def test_rules_that_hold_are_not_named(nodes: dict[str, Any], tmp_path: Path) -> None:
    assert broken(nodes, tmp_path, "users", {"id": [1, 2], "valid": [True, False]}) == ""
    assert broken(nodes, tmp_path / "none", "users", {"id": [], "valid": []}) == ""
