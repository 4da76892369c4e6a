import neo4j
import pytest

from recograph.adapters.neo4j import Connection


@pytest.fixture
def asked(small: neo4j.Driver, neo4j_server: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody whose server holds the graph of `small`."""
    monkeypatch.setenv("NEO4J_URI", neo4j_server.uri)
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_server.username)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
