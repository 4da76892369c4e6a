"""Imports what every start imports, so that it is compiled, and tells how far it is; `make install` runs it."""

import os
import sys
import time
from importlib import import_module

MODULES = (
    (
        "dbt.adapters.duckdb.impl",
        "dbt.cli.main",
        "recograph.adapters.dbt_warm",
        "recograph.analytics.similarity",
        "recograph.graph.checks",
        "recograph.graph.load",
        "scipy.sparse.linalg",
    ),
    (
        "dagster._core.storage.event_log.sqlite",
        "dagster._daemon.run_coordinator.queued_run_coordinator_daemon",
        "dagster_dbt",
        "recograph.cli.run",
        "recograph.cli.summary",
        "recograph.defs.dagster_private",
        "recograph.worker.__main__",
    ),
)
"""Two halves, each in a process of its own; the first takes longer."""
_SAY_EVERY = 3.0
"""Seconds between two lines about the progress."""


def main() -> None:
    """Import them."""
    first, second = MODULES
    child = os.fork()
    if not child:
        _import(second)
        os._exit(0)
    said = time.monotonic()

    def tell(event: str, _: object) -> None:
        nonlocal said
        if event == "import" and time.monotonic() - said > _SAY_EVERY:
            said = time.monotonic()
            print(f"  {len(sys.modules)} modules", flush=True)  # noqa: T201 - for whoever waits

    sys.addaudithook(tell)
    _import(first)
    os.waitpid(child, 0)


def _import(names: tuple[str, ...]) -> None:
    for name in names:
        import_module(name)


if __name__ == "__main__":
    main()
