"""Retention on S3 and in Glue, on the stand-in's."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neo4j as neo4j_driver
import pyarrow.parquet as pq
import pytest
import yaml

from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.glue_catalog import GlueCatalog
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.adapters.environment import open_catalog, open_lake
from recograph.adapters.neo4j import Connection
from recograph.errors import RecographError
from recograph.lake.layout import landing_key, landing_partition, mart_partition
from recograph.platforms.docebo.contracts import CONTRACTS
from recograph.settings import Settings
from recograph_tests.aws.stack import REGION, Deployment, LocalAws
from recograph_tests.operating.test_retention import check_retention
from recograph_tests.pipeline.installation import COMMAND

pytestmark = pytest.mark.aws

EXPIRED, OLD, YOUNG, NEWEST = "2025-10-01", "2025-10-02", "2998-12-31", "2999-01-01"
CUSTOMERS = ("acme", "zeta")
TABLE, MART = "core_user", "users"


def test_only_what_is_old_not_held_and_not_the_newest_goes(deploy: Callable[..., Deployment], tmp_path: Path) -> None:
    deployment = deploy("acme", "zeta")
    check_retention(S3Lake(Bucket(deployment.bucket, REGION), home=str(tmp_path)))


@pytest.fixture
def catalog(
    deploy: Callable[..., Deployment],
    neo4j: neo4j_driver.Driver,
    neo4j_server: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> GlueCatalog:
    """The catalog of two customers, with four days each of a table and of a mart; of two days the files are gone."""
    described = {"name": "Acme", "region": REGION, "size": "mid", "category": "pharma"}
    listed = [{"id": customer, **described} for customer in CUSTOMERS]
    (tmp_path / "customers.yaml").write_text(yaml.safe_dump({"start_date": EXPIRED, "customers": listed}))
    deployment = deploy(*CUSTOMERS, data=tmp_path, home=tmp_path / "home")
    monkeypatch.setenv("NEO4J_URI", neo4j_server.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    settings = Settings.from_env(deployment.environ)
    lake, catalog = open_lake(settings), open_catalog(settings)
    assert isinstance(catalog, GlueCatalog)
    for customer in CUSTOMERS:
        for day in (EXPIRED, OLD, YOUNG, NEWEST):
            for key in (landing_key(customer, TABLE, day), f"{mart_partition(MART, customer, day)}0_part"):
                with lake.staging() as folder:
                    pq.write_table(CONTRACTS[TABLE].schema.empty_table(), folder / "empty")
                    lake.publish(folder / "empty", key)
            catalog.register(customer, day, [CONTRACTS[TABLE]])
            catalog.register_mart(MART, customer, day, dict.fromkeys(("id", "customer", "snapshot_date"), "varchar"))
        for day in (EXPIRED, YOUNG):  # as the bucket's rules do
            lake.delete(landing_partition(customer, TABLE, day))
            lake.delete(mart_partition(MART, customer, day))
    return catalog


def days(catalog: GlueCatalog, glue: Any) -> dict[str, list[str]]:
    """The days that Glue has of each customer, of the table and of the mart."""
    known: dict[str, list[str]] = {}
    for customer in CUSTOMERS:
        landing = {"DatabaseName": f"{catalog.database_prefix}{customer}", "TableName": TABLE}
        marts = {"DatabaseName": catalog.marts_database, "TableName": MART}
        known[f"{customer} {TABLE}"] = sorted(p["Values"][0] for p in glue.get_partitions(**landing)["Partitions"])
        of_mart = [partition["Values"] for partition in glue.get_partitions(**marts)["Partitions"]]
        known[f"{customer} {MART}"] = sorted(day for whose, day in of_mart if whose == customer)
    return known


def clean(*arguments: str) -> str:
    """Run the command as a process of its own: it loads Dagster's objects for this installation."""
    command = [str(COMMAND), "clean", "--keep-days", "1", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_old_days_go_from_glue_with_their_files_and_so_do_those_that_the_bucket_expired(
    catalog: GlueCatalog, ministack: LocalAws
) -> None:
    glue = ministack.client("glue")
    clean("--dry-run")
    assert set(map(tuple, days(catalog, glue).values())) == {(EXPIRED, OLD, YOUNG, NEWEST)}
    assert "4 partitions without files taken out of the catalog." in clean("--customer", "acme")
    kept = {name: [YOUNG, NEWEST] for name in days(catalog, glue) if name.startswith("acme")}
    assert {name: known for name, known in days(catalog, glue).items() if name in kept} == kept
    assert days(catalog, glue)[f"zeta {MART}"] == [EXPIRED, OLD, YOUNG, NEWEST]
    clean()
    assert set(map(tuple, days(catalog, glue).values())) == {(YOUNG, NEWEST)}


def test_a_day_that_lies_elsewhere_stays_and_a_refusal_is_told(
    catalog: GlueCatalog, ministack: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    glue = ministack.client("glue")
    where = {"DatabaseName": catalog.marts_database, "TableName": MART}
    storage = glue.get_table(DatabaseName=catalog.marts_database, Name=MART)["Table"]["StorageDescriptor"]
    elsewhere = {**storage, "Location": f"s3://the-old-one/marts/{MART}/customer=acme/snapshot_date=2025-01-01/"}
    glue.create_partition(**where, PartitionInput={"Values": ["acme", "2025-01-01"], "StorageDescriptor": elsewhere})
    detail = {"ErrorCode": "AccessDeniedException", "ErrorMessage": "not authorized"}

    def refuse(PartitionsToDelete: list[Any], **_: Any) -> Any:  # noqa: N803 - as boto3 calls it
        return {"Errors": [{"PartitionValues": PartitionsToDelete[0]["Values"], "ErrorDetail": detail}]}

    with monkeypatch.context() as patch:
        patch.setattr(GlueCatalog, "_glue", glue)
        patch.setattr(glue, "batch_delete_partition", refuse)
        with pytest.raises(RecographError, match=r"can't take partition 2025-10-01 out of .*acme.core_user: Access"):
            catalog.drop_days_without_files(OLD)
    assert catalog.drop_days_without_files(OLD) == 4
    assert days(catalog, glue)[f"acme {MART}"] == ["2025-01-01", OLD, YOUNG, NEWEST]
