"""Landing a dump whose Parquet is larger than this machine's disk: it is sent while it is written, seen when whole."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest

from recograph.adapters.aws import s3_staged
from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.s3_inbox import S3Inbox
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.customers import Customer
from recograph.errors import RecographError
from recograph.lake.erased import add_erased
from recograph.lake.landing import Landing, land
from recograph.lake.layout import landing_key
from recograph_tests.aws.proxy import Proxy
from recograph_tests.aws.stack import REGION, Deployment, LocalAws

DAY = "2026-11-01"
KEY = landing_key("customer_1", "core_user", DAY)
DISK_MB = 3
ROWS = 300_000
ERASED = 7


@pytest.fixture
def s3(ministack: LocalAws) -> Any:
    return ministack.client("s3")


@pytest.fixture
def bucket(deploy: Callable[..., Deployment]) -> Bucket:
    return Bucket(deploy().bucket, REGION)


@pytest.fixture
def proxy(ministack: LocalAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What S3 is reached through."""
    proxy = Proxy(ministack.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    yield proxy
    proxy.stop()


@pytest.fixture
def lake(bucket: Bucket, disk: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch) -> S3Lake:
    """A lake whose staging has less room than the table needs."""
    monkeypatch.setattr(s3_staged, "PART_BYTES", 512 * 1024)
    return S3Lake(bucket, home=str(disk(DISK_MB)))


@pytest.fixture(scope="module")
def users() -> str:
    """Rows of core_user that no compression makes small, the first of which comes again at the end."""
    numbers = random.Random(1)
    start = datetime(2020, 1, 1)  # noqa: DTZ001 - no zone in it
    rows = [
        f"({numbers.randrange(2**62)},{number % 2},'{start + timedelta(seconds=numbers.randrange(10**8))}')"
        for number in range(ROWS)
    ]
    rows[ERASED] = f"({ERASED},1,'2024-01-01 00:00:00')"
    again = rows[0].split(",")[0] + ",1,'2025-05-05 05:05:05')"
    return ",".join([*rows, again])


def land_users(lake: S3Lake, s3: Any, users: str, end: str = "-- Dump completed\n") -> Landing:
    dump = (
        "-- MySQL dump 10.13\nCREATE TABLE `core_user` (`idst` bigint, `valid` tinyint(1), `register_date` datetime);\n"
        f"INSERT INTO `core_user` VALUES {users};\n{end}"
    )
    s3.put_object(Bucket=lake.bucket.name, Key=f"dumps/customer_1/{DAY}.sql", Body=dump.encode())
    inbox = S3Inbox(lake.bucket)
    customer = Customer(id="customer_1", name="-", region="-", size="-", category="-")
    return land(inbox, lake, inbox.dumps("customer_1")[DAY], customer, ["core_user"])


def seen(lake: S3Lake, s3: Any) -> dict[str, int]:
    """What is in the bucket beside dumps and the list of the erased, by key."""
    listed = s3.list_objects_v2(Bucket=lake.bucket.name).get("Contents", [])
    return {item["Key"]: item["Size"] for item in listed if not item["Key"].startswith(("dumps/", "erased/"))}


def test_a_table_larger_than_the_disk_is_landed_whole_without_its_duplicates(
    lake: S3Lake, s3: Any, users: str, proxy: Proxy
) -> None:
    shown: list[bool] = []

    def refuse(method: str, path: str) -> bool:
        if "partNumber" in path or "uploadId" in path:
            shown.append(KEY in unquote(path))  # what is sent while it is written isn't where tables look
        return False

    proxy.refuse = refuse
    landing = land_users(lake, s3, users).tables["core_user"]
    assert (landing.rows_read, landing.rows, landing.duplicates) == (ROWS + 1, ROWS, 1)
    assert landing.bytes > DISK_MB * 1024**2
    assert seen(lake, s3) == {KEY: landing.bytes}
    assert not s3.list_multipart_uploads(Bucket=lake.bucket.name).get("Uploads")
    assert len(shown) > landing.bytes / s3_staged.PART_BYTES
    assert not any(shown)
    filesystem, root = lake.filesystem()
    rows = pq.read_table(f"{root}{KEY}", filesystem=filesystem, partitioning=None)
    assert rows.num_rows == len(set(rows["idst"].to_pylist())) == ROWS
    assert str(rows["register_date"][-1].as_py()).startswith("2025-05-05 05:05:05")  # the later one was kept
    assert b"recograph.missing_columns" in pq.read_metadata(f"{root}{KEY}", filesystem=filesystem).metadata


def test_who_is_erased_while_a_dump_is_read_is_left_out_of_what_was_sent(
    lake: S3Lake, s3: Any, users: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = lake.locked

    def erase_first(_: S3Lake, customer: str) -> Any:
        add_erased(lake, customer, ERASED)
        return locked(customer)

    monkeypatch.setattr(S3Lake, "locked", erase_first)
    assert land_users(lake, s3, users).tables["core_user"].rows == ROWS - 1
    filesystem, root = lake.filesystem()
    assert ERASED not in pq.read_table(f"{root}{KEY}", filesystem=filesystem, partitioning=None)["idst"].to_pylist()


@pytest.mark.parametrize("trouble", ["cut", "part", "complete", "copy"])
def test_a_landing_that_fails_leaves_what_was_there_and_nothing_to_pay_for(
    trouble: str, lake: S3Lake, s3: Any, users: str, proxy: Proxy
) -> None:
    s3.put_object(Bucket=lake.bucket.name, Key=KEY, Body=b"before")
    refused = {
        "part": lambda method, path: "partNumber=3" in path,
        "complete": lambda method, path: method == "POST" and "uploadId" in path,
        "copy": lambda method, path: method in ("PUT", "POST") and KEY in unquote(path),
    }
    proxy.refuse = refused.get(trouble, proxy.refuse)
    with pytest.raises(RecographError, match="Dump completed" if trouble == "cut" else "AccessDenied"):
        land_users(lake, s3, users, end="" if trouble == "cut" else "-- Dump completed\n")
    assert seen(lake, s3) == {KEY: len(b"before")}
    assert not s3.list_multipart_uploads(Bucket=lake.bucket.name).get("Uploads")
    assert not list((Path(lake.home) / "staging").iterdir())
