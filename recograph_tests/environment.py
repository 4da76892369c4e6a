"""The environment in which tests load the assets into their own process."""

import fcntl
import os
import shutil
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from recograph.settings import PROJECT_DIR

_HOMES = PROJECT_DIR / ".recograph-tests"


def set_up(patch: pytest.MonkeyPatch) -> None:
    """Leave nothing of recograph's settings but a home: an installation with the sample customers."""
    for name in [name for name in os.environ if name.startswith(("RECOGRAPH_", "NEO4J_"))]:
        patch.delenv(name)
    patch.setenv("RECOGRAPH_HOME", str(_home()))


def share_parsed(home: Path) -> None:
    """Give a new home what dbt has parsed in others, which takes longer than most of what tests do."""
    shared = _HOMES / "dbt"
    shared.mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True)
    (home / "dbt").symlink_to(shared)


@cache
def _home() -> Path:
    """An empty home of this process alone."""
    for number in count():
        home, lock_file = _HOMES / str(number), _HOMES / f"{number}.lock"
        _HOMES.mkdir(exist_ok=True)
        lock = os.open(lock_file, os.O_WRONLY | os.O_CREAT)  # held until this process ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        shutil.rmtree(home, ignore_errors=True)
        share_parsed(home)
        break
    return home
