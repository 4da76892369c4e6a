"""The inbox and the lake in S3, on ministack."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.config import Config

from recograph.adapters.aws import clients as aws
from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.s3_folder import S3Folder
from recograph.adapters.aws.s3_inbox import S3Inbox
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.customers import Customer
from recograph.dumps import Folder
from recograph.errors import RecographError
from recograph.lake.inbox import dump_for
from recograph.lake.interfaces import DumpFile
from recograph.lake.landing import land
from recograph.lake.layout import landing_folder
from recograph_tests.aws.proxy import Proxy
from recograph_tests.aws.stack import REGION, Deployment, LocalAws

CONTENT = bytes(range(256)) * 40_000  # 10 MB, which boto3 sends in parts


@pytest.fixture
def bucket(deploy: Callable[..., Deployment]) -> Bucket:
    return Bucket(deploy().bucket, REGION)


@pytest.fixture
def inbox(bucket: Bucket) -> S3Inbox:
    return S3Inbox(bucket)


@pytest.fixture
def lake(bucket: Bucket, tmp_path: Path) -> S3Lake:
    return S3Lake(bucket, home=str(tmp_path))


@pytest.fixture
def s3(ministack: LocalAws) -> Any:
    return ministack.client("s3")


@pytest.fixture
def proxy(ministack: LocalAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What the lake reaches S3 through from now on."""
    proxy = Proxy(ministack.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    yield proxy
    proxy.stop()


def staged(folder: Path, content: bytes = CONTENT) -> Path:
    file = folder / "staged"
    file.write_bytes(content)
    return file


def stream_of(inbox: S3Inbox, dump: DumpFile) -> io.BufferedReader:
    """A dump that is one file, opened."""
    stream = inbox.open_dump(dump)
    assert isinstance(stream, io.BufferedReader)
    return stream


def test_dumps_are_found_by_date_whatever_their_compression(bucket: Bucket, inbox: S3Inbox, s3: Any) -> None:
    for name in ("2026-11-02.sql.gz", "2026-11-01.sql", "2026-13-01.sql", "notes.txt"):
        s3.put_object(Bucket=bucket.name, Key=f"dumps/customer_1/{name}", Body=b"x")
    s3.put_object(Bucket=bucket.name, Key="dumps/customer_10/2026-11-09.sql", Body=b"x")
    assert list(inbox.dumps("customer_1")) == ["2026-11-01", "2026-11-02"]
    assert inbox.dumps("customer_1")["2026-11-02"].uri == f"s3://{bucket.name}/dumps/customer_1/2026-11-02.sql.gz"
    assert inbox.dumps("customer_2") == {}


def test_a_day_with_two_dumps_or_none_is_an_error(bucket: Bucket, inbox: S3Inbox, s3: Any) -> None:
    for name in ("2026-11-01.sql", "2026-11-01.sql.gz"):
        s3.put_object(Bucket=bucket.name, Key=f"dumps/customer_1/{name}", Body=b"x")
    s3.put_object(Bucket=bucket.name, Key="dumps/customer_2/2026-11-01.sql", Body=b"x")
    s3.put_object(Bucket=bucket.name, Key="dumps/customer_1/2026-11-02.sql", Body=b"x")
    dumps = inbox.dumps("customer_1")
    with pytest.raises(RecographError, match=r"Two dumps of customer_1 for 2026-11-01: s3://.*sql and s3://.*gz"):
        inbox.open_dump(dumps["2026-11-01"])
    with inbox.open_dump(dumps["2026-11-02"]):
        pass
    with pytest.raises(RecographError, match=r"expected s3://.*/2026-11-02.sql .*Days that exist: 2026-11-01"):
        dump_for(inbox, "customer_2", "2026-11-02")


def test_a_folder_is_a_dump_and_what_lies_beside_dumps_is_none(bucket: Bucket, inbox: S3Inbox, s3: Any) -> None:
    for name in (
        "2026-11-01/",
        "2026-11-01/metadata",
        "2026-11-01/below/a.sql",
        "2026-11-02.sql",
        "2026-11-02.sql.md5",
    ):
        s3.put_object(Bucket=bucket.name, Key=f"dumps/customer_1/{name}", Body=name.encode())
    for name in (
        "archive/2026-11-03.sql",
        "2026-11-04.sql/x",
        "2026-11-01.sha256",
        ".2026-11-05.sql",
        "2026-11-06.part",
    ):
        s3.put_object(Bucket=bucket.name, Key=f"dumps/customer_1/{name}", Body=b"x")
    dumps = inbox.dumps("customer_1")
    assert list(dumps) == ["2026-11-01", "2026-11-02"]
    with inbox.open_dump(dumps["2026-11-01"]) as folder:
        assert isinstance(folder, S3Folder)
        assert folder.files() == {"below/a.sql": 22, "metadata": 19}
        assert folder.open("below/a.sql").read() == b"2026-11-01/below/a.sql"
        before = folder.stamp()
        s3.put_object(Bucket=bucket.name, Key="dumps/customer_1/2026-11-01/metadata", Body=b"another")
        assert folder.stamp() != before
        with pytest.raises(RecographError, match=r"metadata was replaced while it was read"):
            folder.open("metadata")
    assert inbox.dumps("customer_1")["2026-11-01"].version != dumps["2026-11-01"].version
    with pytest.raises(RecographError, match=r"2026-11-01 was replaced while it was read. Run again"):
        inbox.open_dump(dumps["2026-11-01"])


def test_a_dump_is_read_from_any_place(bucket: Bucket, inbox: S3Inbox, s3: Any) -> None:
    s3.put_object(Bucket=bucket.name, Key="dumps/customer_1/2026-11-01.sql", Body=CONTENT)
    with inbox.open_dump(inbox.dumps("customer_1")["2026-11-01"]) as file:
        assert not isinstance(file, str | os.PathLike | Folder)
        for place in (5_000_000, 10, 10_239_990, 5_000_001):
            assert file.seek(place) == place
            assert file.read(20) == CONTENT[place : place + 20]
        assert file.seek(0, io.SEEK_END) == len(CONTENT)
        assert file.read(1) == b""


def test_a_folder_is_uploaded_with_what_says_that_it_is_whole_last(inbox: S3Inbox, tmp_path: Path) -> None:
    folder = tmp_path / "2026-11-01"
    (folder / "below").mkdir(parents=True)
    for name in ("metadata", "a.sql", "below/z.sql"):
        (folder / name).write_text(name)
    assert inbox.upload(folder, "customer_1")
    assert not inbox.upload(folder, "customer_1")
    (folder / "a.sql").write_text("changed")
    assert inbox.upload(folder, "customer_1")
    dump = inbox.dumps("customer_1")["2026-11-01"]
    assert (dump.is_folder, dump.size) == (True, 26)


def test_a_folder_is_landed_as_the_plain_dump_of_the_same_rows_is(inbox: S3Inbox, lake: S3Lake, tmp_path: Path) -> None:
    customer = Customer(id="customer_1", name="-", region="-", size="-", category="-")
    tables = {
        "core_user": ("`idst` int, `valid` tinyint(1), `userid` text", "(7,1,'José'),(8,0,NULL)"),
        "core_setting_user": ("`path_name` text, `id_user` int, `value` text", "('ui.language',7,'english')"),
        "unwanted": ("`a` int", "(1)"),
    }
    made = {name: f"CREATE TABLE `{name}` ({columns});\n" for name, (columns, _) in tables.items()}
    filled = {name: f"INSERT INTO `{name}` VALUES {values};\n" for name, (_, values) in tables.items()}
    plain = tmp_path / "2026-11-01.sql"
    statements = "".join(made[name] + filled[name] for name in tables)
    plain.write_text(f"-- MySQL dump 10.13\n{statements}-- Dump completed\n")
    folder = tmp_path / "2026-11-02"
    folder.mkdir()
    for name in tables:
        (folder / f"shop.{name}-schema.sql").write_text(made[name])
        (folder / f"shop.{name}.00000.sql").write_text(filled[name])
    (folder / "metadata").write_text("# Finished dump at: 2026-11-02 01:00:00\n")
    landings = []
    for path in (plain, folder):
        assert inbox.upload(path, "customer_1")
        dump = inbox.dumps("customer_1")[path.stem]
        landings.append(land(inbox, lake, dump, customer, ["core_user", "core_setting_user"]))
    filesystem, root = lake.filesystem()
    for table in ("core_user", "core_setting_user"):
        of_plain, of_folder = (
            pq.read_table(f"{root}{key}", filesystem=filesystem, partitioning=None)
            for key in lake.parquet(landing_folder("customer_1", table))
        )
        assert of_plain == of_folder
        assert of_plain.num_rows == landings[1].tables[table].rows > 0
    assert landings[0].warnings == []
    (warning,) = landings[1].warnings
    assert warning.startswith(f"{inbox.uri('customer_1', '2026-11-02')}: The dump's completeness can't be known")
    assert inbox.dumps("customer_1")["2026-11-02"].changed is not None


def test_a_replaced_dump_has_another_version_and_the_same_one_has_not(bucket: Bucket, inbox: S3Inbox, s3: Any) -> None:
    def version(content: bytes) -> str:
        s3.put_object(Bucket=bucket.name, Key="dumps/customer_1/2026-11-01.sql", Body=content)
        dump = inbox.dumps("customer_1")["2026-11-01"]
        assert inbox.stamp(dump) == dump.version
        return dump.version

    assert version(b"one") == version(b"one") != version(b"two")


def test_a_dump_is_uploaded_once(inbox: S3Inbox, tmp_path: Path) -> None:
    dump = tmp_path / "2026-11-01.sql"
    dump.write_bytes(CONTENT)
    assert inbox.upload(dump, "customer_1")
    assert not inbox.upload(dump, "customer_1")
    dump.write_bytes(b"another")
    assert inbox.upload(dump, "customer_1")
    with stream_of(inbox, inbox.dumps("customer_1")["2026-11-01"]) as stream:
        assert stream.read() == b"another"


def test_a_lost_connection_is_taken_up_where_it_was(bucket: Bucket, inbox: S3Inbox, s3: Any, proxy: Proxy) -> None:
    s3.put_object(Bucket=bucket.name, Key="dumps/customer_1/2026-11-01.sql", Body=CONTENT)
    dump = inbox.dumps("customer_1")["2026-11-01"]
    proxy.lose_after = 3_000_000
    with stream_of(inbox, dump) as stream:
        assert stream.read() == CONTENT
    assert proxy.lose_after is None  # it was lost


def test_a_dump_that_is_replaced_while_it_is_read_is_not_mixed(
    bucket: Bucket, inbox: S3Inbox, s3: Any, proxy: Proxy
) -> None:
    where = {"Bucket": bucket.name, "Key": "dumps/customer_1/2026-11-01.sql"}
    s3.put_object(**where, Body=CONTENT)
    dump = inbox.dumps("customer_1")["2026-11-01"]
    proxy.lose_after = 3_000_000
    with stream_of(inbox, dump) as stream:
        stream.read(1_000)
        s3.put_object(**where, Body=CONTENT[::-1])
        with pytest.raises(RecographError, match=r"2026-11-01\.sql was replaced while it was read. Run again\."):
            stream.read()


def test_publishing_replaces_a_file_whole(bucket: Bucket, lake: S3Lake, s3: Any, tmp_path: Path) -> None:
    assert lake.publish(staged(tmp_path), "landing/a/t/f.parquet") == len(CONTENT)
    assert lake.publish(staged(tmp_path, b"new"), "landing/a/t/f.parquet") == 3
    assert s3.get_object(Bucket=bucket.name, Key="landing/a/t/f.parquet")["Body"].read() == b"new"


def test_an_upload_that_breaks_leaves_what_was_there(
    bucket: Bucket, lake: S3Lake, s3: Any, proxy: Proxy, tmp_path: Path
) -> None:
    key = "landing/a/t/f.parquet"
    lake.publish(staged(tmp_path, b"old"), key)
    proxy.refuse = lambda method, path: "partNumber=2" in path
    with pytest.raises(
        RecographError, match=rf"s3://.*{key}: AccessDenied\. Access Denied\. Run with the pipeline's role"
    ):
        lake.publish(staged(tmp_path), key)
    assert s3.get_object(Bucket=bucket.name, Key=key)["Body"].read() == b"old"
    assert not s3.list_multipart_uploads(Bucket=bucket.name).get("Uploads")  # nothing to pay for either


def test_parquet_is_listed_without_what_engines_skip(bucket: Bucket, lake: S3Lake, s3: Any) -> None:
    for name in ("b.parquet", "a.parquet", "_SUCCESS.parquet", ".hidden.parquet", "readme.txt"):
        s3.put_object(Bucket=bucket.name, Key=f"landing/a/t/{name}", Body=b"")
    assert lake.parquet("landing/a/t/") == ["landing/a/t/a.parquet", "landing/a/t/b.parquet"]


@pytest.mark.aws
def test_a_prefix_is_deleted_whole(bucket: Bucket, lake: S3Lake, s3: Any) -> None:
    s3.put_object(Bucket=bucket.name, Key="landing/a/table/f.parquet", Body=b"")
    for number in range(1_001):  # more than a page, and than S3 deletes at once
        s3.put_object(Bucket=bucket.name, Key=f"landing/a/t/{number:04}.parquet", Body=b"")
    assert lake.delete("landing/a/t/") == 1_001
    assert lake.delete("landing/a/t/") == 0
    assert lake.parquet("landing/a/") == ["landing/a/table/f.parquet"]


def test_arrow_reads_where_boto3_wrote(lake: S3Lake, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2]}), tmp_path / "staged")
    lake.publish(tmp_path / "staged", "landing/a/t/f.parquet")
    filesystem, root = lake.filesystem()
    assert pq.read_table(f"{root}landing/a/t/f.parquet", filesystem=filesystem)["id"].to_pylist() == [1, 2]


