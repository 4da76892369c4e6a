"""What CONTRIBUTING says that a change touches is all that there is."""

import re

from recograph.adapters.dbt_engine import DbtEngine
from recograph.settings import DBT_PROJECT_DIR, PROJECT_DIR

ROWS = dict(re.findall(r"^\| (.+?) \| (.+) \|$", (PROJECT_DIR / "CONTRIBUTING.md").read_text(), re.M))


def test_a_warehouse_is_told_from_others_in_the_places_that_are_named() -> None:
    row = next(text for change, text in ROWS.items() if change.startswith("use another warehouse"))
    named = set(re.findall(r"`(\w+)`", row))
    macros = "\n".join(path.read_text() for path in (DBT_PROJECT_DIR / "macros").glob("*.sql"))
    differ = set(re.findall(r"adapter\.dispatch\('(\w+)'", macros)) | set(
        re.findall(r"materialization (\w+), adapter", macros)
    )
    assert named == differ | {"Warehouse", "Catalog", DbtEngine.__name__}
    for folder, pattern, places in (
        ("recograph", r"\.on_aws\b", {"recograph/adapters/environment.py"}),
        ("dbt_project", r"\btarget\.(type|name)\b", {"dbt_project/dbt_project.yml"}),
    ):
        files = [path for path in (PROJECT_DIR / folder).rglob("*") if path.suffix in {".py", ".sql", ".yml"}]
        asking = {str(path.relative_to(PROJECT_DIR)) for path in files if re.search(pattern, path.read_text())}
        assert {path for path in asking if "/target/" not in path} == places
