"""The worker tells why it can't begin, in the form in which it tells everything."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

from recograph.worker.__main__ import execute_asked
from recograph.worker.pool import Pool


def test_what_keeps_the_assets_from_being_loaded_is_told(tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    home = {"DAGSTER_HOME": str(tmp_path / "dagster"), "RECOGRAPH_HOME": str(tmp_path), "RECOGRAPH_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "recograph.worker", str(os.getpid())]
    ran = subprocess.run(command, env=os.environ | home, input="{}\n", capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    told = json.loads(ran.stdout)
    assert str(tmp_path / "customers.yaml") in told.pop("message")
    assert told == {"kind": "failed", "step": "definitions", "customer": None, "date": None}


class Slow(Pool):
    """Processes that end when they were looked at often enough."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.looks: list[int] = []

    def __len__(self) -> int:
        return len(self.looks)

    def start(self, run_id: str) -> None:
        self.started.append(run_id)
        self.looks.append(3)

    def reap(self) -> None:
        self.looks = [left - 1 for left in self.looks if left > 1]


def test_a_worker_that_was_told_so_ends_with_its_last_run() -> None:
    pool = Slow()
    asked = iter(["one", "two", "last", "", "", "", ""])
    assert execute_asked(asked, pool)
    assert pool.started == ["one", "two"]
    assert list(asked) == [""] * 3
    assert not execute_asked(["three", ""], Slow())


def test_a_worker_whose_starter_was_killed_ends_before_all_is_imported(tmp_path: Path) -> None:
    # Importing Dagster takes long here.
    (tmp_path / "dagster.py").write_text("import time\ntime.sleep(90)\n")
    starter = "import os, subprocess, sys; subprocess.Popen([*sys.argv[1:], str(os.getpid())], start_new_session=True)"
    command = [sys.executable, "-c", starter, sys.executable, "-m", "recograph.worker"]
    reads, writes = os.pipe()
    path = {"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    subprocess.run(command, env=os.environ | path, stdout=writes, pass_fds=[writes], check=True)
    os.close(writes)
    ended, _, _ = select.select([reads], [], [], 60)
    os.close(reads)
    assert ended  # nobody has standard output any more
