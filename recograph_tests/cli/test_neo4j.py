import json
from pathlib import Path

import neo4j as neo4j_driver
import pytest
from typer.testing import CliRunner

from recograph.adapters.neo4j import Connection
from recograph.adapters.neo4j.jars import VERSION
from recograph.cli.neo4j import app
from recograph.errors import RecographError


@pytest.fixture
def local(neo4j_server: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """The environment of somebody who names no server, and whose home is that of the shared one."""
    for name in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD", "RECOGRAPH_NEO4J_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RECOGRAPH_HOME", str(neo4j_server.password_file.parents[1]))
    return neo4j_server


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_status_names_the_local_server(local: Connection) -> None:
    assert json.loads(run("status", "--json")) == {
        "uri": local.uri,
        "http": local.http,
        "username": "neo4j",
        "password_file": str(local.password_file),
        "pid": local.pid,
        "running": True,
        "version": VERSION,
        "managed": True,
    }
    assert local.uri in run("status")
    assert local.password not in run("status")
    assert f"runs already (pid {local.pid})" in run("start")


def test_status_without_a_server(local: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGRAPH_HOME", str(tmp_path))
    report = json.loads(run("status", "--json"))
    assert (report["running"], report["managed"], report["uri"]) == (False, True, None)
    assert run("stop") == "No local Neo4j is running.\n"
    assert list(tmp_path.iterdir()) == []


def test_status_names_the_server_of_the_environment(local: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", local.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", local.password)
    report = json.loads(run("status", "--json"))
    assert (report["uri"], report["running"], report["managed"], report["pid"]) == (local.uri, True, False, None)
    assert f"recograph itself uses {local.uri}, which NEO4J_URI names." in run("start")
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:9")
    result = CliRunner().invoke(app, ["status", "--json"])
    assert json.loads(result.stdout)["running"] is False
    assert "can't be reached" in result.stderr


def test_cypher_prints_rows(local: Connection, neo4j: neo4j_driver.Driver) -> None:
    query = (
        "CREATE (n:Course {id: $id, name: $name, at: date('2026-11-01')})-[r:KNOWS {since: 1}]->(n) RETURN n, r, $name"
    )
    arguments = ("cypher", query, "--param", "id=12", "--param", "name=a, [b]")
    course = {"labels": ["Course"], "properties": {"id": 12, "name": "a, [b]", "at": "2026-11-01"}}
    knows = {"type": "KNOWS", "properties": {"since": 1}}
    assert json.loads(run(*arguments, "--format", "json")) == [{"n": course, "r": knows, "$name": "a, [b]"}]
    assert run("cypher", "MATCH (n) RETURN n.name AS name, n.no AS no", "--format", "csv") == 'name,no\n"a, [b]",\n'
    assert "a, [b]" in run("cypher", "MATCH (n) RETURN n.name")
    assert "nodes deleted: 1, relationships deleted: 1" in run("cypher", "MATCH (n) DETACH DELETE n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RETRUN 1"], "Neo4j refused the query: .*RETRUN"),
        (["RETURN $x"], "Neo4j refused the query: .*x"),
        (["RETURN 1", "--param", "x"], "--param 'x' must be NAME=VALUE"),
        (["RETURN $x", "--param", "x=99999999999999999999"], "A parameter can't be sent to Neo4j: .*too large"),
    ],
)
def test_a_bad_query_is_one_clear_error(local: Connection, arguments: list[str], message: str) -> None:
    with pytest.raises(RecographError, match=message):
        CliRunner().invoke(app, ["cypher", *arguments], catch_exceptions=False)


def test_a_wrong_password_is_said(local: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", local.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", "wrong-password")
    with pytest.raises(RecographError, match="refuses user 'neo4j': check NEO4J_USERNAME and NEO4J_PASSWORD"):
        CliRunner().invoke(app, ["cypher", "RETURN 1"], catch_exceptions=False)
