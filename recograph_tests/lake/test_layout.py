"""The lake's layout is spelt once in Python and once in Terraform, and both are the same."""

import re

from recograph.lake.layout import RESULTS
from recograph.settings import PROJECT_DIR


def test_terraform_has_athenas_results_where_the_layout_has_them() -> None:
    text = "\n".join(path.read_text() for path in sorted((PROJECT_DIR / "terraform").glob("*.tf")))
    assert re.findall(r'"(athena-results[^"]*|[^"]*/athena-results[^"]*)"', text) == [RESULTS.removesuffix("/")]
    assert re.findall(r"^ +results += +\"(.+?)\"", text, re.M) == [RESULTS.removesuffix("/")]
