from pathlib import Path

import neo4j as neo4j_driver
import pytest

from recograph.adapters.neo4j import Connection
from recograph_tests.environment import share_parsed
from recograph_tests.pipeline.installation import Installation


@pytest.fixture
def installation(tmp_path: Path, neo4j: neo4j_driver.Driver, neo4j_server: Connection) -> Installation:
    """An installation whose data folder is empty, on the shared server with an empty graph."""
    data = tmp_path / "data"
    data.mkdir()
    share_parsed(tmp_path / "home")
    return Installation(data, tmp_path / "home", neo4j_server)
