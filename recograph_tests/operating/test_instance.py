import logging
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._daemon.monitoring.run_monitoring import check_run_timeout

from recograph.errors import RecographError
from recograph.operating.instance import prepare_instance
from recograph.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that what prepare_instance sets is undone
    return Settings.from_env({"RECOGRAPH_HOME": str(tmp_path / "home")})


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    prepare_instance(settings)
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_what_is_set_in_a_settings_file_is_kept_and_what_an_older_one_lacks_is_added(settings: Settings) -> None:
    config = prepare_instance(settings) / "dagster.yaml"
    whole = yaml.safe_load(config.read_text())
    own = "# mine\ntelemetry: {enabled: true}\nrun_monitoring:\n  enabled: false"
    config.write_text(own)
    prepare_instance(settings)
    assert config.read_text().startswith(own)
    changed = {"telemetry": {"enabled": True}, "run_monitoring": {"enabled": False}}
    assert yaml.safe_load(config.read_text()) == whole | changed
    before = config.stat().st_mtime_ns
    prepare_instance(settings)
    assert config.stat().st_mtime_ns == before
    config.write_text("telemetry: [")
    with pytest.raises(RecographError, match=r"dagster\.yaml can't be read: .*Correct or delete it"):
        prepare_instance(settings)


def test_days_of_a_customer_wait_for_each_other_and_customers_run_beside_each_other(settings: Settings) -> None:
    runs = yaml.safe_load((prepare_instance(settings) / "dagster.yaml").read_text())["concurrency"]["runs"]
    per_customer = {"key": "dagster/partition/customer", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    assert runs["tag_concurrency_limits"] == [per_customer]
    assert runs["max_concurrent_runs"] >= 2


def test_a_home_that_cant_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(RecographError, match=r"home/dagster can't be written .*RECOGRAPH_HOME"):
        prepare_instance(Settings.from_env({"RECOGRAPH_HOME": str(tmp_path / "home")}))


@pytest.mark.parametrize(("hours", "status"), [(11, dg.DagsterRunStatus.STARTED), (13, dg.DagsterRunStatus.FAILURE)])
def test_a_run_that_was_lost_with_its_machine_fails_after_twelve_hours(
    instance: dg.DagsterInstance, hours: int, status: dg.DagsterRunStatus
) -> None:
    run = instance.create_run_for_job(dg.job(name="lost")(lambda: None))
    started = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "lost", message="Started.")
    instance.report_dagster_event(started, run.run_id, timestamp=time.time() - hours * 3600)
    (record,) = instance.get_run_records()
    limit = instance.run_monitoring_max_runtime_seconds
    assert instance.run_monitoring_enabled
    check_run_timeout(instance, record, logging.getLogger(), limit)
    kept = instance.get_run_by_id(run.run_id)
    assert kept is not None
    assert kept.status == status
