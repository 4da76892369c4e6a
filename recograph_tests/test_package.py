"""The wheel, installed into an empty environment outside of the checkout, does the main job there."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from recograph.settings import PROJECT_DIR

UV = str(Path(sys.executable).with_name("uv"))

pytestmark = [pytest.mark.docs, pytest.mark.timeout(900)]


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("RECOGRAPH_", "NEO4J_", "VIRTUAL"))
    }
    ran = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**kept, **environ}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", out, PROJECT_DIR, cwd=out)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that has the wheel and what it needs, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("environment")
    run(UV, "venv", "--quiet", "--python", sys.executable, folder, cwd=folder)
    install = (UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", folder / "bin" / "python")
    run(*install, "--constraint", PROJECT_DIR / "constraints.txt", f"{wheel}[local]", cwd=folder)
    return folder / "bin"


def test_the_wheel_has_all_that_runs_and_no_test(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("dbt_project/dbt_project.yml", "dbt_project/models/marts/users.sql", "workspace.yaml", "py.typed"):
        assert f"recograph/{part}" in names
    assert not [name for name in names if "recograph_tests" in name or "/target/" in name or "/logs/" in name]
    tracked = run("git", "ls-files", "recograph", cwd=PROJECT_DIR).split()
    assert set(tracked) <= set(names)


def test_the_main_job_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    recograph = installed / "recograph"
    run(recograph, "init", tmp_path / "start", "--scale", "0.05", "--days", "1", cwd=tmp_path)
    start = tmp_path / "start"
    try:
        said = run(recograph, "run", "-c", "customer_3", cwd=start)
        assert "1 partition" in said
        assert "0 failed" in said
        assert run(
            installed / "python", "-m", "recograph", "query", "popular_courses", "-p", "customer=customer_3", cwd=start
        )
    finally:
        run(recograph, "neo4j", "stop", cwd=start)
    assert (start / ".recograph").is_dir()
    # Nothing is written into the installed package.
    package = run(installed / "python", "-c", "import recograph; print(recograph.__path__[0])", cwd=start).strip()
    assert not (Path(package) / "dbt_project" / "target").exists()
    assert not (Path(package) / "dbt_project" / "logs").exists()


def test_what_an_extra_brings_is_named(installed: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [installed / "recograph", "aws", "tables"],
        cwd=tmp_path,
        env={**os.environ, "RECOGRAPH_LAKE": "s3://bucket", "RECOGRAPH_DATA": str(PROJECT_DIR / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "pip install 'recograph[aws]'" in ran.stderr
    assert "Traceback" not in ran.stderr
