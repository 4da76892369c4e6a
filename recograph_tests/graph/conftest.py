from pathlib import Path

import neo4j as neo4j_driver
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse


@pytest.fixture
def neo4j(_neo4j_driver: neo4j_driver.Driver) -> neo4j_driver.Driver:
    """The shared server, its graph empty. Constraints stay: with a new one the server plans all queries anew."""
    _neo4j_driver.execute_query("MATCH (n) DETACH DELETE n")
    return _neo4j_driver


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def warehouse(lake: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(lake=str(lake))
