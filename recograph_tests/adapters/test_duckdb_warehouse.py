from pathlib import Path

import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.errors import RecographError


def test_a_broken_file_of_a_mart_is_one_clear_message(tmp_path: Path) -> None:
    folder = tmp_path / "marts" / "users" / "customer=o'neil" / "snapshot_date=2026-11-01"
    folder.mkdir(parents=True)
    (folder / "users.parquet").write_bytes(b"PAR1 and then nothing")
    warehouse = DuckDBWarehouse(lake=str(tmp_path))
    relation = warehouse.partition("users", "o'neil", "2026-11-01")
    for read in (warehouse.query, lambda sql: list(warehouse.stream(sql))):
        with pytest.raises(
            RecographError, match=r"The marts in .* can't be read: .*users\.parquet.*Make it again: recograph run"
        ):
            read(f"select * from {relation}")
    assert warehouse.partition("users", "o'neil", "2026-11-02") is None
