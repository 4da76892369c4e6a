"""dbt on one machine: DuckDB, in memory, writes the Parquet files of the lake."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recograph.lake.layout import mart_partition


@dataclass(frozen=True)
class DuckDBEngine:
    """DuckDB in this process; its tables are gone with the run, and the Parquet files stay."""

    lake: str
    """Root folder of the lake."""
    target: str = "local"
    dialect: str = "duckdb"
    packages: tuple[str, ...] = ("dbt-duckdb", "duckdb")
    profile_names_lake: bool = False
    keeps_tables: bool = False

    def make_room(self, models: Collection[str], customer: str, date: str) -> None:
        """See `DbtEngine.make_room`: makes the folders, because DuckDB doesn't."""
        for model in models:
            Path(self.lake, mart_partition(model, customer, date)).mkdir(parents=True, exist_ok=True)

    def cost(self, response: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See `DbtEngine.cost`: nothing is billed."""
        return {}

    def rows(self, response: Mapping[str, Any]) -> None:
        """See `DbtEngine.rows`: it isn't reported."""

    def advice(self, failure: str) -> None:
        """See `DbtEngine.advice`: DuckDB's messages need no addition."""
