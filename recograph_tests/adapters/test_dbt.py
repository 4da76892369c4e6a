"""The parsed dbt project: made once, and there for as long as somebody reads it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recograph.adapters import dbt
from recograph.customers import load_customers
from recograph.errors import RecographError
from recograph.platforms import Platform, platforms_of
from recograph.settings import DBT_PROJECT_DIR, PROJECT_DIR, Settings

PARSE = """
import sys
from pathlib import Path
from recograph.adapters import dbt
from recograph.errors import RecographError
from recograph.platforms import PLATFORMS
from recograph.settings import Settings
dbt.DBT_PROJECT_DIR = Path(sys.argv[1])
project = dbt.parsed_project(Settings.from_env())
print(project.folder, flush=True)
sys.stdin.readline()
print(len(project.lineage(PLATFORMS["docebo"])), flush=True)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project, which this process and those that it starts take for the project."""
    copy = tmp_path / "dbt_project"
    shutil.copytree(DBT_PROJECT_DIR, copy, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", copy)
    monkeypatch.setenv("RECOGRAPH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECOGRAPH_DATA", str(PROJECT_DIR / "data"))
    return copy


def test_a_project_that_a_run_reads_outlives_an_edit_and_goes_when_nobody_reads_it(project: Path) -> None:
    mart = project / "models" / "marts" / "users.sql"
    with subprocess.Popen(
        [sys.executable, "-c", PARSE, str(project)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdin
        assert run.stdout
        in_use = Path(run.stdout.readline().strip())
        mart.write_text(f"-- edited\n{mart.read_text()}")
        edited = dbt.parsed_project(Settings.from_env())
        assert edited.folder != in_use
        lineage = json.loads(edited.folder.joinpath("lineage-docebo.json").read_text())
        assert run.communicate("go on\n", timeout=60)[0] == f"{len(lineage)}\n"
    mart.write_text(f"-- edited again\n{mart.read_text()}")
    latest = dbt.parsed_project(Settings.from_env())
    assert str(latest.folder.parents[1] / "lake") not in latest.manifest.read_text(), "it holds wherever the lake is"
    assert set(latest.folder.parent.glob("project-*")) == {edited.folder, latest.folder}, "this process holds two"


@pytest.mark.parametrize("here", [False, True])
def test_a_project_that_dbt_cannot_parse_is_told_with_what_dbt_says(project: Path, here: bool) -> None:
    mart = project / "models" / "marts" / "users.sql"
    mart.write_text("select {{ nothing_of_this_name() }}")
    with pytest.raises(
        RecographError, match=r"(?s)dbt can't parse .*dbt_project:.*'nothing_of_this_name' is undefined"
    ):
        dbt.parsed_project(Settings.from_env(), here=here)


def test_a_project_is_the_same_whichever_process_parses_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = dict(os.environ)
    by_command = dbt.parsed_project(Settings.from_env())
    apart = project.parent / "apart"
    monkeypatch.setenv("RECOGRAPH_HOME", str(apart))
    here = dbt.parsed_project(Settings.from_env(), here=True)
    assert dict(os.environ) == environ | {"RECOGRAPH_HOME": str(apart)}
    assert here.folder.name == by_command.folder.name
    for platform in platforms_of(load_customers(Settings.from_env().data).customers.values()):
        assert here.lineage(platform) == by_command.lineage(platform)
    assert _compiled(here) == _compiled(by_command)
    assert here.saved_parse.stat().st_size > 0


def _compiled(project: dbt.ParsedProject) -> dict[str, str]:
    """The SQL of each node."""
    nodes = json.loads(project.manifest.read_text())["nodes"]
    return {name: node.get("compiled_code") for name, node in nodes.items()}


def test_a_folder_that_dbt_cannot_write_to_is_named(project: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(RecographError, match=r"home/dbt can't be written \(Not a directory\)"):
        dbt.parsed_project(Settings.from_env())


def test_a_column_that_a_platform_lacks_is_told_before_anything_is_built(project: Path) -> None:
    mart = project / "models" / "marts" / "users.sql"
    mart.write_text(mart.read_text().replace("    register_date,", "    register_date,\n    town,"))
    with pytest.raises(
        RecographError, match=r"^For customers with the platform docebo: models/marts/users\.sql: .*town"
    ):
        dbt.parsed_project(Settings.from_env())


@pytest.mark.parametrize("module", ["dbt.py", "dbt_lineage.py"])
def test_what_other_code_saved_is_not_taken(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for name in ("dbt.py", "dbt_lineage.py"):
        shutil.copy(Path(dbt.__file__).with_name(name), code)
    monkeypatch.setattr(dbt, "__file__", str(code / "dbt.py"))

    def compiled(settings: Settings, scratch: Path, platform: Platform, *, here: bool) -> None:
        for name in ("manifest.json", "partial_parse.msgpack", f"lineage-{platform.id}.json"):
            (scratch / name).write_text("{}")

    monkeypatch.setattr(dbt, "_compile", compiled)
    monkeypatch.setattr(dbt, "_save_lineage", lambda *_: None)
    saved = dbt.parsed_project(Settings.from_env())
    assert dbt.parsed_project(Settings.from_env()) == saved
    with (code / module).open("a") as file:
        file.write("# another way to make it\n")
    assert dbt.parsed_project(Settings.from_env()).folder != saved.folder
