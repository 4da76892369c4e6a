"""The one place where the environment decides which resource stands behind which name."""

from typing import Any

from recograph.resources.catalog import Catalog, ParquetCatalog
from recograph.resources.lake import Lake, LocalLake
from recograph.resources.warehouse import DuckDBWarehouse, Warehouse
from recograph.settings import Settings


def open_lake(settings: Settings) -> Lake:
    """The lake of this installation."""
    if settings.on_aws:
        from recograph.resources.s3_lake import S3Lake  # loads boto3, which takes a second

        return S3Lake(bucket=settings.lake.removeprefix("s3://"), region=settings.region, home=str(settings.home))
    return LocalLake(root=settings.lake, data=str(settings.data), home=str(settings.home))


def open_catalog(settings: Settings) -> Catalog:
    """The catalog of this installation."""
    lake = open_lake(settings)
    if settings.on_aws:
        from recograph.resources.glue_catalog import GlueCatalog

        return GlueCatalog(
            lake=lake,
            region=settings.region,
            database_prefix=settings.landing_database_prefix,
            crawler_prefix=settings.crawler_prefix,
        )
    return ParquetCatalog(lake=lake)


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of this installation."""
    if settings.on_aws:
        from recograph.resources.athena import AthenaWarehouse

        return AthenaWarehouse(
            lake=open_lake(settings),
            region=settings.region,
            workgroup=settings.athena_workgroup,
            results=settings.athena_results,
            database=settings.marts_database,
        )
    return DuckDBWarehouse(lake=settings.lake)


def resources(settings: Settings) -> dict[str, Any]:
    """Every resource of the code location by name."""
    from recograph.resources.dbt import dbt_resource
    from recograph.resources.neo4j import Neo4jResource

    return {
        "lake": open_lake(settings),
        "catalog": open_catalog(settings),
        "warehouse": open_warehouse(settings),
        "dbt": dbt_resource(settings),
        "neo4j": Neo4jResource(),
    }
