"""The interface `DbtEngine`: how the engines on which dbt builds the marts differ, apart from their SQL."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol


class DbtEngine(Protocol):
    """An engine on which dbt builds the marts."""

    @property
    def target(self) -> str:
        """The target in `profiles.yml`."""

    @property
    def dialect(self) -> str:
        """The name that sqlglot has for the engine's SQL."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The Python packages whose versions decide what the engine makes, dbt's adapter first."""

    @property
    def profile_names_lake(self) -> bool:
        """Whether `profiles.yml` says where the lake is, so that what dbt has parsed holds for this lake only."""

    @property
    def keeps_tables(self) -> bool:
        """Whether the table of a mart can still be queried by its name when the run is over."""

    def make_room(self, models: Collection[str], customer: str, date: str) -> None:
        """Make what must exist before a partition of the models is written, such as folders."""

    def cost(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """What building a model cost, as metadata of its asset; `response` is what the engine reported to dbt."""

    def rows(self, response: Mapping[str, Any]) -> int | None:
        """How many rows building a model wrote; None where the engine doesn't report it."""

    def advice(self, failure: str) -> str | None:
        """What to do about a failure; None or empty where the engine's message says it already."""
