"""What `make deploy` does after Terraform: uploads dumps, lands them, crawls, and lists what can be queried.

Each step can be run again and alone; none needs Neo4j or Dagster's daemon.
"""

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recograph.adapters.aws.glue_catalog import Crawl, GlueCatalog
from recograph.adapters.aws.glue_queryable import QueryableTable, queryable_tables
from recograph.adapters.aws.s3_inbox import S3Inbox
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.adapters.aws.versions import count_versions
from recograph.adapters.dbt_models import mart_columns
from recograph.adapters.environment import open_catalog
from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.customers import Customer, load_customers
from recograph.errors import RecographError, UnavailableError
from recograph.lake.interfaces import DumpFile
from recograph.lake.landing import Landing, land
from recograph.lake.layout import customer_folder, date_of, landing_key
from recograph.platforms import platform_of
from recograph.settings import Settings


@dataclass(frozen=True)
class BadDump:
    """A dump that couldn't be sent or landed, or (without a date) a customer whose dumps can't be listed."""

    customer: str
    date: str | None
    reason: str


@dataclass(frozen=True)
class Deployment:
    """An installation whose lake, catalog and warehouse are on AWS."""

    settings: Settings
    inbox: S3Inbox
    lake: S3Lake
    catalog: GlueCatalog
    customers: Mapping[str, Customer]

    @classmethod
    def open(cls, settings: Settings, customers: Sequence[str] = ()) -> "Deployment":
        """The deployment that the environment names, for some customers or all.

        Raises:
            RecographError: the environment names none, or a customer is unknown.
        """
        catalog = open_catalog(settings)
        if not isinstance(catalog, GlueCatalog) or not isinstance(catalog.lake, S3Lake):
            raise RecographError(
                f"RECOGRAPH_LAKE is {settings.lake}, which isn't on AWS. Take the environment of your deployment: "
                'eval "$(terraform -chdir=terraform output -raw env)".'
            )
        listed = load_customers(settings.data)
        chosen = {customer: listed[customer] for customer in customers} or listed.customers
        return cls(settings, S3Inbox(catalog.lake.bucket), catalog.lake, catalog, chosen)

    def upload(self) -> Iterator[tuple[str, str, bool] | BadDump]:
        """Send the dumps of the data folder to the lake; gives customer, address, and whether anything was sent.

        A dump that can't be read, or of which the lake has another one of that day, doesn't stop the others.

        Raises:
            RecographError: the lake can't be written.
        """
        local = LocalInbox(self.settings.data)
        for customer in self.customers:
            try:
                dumps = local.dumps(customer).values()
            except RecographError as error:
                yield BadDump(customer, None, str(error))
                continue
            uploaded = self.inbox.dumps(customer)
            for dump in dumps:
                try:
                    uri = self._place(local, dump, uploaded.get(dump.date))
                except RecographError as error:
                    yield BadDump(customer, dump.date, str(error))
                    continue
                yield customer, uri, self.inbox.upload(Path(dump.uri), customer)

    def _place(self, local: LocalInbox, dump: DumpFile, other: DumpFile | None) -> str:
        """Where a dump of this machine has its place in the lake.

        Raises:
            RecographError: it can't be read, or the lake has another dump of that day.
        """
        with local.open_dump(dump):
            uri = self.inbox.uri(dump.customer, Path(dump.uri).name)
        if other and other.uri != uri:
            raise RecographError(
                f"{dump.uri} would be a second dump of {dump.customer} for {dump.date} beside {other.uri}. "
                "Delete one of them."
            )
        return uri

    def land(self, dates: Sequence[str] = ()) -> Iterator[Landing | BadDump]:
        """Land the dumps of the lake, as many at a time as there are processors; a bad dump doesn't stop the others.

        Without dates, dumps that are landed already aren't landed again; nor are dumps older than a customer's oldest
        landed day, whose landed tables were deleted as too old.

        Raises:
            RecographError: there is no dump at all, or the lake can't be reached.
        """
        dumps: list[DumpFile] = []
        known = 0
        for customer in self.customers:
            try:
                some = [dump for dump in self.inbox.dumps(customer).values() if not dates or dump.date in dates]
            except UnavailableError:  # nobody's can be listed, and each would be waited for
                raise
            except RecographError as error:
                yield BadDump(customer, None, str(error))
                known += 1
                continue
            known += len(some)
            dumps += some if dates else self._to_land(customer, some)
        if not known:
            days = f" of {', '.join(dates)}" if dates else ""
            raise RecographError(f"No dump{days} in {self.inbox.uri()}: run `recograph aws upload` first.")
        if len(dumps) < 2:
            yield from (_land(self.inbox, self.lake, dump, self.customers[dump.customer]) for dump in dumps)
            return
        workers = min(len(dumps), os.cpu_count() or 1)
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            owners = [self.customers[dump.customer] for dump in dumps]
            yield from pool.map(partial(_land, self.inbox, self.lake), dumps, owners)

    def _to_land(self, customer: str, dumps: Sequence[DumpFile]) -> list[DumpFile]:
        """The dumps that aren't landed yet, or were replaced since."""
        shipped = self.inbox.modified(customer)
        landed = self.lake.bucket.modified(customer_folder(customer))
        oldest = min(filter(None, map(date_of, landed)), default="")
        contracts = platform_of(self.customers[customer]).contracts
        to_land = []
        for dump in dumps:
            times = [landed.get(landing_key(customer, table, dump.date)) for table in contracts]
            complete = [time for time in times if time is not None]
            is_landed = len(complete) == len(times) and min(complete) >= shipped[dump.uri]
            if dump.date >= oldest and not is_landed:
                to_land.append(dump)
        return to_land

    def crawl(self) -> Iterator[tuple[str, Crawl]]:
        """Make all that was landed queryable, and the marts' tables as the models say; gives what was done by customer.

        Raises:
            RecographError: a crawler or a database is missing.
        """
        self.catalog.prepare_marts(mart_columns())
        with ThreadPoolExecutor(max_workers=8) as pool:
            contracts = [platform_of(customer).contracts.values() for customer in self.customers.values()]
            yield from zip(self.customers, pool.map(self.catalog.discover, self.customers, contracts), strict=True)

    def misplaced(self) -> list[str]:
        """See `GlueCatalog.misplaced`."""
        return self.catalog.misplaced(mart_columns())

    def tables(self) -> list[QueryableTable]:
        """Every table of the customers and of the marts that Athena can query.

        Raises:
            RecographError: Glue can't be asked, or a database is missing.
        """
        databases = [f"{self.settings.landing_database_prefix}{customer}" for customer in self.customers]
        return [
            table
            for database in [*databases, self.settings.marts_database]
            for table in queryable_tables(self.settings.region, database)
        ]

    def files(self) -> int:
        """How many objects the bucket has, old versions and deletion marks included; counting ends at 1000."""
        return count_versions(self.settings)


def _land(inbox: S3Inbox, lake: S3Lake, dump: DumpFile, customer: Customer) -> Landing | BadDump:
    try:
        return land(inbox, lake, dump, customer)
    except RecographError as error:
        return BadDump(dump.customer, dump.date, str(error))
