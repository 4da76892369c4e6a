"""The instance for production: Dagster and its run launcher take what is in it."""

import yaml
from dagster._config import Shape, validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from dagster_aws.ecs import EcsRunLauncher
from dagster_aws.s3.compute_log_manager import S3ComputeLogManager
from dagster_postgres import DagsterPostgresStorage

from recograph.operating.instance import SECTIONS
from recograph.settings import PROJECT_DIR

PRODUCTION = yaml.safe_load((PROJECT_DIR / "deploy" / "dagster.yaml").read_text())


def test_dagster_takes_it() -> None:
    instance = Shape(dagster_instance_config_schema())  # type: ignore[no-untyped-call]  # Dagster leaves it without types
    assert not validate_config(instance, PRODUCTION).errors
    assert not validate_config(instance, {"storages": {}}).success


def test_its_run_launcher_takes_its_settings() -> None:
    launcher = PRODUCTION["run_launcher"]
    assert (launcher["module"], launcher["class"]) == (EcsRunLauncher.__module__.rsplit(".", 1)[0], "EcsRunLauncher")
    settings = EcsRunLauncher.config_type()  # type: ignore[no-untyped-call]  # Dagster leaves it without types
    assert not validate_config(settings, launcher["config"]).errors


def test_days_of_a_customer_wait_for_each_other_as_on_one_machine() -> None:
    local = yaml.safe_load(SECTIONS["concurrency"].format(runs=2))
    here, on_aws = local["concurrency"]["runs"], PRODUCTION["concurrency"]["runs"]
    assert here["tag_concurrency_limits"] == on_aws["tag_concurrency_limits"]


def test_storage_and_logs_take_their_settings() -> None:
    storage = PRODUCTION["storage"]["postgres"]
    assert not validate_config(DagsterPostgresStorage.config_type(), storage).errors
    logs = PRODUCTION["compute_logs"]
    assert (logs["module"], logs["class"]) == (S3ComputeLogManager.__module__, "S3ComputeLogManager")
    settings = S3ComputeLogManager.config_type()  # type: ignore[no-untyped-call]  # Dagster leaves it without types
    assert not validate_config(settings, logs["config"]).errors


def test_on_one_machine_only_where_runs_and_logs_are_differs() -> None:
    composed = yaml.safe_load((PROJECT_DIR / "deploy" / "dagster.compose.yaml").read_text())
    expected = {name: part for name, part in PRODUCTION.items() if name not in ("run_launcher", "compute_logs")}
    fewer = {**expected["concurrency"]["runs"], "max_concurrent_runs": 4}
    assert composed == {**expected, "concurrency": {"runs": fewer}}
