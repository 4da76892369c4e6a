"""The environment in which tests load the assets into their own process."""

import os
from pathlib import Path

import pytest


def set_up(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Leave nothing of recograph's settings but a home: an installation with the sample customers."""
    for name in [name for name in os.environ if name.startswith(("RECOGRAPH_", "NEO4J_"))]:
        patch.delenv(name)
    patch.setenv("RECOGRAPH_HOME", str(home))
