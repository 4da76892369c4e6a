"""The workflows on GitHub run what is there; only a push tells the rest."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from recograph.settings import PROJECT_DIR

WORKFLOWS = {path.stem: path for path in (PROJECT_DIR / ".github" / "workflows").glob("*.yml")}
TARGETS = set(re.findall(r"^([\w-]+):", (PROJECT_DIR / "Makefile").read_text(), re.M))


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = yaml.safe_load(workflow.read_text())["jobs"]
    return read


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=list(WORKFLOWS))
def test_what_a_workflow_names_is_there(workflow: Path) -> None:
    for job in jobs(workflow).values():
        assert job.get("needs", "build") in {"build", *jobs(workflow)}
        for step in job["steps"]:
            command, _, target = step.get("run", "").partition(" ")
            assert command != "make" or target in TARGETS
            assert not command.startswith(".") or (PROJECT_DIR / command).is_file()
            if step.get("uses", "").startswith("docker/build-push-action"):
                given = step["with"]
                assert (PROJECT_DIR / given.get("file", f"{given['context']}/Dockerfile")).is_file()
    cached = re.findall(r"hashFiles\('(.+?)'\)", workflow.read_text())
    assert all((PROJECT_DIR / path).is_file() for path in cached)


def test_the_tests_run_on_each_python_that_the_package_names() -> None:
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert jobs(WORKFLOWS["ci"])["test"]["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == f">={named[0]}"
