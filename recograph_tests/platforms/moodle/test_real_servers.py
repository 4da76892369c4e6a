"""Dumps that the real tools write of Moodle's tables, as several of its versions have them, on real servers."""

from pathlib import Path

import neo4j as neo4j_driver
import pyarrow.parquet as pq
import pytest

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.local.folder_lake import LocalLake
from recograph.adapters.neo4j import Connection
from recograph.customers import Customer, DumpOptions
from recograph.errors import RecographError
from recograph.lake.inbox import dump_for
from recograph.lake.landing import Landing, land
from recograph.platforms.moodle.contracts import CONTRACTS
from recograph.platforms.moodle.sample.rows import TABLES
from recograph.platforms.sample_dumps import generate, prepare
from recograph_tests.dumps.servers import MariaDB, PostgreSQL
from recograph_tests.environment import share_parsed
from recograph_tests.graph.marts import Graph, actual
from recograph_tests.pipeline.installation import Installation
from recograph_tests.platforms.moodle.install_xml import schemas
from recograph_tests.platforms.moodle.truth import graph_of_moodle
from recograph_tests.platforms.moodle.versions import Rows, as_landed, lacks, statements

DAY = "2026-11-01"
MYSQL, POSTGRES = "academy_1", "academy_2"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dump in each of the two forms."""
    out = tmp_path_factory.mktemp("samples")
    prepare(out, "moodle")
    generate(out, scale=0.05, days=1, compress=False)
    return out


@pytest.fixture(scope="module")
def filled_mariadb(mariadb: MariaDB, samples: Path) -> MariaDB:
    """The server, with the generator's tables in a database of their own."""
    mariadb.create("", "made")
    mariadb.load(samples / MYSQL / f"{DAY}.sql", "made")
    return mariadb


def moodle_on_mariadb(server: MariaDB, version: str, prefix: str) -> bytes:
    """What mariadb-dump writes of a version's tables."""
    server.create("", "moodle")
    made = {*TABLES} - {"tool_courserating_rating"} if lacks(version, "tool_courserating_rating") else {*TABLES}
    server.run("".join(statements(version, "mysql", "made.mdl_", prefix, made)), "moodle")
    return server.dump("--single-transaction", database="moodle")


def moodle_on_postgresql(
    server: PostgreSQL, samples: Path, version: str, prefix: str, *options: str, schema: str = "public"
) -> bytes:
    """What pg_dump writes of a version's tables in a schema."""
    server.create("drop schema if exists lms cascade", "moodle")
    if not server.run("select 1 from pg_roles where rolname = 'lms'"):
        server.run("create role lms")
    server.load(samples / POSTGRES / f"{DAY}.sql", "moodle")
    made = {*TABLES} - {"tool_courserating_rating"}
    before = f"alter schema public rename to made; create schema public; create schema if not exists {schema};"
    sql = "".join(statements(version, "postgresql", "made.m_", prefix, made))
    server.run(f"{before} set search_path = {schema}; {sql} drop schema made cascade;", "moodle")
    return server.dump(*options, database="moodle")


def land_text(folder: Path, customer: Customer, dump: bytes) -> tuple[Landing, Rows]:
    """Land a dump; gives what landing said and the rows of each table."""
    inbox, lake = LocalInbox(folder / "data"), LocalLake(root=str(folder / "lake"), home=str(folder / "home"))
    path = folder / "data" / customer.id / f"{DAY}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dump)
    landing = land(inbox, lake, dump_for(inbox, customer.id, DAY), customer)
    tables = {name: pq.read_table(table.uri, partitioning=None) for name, table in landing.tables.items()}
    return landing, {name: sorted(table.to_pylist(), key=str) for name, table in tables.items()}


