"""Dagster's SQLite files as it is made to write them: the same events, found by the same questions."""

import json
import os
import subprocess
import sys
from pathlib import Path

MANY = """
import os
from pathlib import Path
import dagster as dg
from recograph.defs.dagster_sqlite import _MOST_CONNECTIONS, write_cheaply

@dg.job
def nothing():
    pass

write_cheaply()
with dg.DagsterInstance.get() as instance:
    runs = [instance.create_run_for_job(nothing) for _ in range(_MOST_CONNECTIONS + 4)]
    for text in ("first", "second"):
        for run in runs:
            instance.report_engine_event(text, run)
    opened = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    print(len({path for path in opened if path.endswith(".db")}) <= _MOST_CONNECTIONS)
    print({tuple(event.message for event in instance.all_logs(run.run_id)) for run in runs})
"""
RUNS = """
import json, os, sqlite3, sys
from contextlib import closing
from pathlib import Path
import dagster as dg

days = dg.StaticPartitionsDefinition(["one", "two"])
checks = [dg.AssetCheckSpec("right", asset="made", partitions_def=days), dg.AssetCheckSpec("whole", asset="made")]
specs = [dg.AssetSpec("made"), dg.AssetSpec("also")]

@dg.multi_asset(
    specs=specs, check_specs=checks, partitions_def=days, backfill_policy=dg.BackfillPolicy.single_run()
)
def made():
    yield dg.MaterializeResult("made", data_version=dg.DataVersion("1"))
    yield dg.MaterializeResult("also", data_version=dg.DataVersion("2"))
    yield dg.AssetCheckResult(passed=True, asset_key="made", check_name="right")
    yield dg.AssetCheckResult(passed=False, asset_key="made", check_name="whole")

if sys.argv[1] != "usually":
    from recograph.defs.dagster_sqlite import write_cheaply
    write_cheaply()
if sys.argv[1] == "without links":
    def hardlink_to(self, target):
        raise PermissionError(1, "Operation not permitted")
    Path.hardlink_to = hardlink_to

def held(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        rows = {table: [dict(row) for row in connection.execute(f"select * from {table}")] for table in sorted(tables)}
        mode = connection.execute("pragma journal_mode").fetchone()[0]
    for row in (row for of_table in rows.values() for row in of_table):
        for name in list(row):
            if name in NAMED:
                row[name] = numbers.get(row[name])
            elif name in DIFFERENT or "timestamp" in name:
                row[name] = row[name] is not None
    return {"journal": mode, "access": path.stat().st_mode, **rows}

NAMED = "run_id", "last_run_id"
DIFFERENT = "event", "evaluation_event", "last_materialization", "cached_status_data", "migration_completed"
with dg.DagsterInstance.get() as instance:
    job = dg.Definitions(assets=[made], jobs=[dg.define_asset_job("job", [made])]).resolve_job_def("job")
    planned = [instance.create_run_for_job(job, tags={"dagster/partition": day}).run_id for day in ("one", "two")]
    both = {"dagster/asset_partition_range_start": "one", "dagster/asset_partition_range_end": "two"}
    tags = {"dagster/partition": "one"}, both
    executed = [job.execute_in_process(instance=instance, tags=of_run).run_id for of_run in tags]
    numbers = {run_id: number for number, run_id in enumerate([*planned, *executed])}
    logs = Path(os.environ["DAGSTER_HOME"], "history", "runs")
    files = [path for path in logs.iterdir() if path.suffix not in (".db-wal", ".db-shm")]
    print(json.dumps({numbers.get(path.stem, path.name): held(path) for path in files}))
"""


def said_by(script: str, home: Path, *arguments: str) -> str:
    home.mkdir()
    (home / "dagster.yaml").touch()
    environ = os.environ | {"DAGSTER_HOME": str(home), "PYTHONHASHSEED": "0"}
    ran = subprocess.run([sys.executable, "-c", script, *arguments], env=environ, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_runs_beyond_those_whose_connections_are_kept_lose_no_event(tmp_path: Path) -> None:
    assert said_by(MANY, tmp_path / "home").splitlines() == ["True", "{('first', 'second')}"]


def test_the_files_hold_what_dagster_itself_would_write(tmp_path: Path) -> None:
    """Apart from times: of runs that were planned, and of two that were executed, one of them for two partitions."""
    usual = json.loads(said_by(RUNS, tmp_path / "usual", "usually"))
    for way in ("cheaply", "without links"):
        assert json.loads(said_by(RUNS, tmp_path / way, way)) == usual
    assert set(usual) == {"0", "1", "2", "3", "index.db"}
    assert len(usual["index.db"]["asset_event_tags"]) == 6
    assert len(usual["index.db"]["asset_check_executions"]) == 10
    assert len(usual["0"]["event_logs"]) == 4
