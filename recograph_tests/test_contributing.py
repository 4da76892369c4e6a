"""What CONTRIBUTING says that a change touches is all that there is."""

import re
from pathlib import Path

import pytest

from recograph.adapters.dbt_engine import DbtEngine
from recograph.adapters.neo4j.jars import LOCK, VERSION
from recograph.platforms.moodle import MOODLE
from recograph.settings import DBT_PROJECT_DIR, PROJECT_DIR

ROWS = dict(re.findall(r"^\| (.+?) \| (.+) \|$", (PROJECT_DIR / "CONTRIBUTING.md").read_text(), re.M))

PRODUCT = (
    "recograph",
    "dbt_project",
    "deploy",
    "terraform",
    "Makefile",
    "Dockerfile",
    "pyproject.toml",
    "workspace.yaml",
)


def test_every_room_is_on_a_floor() -> None:
    named = {room for floor in ROWS for room in re.findall(r"`(\w+(?:/|\.py))`", floor)}
    paths = [path for path in (PROJECT_DIR / "recograph").iterdir() if not path.name.startswith("__")]
    assert named == {path.name + "/" * path.is_dir() for path in paths if path.is_dir() or path.suffix == ".py"}


def product_files() -> dict[str, str]:
    """The texts of the product's files by path, without what was made from them."""
    roots = [PROJECT_DIR / name for name in PRODUCT]
    paths = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*")) if path.is_file()]
    paths = [path for path in paths if not {"target", "logs", "__pycache__", ".terraform"} & set(path.parts)]
    return {path.relative_to(PROJECT_DIR).as_posix(): path.read_text(errors="replace") for path in paths}


@pytest.mark.parametrize("change", ROWS)
def test_the_files_that_are_named_are_there(change: str) -> None:
    product = PROJECT_DIR / "recograph"
    rooms = [product / room for room in re.findall(r"`(\w+)/`", change)]
    bases = (*rooms, product, PROJECT_DIR, DBT_PROJECT_DIR / "models")
    for name in re.findall(r"`([\w./]+[/.]\w*)`", ROWS[change]):
        assert "NAME" in name or any((base / name).exists() for base in bases), name


def test_the_version_of_neo4j_stands_in_one_module_and_its_lock() -> None:
    assert {Path(path).name for path, text in product_files().items() if VERSION in text} == {"jars.py", LOCK.name}


def test_a_platform_is_named_in_its_two_folders_and_where_platforms_are_listed() -> None:
    """Docebo, the platform of whoever names none, is named as such besides."""
    naming = {path for path, text in product_files().items() if re.search(rf"\b{MOODLE.id}\b", text)}
    own = {path for path in naming if {f"{MOODLE.id}", f"{MOODLE.id}.sql"} & set(Path(path).parts)}
    assert naming - own == {"recograph/platforms/__init__.py"}


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
        ("dbt_project", r"\btarget\.(type|name)\b", set()),
    ):
        files = [path for path in (PROJECT_DIR / folder).rglob("*") if path.suffix in {".py", ".sql", ".yml"}]
        asking = {str(path.relative_to(PROJECT_DIR)) for path in files if re.search(pattern, path.read_text())}
        assert {path for path in asking if "/target/" not in path} == places
