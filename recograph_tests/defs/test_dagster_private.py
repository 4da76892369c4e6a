"""Connections that are kept to Dagster's SQLite files: of many runs not all, and of each run all events."""

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
