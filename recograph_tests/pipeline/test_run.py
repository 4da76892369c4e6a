"""`recograph run`, from dumps to the graph."""

import re
import shutil
from pathlib import Path

import neo4j as neo4j_driver
import pyarrow.parquet as pq
import pytest
import yaml

from recograph.adapters.neo4j import Connection
from recograph.customers import load_customers
from recograph.settings import DBT_PROJECT_DIR
from recograph_tests.environment import share_parsed
from recograph_tests.graph.marts import Graph, actual
from recograph_tests.pipeline.installation import Installation
from recograph_tests.pipeline.truth import graph_of
from recograph_tests.sample_data.sample_dumps import read_table

DAY1, DAY2 = "2026-11-01", "2026-11-02"
CUSTOMERS = ("customer_1", "customer_2", "customer_3")
_MARTS = yaml.safe_load((DBT_PROJECT_DIR / "models" / "marts" / "marts.yml").read_text())["models"]
DECLARED_TYPES = {mart["name"]: {column["name"]: column["data_type"] for column in mart["columns"]} for mart in _MARTS}
for kind in ("course", "asset"):
    DECLARED_TYPES[f"{kind}_similarity"] = {
        f"{kind}_id": "bigint",
        f"similar_{kind}_id": "bigint",
        "score": "double",
        "customer": "varchar",
        "snapshot_date": "varchar",
    }
SQL_TYPES = {
    "int64": "bigint",
    "string": "varchar",
    "bool": "boolean",
    "double": "double",
    "timestamp[us]": "timestamp",
}


@pytest.fixture
def installation(tmp_path: Path, neo4j: neo4j_driver.Driver, neo4j_server: Connection) -> Installation:
    """An installation in folders whose names mean something to DuckDB, to dbt and to a terminal."""
    folder = tmp_path / "it's [b] {all} *#"
    (folder / "data").mkdir(parents=True)
    share_parsed(folder / "home")
    return Installation(folder / "data", folder / "home", neo4j_server)


def without_similarities(graph: Graph) -> Graph:
    nodes, relationships = graph
    return nodes, {key: properties for key, properties in relationships.items() if key[0] != "SIMILAR_TO"}


def dumps(data: Path, day: str) -> dict[str, Path]:
    return {customer: data / customer / f"{day}.sql.gz" for customer in CUSTOMERS}


def truth(data: Path, day: str) -> Graph:
    listed = load_customers(data)
    return graph_of({listed[customer]: path for customer, path in dumps(data, day).items()})


def test_dumps_become_the_graph_and_a_second_run_changes_nothing(
    installation: Installation, sample: Path, neo4j: neo4j_driver.Driver
) -> None:
    shutil.copytree(sample, installation.data, dirs_exist_ok=True)
    for customer in ("customer_1", "customer_2"):
        dumps(installation.data, DAY1)[customer].unlink()
    first = installation.recograph("run")
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"4 partitions in \d+ s\. Checks: \d+ passed, 0 failed\.", first.stdout)
    assert without_similarities(actual(neo4j)) == truth(installation.data, DAY2)
    assert not personal_data(installation, neo4j)
    assert mart_types(installation) == DECLARED_TYPES
    assert not list((installation.home / "staging").iterdir())

    held, lake = actual(neo4j), installation.lake().keys()
    again = installation.recograph("run", "--date", DAY2)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Nothing changed: the graph was up to date." in again.stdout
    assert actual(neo4j) == held
    assert installation.lake().keys() == lake

    older = installation.recograph("run", "--customer", "customer_3", "--date", DAY1)
    assert older.returncode == 0, older.stdout + older.stderr  # passed over: a late day is landed, the graph stays
    assert actual(neo4j) == held


def mart_types(installation: Installation) -> dict[str, dict[str, str]]:
    """The columns of every mart and their types, as its files have them."""
    files = (installation.home / "lake" / "marts").glob("*/customer=customer_2/snapshot_date=*/*.parquet")
    schemas = {file.parts[-4]: pq.read_schema(file) for file in files}
    return {mart: {field.name: SQL_TYPES[str(field.type)] for field in schema} for mart, schema in schemas.items()}


def personal_data(installation: Installation, neo4j: neo4j_driver.Driver) -> set[str]:
    """The passwords and e-mail addresses of the dumps that are found in the lake, the graph or any other file."""
    secrets = {
        value
        for path in dumps(installation.data, DAY2).values()
        for row in read_table(path, "core_user")
        for name in ("pass", "email", "userid")
        if (value := row[name]) and len(value) > 5
    }
    assert len(secrets) > 100
    texts = [path.read_bytes() for path in installation.home.rglob("*") if path.is_file()]
    texts.append(repr(actual(neo4j)).encode())
    everything = b"\n".join(texts)
    return {secret for secret in secrets if secret.encode() in everything}
