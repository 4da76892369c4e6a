"""Which runs have lost their process, whatever moment it was killed at."""

import fcntl
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recograph.defs.running import claim, executed_by, executing, was_abandoned

RUN = "0b6d5a55-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))


def elsewhere(code: str) -> None:
    """Run Python in a process that is killed at its end."""
    code = f"import os\nfrom recograph.defs.running import claim, executing\n{code}\nos.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9


def test_a_run_that_was_taken_and_never_begun_is_lost_with_who_took_it() -> None:
    assert not was_abandoned(RUN)
    elsewhere(f"claim({RUN!r})")
    assert was_abandoned(RUN)
    claim(RUN)
    assert not was_abandoned(RUN)
    assert executed_by(RUN) is None


def test_a_run_is_lost_with_its_process() -> None:
    with executing(RUN) as is_ours:
        assert is_ours
        assert executed_by(RUN) == os.getpid()
        assert not was_abandoned(RUN)
        with executing(RUN) as twice:
            assert not twice
    assert not was_abandoned(RUN)
    elsewhere(f"held = executing({RUN!r})\nheld.__enter__()")
    assert was_abandoned(RUN)


def test_a_run_whose_process_could_not_write_down_its_end_is_lost() -> None:
    with pytest.raises(OSError, match="full"), executing(RUN):
        raise OSError("the disk is full")
    assert was_abandoned(RUN)


def test_who_only_looks_whether_a_run_is_executed_keeps_nobody_from_it() -> None:
    claim(RUN)
    with Path(os.environ["DAGSTER_HOME"], "running", RUN).open() as file, ThreadPoolExecutor() as pool:
        fcntl.flock(file, fcntl.LOCK_SH)
        begun = pool.submit(executing(RUN).__enter__)
        with pytest.raises(TimeoutError):
            begun.result(0.05)
        fcntl.flock(file, fcntl.LOCK_UN)
        assert begun.result()
