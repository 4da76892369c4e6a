"""The catalog on AWS: tables and partitions follow from the contracts; crawlers discover what was landed by others."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from recograph.adapters.aws.clients import client
from recograph.adapters.aws.glue_expired import drop_days_without_files
from recograph.adapters.aws.glue_tables import Columns, GlueTable, bring_along, register_partitions
from recograph.adapters.aws.messages import aws_explained
from recograph.errors import RecographError
from recograph.lake.conforming import conform
from recograph.lake.interfaces import CatalogTable, Lake
from recograph.lake.layout import MART_PARTITION, date_of, landing_folder, mart_root
from recograph.platforms import Contract

_SNAPSHOT_DATE = ("snapshot_date", "string")
_DEPLOY = "Was the customer deployed? Run `make deploy`."


def glue_type(type_: pa.DataType) -> str:
    """The name of an Arrow type in Glue, for the types that contracts use."""
    names = {pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean", pa.string(): "string"}
    return "timestamp" if pa.types.is_timestamp(type_) else names[type_]


@dataclass(frozen=True)
class Crawl:
    """What discovering a customer's landed tables came to."""

    tables: int
    """Tables that are in the catalog now."""
    crawled: bool
    """Whether there was something to discover."""
    trouble: str = ""
    """What the crawler failed of; all is registered nevertheless."""


