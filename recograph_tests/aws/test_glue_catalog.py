"""The catalog in Glue, on ministack: its crawlers run and find nothing, so all that is there was registered by API."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.glue_catalog import Crawl, GlueCatalog, glue_type
from recograph.adapters.aws.glue_tables import GlueTable, bring_along, register_partitions
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.errors import RecographError, UnavailableError
from recograph.lake.days_before import DaysBefore
from recograph.lake.layout import landing_key
from recograph.lake.marts import publish_mart
from recograph.platforms import Column, Contract
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
    lake = S3Lake(Bucket(deployment.bucket, REGION), home=str(tmp_path))
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
        marts_database=deployment.environ["RECOGRAPH_MARTS_DATABASE"],
        poll=0.2,
    )


def _some(type_: Any) -> Any:
    return {"int64": 1, "string": "x", "bool": True}[str(type_)]


@pytest.fixture
def crawls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose crawlers have run, each as if it had at once and found nothing."""
    crawled: list[str] = []
    monkeypatch.setattr(GlueCatalog, "crawl", lambda self, customer: crawled.append(customer))
    return crawled


def table_of(catalog: GlueCatalog, glue: Any, table: str = "core_user") -> dict[str, str]:
    """The columns of a landed table of customer_1 and their types, as the catalog has them."""
    in_glue = glue.get_table(DatabaseName=f"{catalog.database_prefix}customer_1", Name=table)["Table"]
    return {column["Name"]: column["Type"] for column in in_glue["StorageDescriptor"]["Columns"]}


def partitions_of(catalog: GlueCatalog, glue: Any, table: str = "core_user") -> dict[str, dict[str, Any]]:
    """The partitions of a landed table of customer_1, by date."""
    where = {"DatabaseName": f"{catalog.database_prefix}customer_1", "TableName": table}
    return {
        partition["Values"][0]: partition["StorageDescriptor"]
        for partition in glue.get_partitions(**where)["Partitions"]
    }


def with_columns(contract: Contract, *columns: Column, without: str = "") -> Contract:
    """A contract as it will be one day."""
    kept = [column for column in contract.columns if column.name not in {without, *(c.name for c in columns)}]
    return dataclasses.replace(contract, columns=(*kept, *columns))


