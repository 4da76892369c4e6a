"""The code location as a whole: what is in it, and how long it takes to load."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recograph.precompile import MODULES
from recograph.settings import PROJECT_DIR

ASSETS = Path(__file__).with_name("assets.json")
_DESCRIBE = """
import json
from recograph.definitions import defs
repository = defs.get_repository_def()
nodes = repository.asset_graph
print(json.dumps({
    "assets": {
        node.key.to_user_string(): {
            "group": node.group_name,
            "kinds": sorted(node.kinds),
            "owners": node.owners,
            "deps": sorted(key.to_user_string() for key in node.parent_keys),
            "checks": sorted(key.name for key in node.check_keys if "marts" not in node.key.path),
            "partitioned": node.partitions_def is not None,
            "described": bool(node.description),
        }
        for node in sorted((nodes.get(key) for key in nodes.get_all_asset_keys()), key=lambda node: node.key.path)
    },
    "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
    "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
    "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
}))
"""
_KEEP_DAYS = 41
_TOLD = """
from recograph.defs.retention import CleanConfig
jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
undescribed = [thing.name for thing in (*jobs, *repository.schedule_defs, *repository.sensor_defs)
               if not thing.description]
undescribed += [str(key) for key in nodes.asset_check_keys if not nodes.get(key).description]
fields = [(node.name, name, field) for job in jobs for node in job.graph.node_defs
          for name, field in getattr(node.config_schema.config_type, "fields", {}).items()]
undescribed += [f"{node} {name}" for node, name, field in fields if not field.description]
graph = [nodes.get(key) for key in nodes.get_all_asset_keys() if key.path[0] == "graph"]
print(json.dumps({
    "undescribed": undescribed,
    "fields": len(fields),
    "keep_days": CleanConfig().keep_days,
    "pictures": [node.metadata["model"].value[:60] for node in graph if "model" in node.metadata],
}))
"""
_CPU_SECONDS = "import time; {}; print(time.process_time())"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Runs Python in a process of its own, as an installation that has no state yet; returns what it printed."""
    home = str(tmp_path_factory.mktemp("home"))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("RECOGRAPH_", "AWS_"))}

    def run(code: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-W", "error::UserWarning:dagster", "-c", code],
            env=environ | {"RECOGRAPH_HOME": home, "RECOGRAPH_KEEP_DAYS": str(_KEEP_DAYS)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
        return ran.stdout

    return run


@pytest.fixture(scope="module")
def described(python: Callable[[str], str]) -> list[dict[str, Any]]:
    """What there is, and what is told of it."""
    return [json.loads(line) for line in python(_DESCRIBE + _TOLD).splitlines()]


def test_the_assets_are_those_of_the_snapshot(described: list[dict[str, Any]]) -> None:
    """A change shows up in review; after one, run `python -m recograph_tests.defs.test_definitions`."""
    assert described[0] == json.loads(ASSETS.read_text())


def test_all_that_people_start_set_or_look_at_has_a_description(described: list[dict[str, Any]]) -> None:
    assert described[1]["undescribed"] == []
    assert described[1]["fields"] > 5


def test_each_asset_of_the_graph_shows_the_model(described: list[dict[str, Any]]) -> None:
    pictures = described[1]["pictures"]
    assert len(pictures) == 14
    assert all("data:image/svg+xml" in picture for picture in pictures)


def test_cleaning_goes_by_the_environment_unless_a_run_says_otherwise(described: list[dict[str, Any]]) -> None:
    assert described[1]["keep_days"] == _KEEP_DAYS


def test_lineage_runs_from_the_dump_to_every_label() -> None:
    assets: dict[str, Any] = json.loads(ASSETS.read_text())["assets"]

    def upstream(key: str) -> set[str]:
        return {key}.union(*(upstream(parent) for parent in assets[key]["deps"]))

    graph = [key for key in assets if key.startswith("graph/")]
    assert len(graph) == 14
    for key in graph:
        # A customer's own node is made of customers.yaml, not of a dump.
        assert key == "graph/nodes/Customer" or "dumps/sql_dump" in upstream(key), key
    assert all(asset["described"] and asset["partitioned"] and asset["group"] for asset in assets.values())


_DESCRIBE_MARTS = """
from recograph.adapters.dbt_models import mart_columns
from recograph.defs.marts import SPECS
schemas = {spec.key.path[-1]: spec.metadata["dagster/column_schema"] for spec in SPECS}
columns = {mart: {column.name: column.type for column in schema.columns} for mart, schema in schemas.items()}
assert columns == mart_columns()
print(next(spec.description for spec in SPECS if spec.key.path[-1] == "customers"))
"""


def test_a_mart_shows_its_columns_and_its_sql(python: Callable[[str], str]) -> None:
    shown = python(_DESCRIBE_MARTS)
    sql = (PROJECT_DIR / "dbt_project/models/marts/customers.sql").read_text().strip()
    assert "\n".join(f"    {line}" for line in sql.splitlines()) in shown


def test_loading_the_assets_takes_little_more_than_loading_dagster(python: Callable[[str], str]) -> None:
    """At most 3 seconds of processor time more, once the dbt project has been parsed."""
    python("import recograph.defs.history, recograph.definitions")  # in this order, as `recograph clean` does
    alone = float(python(_CPU_SECONDS.format("import dagster")))
    assert float(python(_CPU_SECONDS.format("import recograph.definitions"))) - alone < 3


def test_what_the_installation_compiles_first_is_there() -> None:
    """It says nothing where an import fails, and every start would compile anew."""
    assert all(importlib.util.find_spec(module) for half in MODULES for module in half)


def test_compiling_tells_how_far_it_is(python: Callable[[str], str]) -> None:
    said = python("from recograph import precompile; precompile._SAY_EVERY = 0; precompile.main()").splitlines()
    counts = [int(line.removeprefix("  ").removesuffix(" modules")) for line in said]
    assert counts[-1] - counts[0] > 1000


if __name__ == "__main__":
    printed = subprocess.run([sys.executable, "-c", _DESCRIBE], capture_output=True, text=True, check=True).stdout
    ASSETS.write_text(json.dumps(json.loads(printed), indent=1) + "\n")