@dataclass(frozen=True)
class GlueCatalog:
    """Glue's Data Catalog: a database and a crawler per customer, both made by Terraform."""

    lake: Lake
    region: str
    database_prefix: str
    crawler_prefix: str
    marts_database: str
    timeout: int = 1800
    """Seconds to wait for a crawler."""
    poll: float = 5.0
    """Seconds between two looks at a crawler."""

    @property
    def kind(self) -> str:
        """See `Catalog.kind`."""
        return "glue"

    @property
    def is_apart(self) -> bool:
        """See `Catalog.is_apart`."""
        return True

    @property
    def removal_advice(self) -> str:
        """See `Catalog.removal_advice`."""
        return "Apply Terraform when the entry is gone: it removes the customer's Glue database and crawler."

    def register(self, customer: str, date: str, contracts: Collection[Contract]) -> dict[str, CatalogTable]:
        """See `Catalog.register`."""
        rows = {contract.table: conform(self.lake, customer, date, contract) for contract in contracts}
        tables = [self._table(customer, contract) for contract in contracts]
        database = f"{self.database_prefix}{customer}"
        with aws_explained(f"Glue database {database}", {"EntityNotFoundException": _DEPLOY}):
            self._bring_along(database, tables)
            known = False
            for table in tables:
                # Where one table has the day already, the others mostly have it, too.
                known = register_partitions(self._glue, table, {(date,): table.columns}, expected=known)
        return {
            contract.table: CatalogTable(
                contract.table, table.location, (*table.columns, *table.keys), *rows[contract.table]
            )
            for contract, table in zip(contracts, tables, strict=True)
        }

    def prepare_marts(self, marts: Mapping[str, Mapping[str, str]]) -> bool:
        """See `Catalog.prepare_marts`."""
        with aws_explained(f"Glue database {self.marts_database}", {"EntityNotFoundException": "Run `make deploy`."}):
            return self._bring_along(self.marts_database, self._marts(marts))

    def register_mart(self, mart: str, customer: str, date: str, columns: Mapping[str, str]) -> None:
        """See `Catalog.register_mart`."""
        self.prepare_marts({mart: columns})
        (table,) = self._marts({mart: columns})
        with aws_explained(f"Glue table {self.marts_database}.{mart}"):
            register_partitions(self._glue, table, {(customer, date): table.columns})

    def lists_mart(self, mart: str, customer: str, date: str) -> bool:
        """See `Catalog.lists_mart`."""
        (table,) = self._marts({mart: dict.fromkeys(MART_PARTITION, "varchar")})
        values = (customer, date)
        with aws_explained(f"Glue table {table.database}.{mart}"):
            try:
                answer = self._glue.batch_get_partition(
                    DatabaseName=table.database, TableName=mart, PartitionsToGet=[{"Values": list(values)}]
                )
            except self._glue.exceptions.EntityNotFoundException:
                return False
        wanted = table.partition_location(values).rstrip("/")
        return any(p["StorageDescriptor"]["Location"].rstrip("/") == wanted for p in answer["Partitions"])

    def drop_days_without_files(self, before: str, customers: Collection[str] | None = None) -> int:
        """See `Catalog.drop_days_without_files`."""
        with aws_explained("Glue's databases"):
            pages = self._glue.get_paginator("get_databases").paginate()
            databases = {database["Name"] for page in pages for database in page["DatabaseList"]}
        landing = {
            name.removeprefix(self.database_prefix) for name in databases if name.startswith(self.database_prefix)
        }
        wanted = [
            f"{self.database_prefix}{customer}"
            for customer in sorted(landing)
            if customers is None or customer in customers
        ]
        dropped = 0
        for database in [*wanted, *databases & {self.marts_database}]:
            with aws_explained(f"Glue database {database}"):
                dropped += drop_days_without_files(self._glue, self.lake, database, before, customers)
        return dropped

    def discover(self, customer: str, contracts: Collection[Contract]) -> Crawl:
        """Make every landed partition of a customer queryable.

        The crawler runs where there is something that it could discover: a table or a day that the catalog doesn't
        have, or columns that have changed. Nothing depends on it, so its failure is told and passed over.

        Raises:
            RecographError: Glue or the lake can't be asked, or the database is missing.
        """
        landed = {}
        for contract in contracts:
            keys = self.lake.parquet(landing_folder(customer, contract.table))
            if dates := set(filter(None, map(date_of, keys))):
                landed[contract.table] = dates
        contracts = [contract for contract in contracts if contract.table in landed]
        tables = [self._table(customer, contract) for contract in contracts]
        database = f"{self.database_prefix}{customer}"
        with aws_explained(f"Glue database {database}", {"EntityNotFoundException": _DEPLOY}):
            existing = self._existing(database)
            missing = [
                landed[contract.table] - (self._dates(table) if table.name in existing else set())
                for contract, table in zip(contracts, tables, strict=True)
            ]
            same = all(_columns(existing.get(table.name)) == list(table.columns) for table in tables)
            unknown = not same or any(missing)
            trouble = self._crawl_if_it_can(customer) if unknown else ""
            self._bring_along(database, tables)
            for contract, table, dates in zip(contracts, tables, missing, strict=True):
                if table.name in existing:  # else all was landed just now
                    for date in sorted(dates):
                        conform(self.lake, customer, date, contract)
                register_partitions(self._glue, table, {(date,): table.columns for date in sorted(dates)})
        return Crawl(len(tables), unknown, trouble)

    def misplaced(self, marts: Mapping[str, Mapping[str, str]]) -> list[str]:
        """What of the marts lies in another bucket than the lake, as after a change of the bucket.

        Partitions whose files were copied to the lake are corrected; what is told are the others.

        Raises:
            RecographError: Glue or the lake can't be asked.
        """
        told = []
        for table in self._marts(marts):
            with aws_explained(f"Glue table {table.database}.{table.name}"):
                others = self._partitions(table) - self._partitions(table, table.location)
                copied = {
                    values
                    for values in others
                    if self.lake.parquet(table.partition_location(values).removeprefix(self.lake.uri("")))
                }
                register_partitions(self._glue, table, dict.fromkeys(sorted(copied), table.columns))
            if lost := sorted("|".join(values) for values in others - copied):
                listed = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
                told.append(
                    f"{table.name} of {listed} isn't in {self.lake.uri('')}, but in another bucket. Copy it, and run "
                    "`recograph aws crawl` again, or build it again."
                )
        return told

    def _crawl_if_it_can(self, customer: str) -> str:
        try:
            self.crawl(customer)
        except RecographError as error:
            return str(error)
        return ""

    def crawl(self, customer: str) -> None:
        """Run the customer's crawler and wait for it; one that is running already is waited for first.

        Raises:
            RecographError: the crawler doesn't exist, fails, or takes longer than the timeout.
        """
        name = f"{self.crawler_prefix}{customer}"
        until = time.monotonic() + self.timeout
        with aws_explained(f"Glue crawler {name}", {"EntityNotFoundException": _DEPLOY}):
            self._wait(name, until)
            while True:
                try:
                    self._glue.start_crawler(Name=name)
                    break
                except self._glue.exceptions.CrawlerRunningException:
                    # Somebody else was faster. What that crawl has passed already isn't in it, so run again after it.
                    self._wait(name, until)
            last = self._wait(name, until).get("LastCrawl", {})
        if last.get("Status") == "FAILED":
            raise RecographError(f"Glue crawler {name} failed: {last.get('ErrorMessage', 'see its log in CloudWatch')}")

    def _wait(self, name: str, until: float) -> dict[str, Any]:
        while True:
            crawler: dict[str, Any] = self._glue.get_crawler(Name=name)["Crawler"]
            if crawler["State"] == "READY":
                return crawler
            if time.monotonic() > until:
                raise RecographError(f"Glue crawler {name} is still {crawler['State']} after {self.timeout} s.")
            time.sleep(self.poll)

    def _table(self, customer: str, contract: Contract) -> GlueTable:
        """The table of a contract as it should be."""
        return GlueTable(
            database=f"{self.database_prefix}{customer}",
            name=contract.table.lower(),
            description=contract.description,
            columns=tuple((column.name.lower(), glue_type(column.type)) for column in contract.columns),
            keys=(_SNAPSHOT_DATE,),
            location=self.lake.uri(landing_folder(customer, contract.table)),
        )

    def _marts(self, marts: Mapping[str, Mapping[str, str]]) -> list[GlueTable]:
        """The tables of the marts as they should be."""
        tables = []
        for mart, types in marts.items():
            columns = [(name, type_.replace("varchar", "string")) for name, type_ in types.items()]
            location = self.lake.uri(mart_root(mart))
            tables.append(GlueTable(self.marts_database, mart, "", columns[:-2], columns[-2:], location))
        return tables

    def _existing(self, database: str) -> dict[str, Mapping[str, Any]]:
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=database)
        return {table["Name"]: table for page in pages for table in page["TableList"]}

    def _bring_along(self, database: str, tables: Collection[GlueTable]) -> bool:
        existing = self._existing(database)
        changed = [bring_along(self._glue, table, existing.get(table.name)) for table in tables]
        return any(changed)

    def _dates(self, table: GlueTable) -> set[str]:
        """The snapshot dates that are registered in the place where they should be."""
        return {date for (date,) in self._partitions(table, table.location)}

    def _partitions(self, table: GlueTable, location: str = "") -> set[tuple[str, ...]]:
        """The values of the partitions below a location."""
        where = {"DatabaseName": table.database, "TableName": table.name, "ExcludeColumnSchema": True}
        pages = self._glue.get_paginator("get_partitions").paginate(**where)
        return {
            tuple(partition["Values"])
            for page in pages
            for partition in page["Partitions"]
            if partition["StorageDescriptor"]["Location"].startswith(location)
        }

    @property
    def _glue(self) -> Any:
        return client("glue", self.region)


def _columns(table: Mapping[str, Any] | None) -> Columns:
    return [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]] if table else []
