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


@cache
def _home() -> Path:
    """A home of this process alone, empty but for what an earlier one parsed of the dbt project there.

    Parsing takes longer than all else that such a test does, and depends on the place of the home.
    """
    for number in count():
        home = _HOMES / str(number)
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / "lock", os.O_WRONLY | os.O_CREAT)  # held until this process ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        for path in home.iterdir():
            if path.is_dir() and not (path.name == "dbt" and _is_newer_than_its_code(path)):
                shutil.rmtree(path)
        break
    return home


def _is_newer_than_its_code(parsed: Path) -> bool:
    code = (PROJECT_DIR / "recograph" / "adapters").glob("dbt*.py")
    return all(path.stat().st_mtime < parsed.stat().st_mtime for path in code)
