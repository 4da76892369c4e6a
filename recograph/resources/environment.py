"""The one place where the environment decides which resource stands behind which name."""

from typing import Any

from dagster_dbt import DbtCliResource

from recograph.resources.athena import AthenaWarehouse
from recograph.resources.catalog import ParquetCatalog
from recograph.resources.dbt import DBT, athena_results, target
from recograph.resources.glue_catalog import GlueCatalog
from recograph.resources.lake import Lake, LocalLake
from recograph.resources.neo4j import Neo4jResource
from recograph.resources.s3_lake import S3Lake
from recograph.resources.warehouse import DuckDBWarehouse
from recograph.settings import DBT_PROJECT_DIR, Settings


def open_lake(settings: Settings) -> Lake:
    """The lake of this installation."""
    if settings.on_aws:
        return S3Lake(bucket=settings.lake.removeprefix("s3://"), region=settings.region, home=str(settings.home))
    return LocalLake(root=settings.lake, data=str(settings.data), home=str(settings.home))


def resources(settings: Settings) -> dict[str, Any]:
    """Every resource of the code location by name."""
    lake = open_lake(settings)
    everywhere = {
        "lake": lake,
        "dbt": DbtCliResource(
            project_dir=str(DBT_PROJECT_DIR),
            profiles_dir=str(DBT_PROJECT_DIR),
            target=target(settings),
            dbt_executable=str(DBT),
        ),
        "neo4j": Neo4jResource(),
    }
    if not settings.on_aws:
        return {**everywhere, "catalog": ParquetCatalog(lake=lake), "warehouse": DuckDBWarehouse(lake=settings.lake)}
    return {
        **everywhere,
        "catalog": GlueCatalog(
            lake=lake,
            region=settings.region,
            database_prefix=settings.landing_database_prefix,
            crawler_prefix=settings.crawler_prefix,
        ),
        "warehouse": AthenaWarehouse(
            lake=lake,
            region=settings.region,
            workgroup=settings.athena_workgroup,
            results=athena_results(settings),
            database=settings.marts_database,
        ),
    }
