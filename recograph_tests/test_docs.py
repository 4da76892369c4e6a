"""README and docs say what is true: links lead somewhere, pictures and tables are the code's. See cli/test_docs.py."""

import re
from pathlib import Path

import pytest

from recograph.graph.model import RELATIONSHIP_SETS, model_diagram
from recograph.settings import PROJECT_DIR

PAGES = [*sorted(PROJECT_DIR.glob("*.md")), *sorted((PROJECT_DIR / "docs").glob("*.md"))]
README = (PROJECT_DIR / "README.md").read_text()
MERMAID = re.findall(r"^```mermaid\n(.*?)^```$", README, re.M | re.S)
INTERNAL = {"RECOGRAPH_SPILL", "RECOGRAPH_PLATFORMS", "RECOGRAPH_PARTITION", "NEO4J_HOME", "NEO4J_CONF"}
"""Set by one process for another."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_has_the_targets(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (PROJECT_DIR / "Makefile").read_text(), re.M))
    lines = re.findall(r"^\s*(?:\w+=\S+ )*make ((?:[\w-]+(?:=\S+)? ?)+)", page.read_text(), re.M)
    assert {word for line in lines for word in line.split() if "=" not in word} <= targets


def test_the_picture_of_the_graph_is_the_models() -> None:
    assert model_diagram() in MERMAID, f"Put this into README.md:\n{model_diagram()}"
    assert all(relationship.type in MERMAID[0] for relationship in RELATIONSHIP_SETS)


def test_the_picture_of_the_infrastructure_names_what_terraform_makes() -> None:
    terraform = "".join(path.read_text() for path in (PROJECT_DIR / "terraform").glob("*.tf"))
    drawn = set(re.findall(r"aws_\w+", MERMAID[1]))
    assert drawn
    assert drawn <= set(re.findall(r'^resource "(aws_\w+)"', terraform, re.M))


def test_the_table_of_variables_is_complete() -> None:
    code = "".join(path.read_text() for path in (PROJECT_DIR / "recograph").rglob("*.py"))
    read = set(re.findall(r'"((?:RECOGRAPH|NEO4J)_[A-Z0-9_]+)"', code)) - INTERNAL
    assert set(re.findall(r"`((?:RECOGRAPH|NEO4J)_[A-Z0-9_]+)`", README)) == read