def test_a_burst_of_throttling_is_waited_out(lake: S3Lake, proxy: Proxy, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2]}), tmp_path / "staged")
    proxy.busy = 2
    lake.publish(tmp_path / "staged", "landing/a/t/f.parquet")
    proxy.busy = 2
    assert lake.parquet("landing/a/t/") == ["landing/a/t/f.parquet"]
    filesystem, root = lake.filesystem()
    proxy.busy = 2
    assert pq.read_table(f"{root}landing/a/t/f.parquet", filesystem=filesystem)["id"].to_pylist() == [1, 2]
    assert not proxy.busy


def test_a_missing_bucket_and_a_server_that_is_not_there_are_named(
    inbox: S3Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = S3Inbox(Bucket("nobodys-bucket", REGION))
    with pytest.raises(RecographError, match=r"s3://nobodys-bucket/dumps/a/: NoSuchBucket\. .*Run `make deploy`"):
        nowhere.dumps("a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(aws, "RETRIES", Config(retries={"max_attempts": 1}))
    with pytest.raises(RecographError, match=r"s3://.*/dumps/a/: AWS can't be reached\."):
        inbox.dumps("a")


def test_stamps_notice_each_file_that_is_written_added_or_gone(bucket: Bucket, lake: S3Lake, s3: Any) -> None:
    for name in ("a", "b"):
        s3.put_object(Bucket=bucket.name, Key=f"marts/users/{name}.parquet", Body=name.encode())
    s3.put_object(Bucket=bucket.name, Key="marts/users_more/a.parquet", Body=b"a")
    before = lake.stamps("marts/users/")
    assert sorted(before) == ["marts/users/a.parquet", "marts/users/b.parquet"]
    assert lake.stamps("marts/users/") == before
    s3.put_object(Bucket=bucket.name, Key="marts/users/a.parquet", Body=b"c")
    s3.delete_object(Bucket=bucket.name, Key="marts/users/b.parquet")
    after = lake.stamps("marts/users/")
    assert list(after) == ["marts/users/a.parquet"]
    assert after["marts/users/a.parquet"] != before["marts/users/a.parquet"]
