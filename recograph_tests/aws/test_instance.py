"""The instance for production: Dagster and its run launcher take what is in it."""

import yaml
from dagster._config import Shape, validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from dagster_aws.ecs import EcsRunLauncher

from recograph.operating.instance import _DAGSTER_YAML
from recograph.settings import PROJECT_DIR

PRODUCTION = yaml.safe_load((PROJECT_DIR / "deploy" / "dagster.yaml").read_text())


def test_dagster_takes_it() -> None:
    assert validate_config(Shape(dagster_instance_config_schema()), PRODUCTION).errors in (None, [])
    assert not validate_config(Shape(dagster_instance_config_schema()), {"storages": {}}).success


def test_its_run_launcher_takes_its_settings() -> None:
    launcher = PRODUCTION["run_launcher"]
    assert (launcher["module"], launcher["class"]) == (EcsRunLauncher.__module__.rsplit(".", 1)[0], "EcsRunLauncher")
    assert validate_config(EcsRunLauncher.config_type(), launcher["config"]).errors in (None, [])


def test_days_of_a_customer_wait_for_each_other_as_on_one_machine() -> None:
    local = yaml.safe_load(_DAGSTER_YAML.format(runs=2))
    here, there = local["concurrency"]["runs"], PRODUCTION["concurrency"]["runs"]
    assert here["tag_concurrency_limits"] == there["tag_concurrency_limits"]
