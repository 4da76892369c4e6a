"""One Neo4j graph from many customers' daily SQL dumps, as Dagster software-defined assets."""

__version__ = "0.2.0"
