"""The catalog in Glue, on ministack: its crawlers run and find nothing, so all that is there was registered by API."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recograph.adapters.aws.glue_catalog import GlueCatalog, glue_type
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.errors import RecographError
from recograph.lake.layout import landing_key
from recograph.platforms.docebo.contracts import CONTRACTS
from recograph_tests.aws.stack import REGION, Deployment, LocalAws

DAYS = ("2026-11-01", "2026-11-02")


@pytest.fixture
def glue(ministack: LocalAws) -> Any:
    return ministack.client("glue")


@pytest.fixture
def catalog(deploy: Callable[..., Deployment], tmp_path: Any) -> GlueCatalog:
    """The catalog of a customer of whom two days were landed, the optional tables empty."""
    deployment = deploy("customer_1")
    lake = S3Lake(bucket=deployment.bucket, region=REGION, home=str(tmp_path))
    for contract in CONTRACTS.values():
        for day in DAYS:
            row = {column.name: None if not column.required else _some(column.type) for column in contract.columns}
            with lake.staging() as folder:
                table = (
                    contract.schema.empty_table() if contract.optional else pa.Table.from_pylist([row], contract.schema)
                )
                pq.write_table(table, folder / "staged")
                lake.publish(folder / "staged", landing_key("customer_1", contract.table, day))
    return GlueCatalog(
        lake=lake,
        region=REGION,
        database_prefix=deployment.environ["RECOGRAPH_LANDING_DATABASE_PREFIX"],
        crawler_prefix=deployment.environ["RECOGRAPH_CRAWLER_PREFIX"],
        poll=0.2,
    )


def _some(type_: Any) -> Any:
    return {"int64": 1, "string": "x", "bool": True}[str(type_)]


@pytest.fixture
def crawled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the crawler, which takes its seconds and finds nothing here, had run."""
    monkeypatch.setattr(GlueCatalog, "crawl", lambda self, customer: None)


def test_what_the_crawler_did_not_make_follows_from_the_contract(catalog: GlueCatalog, glue: Any) -> None:
    found = catalog.register("customer_1", DAYS[0], CONTRACTS.values())
    assert {name: (table.rows, table.drift) for name, table in found.items()} == {
        name: (0 if contract.optional else 1, ()) for name, contract in CONTRACTS.items()
    }
    for contract in CONTRACTS.values():
        where = {"DatabaseName": f"{catalog.database_prefix}customer_1"}
        table = glue.get_table(**where, Name=contract.table.lower())["Table"]
        assert {c["Name"]: c["Type"] for c in table["StorageDescriptor"]["Columns"]} == {
            column.name.lower(): glue_type(column.type) for column in contract.columns
        }
        partitions = glue.get_partitions(**where, TableName=contract.table.lower())["Partitions"]
        assert [(p["Values"], p["StorageDescriptor"]["Location"]) for p in partitions] == [
            ([DAYS[0]], catalog.lake.uri(f"landing/customer_1/{contract.table}/snapshot_date={DAYS[0]}/"))
        ]


def test_a_drift_names_the_column(catalog: GlueCatalog, glue: Any, crawled: None) -> None:
    columns = [("idst", "bigint"), ("valid", "int"), ("register_date", "timestamp"), ("pass", "string")]
    glue.create_table(
        DatabaseName=f"{catalog.database_prefix}customer_1",
        TableInput={
            "Name": "core_user",
            "StorageDescriptor": {"Columns": [{"Name": name, "Type": type_} for name, type_ in columns]},
            "PartitionKeys": [{"Name": "snapshot_date", "Type": "date"}],
        },
    )
    assert catalog.register("customer_1", DAYS[0], [CONTRACTS["core_user"]])["core_user"].drift == (
        "core_user.can_manage_subordinates is missing.",
        "core_user.valid is int, but the contract says boolean.",
        "core_user.snapshot_date is date, but the contract says string.",
        "core_user.pass is in no contract.",
    )


def test_a_crawler_that_is_running_is_waited_for_and_run_again(catalog: GlueCatalog, glue: Any) -> None:
    name = f"{catalog.crawler_prefix}customer_1"
    glue.start_crawler(Name=name)
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name=name)
    began = time.time()
    catalog.crawl("customer_1")
    crawler = glue.get_crawler(Name=name)["Crawler"]
    assert crawler["State"] == "READY"
    assert crawler["LastCrawl"]["StartTime"].timestamp() > began


def test_all_landed_days_are_registered_and_again(catalog: GlueCatalog, glue: Any, crawled: None) -> None:
    for _ in range(2):
        assert [table.drift for table in catalog.register_landed("customer_1", CONTRACTS.values())] == [()] * len(
            CONTRACTS
        )
    where = {"DatabaseName": f"{catalog.database_prefix}customer_1", "TableName": "core_user"}
    assert sorted(partition["Values"] for partition in glue.get_partitions(**where)["Partitions"]) == [
        [d] for d in DAYS
    ]


def test_what_is_missing_is_named_with_what_to_do(catalog: GlueCatalog, glue: Any) -> None:
    with pytest.raises(
        RecographError, match=r"isn't there\. Materialize the landing of core_user for customer_1\|2026-11-09"
    ):
        catalog.register("customer_1", "2026-11-09", [CONTRACTS["core_user"]])
    with pytest.raises(RecographError, match=r"Glue crawler .*customer_2: EntityNotFound.*Run `make deploy`"):
        catalog.crawl("customer_2")


def test_a_missing_database_is_named(catalog: GlueCatalog, glue: Any, crawled: None) -> None:
    glue.delete_database(Name=f"{catalog.database_prefix}customer_1")
    with pytest.raises(RecographError, match=r"Glue table .*customer_1\.core_user: EntityNotFound.*`make deploy`"):
        catalog.register("customer_1", DAYS[0], [CONTRACTS["core_user"]])


def test_a_crawler_that_takes_too_long_is_not_waited_for(catalog: GlueCatalog, glue: Any) -> None:
    impatient = dataclasses.replace(catalog, timeout=0)
    glue.start_crawler(Name=f"{catalog.crawler_prefix}customer_1")
    with pytest.raises(RecographError, match="is still RUNNING after 0 s"):
        impatient.crawl("customer_1")
