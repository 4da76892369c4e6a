"""The catalog on one machine: none, since the Parquet itself is enough."""

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from recograph.errors import RecographError
from recograph.lake.drift import drift, not_landed
from recograph.lake.interfaces import CatalogTable, Lake
from recograph.lake.layout import landing_key, remaking
from recograph.platforms import Contract


@dataclass(frozen=True)
class ParquetCatalog:
    """No catalog at all: DuckDB reads the Parquet files; their footers say what is in them."""

    lake: Lake

    def register(self, customer: str, date: str, contracts: Collection[Contract]) -> dict[str, CatalogTable]:
        """See `Catalog.register`."""
        filesystem, root = self.lake.filesystem()
        found = {}
        for contract in contracts:
            table = contract.table
            key = landing_key(customer, table, date)
            try:
                with pq.ParquetFile(f"{root}{key}", filesystem=filesystem) as file:
                    schema, rows = file.schema_arrow, file.metadata.num_rows
            except FileNotFoundError:
                raise not_landed(self.lake, customer, table, date) from None
            except (OSError, pa.ArrowInvalid) as error:
                raise RecographError(
                    f"{self.lake.uri(key)} isn't a whole Parquet file ({error}). {remaking(key)}"
                ) from error
            columns = tuple((column.name, str(column.type)) for column in schema)
            wanted = [(column.name, str(column.type)) for column in contract.columns]
            found[table] = CatalogTable(table, self.lake.uri(key), columns, rows, drift(contract, columns, wanted))
        return found
