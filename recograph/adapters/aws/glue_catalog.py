"""The catalog on AWS: a crawler a customer finds what was landed; what it didn't make follows from the contract."""

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recograph.adapters.aws.clients import client
from recograph.adapters.aws.messages import explained
from recograph.errors import RecographError
from recograph.lake.drift import drift, not_landed
from recograph.lake.interfaces import CatalogTable, Lake
from recograph.lake.layout import date_of, landing_folder, landing_key
from recograph.platforms import Contract

_PARTITION_KEY = ("snapshot_date", "string")
_DEPLOY = "Was the customer deployed? Run `make deploy`."
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet."


def glue_type(type_: pa.DataType) -> str:
    """The name of an Arrow type in Glue, for the types that contracts use."""
    names = {pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean", pa.string(): "string"}
    return "timestamp" if pa.types.is_timestamp(type_) else names[type_]


@dataclass(frozen=True)
class GlueCatalog:
    """Glue's Data Catalog: a database and a crawler a customer, both made by Terraform."""

    lake: Lake
    region: str
    database_prefix: str
    crawler_prefix: str
    timeout: int = 1800
    """Seconds to wait for a crawler."""
    poll: float = 5.0
    """Seconds between two looks at a crawler."""

    def register(self, customer: str, date: str, contracts: Collection[Contract]) -> dict[str, CatalogTable]:
        """See `Catalog.register`."""
        filesystem, root = self.lake.filesystem()
        rows = {}
        for contract in contracts:
            table = contract.table
            try:
                rows[table] = pq.read_metadata(
                    f"{root}{landing_key(customer, table, date)}", filesystem=filesystem
                ).num_rows
            except FileNotFoundError:
                raise not_landed(self.lake, customer, table, date) from None
        self.crawl(customer)
        return {c.table: self._complete(customer, c, [date], rows[c.table]) for c in contracts}

    def register_landed(self, customer: str, contracts: Collection[Contract]) -> list[CatalogTable]:
        """Make every landed partition of a customer queryable, with one crawl; rows aren't counted.

        Raises:
            RecographError: see `crawl`.
        """
        self.crawl(customer)
        found = []
        for contract in contracts:
            keys = self.lake.parquet(landing_folder(customer, contract.table))
            if dates := sorted({date_of(key) for key in keys}):
                found.append(self._complete(customer, contract, dates))
        return found

    def crawl(self, customer: str) -> None:
        """Run the customer's crawler and wait for it; one that is running already is waited for first.

        Raises:
            RecographError: the crawler doesn't exist, fails, or takes longer than the timeout.
        """
        name = f"{self.crawler_prefix}{customer}"
        until = time.monotonic() + self.timeout
        with explained(f"Glue crawler {name}", {"EntityNotFoundException": _DEPLOY}):
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

    def _complete(
        self, customer: str, contract: Contract, dates: Sequence[str], rows: int | None = None
    ) -> CatalogTable:
        """The table as Glue has it; made, with these partitions, where the crawler didn't."""
        database, name = f"{self.database_prefix}{customer}", contract.table.lower()
        location = self.lake.uri(landing_folder(customer, contract.table))
        with explained(f"Glue table {database}.{name}", {"EntityNotFoundException": _DEPLOY}):
            try:
                table = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
            except self._glue.exceptions.EntityNotFoundException:
                table = self._create_table(database, contract, location)
            self._add_partitions(database, table, location, dates)
        columns = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
        found = tuple((column["Name"], column["Type"]) for column in columns)
        wanted = [(column.name, glue_type(column.type)) for column in contract.columns]
        return CatalogTable(contract.table, location, found, rows, drift(contract, found, [*wanted, _PARTITION_KEY]))

    def _add_partitions(self, database: str, table: dict[str, Any], location: str, dates: Sequence[str]) -> None:
        where = {"DatabaseName": database, "TableName": table["Name"]}
        storage = table["StorageDescriptor"]
        for start in range(0, len(dates), 100):
            some = dates[start : start + 100]
            wanted = [{"Values": [date]} for date in some]
            there = self._glue.batch_get_partition(**where, PartitionsToGet=wanted)["Partitions"]
            missing = sorted(set(some) - {partition["Values"][0] for partition in there})
            if not missing:
                continue
            new = [
                {"Values": [date], "StorageDescriptor": {**storage, "Location": f"{location}snapshot_date={date}/"}}
                for date in missing
            ]
            answer = self._glue.batch_create_partition(**where, PartitionInputList=new)
            for failed in answer.get("Errors", []):
                detail = failed["ErrorDetail"]
                if detail.get("ErrorCode") != "AlreadyExistsException":
                    raise RecographError(
                        f"Glue can't add partition {failed['PartitionValues'][0]} to {database}.{table['Name']}: "
                        f"{detail.get('ErrorCode')}. {detail.get('ErrorMessage', '')}"
                    )

    def _create_table(self, database: str, contract: Contract, location: str) -> dict[str, Any]:
        storage = {
            "Columns": [{"Name": c.name.lower(), "Type": glue_type(c.type)} for c in contract.columns],
            "Location": location,
            "InputFormat": f"{_PARQUET}MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}MapredParquetOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": f"{_PARQUET}serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
            "Parameters": {"classification": "parquet"},
        }
        table = {
            "Name": contract.table.lower(),
            "Description": contract.description,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
            "StorageDescriptor": storage,
            "PartitionKeys": [dict(zip(("Name", "Type"), _PARTITION_KEY, strict=True))],
        }
        with suppress(self._glue.exceptions.AlreadyExistsException):  # made by another run at the same time
            self._glue.create_table(DatabaseName=database, TableInput=table)
        return table

    @property
    def _glue(self) -> Any:
        return client("glue", self.region)
