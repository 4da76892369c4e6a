"""The one place where the environment decides which resource stands behind which name.

The adapters of AWS are imported where they are chosen: boto3 takes a second, which nobody else need wait.
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from recograph.adapters.dbt_engine import DbtEngine
from recograph.adapters.local.dbt_duckdb import DuckDBEngine
from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.local.folder_lake import LocalLake
from recograph.adapters.local.parquet_catalog import ParquetCatalog
from recograph.lake.interfaces import Catalog, Inbox, Lake, Warehouse
from recograph.settings import Settings

if TYPE_CHECKING:
    from recograph.adapters.aws.bucket import Bucket


def open_inbox(settings: Settings) -> Inbox:
    """Where the dumps of this installation lie."""
    if settings.on_aws:
        from recograph.adapters.aws.s3_inbox import S3Inbox

        return S3Inbox(_bucket(settings))
    return LocalInbox(settings.data)


def open_lake(settings: Settings) -> Lake:
    """The lake of this installation."""
    if settings.on_aws:
        from recograph.adapters.aws.s3_lake import S3Lake

        return S3Lake(_bucket(settings), home=str(settings.home))
    return LocalLake(root=settings.lake, home=str(settings.home))


def _bucket(settings: Settings) -> "Bucket":
    from recograph.adapters.aws.bucket import Bucket

    return Bucket(settings.lake.removeprefix("s3://"), settings.region)


def open_catalog(settings: Settings) -> Catalog:
    """The catalog of this installation."""
    lake = open_lake(settings)
    if settings.on_aws:
        from recograph.adapters.aws.glue_catalog import GlueCatalog

        return GlueCatalog(
            lake=lake,
            region=settings.region,
            database_prefix=settings.landing_database_prefix,
            crawler_prefix=settings.crawler_prefix,
            marts_database=settings.marts_database,
        )
    return ParquetCatalog(lake=lake)


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of this installation."""
    if settings.on_aws:
        from recograph.adapters.aws.athena import AthenaWarehouse

        return AthenaWarehouse(
            lake=open_lake(settings),
            region=settings.region,
            workgroup=settings.athena_workgroup,
            results=settings.athena_results,
            database=settings.marts_database,
        )
    return DuckDBWarehouse(lake=settings.lake, home=str(settings.home))


def open_dbt(settings: Settings) -> DbtEngine:
    """The engine on which dbt builds the marts of this installation."""
    if settings.on_aws:
        from recograph.adapters.aws.dbt_athena import AthenaEngine

        return AthenaEngine()
    return DuckDBEngine(settings.lake)


def services(settings: Settings) -> Collection[str]:
    """The services that the installation asks, by AWS's names; for assets that ask one themselves."""
    return ("s3", "secretsmanager") if settings.on_aws else ()


def reads(settings: Settings) -> Iterator[str]:
    """What each library that asks a service could read, a sentence for each; nothing where none is asked.

    Raises:
        RecographError: one couldn't; those before it could.
    """
    if settings.on_aws:
        from recograph.adapters.aws.reads import reads as aws_reads

        yield from aws_reads(settings)
