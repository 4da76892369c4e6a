"""The catalog on one machine: none, since the Parquet itself is enough."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from recograph.lake.conforming import conform
from recograph.lake.interfaces import CatalogTable, Lake
from recograph.lake.layout import landing_key
from recograph.platforms import Contract


@dataclass(frozen=True)
class ParquetCatalog:
    """No catalog at all: DuckDB reads the Parquet files; their footers say what is in them."""

    lake: Lake

    @property
    def kind(self) -> str:
        """See `Catalog.kind`."""
        return "parquet"

    @property
    def is_apart(self) -> bool:
        """See `Catalog.is_apart`."""
        return False

    @property
    def removal_advice(self) -> str:
        """See `Catalog.removal_advice`."""
        return ""

    def register(self, customer: str, date: str, contracts: Collection[Contract]) -> dict[str, CatalogTable]:
        """See `Catalog.register`."""
        tables = {}
        for contract in contracts:
            rows, drift = conform(self.lake, customer, date, contract)
            columns = tuple((column.name, str(column.type)) for column in contract.columns)
            location = self.lake.uri(landing_key(customer, contract.table, date))
            tables[contract.table] = CatalogTable(contract.table, location, columns, rows, drift)
        return tables

    def prepare_marts(self, marts: Mapping[str, Mapping[str, str]]) -> bool:  # noqa: ARG002
        """See `Catalog.prepare_marts`. There are no tables to change: each file says what columns it has."""
        return False

    def register_mart(self, mart: str, customer: str, date: str, columns: Mapping[str, str]) -> None:
        """See `Catalog.register_mart`. Nothing is to be done: the file is queryable as soon as it is there."""

    def lists_mart(self, mart: str, customer: str, date: str) -> bool:  # noqa: ARG002
        """See `Catalog.lists_mart`."""
        return True

    def drop_days_without_files(self, before: str, customers: Collection[str] | None = None) -> int:  # noqa: ARG002
        """See `Catalog.drop_days_without_files`. What has no file isn't known."""
        return 0
