"""Neo4j's driver for commands, which are over before pandas would be imported."""

import sys

_FOR_PARAMETERS = ("numpy", "pandas", "pyarrow")


def import_driver() -> None:
    """Import the driver without pandas, NumPy and Arrow: they take more than half of a short command's CPU time.

    The driver imports them where they are installed, to know their values as parameters; commands send none. A later
    import finds them as ever.
    """
    hidden = [name for name in _FOR_PARAMETERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # Python says that a module with None is not found
    try:
        import neo4j  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
