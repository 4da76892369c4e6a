"""The whole pipeline in its AWS configuration: the same assets, and row by row the same marts as on DuckDB.

The tests of the class follow one deployment from its first day on, in their order.
"""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import neo4j
import pyarrow.parquet as pq
import pytest
import yaml

from recograph.adapters.environment import open_catalog, open_inbox, open_lake, open_warehouse
from recograph.adapters.neo4j import Connection
from recograph.analytics import similarity
from recograph.analytics.interactions import fetch
from recograph.analytics.kinds import KINDS
from recograph.customers import load_customers
from recograph.lake.landing import land
from recograph.lake.layout import landing_key
from recograph.lake.marts import publish_mart
from recograph.platforms.docebo.contracts import CONTRACTS
from recograph.settings import PROJECT_DIR, Settings
from recograph_tests.aws.marts import MARTS, dbt, finish, rows
from recograph_tests.aws.proxy import Proxy
from recograph_tests.aws.stack import LocalAws, without_aws
from recograph_tests.conftest import clear
from recograph_tests.pipeline.installation import COMMAND

pytestmark = [pytest.mark.aws, pytest.mark.timeout(1200)]

CUSTOMERS = ("customer_1", "customer_3")  # one without assets, one with
DATES = ("2026-11-01", "2026-11-02")
PARTITIONS = [(customer, date) for customer in CUSTOMERS for date in DATES]
ASSET_MARTS = ("assets", "asset_views", "asset_ratings")
MOST_REQUESTS = {
    "statements": 38,
    "Glue": 42,
    "PUT of the pipeline": 11,
    "LIST of the pipeline": 53,
    "GET of the pipeline": 19,
    "PUT of Athena": 14,
    "LIST of Athena": 95,
    "GET of Athena": 126,
}
"""Of a partition on average: an eighth more than what these four ask.

Two of the four have a day before, whose landed files are looked at, too. All were built by the tests before, so that
Glue is asked for each of them, and dbt lists each mart's partition once more."""
MOST_REQUESTS_AGAIN = {
    "statements": 2,
    "Glue": 24,
    "PUT of the pipeline": 0,
    "LIST of the pipeline": 21,
    "GET of the pipeline": 9,
}
"""Of a partition of which nothing has changed."""
BESIDE_DBT = ("course_similarity", "asset_similarity")


