"""How Dagster's SQLite files are written: connections that are kept, and many events in one transaction."""

import os
import subprocess
import sys
from pathlib import Path

MANY = """
import os
from pathlib import Path
import dagster as dg
from recograph.defs.dagster_private import _MOST_CONNECTIONS, keep_connections

@dg.job
def nothing():
    pass

keep_connections()
with dg.DagsterInstance.get() as instance:
    runs = [instance.create_run_for_job(nothing) for _ in range(_MOST_CONNECTIONS + 4)]
    for text in ("first", "second"):
        for run in runs:
            instance.report_engine_event(text, run)
    opened = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    print(len({path for path in opened if path.endswith(".db")}) <= _MOST_CONNECTIONS)
    print({tuple(event.message for event in instance.all_logs(run.run_id)) for run in runs})
"""


def test_runs_beyond_those_whose_connections_are_kept_lose_no_event(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").touch()
    environ = os.environ | {"DAGSTER_HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", MANY], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["True", "{('first', 'second')}"]


TOGETHER = """
import sqlite3
from contextlib import closing
from pathlib import Path
import dagster as dg
from recograph.defs.dagster_private import events_together, keep_connections

KEY = dg.AssetKey("made")

@dg.multi_asset(
    specs=[dg.AssetSpec(KEY)], check_specs=[dg.AssetCheckSpec(name, asset=KEY) for name in "abc"], can_subset=True
)
def made():
    yield dg.MaterializeResult(KEY)
    with events_together():
        for name in "ab":
            yield dg.AssetCheckEvaluation(KEY, name, passed=name == "a")
        print(stored("EVALUATION"), "others see")
    yield dg.AssetCheckEvaluation(KEY, "c", passed=True)

def stored(kind):
    with closing(sqlite3.connect(next(Path(instance.root_directory).rglob("index.db")))) as index:
        ending = f"ASSET_CHECK_{kind}"
        return index.execute("select count(*) from event_logs where dagster_event_type = ?", [ending]).fetchone()[0]

def some():
    with events_together():
        instance.report_engine_event("one", run)
        yield
        raise AssertionError("goes on")

keep_connections()
job = dg.Definitions([made]).resolve_implicit_global_asset_job_def()
with dg.DagsterInstance.get() as instance:
    ran = job.execute_in_process(instance=instance, raise_on_error=False)
    checks = [dg.AssetCheckKey(KEY, name) for name in "abc"]
    print(ran.success, stored("EVALUATION_PLANNED"), stored("EVALUATION"))
    known = instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    print([known[check].status.value for check in checks])
    run = instance.create_run_for_job(job)
    told = some()
    next(told)
    told.close()
    planned = [record for record in instance.all_logs(run.run_id) if "PLANNED" in record.dagster_event_type.value]
    store = instance.event_log_storage.store_event

    def fails_at_the_second(event):
        if event is planned[1]:
            raise OSError
        store(event)

    instance.event_log_storage.store_event = fails_at_the_second
    try:
        instance.event_log_storage.store_event_batch(planned)
    except OSError:
        print("nothing of it:", len(instance.all_logs(run.run_id)) - len(planned), stored("EVALUATION_PLANNED"))
"""


def test_events_written_together_are_all_there_and_those_of_a_batch_that_fails_are_not(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").touch()
    environ = os.environ | {"DAGSTER_HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", TOGETHER], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "0 others see",
        "True 3 3",
        "['SUCCEEDED', 'FAILED', 'SUCCEEDED']",
        "nothing of it: 1 6",
    ]


THREADS = """
import time
from threading import Event, Thread
import dagster as dg
from recograph.defs.dagster_private import events_together, keep_connections

@dg.job
def nothing():
    pass

def other():
    begun.wait()
    instance.report_runless_asset_event(dg.AssetMaterialization("two"))

keep_connections()
begun = Event()
with dg.DagsterInstance.get() as instance:
    run = instance.create_run_for_job(nothing)
    thread = Thread(target=other)
    thread.start()
    with events_together():
        instance.report_runless_asset_event(dg.AssetMaterialization("one"))
        begun.set()
        until = time.monotonic() + 2
        while not instance.event_log_storage._db_lock.locked() and time.monotonic() < until:
            time.sleep(0.01)
        instance.report_engine_event("three", run)
    thread.join()
    known = [len(instance.fetch_materializations(dg.AssetKey(name), limit=1).records) for name in ("one", "two")]
    print(*known, len(instance.all_logs(run.run_id)))
"""


def test_a_thread_that_writes_while_another_writes_much_waits_for_it_and_not_it_for_the_thread(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").touch()
    environ = os.environ | {"DAGSTER_HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", THREADS], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout == "1 1 1\n"
    assert "database is locked" not in ran.stderr
