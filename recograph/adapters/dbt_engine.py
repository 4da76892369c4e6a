"""What differs between the engines on which dbt builds the marts, and isn't SQL."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol


class DbtEngine(Protocol):
    """An engine, as dbt and the assets of the marts need to know it."""

    @property
    def target(self) -> str:
        """The target in `profiles.yml`."""

    @property
    def dialect(self) -> str:
        """What sqlglot calls its SQL."""

    @property
    def keeps_tables(self) -> bool:
        """Whether a mart is a table whose name means something when the run is over."""

    def make_room(self, models: Collection[str], customer: str, date: str) -> None:
        """Make what must be there before a partition of the models is written."""

    def cost(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """What building a model cost, as metadata of its asset, by what the engine told dbt of it."""

    def advice(self, failure: str) -> str | None:
        """What to do about a failure, where the engine's message doesn't say it."""
