"""The worker tells why it can't begin, in the form in which it tells everything."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_what_keeps_the_assets_from_being_loaded_is_told(tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    home = {"DAGSTER_HOME": str(tmp_path / "dagster"), "RECOGRAPH_HOME": str(tmp_path), "RECOGRAPH_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "recograph.worker"]
    ran = subprocess.run(command, env=os.environ | home, input="{}\n", capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    told = json.loads(ran.stdout)
    assert str(tmp_path / "customers.yaml") in told.pop("message")
    assert told == {"kind": "failed", "step": "definitions", "customer": None, "date": None}
