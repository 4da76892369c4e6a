"""The columns of the marts, as the dbt project describes them in marts.yml; read without dbt."""

from functools import cache

import yaml

from recograph.settings import DBT_PROJECT_DIR


@cache
def mart_columns() -> dict[str, dict[str, str]]:
    """The type of each column, by mart and column, as marts.yml spells it; the last two columns name the partition."""
    described = yaml.safe_load((DBT_PROJECT_DIR / "models" / "marts" / "marts.yml").read_text(encoding="utf-8"))
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for model in described["models"]
    }
