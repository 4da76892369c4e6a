import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recograph.cli.dev import _lock
from recograph.errors import RecographError


def test_a_home_has_one_dev_at_a_time(tmp_path: Path) -> None:
    first = _lock(tmp_path)
    with pytest.raises(RecographError, match=r"is running for .* already, with its UI at an address to come"):
        _lock(tmp_path)
    first.write("http://127.0.0.1:3000")
    first.flush()
    with pytest.raises(RecographError, match=r"with its UI at http://127\.0\.0\.1:3000\. Use that, or stop it"):
        _lock(tmp_path)
    first.close()
    _lock(tmp_path).close()


WATCHED = """
import sys
from pathlib import Path
from recograph.cli.dev import _watch
_watch(Path(sys.argv[1]))
print("watched", flush=True)
sys.stdin.read()
"""
STARTING = """
import os, subprocess, sys, time
from pathlib import Path
from recograph.cli.dev import _watch
os.environ["DAGSTER_HOME"] = sys.argv[1]
_watch(Path(sys.argv[1]))
subprocess.Popen([sys.executable, "-m", "dagster_child"], cwd=sys.argv[1])
time.sleep(600)
"""


@pytest.mark.parametrize("goes", [False, True])
def test_it_ends_with_a_sentence_when_its_home_goes_and_nothing_outlives_it(tmp_path: Path, goes: bool) -> None:
    home, pipe = tmp_path / "home", subprocess.PIPE
    home.mkdir()
    command = [sys.executable, "-c", WATCHED, str(home)]
    environ = os.environ | {"DAGSTER_HOME": str(home)}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environ) as process:
        assert process.stdout
        assert process.stdout.readline() == "watched\n"
        if goes:
            home.rename(tmp_path / "elsewhere")
            assert process.wait(60) == -signal.SIGTERM
        _, said = process.communicate(timeout=60)  # until nobody has its output open
    assert said == (
        f"{home} was moved or deleted, so `recograph dev` ends. Let RECOGRAPH_HOME name where it is now.\n" * goes
    )


def test_what_dagster_has_started_ends_with_it_though_it_is_killed(tmp_path: Path) -> None:
    """Its daemon and its web server wait for a message to end, which nobody sends them then."""
    (tmp_path / "dagster_child.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(600)\n")
    command = [sys.executable, "-c", STARTING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        process.kill()
        process.communicate(timeout=60)  # until nobody has its output open
