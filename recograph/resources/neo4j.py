"""Neo4j as a resource of Dagster."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import dagster as dg

from recograph.settings import Settings

if TYPE_CHECKING:
    import neo4j


class Neo4jResource(dg.ConfigurableResource["Neo4jResource"]):
    """Gives drivers of the server that the environment names, or of the managed one."""

    def driver(self) -> "AbstractContextManager[neo4j.Driver]":
        """A driver that has reached the server, closed at the end of the block.

        The environment is read anew, so that passwords don't become part of a run's config.

        Raises:
            RecographError: see `neo4j_server.open_driver`.
        """
        # Here, because the driver brings pandas, for which whoever only loads the assets needn't wait.
        from recograph.resources.neo4j_server import open_driver

        return open_driver(Settings.from_env())

    def browser(self) -> str | None:
        """Address of Neo4j Browser, where the server is the managed one."""
        from recograph.resources.neo4j_server import find_server

        return find_server(Settings.from_env()).browser