def test_a_day_is_registered_as_the_contract_says(catalog: GlueCatalog, glue: Any) -> None:
    registered = catalog.register("customer_1", DAYS[0], CONTRACTS.values())
    assert {name: (table.rows, table.drift) for name, table in registered.items()} == {
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


def test_a_changed_contract_takes_the_table_and_the_day_along(
    catalog: GlueCatalog, glue: Any, crawls: list[str]
) -> None:
    users = CONTRACTS["core_user"]
    catalog.register("customer_1", DAYS[0], [users])
    added = (Column("valid", pa.string(), "", required=True), Column("level", pa.string(), ""))
    changed = with_columns(users, *added, without="register_date")
    assert catalog.register("customer_1", DAYS[1], [changed])["core_user"].drift == ()
    now = {"idst": "bigint", "can_manage_subordinates": "boolean", "valid": "string", "level": "string"}
    assert table_of(catalog, glue) == now
    before, after = (
        {column["Name"]: column["Type"] for column in partitions_of(catalog, glue)[day]["Columns"]} for day in DAYS
    )
    assert after == now
    assert before["valid"] == "boolean"  # the day before is read as it was written
    assert "level" not in before

    catalog.register("customer_1", DAYS[0], [changed])  # asked for, the day before comes along
    assert partitions_of(catalog, glue)[DAYS[0]]["Columns"] == partitions_of(catalog, glue)[DAYS[1]]["Columns"]
    filesystem, root = catalog.lake.filesystem()
    file = f"{root}{landing_key('customer_1', 'core_user', DAYS[0])}"
    assert pq.read_table(file, filesystem=filesystem, partitioning=None).to_pylist() == [
        {"idst": 1, "can_manage_subordinates": None, "valid": "true", "level": None}
    ]
    assert crawls == []


def test_a_crawler_runs_where_there_is_something_to_discover(
    catalog: GlueCatalog, glue: Any, crawls: list[str]
) -> None:
    contracts = list(CONTRACTS.values())
    assert catalog.discover("customer_1", contracts) == Crawl(tables=len(contracts), crawled=True)  # a new customer
    assert sorted(partitions_of(catalog, glue)) == list(DAYS)
    assert catalog.discover("customer_1", contracts) == Crawl(tables=len(contracts), crawled=False)
    where = {"DatabaseName": f"{catalog.database_prefix}customer_1", "TableName": "core_user"}
    glue.delete_partition(**where, PartitionValues=[DAYS[0]])
    assert catalog.discover("customer_1", contracts).crawled  # a day that was landed beside
    changed = [*contracts[1:], with_columns(CONTRACTS["core_user"], Column("level", pa.string(), ""))]
    assert catalog.discover("customer_1", changed).crawled  # a changed schema
    assert "level" in table_of(catalog, glue)
    assert crawls == ["customer_1"] * 3
    assert sorted(partitions_of(catalog, glue)) == list(DAYS)


def test_what_people_put_beside_landed_days_is_no_day(
    catalog: GlueCatalog, glue: Any, crawls: list[str], ministack: LocalAws
) -> None:
    for name in ("note.parquet", "snapshot_date=later/note.parquet", "readme.txt"):
        key = f"landing/customer_1/core_user/{name}"
        ministack.client("s3").put_object(Bucket=catalog.lake.uri("").split("/")[2], Key=key, Body=b"x")
    catalog.discover("customer_1", list(CONTRACTS.values()))
    assert sorted(partitions_of(catalog, glue)) == list(DAYS)
    before = DaysBefore(catalog.lake, "customer_1", DAYS[1]).key("core_user")
    assert before == landing_key("customer_1", "core_user", DAYS[0])


def test_a_crawler_that_fails_keeps_nothing_from_being_registered(
    catalog: GlueCatalog, glue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RecographError("Glue crawler of customer_1 failed: Internal Service Exception")

    monkeypatch.setattr(GlueCatalog, "crawl", fail)
    crawl = catalog.discover("customer_1", list(CONTRACTS.values()))
    assert crawl.trouble == "Glue crawler of customer_1 failed: Internal Service Exception"
    assert sorted(partitions_of(catalog, glue)) == list(DAYS)


def test_tables_of_another_bucket_are_led_to_the_lake(catalog: GlueCatalog, glue: Any, crawls: list[str]) -> None:
    where = {"DatabaseName": f"{catalog.database_prefix}customer_1", "TableName": "core_user"}
    catalog.register("customer_1", DAYS[0], [CONTRACTS["core_user"]])
    table = glue.get_table(DatabaseName=where["DatabaseName"], Name="core_user")["Table"]
    elsewhere = {**table["StorageDescriptor"], "Location": "s3://the-old-one/landing/customer_1/core_user/"}
    moved = {"Name": "core_user", "StorageDescriptor": elsewhere, "PartitionKeys": table["PartitionKeys"]}
    glue.update_table(DatabaseName=where["DatabaseName"], TableInput=moved)
    glue.delete_partition(**where, PartitionValues=[DAYS[0]])
    day = {**elsewhere, "Location": f"{elsewhere['Location']}snapshot_date={DAYS[0]}/"}
    glue.create_partition(**where, PartitionInput={"Values": [DAYS[0]], "StorageDescriptor": day})
    assert catalog.discover("customer_1", [CONTRACTS["core_user"]]).crawled
    places = {day: storage["Location"] for day, storage in partitions_of(catalog, glue).items()}
    assert set(places) == set(DAYS)
    assert all(place.startswith(catalog.lake.uri("landing/")) for place in places.values())


def test_a_mart_that_lies_in_another_bucket_is_told(catalog: GlueCatalog, glue: Any) -> None:
    marts = {"users": {"id": "bigint", "customer": "varchar", "snapshot_date": "varchar"}}
    assert catalog.prepare_marts(marts)
    assert not catalog.prepare_marts(marts)
    storage = glue.get_table(DatabaseName=catalog.marts_database, Name="users")["Table"]["StorageDescriptor"]
    for day in DAYS:
        place = f"s3://the-old-one/marts/users/customer=customer_1/snapshot_date={day}/"
        partition = {"Values": ["customer_1", day], "StorageDescriptor": {**storage, "Location": place}}
        glue.create_partition(DatabaseName=catalog.marts_database, TableName="users", PartitionInput=partition)
    with catalog.lake.staging() as folder:  # of one day somebody has copied the files
        (folder / "copied").write_bytes(b"")
        catalog.lake.publish(folder / "copied", f"marts/users/customer=customer_1/snapshot_date={DAYS[1]}/x")
    for _ in range(2):
        (told,) = catalog.misplaced(marts)
        assert told.startswith(f"users of customer_1|{DAYS[0]} isn't in {catalog.lake.uri('')}, but in another bucket.")


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


def test_a_day_that_is_registered_is_looked_at_once_for_each_table(catalog: GlueCatalog, ministack: LocalAws) -> None:
    asked = []
    for _ in range(2):
        before = ministack.requests.copy()
        catalog.register("customer_1", DAYS[0], CONTRACTS.values())
        asked.append({name.split(".")[1]: count for name, count in (ministack.requests - before).items()})
    tables = len(CONTRACTS)
    assert asked[0] == {"GetTables": 1, "CreateTable": tables, "BatchCreatePartition": tables}
    assert asked[1] == {"GetTables": 1, "BatchCreatePartition": 1, "BatchGetPartition": tables}


def test_what_is_missing_is_named_with_what_to_do(catalog: GlueCatalog, glue: Any) -> None:
    with pytest.raises(
        RecographError, match=r"isn't there\. Materialize the landing of core_user for customer_1\|2026-11-09"
    ):
        catalog.register("customer_1", "2026-11-09", [CONTRACTS["core_user"]])
    with pytest.raises(RecographError, match=r"Glue crawler .*customer_2: EntityNotFound.*Run `make deploy`"):
        catalog.crawl("customer_2")


def test_a_missing_database_is_named(catalog: GlueCatalog, glue: Any) -> None:
    glue.delete_database(Name=f"{catalog.database_prefix}customer_1")
    with pytest.raises(RecographError, match=r"Glue database .*customer_1: EntityNotFound.*`make deploy`"):
        catalog.register("customer_1", DAYS[0], [CONTRACTS["core_user"]])


def test_a_crawler_that_takes_too_long_is_not_waited_for(catalog: GlueCatalog, glue: Any) -> None:
    impatient = dataclasses.replace(catalog, timeout=0)
    glue.start_crawler(Name=f"{catalog.crawler_prefix}customer_1")
    with pytest.raises(RecographError, match="is still RUNNING after 0 s"):
        impatient.crawl("customer_1")


def test_a_part_of_an_answer_is_asked_for_again_and_none_is_told(
    catalog: GlueCatalog, glue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [("id", "bigint")]
    table = GlueTable(catalog.marts_database, "t", "", columns, [("day", "string")], catalog.lake.uri("marts/t/"))
    bring_along(glue, table, None)
    days: dict[tuple[str, ...], Any] = {(day,): columns for day in DAYS}
    register_partitions(glue, table, days)
    ask = glue.batch_get_partition
    asked: list[int] = []

    def half(PartitionsToGet: list[Any], **where: Any) -> Any:  # noqa: N803 - as boto3 calls it
        asked.append(len(PartitionsToGet))
        return {**ask(PartitionsToGet=PartitionsToGet[:1], **where), "UnprocessedKeys": PartitionsToGet[1:]}

    monkeypatch.setattr(glue, "batch_get_partition", half)
    register_partitions(glue, table, days)
    assert asked == [2, 1]
    nothing: dict[str, Any] = {"Partitions": []}
    for answer in (lambda **_: nothing, lambda **asked: nothing | {"UnprocessedKeys": asked["PartitionsToGet"]}):
        monkeypatch.setattr(glue, "batch_get_partition", answer)
        with pytest.raises(UnavailableError, match=r"Glue doesn't tell of partition 2026-11-01 of .*\.t.* Run again"):
            register_partitions(glue, table, days)


def test_a_mart_that_dbt_does_not_build_is_a_table_with_its_partitions(catalog: GlueCatalog, glue: Any) -> None:
    rows = pa.table({"course_id": [1], "similar_course_id": [2], "score": [0.5]})
    stray = f"marts/course_similarity/customer=customer_1/snapshot_date={DAYS[0]}/20261101_of_dbt"
    with catalog.lake.staging() as folder:
        pq.write_table(rows, folder / "staged")
        catalog.lake.publish(folder / "staged", stray)
    for day in (*DAYS, DAYS[0]):
        publish_mart(catalog.lake, catalog, "course_similarity", "customer_1", day, rows)
    where = {"DatabaseName": catalog.marts_database}
    table = glue.get_table(**where, Name="course_similarity")["Table"]
    columns = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
    assert columns == [("course_id", "bigint"), ("similar_course_id", "bigint"), ("score", "double")]
    assert [key["Name"] for key in table["PartitionKeys"]] == ["customer", "snapshot_date"]
    partitions = glue.get_partitions(**where, TableName="course_similarity")["Partitions"]
    assert sorted((p["Values"], p["StorageDescriptor"]["Location"]) for p in partitions) == [
        (["customer_1", day], catalog.lake.uri(f"marts/course_similarity/customer=customer_1/snapshot_date={day}/"))
        for day in DAYS
    ]
    assert stray not in catalog.lake.parquet("marts/")
    assert len(catalog.lake.parquet("marts/")) == 2
    listed = [(mart, day) for mart in ("course_similarity", "users") for day in DAYS]
    assert [catalog.lists_mart(mart, "customer_1", day) for mart, day in listed] == [True, True, False, False]
    assert not catalog.lists_mart("course_similarity", "customer_2", DAYS[0])
    glue.delete_partition(**where, TableName="course_similarity", PartitionValues=["customer_1", DAYS[0]])
    assert [catalog.lists_mart("course_similarity", "customer_1", day) for day in DAYS] == [False, True]
