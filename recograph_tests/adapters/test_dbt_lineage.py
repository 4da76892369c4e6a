"""Columns of marts are followed through staging to the source tables, and one that isn't there is told."""

from pathlib import Path
from typing import Any

import pytest

from recograph.adapters.dbt_lineage import column_lineage
from recograph.errors import RecographError

STAGED = "with staged as (select *, idst as id from read_parquet('core_user')) "


def lineage(folder: Path, sql: str, dialect: str) -> Any:
    """The lineage of a mart `users` with that SQL."""
    (folder / "recograph" / "models").mkdir(parents=True)
    (folder / "recograph" / "models" / "users.sql").write_text(sql)
    mart = {
        "name": "users",
        "resource_type": "model",
        "config": {"materialized": "table"},
        "columns": {"id": {}},
        "relation_name": "memory.users",
        "package_name": "recograph",
        "original_file_path": "models/users.sql",
    }
    source = {"name": "core_user", "relation_name": "read_parquet('core_user')"}
    manifest = {"nodes": {"users": mart}, "sources": {"core_user": source}}
    return column_lineage(manifest, folder, {"core_user": ["idst", "city", "snapshot_date"]}, dialect)


@pytest.mark.parametrize("dialect", ["duckdb", "athena"])
def test_what_staging_hands_on_is_followed(tmp_path: Path, dialect: str) -> None:
    columns = lineage(tmp_path, STAGED + "select id, city, cast(null as bigint) as level from staged", dialect)["users"]
    glue = {name: {("glue", "core_user", column)} for name, column in (("id", "idst"), ("city", "city"))}
    assert columns == glue | {"level": set()}


@pytest.mark.parametrize("dialect", ["duckdb", "athena"])
def test_a_column_that_is_not_there_is_one_sentence(tmp_path: Path, dialect: str) -> None:
    with pytest.raises(RecographError, match=r"^models/users\.sql: .*\btown\b.*[^.]\. The platform's contract"):
        lineage(tmp_path, STAGED + "select id, town from staged", dialect)
