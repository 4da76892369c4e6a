"""The user's cache folder, for what all installations on a machine share and what can be fetched or made again."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """RECOGRAPH_CACHE; else `recograph` in the user's cache folder (XDG_CACHE_HOME, else ~/.cache)."""
    if named := os.environ.get("RECOGRAPH_CACHE"):
        return Path(named).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().resolve() / "recograph"
