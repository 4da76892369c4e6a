from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recograph.adapters.local import duckdb_warehouse
from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.errors import RecographError

MOMENT = datetime(2026, 1, 1)  # noqa: DTZ001 - no zone in it


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


def test_a_day_that_was_built_before_a_mart_changed_is_read_as_the_mart_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {
        "id": "bigint",
        "level": "varchar",
        "score": "double",
        "valid": "boolean",
        "since": "timestamp",
        "customer": "varchar",
        "snapshot_date": "varchar",
    }
    monkeypatch.setattr(duckdb_warehouse, "mart_columns", lambda: {"users": now})
    warehouse = DuckDBWarehouse(lake=str(tmp_path))
    days = {
        "2026-11-01": {"id": [1], "score": [3], "gone": ["x"], "valid": [1], "since": [1700000000]},
        "2026-11-02": {"id": [1], "level": ["high"], "score": [0.5], "valid": [True], "since": [MOMENT]},
    }
    for day, columns in days.items():
        folder = tmp_path / "marts" / "users" / "customer=c" / f"snapshot_date={day}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({**columns, "customer": ["c"], "snapshot_date": [day]}), folder / "users.parquet")
    before, after = (warehouse.partition("users", "c", day) for day in days)
    both = warehouse.query(f"select * from {before} union all by name select * from {after} order by snapshot_date")
    assert [{**row, "customer": "c", "snapshot_date": "-"} for row in both.to_pylist()] == [
        {"id": 1, "level": None, "score": 3.0, "valid": None, "since": None, "customer": "c", "snapshot_date": "-"},
        {"id": 1, "level": "high", "score": 0.5, "valid": True, "since": MOMENT, "customer": "c", "snapshot_date": "-"},
    ]
