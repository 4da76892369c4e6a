"""Marts that are written beside dbt."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recograph.adapters.environment import open_catalog, open_lake
from recograph.lake.marts import publish_mart
from recograph.settings import Settings


def test_a_mart_replaces_whatever_files_its_partition_had(tmp_path: Path) -> None:
    settings = Settings.from_env({"RECOGRAPH_HOME": str(tmp_path)})
    lake, catalog = open_lake(settings), open_catalog(settings)
    for ids in ([1, 2], [3]):
        publish_mart(lake, catalog, "course_similarity", "customer_1", "2026-11-01", pa.table({"id": ids}))
        (file,) = Path(settings.lake).rglob("*.parquet")
        assert pq.read_table(file, partitioning=None).to_pylist() == [
            {"id": key, "customer": "customer_1", "snapshot_date": "2026-11-01"} for key in ids
        ]
        file.rename(file.with_name("part-0.parquet"))
