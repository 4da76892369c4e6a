"""What the processes of runs need, imported before they are forked; importing this module is a part of it."""

import gc
from functools import cache

import recograph.graph.checks
import recograph.graph.load  # noqa: F401 - for the processes that are forked
from recograph.adapters.dbt import preload
from recograph.adapters.dbt_models import mart_columns
from recograph.definitions import defs
from recograph.defs.partitions import SETTINGS
from recograph.defs.unchanged import code_digest

_NEW_OBJECTS = 50_000
"""How many objects are made before Python looks which of them are garbage: a run makes most of its own to keep them."""


@cache
def preload_definitions() -> None:
    """Have what each step of a run asks for."""
    defs.get_repository_def()
    mart_columns()
    code_digest()
    _keep()


@cache
def preload_dbt() -> None:
    """Import dbt and scipy, and parse the project: as much as all the rest, and needed only where marts are built."""
    gc.disable()
    preload(SETTINGS)
    # What follows the marts in a run: 0.2 s for scipy.
    import recograph.analytics.interactions
    import recograph.analytics.similarity  # noqa: F401 - for the processes that are forked

    _keep()


def _keep() -> None:
    """What there is stays, shared with the forked processes; what comes is looked through for garbage, seldom."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    gc.enable()
