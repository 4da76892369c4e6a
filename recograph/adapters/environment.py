"""The one place where the environment decides which resource stands behind which name.

The adapters of AWS are imported only where they are chosen: importing boto3 takes a second.
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
from recograph.lake.layout import athena_results
from recograph.settings import Settings

if TYPE_CHECKING:
    from recograph.adapters.aws.bucket import Bucket
    from recograph.adapters.aws.s3_lake import S3Lake


def open_inbox(settings: Settings) -> Inbox:
    """The inbox of this installation, where its dumps lie."""
    if settings.on_aws:
        from recograph.adapters.aws.s3_inbox import S3Inbox

        return S3Inbox(_bucket(settings))
    return LocalInbox(settings.data)


def open_lake(settings: Settings) -> Lake:
    """The lake of this installation."""
    if settings.on_aws:
        return _s3_lake(settings)
    return LocalLake(root=settings.lake, home=str(settings.home))


def _s3_lake(settings: Settings) -> "S3Lake":
    from recograph.adapters.aws.s3_lake import S3Lake

    return S3Lake(_bucket(settings), home=str(settings.home))


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
            lake=_s3_lake(settings),
            region=settings.region,
            workgroup=settings.athena_workgroup,
            results=athena_results(settings),
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
    """AWS's names of the services that assets of this installation call; empty where it isn't on AWS."""
    return ("s3", "secretsmanager") if settings.on_aws else ()


def reads(settings: Settings) -> Iterator[str]:
    """Make one read with each library that calls AWS, and say in a sentence what was read; nothing where not on AWS.

    Raises:
        RecographError: a read failed; those before it succeeded.
    """
    if settings.on_aws:
        from recograph.adapters.aws.reads import reads as aws_reads

        yield from aws_reads(settings, open_lake(settings), open_warehouse(settings), open_dbt(settings))
