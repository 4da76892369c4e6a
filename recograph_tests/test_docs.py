"""README and docs say what is true: links lead somewhere, pictures and tables are the code's. See cli/test_docs.py."""

import ast
import re
import tomllib
from dataclasses import astuple
from pathlib import Path

import pytest

from recograph.analytics import ease
from recograph.analytics.recommendations import K as LISTED
from recograph.analytics.similarity import Parameters
from recograph.graph.load import _AT_ONCE_BATCHES
from recograph.graph.model import RELATIONSHIP_SETS, model_diagram
from recograph.graph.queries import questions
from recograph.graph.reading import TIMEOUT
from recograph.graph.report import LoadOptions
from recograph.settings import PROJECT_DIR, Settings

PAGES = [*sorted(PROJECT_DIR.glob("*.md")), *sorted((PROJECT_DIR / "docs").glob("*.md"))]
README = (PROJECT_DIR / "README.md").read_text()
MERMAID = re.findall(r"^```mermaid\n(.*?)^```$", README, re.M | re.S)
INTERNAL = {
    "RECOGRAPH_LAKE_PATTERN",
    "RECOGRAPH_SPILL",
    "RECOGRAPH_PLATFORMS",
    "RECOGRAPH_PARTITION",
    "NEO4J_HOME",
    "NEO4J_CONF",
}
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


NAMES = r"`(recograph(?:\.\w+)+)`|-m ((?:recograph\w*|benchmarks)(?:\.\w+)*)\b|(?:import|from) (recograph[\w.]*)"


def is_defined(name: str) -> bool:
    """Whether the repository has a module of that name, or a module with a class or function of that name."""
    *folders, last = name.split(".")
    above = PROJECT_DIR.joinpath(*folders)
    if (above / last).is_dir() or (above / f"{last}.py").is_file():
        return True
    module = above / "__init__.py" if above.is_dir() else above.with_suffix(".py")
    return (
        module.is_file()
        and re.search(rf"^(?:(?:class|def) {last}\b|{last}\b *[:=])", module.read_text(), re.M) is not None
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_and_functions_that_are_named_are_there(page: Path) -> None:
    named = {name for match in re.findall(NAMES, page.read_text()) for name in match if name}
    assert [name for name in sorted(named) if not is_defined(name)] == []


def test_a_function_that_is_gone_would_be_noticed() -> None:
    assert is_defined("recograph.analytics.evaluation.evaluate_customer")
    assert not is_defined("recograph.analytics.evaluation.recommend")


def test_the_extras_are_the_packages() -> None:
    extras = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (told,) = re.findall(r"Its extras are (.*?)\.\n", README, re.S)
    assert set(re.findall(r"`(\w+)`", told)) == extras.keys() - {"dev"}


def test_the_table_of_folders_is_complete() -> None:
    told = {
        name
        for cells in rows(PROJECT_DIR / "README.md", "## Files in the repo")
        for name in re.findall(r"`(\S+/)`", cells[0])
    }
    assert {f"recograph/{path.parent.name}/" for path in (PROJECT_DIR / "recograph").glob("*/__init__.py")} <= told


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


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = page.read_text().split(f"\n{heading}\n")[1].split("\n## ")[0]
    return [line.strip("|").split(" | ") for line in re.findall(r"^\|.*\|$", section, re.M)[2:]]


def test_the_table_of_variables_has_the_defaults() -> None:
    settings = Settings.from_env({})
    places = {str(settings.home): "RECOGRAPH_HOME", f"{PROJECT_DIR}/": ""}
    defaults = {}
    for name, field in Settings.model_fields.items():
        shown = str(value) if (value := getattr(settings, name)) not in (None, ()) else "none"
        for place, name_of_place in places.items() if name != "home" else {f"{PROJECT_DIR}/": ""}.items():
            shown = shown.replace(place, name_of_place)
        defaults[str(field.alias)] = shown
    written: dict[str, str] = {}
    for variables, _, default in rows(PROJECT_DIR / "README.md", "## Environment variables"):
        texts = default.strip().split(", ")
        if all(re.fullmatch("`[^`]+`|none", text) for text in texts):
            names = re.findall(r"`(\w+)`", variables)
            texts = texts * len(names) if len(texts) == 1 else texts
            written |= {name: text.strip("`").rstrip("/") for name, text in zip(names, texts, strict=True)}
    told = {name: text for name, text in written.items() if name in defaults and name != "RECOGRAPH_ATHENA_RESULTS"}
    assert len(told) > 15
    assert told == {name: defaults[name] for name in told}


def texts_of_the_code() -> list[str]:
    """All of them, with a mark where a value is put into them."""
    texts = []
    for path in (PROJECT_DIR / "recograph").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else MARK for part in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(re.sub(r"\{\w+\}", MARK, node.value))
    return texts


MARK = "\0"
VALUES = r"customer_\d|\d{4}-\d\d-\d\d|\b\d{4}\b|learning_courseuser|core_user|\bvalid\b|'neo4j'|-- Dump completed"
"""What messages that are quoted have in the place of values."""


def test_messages_that_are_explained_are_the_codes() -> None:
    texts = texts_of_the_code()
    quoted = [cells[0] for cells in rows(PROJECT_DIR / "README.md", "## Troubleshooting")]
    assert len(quoted) > 10
    fragments = [part.strip(" `:") for message in quoted for part in re.sub(VALUES, MARK, message).split("...")]
    assert [part for part in fragments if not any(part in text for text in texts)] == []


def test_the_table_of_questions_is_complete() -> None:
    told = {cells[0]: cells[1].strip() for cells in rows(PROJECT_DIR / "docs" / "queries.md", "## Questions")}
    asked = {
        f"`{name}`: {question.text}": ", ".join(
            parameter.name if parameter.required else f"[{parameter.name}]"
            for parameter in question.parameters.values()
        )
        or "none"
        for name, question in questions().items()
    }
    assert {name.strip(): parameters for name, parameters in told.items()} == asked


@pytest.mark.parametrize(
    ("page", "told", "numbers"),
    [
        ("queries.md", r"ends after `--timeout` seconds \((\d+)\)", (TIMEOUT,)),
        ("queries.md", r"a mart `recommendations` with (\d+) courses and (\d+) assets", (LISTED, LISTED)),
        ("queries.md", r"The (\d+) greatest positive weights of each", (ease.PER_ITEM,)),
        ("queries.md", r"Beyond ([\d,]+) items", (ease.LIMIT,)),
        ("queries.md", r"nearest to λ (\d+), ω (\d), fading ([\d.]+)", astuple(Parameters())),
        ("loading.md", r"a batch of ([\d,]+) looks", (LoadOptions().batch_rows,)),
        ("loading.md", r"Up to ([\d,]+) rows", (LoadOptions().batch_rows * _AT_ONCE_BATCHES,)),
        ("loading.md", r"would remove more than (\d+)%", (LoadOptions().max_removed_share * 100,)),
        ("loading.md", r"after (\d+) seconds another one takes over", (LoadOptions().lease,)),
    ],
)
def test_numbers_are_the_codes(page: str, told: str, numbers: tuple[float, ...]) -> None:
    text = " ".join((PROJECT_DIR / "docs" / page).read_text().split())
    match = re.search(told, text)
    assert match, told
    assert tuple(float(number.replace(",", "")) for number in match.groups()) == numbers
