"""What the processes of runs need, imported before they are forked; importing this module is a part of it."""

import gc
from functools import cache

import recograph.graph.checks
import recograph.graph.load  # noqa: F401 - for the processes that are forked
from recograph.adapters.dbt import preload
from recograph.adapters.dbt_models import mart_columns
from recograph.definitions import defs
from recograph.defs.partitions import SETTINGS


@cache
def preload_definitions() -> None:
    """Have what each step of a run asks for."""
    defs.get_repository_def()
    mart_columns()
    gc.freeze()  # what is shared with the forked processes stays shared


@cache
def preload_dbt() -> None:
    """Import dbt and parse its project, which takes as long as all the rest."""
    preload(SETTINGS)
    gc.freeze()
