"""What the descriptions of dbt's models say of the marts, read without dbt."""

from functools import cache

import yaml

from recograph.settings import DBT_PROJECT_DIR


@cache
def mart_columns() -> dict[str, dict[str, str]]:
    """By mart the types of its columns, as the models' descriptions have them; the last two name the partition."""
    described = yaml.safe_load((DBT_PROJECT_DIR / "models" / "marts" / "marts.yml").read_text(encoding="utf-8"))
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for model in described["models"]
    }
