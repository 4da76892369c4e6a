"""dbt on AWS: Athena."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from recograph.adapters.aws.athena_cost import usage
from recograph.adapters.aws.messages import advice


@dataclass(frozen=True)
class AthenaEngine:
    """Athena, which makes its files itself and bills what it scans."""

    target: str = "athena"
    dialect: str = "athena"
    packages: tuple[str, ...] = ("dbt-athena", "pyathena")
    profile_names_lake: bool = True
    keeps_tables: bool = True

    def make_room(self, models: Collection[str], customer: str, date: str) -> None:
        """See `DbtEngine.make_room`: S3 has no folders."""

    def cost(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """See `DbtEngine.cost`."""
        scanned = response.get("data_scanned_in_bytes")
        return {} if scanned is None else usage([scanned])

    def rows(self, response: Mapping[str, Any]) -> int | None:
        """See `DbtEngine.rows`."""
        rows = response.get("rows_affected")
        return rows if isinstance(rows, int) and rows >= 0 else None

    def advice(self, failure: str) -> str | None:
        """See `DbtEngine.advice`: what AWS refuses, it refuses to all libraries for the same reasons."""
        return advice(failure)
