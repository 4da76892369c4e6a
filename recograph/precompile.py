"""Imports what every start imports, so that it is compiled, and tells how far it is; `make install` runs it."""

import sys
import time
from importlib import import_module

MODULES = (
    "dagster",
    "dagster_dbt",
    "dbt.adapters.duckdb.impl",
    "dbt.cli.main",
    "pandas",
    "scipy.sparse.linalg",
    "recograph.cli.run",
    "recograph.cli.summary",
    "recograph.defs.dagster_private",
    "recograph.graph.checks",
    "recograph.graph.load",
)
_SAY_EVERY = 3.0
"""Seconds between two lines about the progress."""


def main() -> None:
    """Import them."""
    said = time.monotonic()

    def tell(event: str, _: object) -> None:
        nonlocal said
        if event == "import" and time.monotonic() - said > _SAY_EVERY:
            said = time.monotonic()
            print(f"  {len(sys.modules)} modules compiled", flush=True)  # noqa: T201 - for whoever waits

    sys.addaudithook(tell)
    for name in MODULES:
        import_module(name)


if __name__ == "__main__":
    main()
