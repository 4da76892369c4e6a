"""An installation of customers of several platforms, through the whole flow by the command line."""

import re
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import neo4j as neo4j_driver
import pytest
from starlette.testclient import TestClient

from recograph.adapters.neo4j import Connection
from recograph.customers import load_customers
from recograph.platforms.moodle.contracts import CONTRACTS
from recograph.platforms.sample_dumps import generate, prepare
from recograph.serve.access import Loopback
from recograph.serve.server import application
from recograph_tests.environment import share_parsed
from recograph_tests.graph.marts import Graph, actual
from recograph_tests.pipeline.installation import Installation
from recograph_tests.pipeline.truth import graph_of
from recograph_tests.platforms.moodle.truth import graph_of_moodle
from recograph_tests.sample_data.sample_dumps import read_table

DAY = "2026-11-01"
DOCEBO, MOODLE = ("customer_1", "customer_3"), "academy_1"


@pytest.fixture
def installation(tmp_path: Path, sample: Path, neo4j_server: Connection) -> Installation:
    """Two customers of Docebo and one of Moodle, one day each."""
    data = tmp_path / "data"
    academies = prepare(data, "moodle")
    generate(data, scale=0.1, days=1, customers=[academies[MOODLE]])
    listed = (data / "customers.yaml").read_text().split("  - id: academy_2")[0]
    for customer in DOCEBO:
        (data / customer).mkdir()
        shutil.copy(sample / customer / f"{DAY}.sql.gz", data / customer)
    own = (sample / "customers.yaml").read_text().split("customers:\n")[1].split("  - id: ")[1:]
    entries = [f"  - id: {entry}" for entry in own if entry.split()[0] in DOCEBO]
    (data / "customers.yaml").write_text(listed + "".join(entries))
    share_parsed(tmp_path / "home")
    return Installation(data, tmp_path / "home", neo4j_server)


def truth(data: Path) -> Graph:
    listed = load_customers(data)
    nodes, edges = graph_of({listed[customer]: data / customer / f"{DAY}.sql.gz" for customer in DOCEBO})
    more_nodes, more_edges = graph_of_moodle(listed[MOODLE], data / MOODLE / f"{DAY}.sql.gz")
    return nodes | more_nodes, edges | more_edges


def steps_by_customer(home: Path) -> dict[str, set[str]]:
    """The steps that any event of a customer's runs is about."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return {
            run.tags["dagster/partition/customer"]: {
                entry.step_key for entry in instance.all_logs(run.run_id) if entry.step_key
            }
            for run in instance.get_runs()
        }


def pages_are_served(driver: neo4j_driver.Driver, nodes: dict[Any, Any], user: int) -> None:
    """The pages of the customers of both platforms, and those of what only Moodle has."""
    with TestClient(application(driver, Loopback()), "http://127.0.0.1") as client:
        listed = client.get("/index.json").json()["customers"]
        assert {customer["customer"] for customer in listed} == {*DOCEBO, MOODLE}
        for customer in (DOCEBO[1], MOODLE):
            assert client.get(f"/{customer}").status_code == 200
            answers = client.get(f"/{customer}.json").json()["answers"]
            assert {asset["content_type_name"] for asset in answers["popular_assets"]} - {None}
            course = next(key for key in nodes if key[:2] == ("Course", customer))
            assert client.get(f"/{customer}/courses/{course[2]}").status_code == 200
            properties = client.get(f"/{customer}/courses/{course[2]}.json").json()["properties"]
            assert properties["name"] == nodes[course][0]["name"][1]
        person = client.get(f"/{MOODLE}/users/{user}")
        assert person.status_code == 200
        assert client.get(f"/{MOODLE}/users/1").status_code == 404  # the guest


@pytest.mark.timeout(900)
def test_customers_of_several_platforms_become_one_graph(
    installation: Installation, neo4j: neo4j_driver.Driver
) -> None:
    run = installation.recograph("run")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 failed" in run.stdout
    # A plugin's activities are left out, and counted.
    assert re.search(
        rf"warning: {MOODLE} {DAY}: marts/assets: .*: \d+ rows .* assets of the kind customcert are read", run.stdout
    )
    assert steps_by_customer(installation.home) == {
        **{customer: {"landing", "glue", "marts", "similarity", "graph"} for customer in DOCEBO},
        MOODLE: {"landing_moodle", "glue_moodle", "marts", "similarity", "graph"},
    }
    nodes, edges = actual(neo4j)
    edges = {key: edge for key, edge in edges.items() if key[0] != "SIMILAR_TO"}
    assert (nodes, edges) == truth(installation.data)
    landed = {key.split("/")[2] for key in installation.lake() if key.startswith(f"landing/{MOODLE}/")}
    assert landed == set(CONTRACTS)

    dump = installation.data / MOODLE / f"{DAY}.sql.gz"
    held = b"\n".join(installation.lake().values()) + repr(nodes).encode()
    secrets = [row[name] for row in read_table(dump, "mdl_user") for name in ("email", "username", "password")]
    assert [secret for secret in secrets if secret and len(secret) > 5 and secret.encode() in held] == []
    assert b"not a password" not in held

    titles = [row["fullname"] or "" for row in read_table(dump, "mdl_course") if row["id"] != "1"]
    word = re.findall(r"[A-Za-z]{6,}", titles[0])[0]
    answer = installation.recograph("query", "search", "-p", f"words={word}", "-p", f"customer={MOODLE}")
    assert answer.returncode == 0, answer.stderr
    assert word in answer.stdout
    user = next(key[1][2] for key in edges if key[0] == "IS_ENROLLED" and key[1][1] == MOODLE)
    recommended = installation.recograph("recommend", "-c", MOODLE, "-u", str(user))
    assert recommended.returncode == 0, recommended.stderr

    pages_are_served(neo4j, nodes, user)

    erased = installation.recograph("customer", "erase-user", MOODLE, str(user), "--yes")
    # Erased, but for the dump, which is the customer's.
    assert erased.returncode == 3, erased.stdout + erased.stderr
    assert str(dump) in erased.stdout
    again = installation.recograph("run", "--customer", MOODLE, "--date", DAY)
    assert again.returncode == 0, again.stdout + again.stderr
    assert ("User", MOODLE, user) not in actual(neo4j)[0]
