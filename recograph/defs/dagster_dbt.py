"""dagster-dbt, imported without dbt itself.

dagster-dbt makes assets of dbt's manifest here, for which it needs no dbt: it takes a missing one for dbt Fusion and
goes without, so every process that loads the assets is there three seconds sooner.
"""

import sys

_dbt = sys.modules.get("dbt")
sys.modules["dbt"] = None  # type: ignore[assignment]
try:
    import dagster_dbt as dagster_dbt  # re-exported, so that it is always imported this way
finally:
    # Whoever wants dbt in this process gets it.
    if _dbt is None:
        del sys.modules["dbt"]
    else:
        sys.modules["dbt"] = _dbt