@dataclass(frozen=True)
class Production:
    """A deployment on the stand-in, its dumps uploaded, with the Neo4j that it loads."""

    aws: LocalAws
    environ: dict[str, str]
    s3: Proxy
    """Through which the pipeline, but not the engine, asks S3."""

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_env(self.environ)

    def recograph(self, *arguments: str) -> str:
        ran = subprocess.run([str(COMMAND), *arguments], env=self.environ, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def put(self, customer: str, file: Path) -> None:
        """A customer replaces a dump."""
        bucket = self.settings.lake.removeprefix("s3://")
        self.aws.client("s3").upload_file(str(file), bucket, f"dumps/{customer}/{file.name}")

    def asked(self) -> Counter[str]:
        """How often AWS was asked, by what docs/aws.md counts: Athena's statements, Glue's calls, and S3's requests."""
        counted = Counter({"statements": self.aws.requests["AmazonAthena.StartQueryExecution"]})
        counted["Glue"] = sum(n for operation, n in self.aws.requests.items() if operation.startswith("AWSGlue."))
        for what in ("PUT", "LIST", "GET"):
            counted[f"{what} of the pipeline"] = self.s3.requests[what]
            counted[f"{what} of Athena"] = self.aws.engines_requests[what]
        return counted

    def tables(self) -> list[dict[str, Any]]:
        """The tables of the marts' database, temporary ones too."""
        answer = self.aws.client("glue").get_tables(DatabaseName=self.settings.marts_database)
        return list(answer["TableList"])

    def has_partition(self, mart: str, *values: str) -> bool:
        where = {"DatabaseName": self.settings.marts_database, "TableName": mart}
        return list(values) in [
            partition["Values"] for partition in self.aws.client("glue").get_partitions(**where)["Partitions"]
        ]

    def athena(self, sql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = open_warehouse(self.settings).query(sql).to_pylist()
        return rows


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample dumps of two customers and two days."""
    data = tmp_path_factory.mktemp("sample")
    listed = yaml.safe_load((PROJECT_DIR / "data" / "customers.yaml").read_text())
    chosen = [customer for customer in listed["customers"] if customer["id"] in CUSTOMERS]
    (data / "customers.yaml").write_text(yaml.safe_dump({"start_date": _date(DATES[0]), "customers": chosen}))
    for customer, date in PARTITIONS:
        (data / customer).mkdir(exist_ok=True)
        shutil.copy(PROJECT_DIR / "data" / customer / f"{date}.sql.gz", data / customer)
    return data


@pytest.fixture(scope="module")
def local(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same partitions landed and built on this machine, by DuckDB."""
    folders = {"RECOGRAPH_DATA": str(sample), "RECOGRAPH_HOME": str(tmp_path_factory.mktemp("local"))}
    environ = without_aws(os.environ) | folders
    settings = Settings.from_env(environ)
    inbox = open_inbox(settings)
    for customer, date in PARTITIONS:
        land(inbox, open_lake(settings), inbox.dumps(customer)[date], load_customers(sample)[customer])
        finish(dbt(environ, customer, date, "run"))
    return settings


@pytest.fixture(scope="module")
def production(
    athena: LocalAws, sample: Path, neo4j_server: Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    """A new deployment; its machine knows the customers, and their dumps are in S3 alone."""
    data = tmp_path_factory.mktemp("data")
    shutil.copy(sample / "customers.yaml", data)
    folders = {"RECOGRAPH_DATA": str(data), "RECOGRAPH_HOME": str(tmp_path_factory.mktemp("production"))}
    secret = {"uri": neo4j_server.uri, "username": neo4j_server.username, "password": neo4j_server.password}
    athena.client("secretsmanager").create_secret(Name="production/neo4j", SecretString=json.dumps(secret))
    graph = {"RECOGRAPH_NEO4J_SECRET": "production/neo4j", "COLUMNS": "400"}
    deployment = athena.deploy("production", CUSTOMERS)
    s3 = Proxy(athena.endpoint)
    deployment.environ["AWS_ENDPOINT_URL"] = s3.endpoint
    production = Production(athena, deployment.environ | folders | graph, s3)
    for customer, date in PARTITIONS:
        production.put(customer, sample / customer / f"{date}.sql.gz")
    with pytest.MonkeyPatch.context() as patch:  # for the resources that the tests use themselves
        for name, value in athena.environ.items():
            patch.setenv(name, value)
        yield production
    s3.stop()


@pytest.fixture(scope="module")
def graph(neo4j_server: Connection) -> Iterator[neo4j.Driver]:
    """The graph that the deployment loads, empty at first."""
    auth = (neo4j_server.username, neo4j_server.password)
    with neo4j.GraphDatabase.driver(neo4j_server.uri, auth=auth) as driver:
        clear(driver)
        yield driver


def assert_equal(production: Production, local: Settings, *, partitions: Any = PARTITIONS, marts: Any = MARTS) -> None:
    """Every row of the marts is the one that DuckDB made, to the type."""
    for mart in marts:
        for customer, date in partitions:
            ours, theirs = rows(local, mart, customer, date), rows(production.settings, mart, customer, date)
            assert theirs == ours, (mart, customer, date)
            assert repr(theirs) == repr(ours), (mart, customer, date)


class TestProduction:
    def test_landed_tables_are_read_by_athena_as_they_were_written(self, production: Production) -> None:
        production.recograph("aws", "land")
        production.recograph("aws", "crawl")
        lake = open_lake(production.settings)
        filesystem, root = lake.filesystem()
        for table in CONTRACTS:
            key = landing_key("customer_3", table, DATES[0])
            written = pq.read_table(f"{root}{key}", filesystem=filesystem, partitioning=None).to_pylist()
            source = f'"{production.settings.landing_database_prefix}customer_3"."{table.lower()}"'
            read = production.athena(f"select * from {source} where snapshot_date = '{DATES[0]}'")
            lower = [{name.lower(): value for name, value in row.items()} for row in written]
            assert sorted(map(repr, read)) == sorted(repr(row | {"snapshot_date": DATES[0]}) for row in lower), table

    def test_two_customers_and_two_days_at_the_same_time_make_the_marts_of_duckdb(
        self, production: Production, local: Settings
    ) -> None:
        for table in production.tables():  # made by the deployment; now all four find none
            production.aws.client("glue").delete_table(
                DatabaseName=production.settings.marts_database, Name=table["Name"]
            )
        for process in [dbt(production.environ, *partition, "run") for partition in PARTITIONS]:
            finish(process)
        assert_equal(production, local)

    def test_marts_are_tables_in_their_own_place_and_nothing_else_is_left(self, production: Production) -> None:
        tables = {table["Name"]: table for table in production.tables()}
        assert set(tables) == set(MARTS)  # no staging view that a run at the same time could rewrite, no table beside
        for name, table in tables.items():
            assert table["TableType"] == "EXTERNAL_TABLE"
            assert table["StorageDescriptor"]["Location"].rstrip("/") == f"{production.settings.lake}/marts/{name}"
            assert [key["Name"] for key in table["PartitionKeys"]] == ["customer", "snapshot_date"]

    def test_the_pipeline_runs_from_dumps_in_s3_to_the_graph_with_all_checks(
        self, production: Production, local: Settings, graph: neo4j.Driver
    ) -> None:
        before = production.asked()
        printed = production.recograph("run")
        asked = production.asked() - before
        assert {what: count for what, count in asked.items() if count > MOST_REQUESTS[what] * len(PARTITIONS)} == {}
        assert re.search(r"4 partitions .* Checks: \d+ passed, 0 failed", printed), printed
        for customer in CUSTOMERS:
            for label, mart in {"User": "users", "Course": "courses", "Asset": "assets"}.items():
                counted = f"MATCH (n:{label} {{customer_id: $customer}}) RETURN count(n) AS count"
                in_graph = graph.execute_query(counted, customer=customer).records[0]["count"]
                assert in_graph == len(rows(local, mart, customer, DATES[-1]))
        assert_equal(production, local)  # all partitions were built again
        publish_similarities(local)
        assert_equal(production, local, marts=BESIDE_DBT)

    def test_a_second_run_builds_and_changes_nothing(self, production: Production) -> None:
        before = production.asked()
        printed = production.recograph("run", "-c", "customer_3", "-d", DATES[-1])
        asked = production.asked() - before
        unchanged = f"landing, marts, similarity of customer_3 {DATES[-1]}."
        assert f"Unchanged, and not built again (--force builds all): {unchanged}" in printed
        assert "Nothing changed: the graph was up to date." in printed
        assert {what: asked[what] for what, most in MOST_REQUESTS_AGAIN.items() if asked[what] > most} == {}

    def test_a_full_refresh_keeps_the_other_partitions(self, production: Production, local: Settings) -> None:
        finish(dbt(production.environ, "customer_3", DATES[1], "run", "--full-refresh", "--select", "customers"))
        assert_equal(production, local, marts=["customers"])

    def test_a_partition_that_became_empty_is_empty(
        self, production: Production, local: Settings, graph: neo4j.Driver, sample: Path, tmp_path: Path
    ) -> None:
        cut = tmp_path / f"{DATES[1]}.sql.gz"
        with gzip.open(sample / "customer_3" / cut.name, "rt", encoding="utf-8", errors="surrogateescape") as whole:
            cut.write_bytes(gzip.compress(_without_assets(whole.read()).encode("utf-8", "surrogateescape")))
        production.put("customer_3", cut)
        options = ("--max-row-drop", "1", "--max-removed-share", "1")
        production.recograph("run", "-c", "customer_3", "-d", DATES[1], *options)
        for mart in (*ASSET_MARTS, "asset_similarity"):
            assert rows(production.settings, mart, "customer_3", DATES[1]) == []
        assert graph.execute_query("MATCH (a:Asset) RETURN count(a) AS count").records[0]["count"] == 0
        others = [partition for partition in PARTITIONS if partition != ("customer_3", DATES[1])]
        assert_equal(production, local, partitions=others, marts=ASSET_MARTS)

    def test_a_run_killed_in_the_middle_is_simply_run_again(
        self, production: Production, local: Settings, sample: Path
    ) -> None:
        production.put("customer_3", sample / "customer_3" / f"{DATES[1]}.sql.gz")
        command = [str(COMMAND), "run", "-c", "customer_3", "-d", DATES[1]]
        run = subprocess.Popen(
            command, env=production.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        deadline = time.monotonic() + 600
        # A mart is being built: its partition was emptied, and isn't there again yet.
        while all(production.has_partition(mart, "customer_3", DATES[1]) for mart in MARTS):
            assert run.poll() is None, run.communicate()[0].decode()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        # What Athena itself leaves when a query dies: a file that no partition knows.
        _leave_stray_file(production, local)

        production.recograph("run", "-c", "customer_3", "-d", DATES[1], "--max-removed-share", "1")
        assert_equal(production, local)


def publish_similarities(settings: Settings) -> None:
    """Compute on this machine what the pipeline computes beside dbt."""
    lake, catalog, warehouse = open_lake(settings), open_catalog(settings), open_warehouse(settings)
    for kind in KINDS.values():
        for customer, date in PARTITIONS:
            data = fetch(warehouse, kind, customer, date)
            computed = similarity.table(data, kind, similarity.similarity(data).weights)
            publish_mart(lake, catalog, kind.similarity, customer, date, computed)


def _leave_stray_file(production: Production, local: Settings) -> None:
    lake = open_lake(production.settings)
    partition = f"users/customer=customer_3/snapshot_date={DATES[1]}"
    where = {"DatabaseName": production.settings.marts_database, "TableName": "users"}
    glue = production.aws.client("glue")
    values = [partition["Values"] for partition in glue.get_partitions(**where)["Partitions"]]
    if ["customer_3", DATES[1]] in values:
        glue.delete_partition(**where, PartitionValues=["customer_3", DATES[1]])
    with lake.staging() as folder:
        stray = folder / "stray"
        stray.write_bytes(Path(local.lake, "marts", partition, "users.parquet").read_bytes())
        lake.publish(stray, f"marts/{partition}/stray.parquet")


def _without_assets(dump: str) -> str:
    """The dump of a customer who has given up assets: their tables are still there, without rows."""
    copy = r"^(COPY public\.app7020_[^;]*;\n).*?^(\\\.)$"
    emptied, count = re.subn(copy, r"\1\2", dump, flags=re.MULTILINE | re.DOTALL)
    assert count == 3
    return emptied


def _date(text: str) -> Any:
    return yaml.safe_load(text)
