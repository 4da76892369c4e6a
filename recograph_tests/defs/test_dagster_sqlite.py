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
import itertools, json, os, sqlite3, sys
from contextlib import closing
from pathlib import Path
import dagster as dg

versions = itertools.count()
days = dg.StaticPartitionsDefinition(["one", "two"])
checks = [dg.AssetCheckSpec("right", asset="made", partitions_def=days), dg.AssetCheckSpec("whole", asset="made")]
specs = [dg.AssetSpec("made"), dg.AssetSpec("also")]

@dg.multi_asset(
    specs=specs, check_specs=checks, partitions_def=days, backfill_policy=dg.BackfillPolicy.single_run()
)
def made():
    version = dg.DataVersion(str(next(versions)))
    yield dg.MaterializeResult("made", data_version=version)
    yield dg.MaterializeResult("also", data_version=version)
    yield dg.AssetCheckResult(passed=True, asset_key="made", check_name="right")
    yield dg.AssetCheckResult(passed=False, asset_key="made", check_name="whole")

later = dg.AssetSpec("later", deps=["made", "also"], code_version="1")
fine = dg.AssetCheckSpec("fine", asset="later", partitions_def=days)

@dg.multi_asset(specs=[later], check_specs=[fine], partitions_def=days, can_subset=True)
def reading(context):
    from recograph.defs.checks import evaluated
    result = dg.AssetCheckResult(passed=True, asset_key=later.key, check_name="fine")
    yield from evaluated(context, iter([dg.MaterializeResult(later.key), result]))

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
TEXTS = "event", "evaluation_event", "last_materialization", "cached_status_data", "asset_details"
DIFFERENT = *TEXTS, "migration_completed"
ONE, TWO = {"dagster/partition": "one"}, {"dagster/partition": "two"}
BOTH = {"dagster/asset_partition_range_start": "one", "dagster/asset_partition_range_end": "two"}

def executed(job, tags):
    return job.execute_in_process(instance=instance, tags=tags).run_id

with dg.DagsterInstance.get() as instance:
    jobs = [dg.define_asset_job("make", [made]), dg.define_asset_job("read", [reading])]
    code = dg.Definitions(assets=[made, reading], jobs=jobs)
    make, read = code.resolve_job_def("make"), code.resolve_job_def("read")
    runs = [executed(make, ONE), executed(make, BOTH), executed(make, TWO)]
    runs += [instance.create_run_for_job(make, tags=tags).run_id for tags in (ONE, TWO)]
    runs += [executed(read, ONE)]
    instance.wipe_assets([dg.AssetKey("also")])
    runs += [executed(make, TWO), executed(read, ONE)]
    numbers = {run_id: number for number, run_id in enumerate(runs)}
    logs = Path(os.environ["DAGSTER_HOME"], "history", "runs")
    files = [path for path in logs.iterdir() if not path.name.endswith((".db-wal", ".db-shm"))]
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
    """Apart from times: of runs that were planned, and of some that were executed.

    One of these is for two partitions, and two read what the others made, the second after a part was wiped.
    """
    usual = json.loads(said_by(RUNS, tmp_path / "usual", "usually"))
    for way in ("cheaply", "without links"):
        assert json.loads(said_by(RUNS, tmp_path / way, way)) == usual
    assert set(usual) == {*map(str, range(8)), ".db", "index.db"}
    assert len(usual["index.db"]["asset_event_tags"]) == 12
    assert len(usual["index.db"]["asset_check_executions"]) == 16
    assert len(usual["3"]["event_logs"]) == 4
