"""What a run's process prints goes to its customer's log, which doesn't grow for ever."""

import os
import subprocess
import sys
from pathlib import Path

PRINT = """
import sys
from recograph.worker import pool
pool._LARGEST_LOG = 10
for _ in range(3):
    pool._log_to("acme")
    print("hello", flush=True)
    print("trouble", file=sys.stderr, flush=True)
"""


def test_a_log_that_has_become_large_is_kept_and_another_begun(tmp_path: Path) -> None:
    environ = os.environ | {"DAGSTER_HOME": str(tmp_path / "dagster")}
    ran = subprocess.run([sys.executable, "-c", PRINT], env=environ, capture_output=True, check=True)
    assert (ran.stdout, ran.stderr) == (b"", b"")
    logs = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert logs == {"run-acme.log": "hello\ntrouble\n", "run-acme.log.1": "hello\ntrouble\n"}
