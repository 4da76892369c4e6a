"""The catalog makes landed tables queryable: on one machine the Parquet itself is enough, on AWS it is Glue."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from recograph.contracts import CONTRACTS, Contract
from recograph.errors import RecographError
from recograph.resources.lake import Lake, landing_key


@dataclass(frozen=True)
class CatalogTable:
    """A table as the catalog knows it."""

    table: str
    location: str
    columns: tuple[tuple[str, str], ...]
    """Names and types, as the catalog spells them."""
    rows: int | None
    """Rows of the partition asked for, where it was counted."""
    drift: tuple[str, ...] = ()
    """Where columns differ from the contract, one sentence each."""


class Catalog(Protocol):
    """What the pipeline needs of a catalog."""

    def register(self, customer: str, date: str, tables: Collection[str]) -> dict[str, CatalogTable]:
        """Make a landed partition queryable and compare its tables with their contracts.

        Raises:
            RecographError: a table wasn't landed, or the catalog can't be reached.
        """


class ParquetCatalog(dg.ConfigurableResource["ParquetCatalog"]):
    """No catalog at all: DuckDB reads the Parquet files; their footers say what is in them."""

    lake: dg.ResourceDependency[Lake]

    def register(self, customer: str, date: str, tables: Collection[str]) -> dict[str, CatalogTable]:
        """See `Catalog.register`."""
        filesystem, root = self.lake.filesystem()
        found = {}
        for table in tables:
            key = landing_key(customer, table, date)
            try:
                with pq.ParquetFile(f"{root}{key}", filesystem=filesystem) as file:
                    schema, rows = file.schema_arrow, file.metadata.num_rows
            except FileNotFoundError:
                raise not_landed(self.lake, customer, table, date) from None
            except (OSError, pa.ArrowInvalid) as error:
                raise RecographError(
                    f"{self.lake.uri(key)} isn't a whole Parquet file ({error}). Materialize landing/{table} again."
                ) from error
            columns = tuple((column.name, str(column.type)) for column in schema)
            wanted = [(column.name, str(column.type)) for column in CONTRACTS[table].columns]
            found[table] = CatalogTable(
                table, self.lake.uri(key), columns, rows, drift(CONTRACTS[table], columns, wanted)
            )
        return found


def not_landed(lake: Lake, customer: str, table: str, date: str) -> RecographError:
    """The error for a partition that the catalog is asked for before it was landed."""
    return RecographError(
        f"{lake.uri(landing_key(customer, table, date))} isn't there. "
        f"Materialize landing/{table} for {customer}|{date} first."
    )


def drift(
    contract: Contract, found: Collection[tuple[str, str]], wanted: Collection[tuple[str, str]]
) -> tuple[str, ...]:
    """Where the found columns differ from the wanted ones; names are compared without case, as engines do."""
    there = {name.lower(): type_ for name, type_ in found}
    expected = {name.lower(): (name, type_) for name, type_ in wanted}
    missing = [f"{contract.table}.{name} is missing." for low, (name, _) in expected.items() if low not in there]
    changed = [
        f"{contract.table}.{name} is {there[low]}, but the contract says {type_}."
        for low, (name, type_) in expected.items()
        if low in there and there[low] != type_
    ]
    extra = [f"{contract.table}.{name} is in no contract." for name in there if name not in expected]
    return tuple(missing + changed + extra)
