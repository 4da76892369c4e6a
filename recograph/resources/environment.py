"""The one place where the environment decides which resource stands behind which name."""

from typing import Any

from dagster_dbt import DbtCliResource

from recograph.resources.catalog import ParquetCatalog
from recograph.resources.dbt import target
from recograph.resources.lake import open_lake
from recograph.resources.neo4j import Neo4jResource
from recograph.resources.warehouse import DuckDBWarehouse
from recograph.settings import DBT_PROJECT_DIR, Settings


def resources(settings: Settings) -> dict[str, Any]:
    """Every resource of the code location by name."""
    lake = open_lake(settings)
    return {
        "lake": lake,
        "catalog": ParquetCatalog(lake=lake),
        "warehouse": DuckDBWarehouse(lake=settings.lake),
        "dbt": DbtCliResource(
            project_dir=str(DBT_PROJECT_DIR),
            profiles_dir=str(DBT_PROJECT_DIR),
            target=target(settings),
        ),
        "neo4j": Neo4jResource(),
    }