@pytest.fixture(scope="module")
def made(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """What landing gives of the generator's own dumps, by customer."""
    return {
        id_: land_text(tmp_path_factory.mktemp(id_), customer, (samples / id_ / f"{DAY}.sql").read_bytes())[1]
        for id_, customer in prepare(samples).items()
    }


def compare(version: str, made: Rows, landing: Landing, rows: Rows) -> None:
    """Every row is what the generator made, as far as the version has a place for it."""
    assert not any(table.missing_columns for table in landing.tables.values())
    missing = {name for name, table in landing.tables.items() if not table.in_dump}
    assert missing == {name for name in CONTRACTS if lacks(version, name)}
    assert rows == as_landed(version, made)


@pytest.mark.parametrize("version", schemas())
def test_mariadb(filled_mariadb: MariaDB, made: dict[str, Rows], tmp_path: Path, samples: Path, version: str) -> None:
    landing, rows = land_text(tmp_path, prepare(samples)[MYSQL], moodle_on_mariadb(filled_mariadb, version, "mdl_"))
    assert landing.dialect == "mariadb"
    compare(version, made[MYSQL], landing, rows)


@pytest.mark.parametrize("version", schemas())
def test_postgresql(postgresql: PostgreSQL, made: dict[str, Rows], tmp_path: Path, samples: Path, version: str) -> None:
    schema = "lms" if lacks(version, "chat") else "public"
    dump = moodle_on_postgresql(postgresql, samples, version, "m_", schema=schema)
    assert f"COPY {schema}.m_user ".encode() in dump
    landing, rows = land_text(tmp_path, prepare(samples)[POSTGRES], dump)
    assert landing.dialect == "postgresql"
    compare(version, made[POSTGRES], landing, rows)


CUSTOMERS = """customers:
  - {id: oldest, name: O, region: eu, size: small, category: retail, platform: moodle, dump: {prefix: ""}}
  - {id: newest, name: N, region: eu, size: small, category: finance, platform: moodle, dump: {prefix: lms_}}
"""


@pytest.mark.timeout(600)
def test_dumps_of_the_oldest_and_the_newest_become_the_graph_that_the_generator_meant(
    filled_mariadb: MariaDB,
    postgresql: PostgreSQL,
    samples: Path,
    tmp_path: Path,
    neo4j_server: Connection,
    neo4j: neo4j_driver.Driver,
) -> None:
    oldest, *_, newest = schemas()
    dumps = {
        "oldest": (oldest, POSTGRES, moodle_on_postgresql(postgresql, samples, oldest, "", "-Fc")),
        "newest": (newest, MYSQL, moodle_on_mariadb(filled_mariadb, newest, "lms_")),
    }
    share_parsed(tmp_path / "home")
    installation = Installation(tmp_path / "data", tmp_path / "home", neo4j_server)
    for customer, (_, _, dump) in dumps.items():
        (installation.data / customer).mkdir(parents=True)
        (installation.data / customer / f"{DAY}.{'dump' if dump.startswith(b'PGDMP') else 'sql'}").write_bytes(dump)
    (installation.data / "customers.yaml").write_text(CUSTOMERS)
    run = installation.recograph("run")
    assert run.returncode == 0, run.stdout + run.stderr
    nodes, edges = actual(neo4j)
    expected = [meant(samples, customer, made, version) for customer, (version, made, _) in dumps.items()]
    assert nodes == {key: node for of_customer, _ in expected for key, node in of_customer.items()}
    edges = {key: edge for key, edge in edges.items() if key[0] != "SIMILAR_TO"}
    assert edges == {key: edge for _, of_customer in expected for key, edge in of_customer.items()}


def meant(samples: Path, customer: str, made: str, version: str) -> Graph:
    """The graph of the generator's dump as a customer's who has a version of Moodle."""
    listed = prepare(samples)[made]
    name, category = {"oldest": ("O", "retail"), "newest": ("N", "finance")}[customer]
    properties = {"id": customer, "name": name, "region": "eu", "size": "small", "category": category}
    nodes, edges = graph_of_moodle(listed.model_copy(update=properties), samples / made / f"{DAY}.sql")
    nodes = {
        key: node
        for key, node in nodes.items()
        if not (lacks(version, "h5pactivity") and node[0].get("content_type_name") == (str, "h5p"))
    }
    return nodes, {
        key: edge
        for key, edge in edges.items()
        if key[1] in nodes
        and key[2] in nodes
        and not (lacks(version, "tool_courserating_rating") and key[0] == "HAS_RATED")
    }


def test_the_samples_have_the_tables_of_moodle() -> None:
    """What `sample-data` declares is what Moodle 4.3 declares, but for the table of a plugin's activity."""
    for name, table in TABLES.items():
        if name not in ("course_categories", "customcert"):
            declared = {column.name: (column.sample_type(), column.required) for column in schemas()["4.3"][name]}
            assert {column.name: (column.type, column.required) for column in table.columns} == declared, name


def test_another_prefix_is_asked_for(samples: Path, tmp_path: Path) -> None:
    customer = prepare(samples)[MYSQL].model_copy(update={"dump": DumpOptions(prefix="m_")})
    with pytest.raises(RecographError, match=r"table m_user is missing, .*dump\.prefix of academy_1"):
        land_text(tmp_path, customer, (samples / MYSQL / f"{DAY}.sql").read_bytes())
    assert not list((tmp_path / "lake").rglob("*.parquet"))
