"""The names of Docebo's codes are those that docs/platforms.md tells, and no other code has one."""

import re

import duckdb
import jinja2
import pytest

from recograph.settings import DBT_PROJECT_DIR, PROJECT_DIR

DOCS = (PROJECT_DIR / "docs" / "platforms.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("told_as", "file", "macro"),
    [
        ("an enrolment's status", "platform.sql", "enrolment_status_name"),
        ("an asset's content type", "docebo.sql", "docebo_content_type_name"),
    ],
)
def test_codes_have_the_names_that_the_docs_tell(told_as: str, file: str, macro: str) -> None:
    (line,) = re.findall(rf"^\| {told_as} \| (.*) \|$", DOCS, re.MULTILINE)
    told = {
        int(code): name
        for codes, name in re.findall(r"((?:-?\d+,? )+)([a-z ]+)", line)
        for code in codes.replace(",", "").split()
    }
    text = (DBT_PROJECT_DIR / "macros" / file).read_text(encoding="utf-8")
    # Only this macro: others of the file need dbt.
    (definition,) = re.findall(rf"{{% macro {macro}\(.*?endmacro %}}", text, re.DOTALL)
    name = jinja2.Template(f"{definition}{{{{ {macro}('code') }}}}").render()
    named = duckdb.execute(f"select code, {name} from range(-10, 100) as codes (code)").fetchall()
    assert {code: name for code, name in named if name is not None} == told
