"""What the dbt project reads from environment variables, and the dbt command that is run with them."""

import glob
import json
import sys
from pathlib import Path

from recograph.adapters.dbt_engine import DbtEngine
from recograph.customers import Customer
from recograph.lake.layout import athena_results
from recograph.platforms import PLATFORMS
from recograph.settings import Settings

DBT = Path(sys.executable).with_name("dbt")
"""The dbt command of this Python environment, whatever PATH says."""


def partition_variable(customer: Customer, date: str) -> dict[str, str]:
    """The environment variable that tells dbt which partition to build; see `macros/partition.sql`."""
    partition = {
        "customer": customer.id,
        "snapshot_date": date,
        "customer_name": customer.name,
        "region": customer.region,
        "size": customer.size,
        "category": customer.category,
        "platform": customer.platform,
    }
    return {"RECOGRAPH_PARTITION": json.dumps(partition)}


def dbt_environment(settings: Settings) -> dict[str, str]:
    """What the dbt profile reads from the environment."""
    return {
        "RECOGRAPH_LAKE": settings.lake,
        "RECOGRAPH_LAKE_PATTERN": glob.escape(settings.lake),
        "RECOGRAPH_PLATFORMS": " ".join(PLATFORMS),
        "AWS_REGION": settings.region,
        "RECOGRAPH_ATHENA_WORKGROUP": settings.athena_workgroup,
        "RECOGRAPH_ATHENA_RESULTS": athena_results(settings),
        "RECOGRAPH_MARTS_DATABASE": settings.marts_database,
        "RECOGRAPH_LANDING_DATABASE_PREFIX": settings.landing_database_prefix,
    }


def parsed_environment(settings: Settings, engine: DbtEngine) -> dict[str, str]:
    """What of it is part of what dbt parses; elsewhere it is asked for while a model runs."""
    environment = dbt_environment(settings)
    if not engine.profile_names_lake:
        for name in ("RECOGRAPH_LAKE", "RECOGRAPH_LAKE_PATTERN", "RECOGRAPH_ATHENA_RESULTS"):
            del environment[name]
    return environment
