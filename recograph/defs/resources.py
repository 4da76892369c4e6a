"""The resources of the code location: what the adapters give, by name, and Neo4j."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import dagster as dg

from recograph.adapters.environment import open_catalog, open_inbox, open_lake, open_warehouse, services
from recograph.settings import Settings

if TYPE_CHECKING:
    import neo4j


class Neo4jResource(dg.ConfigurableResource["Neo4jResource"]):
    """Gives drivers of the server that the environment names, or of the managed one."""

    def driver(self) -> "AbstractContextManager[neo4j.Driver]":
        """A driver that has reached the server, closed at the end of the block.

        The environment is read anew, so that passwords don't become part of a run's config.

        Raises:
            RecographError: see `recograph.adapters.neo4j.driver.open_driver`.
        """
        # Imported by runs alone, since the driver loads pandas, for which whoever only loads the assets needn't wait.
        from recograph.adapters.neo4j.driver import open_driver

        return open_driver(Settings.from_env())

    def require_room(self) -> None:
        """Refuse to load where the managed server's disk is nearly full.

        Raises:
            RecographError: see `recograph.adapters.neo4j.driver.require_room`.
        """
        from recograph.adapters.neo4j.driver import require_room

        require_room(Settings.from_env())

    def browser(self) -> str | None:
        """Address of Neo4j Browser, where the server is the managed one."""
        from recograph.adapters.neo4j.driver import find_server

        return find_server(Settings.from_env()).browser


def resources(settings: Settings) -> dict[str, Any]:
    """Every resource of the code location by name."""
    named = {
        "inbox": open_inbox(settings),
        "lake": open_lake(settings),
        "catalog": open_catalog(settings),
        "warehouse": open_warehouse(settings),
        "neo4j": Neo4jResource(),
    }
    if asked := services(settings):
        from recograph.defs.dagster_aws import service_resources  # loads boto3, which takes a second

        return named | service_resources(asked, settings.region)
    return named
