"""The guard of sudden drops: a table that lost many rows since the day before."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recograph.adapters.local.folder_lake import LocalLake
from recograph.lake.days_before import DaysBefore, find_drop
from recograph.lake.layout import landing_key


@pytest.mark.parametrize(("rows", "told"), [(100, False), (71, False), (69, True), (0, True)])
def test_a_sudden_drop_is_told_with_its_numbers(tmp_path: Path, rows: int, told: bool) -> None:
    lake = LocalLake(root=str(tmp_path), home=str(tmp_path))
    path = tmp_path / landing_key("customer_1", "core_user", "2026-01-01")
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"idst": list(range(100))}), path)
    drop = find_drop(DaysBefore(lake, "customer_1", "2026-01-02"), "core_user", rows, 0.3)
    assert (drop is not None) is told
    if drop:
        assert str(drop).startswith(f"core_user of customer_1 has {rows} rows on 2026-01-02 after 100 on 2026-01-01")
    assert find_drop(DaysBefore(lake, "customer_1", "2026-01-02"), "core_user", rows, 1) is None
    assert find_drop(DaysBefore(lake, "customer_1", "2026-01-01"), "core_user", rows, 0.3) is None
