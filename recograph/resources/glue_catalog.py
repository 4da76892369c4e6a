"""The catalog on AWS: a crawler a customer finds what was landed; what it didn't make follows from the contract."""

import time
from collections.abc import Collection
from typing import Any

import boto3
import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from recograph.contracts import CONTRACTS, Contract
from recograph.errors import RecographError
from recograph.resources.catalog import CatalogTable, drift, not_landed
from recograph.resources.lake import Lake, landing_key

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet."


def glue_type(type_: pa.DataType) -> str:
    """The name of an Arrow type in Glue, for the types that contracts use."""
    names = {pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean", pa.string(): "string"}
    return "timestamp" if pa.types.is_timestamp(type_) else names[type_]


class GlueCatalog(dg.ConfigurableResource["GlueCatalog"]):
    """Glue's Data Catalog: a database and a crawler a customer, both made by Terraform."""

    lake: dg.ResourceDependency[Lake]
    region: str
    database_prefix: str
    crawler_prefix: str
    timeout: int = 1800
    """Seconds to wait for a crawler."""
    poll: float = 5.0
    """Seconds between two looks at a crawler."""

    def register(self, customer: str, date: str, tables: Collection[str]) -> dict[str, CatalogTable]:
        """See `Catalog.register`."""
        filesystem, root = self.lake.filesystem()
        rows = {}
        for table in tables:
            try:
                rows[table] = pq.read_metadata(
                    f"{root}{landing_key(customer, table, date)}", filesystem=filesystem
                ).num_rows
            except FileNotFoundError:
                raise not_landed(self.lake, customer, table, date) from None
        self.crawl(customer)
        return {table: self._table(customer, date, CONTRACTS[table], rows[table]) for table in tables}

    def crawl(self, customer: str) -> None:
        """Run the customer's crawler and wait for it; one that is running already is waited for first.

        Raises:
            RecographError: the crawler doesn't exist, fails, or takes longer than the timeout.
        """
        name = f"{self.crawler_prefix}{customer}"
        until = time.monotonic() + self.timeout
        self._wait(name, until)
        while True:
            try:
                self._glue.start_crawler(Name=name)
                break
            except ClientError as error:
                if error.response["Error"]["Code"] != "CrawlerRunningException":
                    raise self._unusable(name, error) from error
                self._wait(name, until)
        last = self._wait(name, until).get("LastCrawl", {})
        if last.get("Status") == "FAILED":
            raise RecographError(f"Glue crawler {name} failed: {last.get('ErrorMessage', 'see its log in CloudWatch')}")

    def _wait(self, name: str, until: float) -> dict[str, Any]:
        while True:
            try:
                crawler: dict[str, Any] = self._glue.get_crawler(Name=name)["Crawler"]
            except ClientError as error:
                raise self._unusable(name, error) from error
            if crawler["State"] == "READY":
                return crawler
            if time.monotonic() > until:
                raise RecographError(f"Glue crawler {name} is still {crawler['State']} after {self.timeout} s.")
            time.sleep(self.poll)

    def _unusable(self, name: str, error: ClientError) -> RecographError:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        return RecographError(f"Glue crawler {name}: {code}. {message} Was the customer deployed with `make deploy`?")

    def _table(self, customer: str, date: str, contract: Contract, rows: int) -> CatalogTable:
        """The table as Glue has it; made, with its partition, where the crawler didn't."""
        database = f"{self.database_prefix}{customer}"
        location = self.lake.uri(f"landing/{customer}/{contract.table}/")
        wanted = [(column.name, glue_type(column.type)) for column in contract.columns]
        where = {"DatabaseName": database, "TableName": contract.table.lower()}
        try:
            table = self._glue.get_table(DatabaseName=database, Name=where["TableName"])["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            table = self._create_table(database, contract, location)
        try:
            self._glue.get_partition(**where, PartitionValues=[date])
        except self._glue.exceptions.EntityNotFoundException:
            storage = {**table["StorageDescriptor"], "Location": f"{location}snapshot_date={date}/"}
            self._glue.create_partition(**where, PartitionInput={"Values": [date], "StorageDescriptor": storage})
        found = tuple((column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"])
        return CatalogTable(contract.table, location, found, rows, drift(contract, found, wanted))

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
            "PartitionKeys": [{"Name": "snapshot_date", "Type": "string"}],
        }
        try:
            self._glue.create_table(DatabaseName=database, TableInput=table)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise RecographError(f"Glue table {database}.{table['Name']} can't be made: {error}") from error
        return table

    @property
    def _glue(self) -> Any:
        return boto3.client("glue", region_name=self.region)
