"""The rules that the models hold, as dbt's own unit tests state them."""

import json
import os
import subprocess
from pathlib import Path

from recograph.adapters.dbt_variables import DBT, partition_variable
from recograph.customers import Customer
from recograph.settings import DBT_PROJECT_DIR

ANYONE = Customer(id="customer_1", name="O'Neil & Sons", region="eu-west-2", size="mid", category="pharma")


def test_dbt_unit_tests_pass(tmp_path: Path) -> None:
    command = [str(DBT), "test", "--select", "test_type:unit"]
    folders = ["--project-dir", DBT_PROJECT_DIR, "--profiles-dir", DBT_PROJECT_DIR]
    folders += ["--target-path", tmp_path / "target", "--log-path", tmp_path / "logs"]
    environ = os.environ | {"RECOGRAPH_LAKE": str(tmp_path / "lake")} | partition_variable(ANYONE, "2026-11-01")
    ran = subprocess.run([*command, *map(str, folders)], env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    results = json.loads((tmp_path / "target" / "run_results.json").read_text())["results"]
    passed = [result["unique_id"] for result in results if result["status"] == "pass"]
    assert len([test for test in passed if test.startswith("unit_test.")]) == 8
