"""The processes of runs, beside those of another worker."""

import time
from pathlib import Path

import dagster as dg
import pytest

from recograph.defs.running import executing, is_executed
from recograph.worker.pool import Pool


@dg.job
def nothing() -> None:
    """A job without steps."""


@pytest.fixture
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dg.DagsterInstance, str]:
    """An instance, and a run of it that was taken from the queue."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    instance = dg.DagsterInstance.ephemeral()
    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTING)
    return instance, run.run_id


def reap(pool: Pool) -> None:
    """Wait until all of its processes have ended."""
    until = time.monotonic() + 60
    while len(pool) and time.monotonic() < until:
        pool.reap()
        time.sleep(0.02)
    assert not len(pool)


def test_a_run_that_two_workers_took_at_the_same_moment_is_the_one_that_was_first(
    taken: tuple[dg.DagsterInstance, str],
) -> None:
    instance, run_id = taken
    pool = Pool(instance)
    with executing(run_id):
        pool.start(run_id)
        reap(pool)
        assert is_executed(run_id)
        run = instance.get_run_by_id(run_id)
        assert run
        assert run.status == dg.DagsterRunStatus.STARTING


def test_a_waiting_run_of_a_customer_who_was_taken_out_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    tags = {"dagster/partition/customer": "nobody", "dagster/partition/date": "2026-11-01"}
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run_id = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTING, tags=tags).run_id
        pool = Pool(instance)
        pool.start(run_id)
        reap(pool)
        run = instance.get_run_by_id(run_id)
        assert run
        assert run.status == dg.DagsterRunStatus.FAILURE
        failed = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert [entry.message for entry in failed] == ["nobody isn't in customers.yaml any more: nothing was done."]
