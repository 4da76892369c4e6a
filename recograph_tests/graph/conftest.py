from pathlib import Path

import pytest

from recograph.resources.warehouse import DuckDBWarehouse


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def warehouse(lake: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(lake=str(lake))
