"""A customer of Moodle in the AWS configuration: landed and crawled, and row by row the same marts as on DuckDB."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from recograph.adapters.environment import open_catalog, open_inbox, open_lake
from recograph.customers import load_customers
from recograph.lake.landing import land
from recograph.platforms.moodle.contracts import CONTRACTS
from recograph.platforms.sample_dumps import generate, prepare
from recograph.settings import Settings
from recograph_tests.aws.marts import MARTS, dbt, finish, rows
from recograph_tests.aws.stack import Deployment, LocalAws, without_aws
from recograph_tests.pipeline.installation import COMMAND

CUSTOMER, DAY = "academy_1", "2026-11-01"


@pytest.mark.aws
@pytest.mark.timeout(1200)
def test_athena_makes_the_marts_of_duckdb(athena: LocalAws, deploy: Callable[..., Deployment], tmp_path: Path) -> None:
    data = tmp_path / "data"
    generate(data, scale=0.05, days=1, compress=False, customers=[prepare(data, "moodle")[CUSTOMER]])
    dump = data / CUSTOMER / f"{DAY}.sql"
    local = without_aws(os.environ) | {"RECOGRAPH_DATA": str(data), "RECOGRAPH_HOME": str(tmp_path / "local")}
    here = Settings.from_env(local)
    inbox = open_inbox(here)
    land(inbox, open_lake(here), inbox.dumps(CUSTOMER)[DAY], load_customers(data)[CUSTOMER])
    finish(dbt(local, CUSTOMER, DAY, "run"))

    deployment = deploy(CUSTOMER, data=data, home=tmp_path / "aws")
    athena.client("s3").upload_file(str(dump), deployment.bucket, f"dumps/{CUSTOMER}/{dump.name}")
    for step in ("land", "crawl"):
        ended = subprocess.run(
            [str(COMMAND), "aws", step], env=deployment.environ, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
    on_aws = Settings.from_env(deployment.environ)
    database = f"{on_aws.landing_database_prefix}{CUSTOMER}"
    tables = athena.client("glue").get_tables(DatabaseName=database)["TableList"]
    assert {table["Name"] for table in tables} == {*CONTRACTS}
    registered = open_catalog(on_aws).register(CUSTOMER, DAY, CONTRACTS.values())
    assert {name: table.drift for name, table in registered.items()} == dict.fromkeys(CONTRACTS, ())

    finish(dbt(deployment.environ, CUSTOMER, DAY, "run"))
    finish(dbt(deployment.environ, CUSTOMER, DAY, "test", "--select", "test_type:data"))
    filled = set()
    for mart in MARTS:
        ours, theirs = rows(here, mart, CUSTOMER, DAY), rows(on_aws, mart, CUSTOMER, DAY)
        assert theirs == ours, mart
        assert repr(theirs) == repr(ours), mart
        filled |= {mart} if ours else set()
    assert filled == {*MARTS} - {"asset_ratings"}
