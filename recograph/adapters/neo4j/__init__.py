"""The Neo4j server that recograph fetches, starts and finds again on this machine."""

from recograph.adapters.neo4j.connection import Connection
from recograph.adapters.neo4j.server import ManagedServer

__all__ = ["Connection", "ManagedServer"]
