"""The sensors as the daemon runs them: a first tick, runs, and the tick that sees them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from recograph.defs.alerts import alert_on_failed_check, alert_on_failure, is_ours, snapshot_of_run
from recograph.defs.failures import clear_failures
from recograph.errors import RecographError
from recograph_tests.operating.receivers import web_server

SNAPSHOTS = dg.MultiPartitionsDefinition(
    {"customer": dg.StaticPartitionsDefinition(["acme"]), "date": dg.DailyPartitionsDefinition("2026-11-01")}
)
SNAPSHOT = dg.MultiPartitionKey({"customer": "acme", "date": "2026-11-01"})


@dg.asset(partitions_def=SNAPSHOTS)
def bad_dump() -> None:
    with clear_failures():
        raise RecographError("acme/2026-11-01.sql: core_user, column idst, row 1: the value is none of type int64.")


@dg.asset(partitions_def=SNAPSHOTS)
def broken() -> None:
    try:
        int("Ada Lovelace, 12 Nightingale Road")
    except ValueError as error:
        raise RuntimeError(str(error)) from error


@dg.asset_check(asset=bad_dump)
def fresh_by_deadline() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="Behind 2026-11-02: acme (2026-10-01).")


@dg.asset_check(asset=bad_dump)
def curious() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="Never mind.")


defs = dg.Definitions(
    assets=[bad_dump, broken],
    asset_checks=[fresh_by_deadline, curious],
    jobs=[
        dg.define_asset_job("failing", selection=dg.AssetSelection.assets(bad_dump, broken).without_checks()),
        dg.define_asset_job("freshness_check", selection=dg.AssetSelection.all_asset_checks()),
    ],
    sensors=[alert_on_failure, alert_on_failed_check],
)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def tick(instance: dg.DagsterInstance) -> Callable[[dg.SensorDefinition], None]:
    """Evaluates a sensor once; it goes on from where it was."""
    cursors: dict[str, str | None] = {}

    def evaluate(sensor: dg.SensorDefinition) -> None:
        context = dg.build_sensor_context(
            instance, cursors.get(sensor.name), repository_def=defs.get_repository_def(), sensor_name=sensor.name
        )
        data = sensor.evaluate_tick(context)
        assert data.dagster_run_reactions is not None
        assert all(reaction.error is None for reaction in data.dagster_run_reactions)
        cursors[sensor.name] = data.cursor

    evaluate(alert_on_failure)
    evaluate(alert_on_failed_check)
    return evaluate


def run(instance: dg.DagsterInstance, job: str, **options: Any) -> str:
    return defs.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False, **options).run_id


def test_a_failed_run_is_told_once(
    instance: dg.DagsterInstance, tick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server() as (url, posted):
        monkeypatch.setenv("RECOGRAPH_ALERT_WEBHOOK", url)
        monkeypatch.setenv("RECOGRAPH_DAGSTER_URL", "https://dagster.example.com/")
        run_id = run(instance, "failing", partition_key=SNAPSHOT)
        tick(alert_on_failure)
        tick(alert_on_failure)
        tick(alert_on_failed_check)
    (text,) = (message["text"] for message in posted)
    title, *causes, address = text.split("\n")
    assert title == "failing for acme 2026-11-01: failed"
    assert sorted(causes) == [
        "bad_dump: acme/2026-11-01.sql: core_user, column idst, row 1: the value is none of type int64.",
        "broken: ValueError; its log says more.",
    ]
    assert address == f"https://dagster.example.com/runs/{run_id}"


def test_a_late_graph_is_told(
    instance: dg.DagsterInstance, tick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server() as (url, posted):
        monkeypatch.setenv("RECOGRAPH_ALERT_WEBHOOK", url)
        run_id = run(instance, "freshness_check")
        tick(alert_on_failure)
        tick(alert_on_failed_check)
    assert [message["text"].split("\n") for message in posted] == [
        [
            "freshness_check: a check failed",
            "bad_dump, fresh_by_deadline: Behind 2026-11-02: acme (2026-10-01).",
            f"http://127.0.0.1:3000/runs/{run_id}",
        ]
    ]


def test_a_target_that_cant_be_reached_is_logged(
    instance: dg.DagsterInstance,
    tick: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RECOGRAPH_ALERT_WEBHOOK", "http://127.0.0.1:9/secret")
    run(instance, "failing", partition_key=SNAPSHOT)
    tick(alert_on_failure)
    logged = capfd.readouterr().err
    assert "failing for acme 2026-11-01: failed" in logged
    assert "The alert didn't reach the webhook at 127.0.0.1" in logged
    assert "/secret" not in logged


def test_a_run_of_another_code_location_is_passed_over_in_silence(
    instance: dg.DagsterInstance, tick: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["plain"]))
    def theirs() -> None:
        raise RuntimeError("not ours")

    job = dg.define_asset_job("theirs_job", selection="*")
    others = dg.Definitions(assets=[theirs], jobs=[job]).resolve_job_def("theirs_job")
    with web_server() as (url, posted):
        monkeypatch.setenv("RECOGRAPH_ALERT_WEBHOOK", url)
        others.execute_in_process(instance=instance, raise_on_error=False, partition_key="plain")
        tick(alert_on_failure)
    assert posted == []


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({}, ""),
        ({"dagster/partition": "acme|2026-11-01"}, "acme 2026-11-01"),
        ({"dagster/partition": "plain"}, "plain"),
    ],
)
def test_a_run_is_named_by_customer_and_date(tags: dict[str, str], text: str) -> None:
    assert snapshot_of_run(tags) == text


@pytest.mark.parametrize(("location", "ours"), [("recograph", True), ("billing", False)])
def test_runs_of_other_code_locations_are_left_to_them(location: str, ours: bool) -> None:
    """The sensors see the runs of all; a run that was started without a UI names no location."""
    from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    at = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name="a.module"), location)
    origin = RemoteRepositoryOrigin(at, "__repository__").get_job_origin("failing")
    repository = defs.get_repository_def()
    assert is_ours(dg.DagsterRun("failing", remote_job_origin=origin), repository) is ours
    assert is_ours(dg.DagsterRun("failing", remote_job_origin=origin), None) is ours
    assert is_ours(dg.DagsterRun("failing"), repository)
    assert not is_ours(dg.DagsterRun("invoicing"), repository)
    assert not is_ours(dg.DagsterRun("failing"), None)
