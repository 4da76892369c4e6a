"""The similarity of the marts, for other interactions than theirs: the very macro of the dbt project, rendered here.

So there is one formula, and what is measured with it is what is loaded.
"""

from functools import cache
from typing import Any

import jinja2
import yaml

from recograph.settings import DBT_PROJECT_DIR


def similarity_sql(interactions: str, items: str, item: str) -> str:
    """SELECT the similarity of items from relations of DuckDB.

    Args:
        interactions: has user_id, the item's column, recency, customer and snapshot_date (both empty texts).
        items: has id, customer and snapshot_date (both empty texts).
        item: name of the item's column; the result has it, similar_ITEM and score.
    """
    return str(_macro()(interactions, items, item))


@cache
def _macro() -> Any:
    project = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    variables = project["vars"] | {"customer": "", "snapshot_date": ""}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    names = {"var": variables.__getitem__, "partition_columns": lambda: "'' as customer, '' as snapshot_date"}
    source = (DBT_PROJECT_DIR / "macros" / "similarity.sql").read_text(encoding="utf-8")
    return environment.from_string(source, globals=names).make_module().similarity  # type: ignore[attr-defined]
