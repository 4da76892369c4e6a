"""The container image without a daemon that builds images: its steps run one by one, and what starts it is checked."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from recograph.settings import PROJECT_DIR
from recograph_tests.aws.processes import ServerProcess, answers, free_port

DOCKERFILE = (PROJECT_DIR / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = yaml.safe_load((PROJECT_DIR / "deploy" / "compose.yaml").read_text())
TASK = json.loads((PROJECT_DIR / "deploy" / "task-definition.json").read_text())


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, flags=re.MULTILINE)


def default_command() -> list[str]:
    command: list[str] = json.loads(instructions("CMD")[0])
    return command


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    command = [Path(sys.executable).with_name("hadolint"), PROJECT_DIR / "Dockerfile"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_all_that_is_copied_is_there_and_let_into_the_build() -> None:
    ignored = (PROJECT_DIR / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    sources = [source for line in instructions("COPY") if "--from" not in line for source in line.split()[:-1]]
    for source in (source for source in sources if not source.startswith("--")):
        assert (PROJECT_DIR / source).exists(), source
        assert {source, *map(str, Path(source).parents)} & let_in, source


def test_every_base_is_named_by_a_version_and_the_last_stage_runs_without_root() -> None:
    assert all(re.fullmatch(r"python:3\.11-slim-bookworm( AS \w+)?", base) for base in instructions("FROM"))
    (made,) = (step for step in instructions("RUN") if step.startswith("useradd"))
    assert instructions("USER") == re.findall(r"--uid (\d+)", made) != ["0"]


def test_the_services_run_the_image_that_runs_the_code_location() -> None:
    assert COMPOSE["services"]["code"]["command"] == default_command()
    (container,) = TASK["containerDefinitions"]
    assert container["command"] == default_command()
    production = yaml.safe_load((PROJECT_DIR / "deploy" / "dagster.yaml").read_text())
    assert container["name"] == production["run_launcher"]["config"]["container_name"]
    named = {item["name"] for item in [*container["environment"], *container["secrets"]]}
    assert set(re.findall(r"\{env: (\w+)\}", (PROJECT_DIR / "deploy" / "dagster.yaml").read_text())) <= named
    composed = COMPOSE["services"]["code"]["environment"]
    instance = (PROJECT_DIR / "deploy" / "dagster.compose.yaml").read_text()
    assert set(re.findall(r"\{env: (\w+)\}", instance)) <= set(composed)


def test_the_disk_of_a_run_is_said_where_runs_are_launched() -> None:
    assert "ephemeralStorage" not in TASK  # the services need none, and what a run has is in dagster.yaml
    production = yaml.safe_load((PROJECT_DIR / "deploy" / "dagster.yaml").read_text())
    size = production["run_launcher"]["config"]["run_resources"]["ephemeral_storage"]
    told = " ".join((PROJECT_DIR / "docs" / "aws.md").read_text().split())
    assert f"A run's task has {size} GiB of disk." in told


@pytest.mark.docs
@pytest.mark.timeout(900)
def test_its_steps_run_one_by_one_and_its_commands_start(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "workspace.yaml", "constraints.txt"):
        _copy(PROJECT_DIR / name, tmp_path / "src" / name)
    tracked = subprocess.run(
        ["git", "ls-files", "recograph", "dbt_project"], cwd=PROJECT_DIR, capture_output=True, text=True, check=True
    )
    for name in tracked.stdout.split():
        _copy(PROJECT_DIR / name, tmp_path / "src" / name)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL", "RECOGRAPH_"))}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"

    def run(command: str) -> str:
        ran = subprocess.run(
            command, shell=True, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, command + ran.stdout + ran.stderr
        return ran.stdout

    for step in instructions("RUN"):
        if "useradd" not in step and "chown" not in step:  # the folders of this machine aren't the image's
            here = step.replace("--compile-bytecode ", "")  # which takes a minute, for containers that start often
            run(re.sub(r"/(opt|src)\b", rf"{tmp_path}/\1", here))
    commands = tmp_path / "opt" / "recograph" / "bin"
    assert run(f"{commands}/recograph --version").strip()
    imports = "import dagster_postgres, dagster_aws.ecs, dagster_aws.s3, dbt.adapters.athena, recograph.graph.load"
    run(f"{commands}/python -c '{imports}'")
    _start_services(tmp_path, environ)


def _start_services(root: Path, environ: Mapping[str, str]) -> None:
    """Start the commands of compose.yaml as the image would, and wait until each is at work.

    Their storage is SQLite's: the instance that the image has is of a deployment with PostgreSQL.
    """
    ports = {"4000": str(free_port()), "3000": str(free_port())}
    (variables,) = instructions("ENV")
    own = dict(pair.split("=", 1) for pair in variables.replace("/opt", f"{root}/opt").split())
    own["PATH"] = own["PATH"].replace("$PATH", environ["PATH"])
    own |= {"RECOGRAPH_CODE_HOST": "127.0.0.1"}
    here = Path(own["DAGSTER_HOME"])
    for folder in (here, Path(own["RECOGRAPH_HOME"])):
        folder.mkdir(parents=True)
    _copy(PROJECT_DIR / "data" / "customers.yaml", Path(own["RECOGRAPH_DATA"]) / "customers.yaml")
    workspace = (PROJECT_DIR / "deploy" / "workspace.yaml").read_text().replace("4000", ports["4000"])
    (here / "workspace.yaml").write_text(workspace)
    with ExitStack() as stack:

        def start(service: str, ready: Callable[[], bool]) -> None:
            command = [ports.get(part, part) for part in COMPOSE["services"][service]["command"]]
            command[0] = str(Path(own["PATH"].split(":")[0], command[0]))
            server = ServerProcess(service, command, {**environ, **own}, here / f"{service}.log")
            stack.callback(server.stop)
            server.wait(ready)

        start("code", lambda: _listens(ports["4000"]))
        start("webserver", lambda: answers(f"http://127.0.0.1:{ports['3000']}/server_info"))
        (location,) = _ask(
            ports["3000"], "{repositoriesOrError {... on RepositoryConnection {nodes {name jobs {name}}}}}"
        )["repositoriesOrError"]["nodes"]
        assert "clean_lake" in [job["name"] for job in location["jobs"]]
        healthy = '"daemonType":"SCHEDULER","healthy":true'
        asked = "{instance {daemonHealth {allDaemonStatuses {daemonType healthy}}}}"
        start("daemon", lambda: healthy in json.dumps(_ask(ports["3000"], asked), separators=(",", ":")))
        checked = [ports.get(part, part) for part in COMPOSE["services"]["code"]["healthcheck"]["test"][1:]]
        healthcheck = subprocess.run(
            checked, env={**environ, **own}, cwd=here, capture_output=True, text=True, check=False
        )
        assert healthcheck.returncode == 0, healthcheck.stdout + healthcheck.stderr


def _listens(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def _ask(port: str, query: str) -> dict[str, Any]:
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)["data"]
    return answer


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
