"""The one place where the environment decides which resource stands behind which name."""

from typing import Any

from recograph.resources.catalog import ParquetCatalog
from recograph.resources.lake import Lake, LocalLake
from recograph.resources.warehouse import DuckDBWarehouse
from recograph.settings import Settings


def open_lake(settings: Settings) -> Lake:
    """The lake of this installation."""
    if settings.on_aws:
        from recograph.resources.s3_lake import S3Lake  # loads boto3, which takes a second

        return S3Lake(bucket=settings.lake.removeprefix("s3://"), region=settings.region, home=str(settings.home))
    return LocalLake(root=settings.lake, data=str(settings.data), home=str(settings.home))


def resources(settings: Settings) -> dict[str, Any]:
    """Every resource of the code location by name."""
    from recograph.resources.dbt import dbt_resource
    from recograph.resources.neo4j import Neo4jResource

    lake = open_lake(settings)
    everywhere = {"lake": lake, "dbt": dbt_resource(settings), "neo4j": Neo4jResource()}
    if not settings.on_aws:
        return {**everywhere, "catalog": ParquetCatalog(lake=lake), "warehouse": DuckDBWarehouse(lake=settings.lake)}

    from recograph.resources.athena import AthenaWarehouse
    from recograph.resources.glue_catalog import GlueCatalog

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
            results=settings.athena_results,
            database=settings.marts_database,
        ),
    }
