from pathlib import Path

import neo4j as neo4j_driver
import pytest

from recograph.local.neo4j import Connection
from recograph.local.sample_data import generate
from recograph_tests.pipeline.installation import Installation


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of the three sample customers, small, two days each. Copy it before changing it."""
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, scale=0.1, days=2)
    return folder


@pytest.fixture
def installation(tmp_path: Path, neo4j: neo4j_driver.Driver, neo4j_server: Connection) -> Installation:
    """An installation whose data folder is empty, on the shared server with an empty graph."""
    data = tmp_path / "data"
    data.mkdir()
    return Installation(data, tmp_path / "home", neo4j_server)
