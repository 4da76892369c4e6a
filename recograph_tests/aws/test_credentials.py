"""Every usual way to log in works for boto3, Arrow, pyathena and dbt-athena alike; no request goes unsigned."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyathena
import pytest
from botocore.exceptions import ProfileNotFound
from botocore.tokens import SSOTokenProvider
from dbt.adapters.athena.connections import AthenaCredentials
from dbt.adapters.athena.session import get_boto3_session_from_credentials

from recograph.adapters.aws import arrow_s3, clients
from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.defs.failures import tried_again
from recograph.errors import RecographError
from recograph_tests.aws.identity import WAYS, Identity
from recograph_tests.aws.proxy import Proxy
from recograph_tests.aws.stack import REGION, Deployment, LocalAws

KEY = "landing/a/t/f.parquet"


@pytest.fixture
def identity() -> Iterator[Identity]:
    identity = Identity()
    yield identity
    identity.stop()


@pytest.fixture
def lake(deploy: Callable[..., Deployment], tmp_path: Path) -> S3Lake:
    """A lake with a Parquet file in it."""
    lake = S3Lake(Bucket(deploy().bucket, REGION), home=str(tmp_path))
    pq.write_table(pa.table({"id": [1, 2]}), tmp_path / "staged")
    lake.publish(tmp_path / "staged", KEY)
    return lake


@pytest.fixture
def proxy(ministack: LocalAws, lake: S3Lake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """AWS, which from now on refuses what isn't signed, and notes whose keys it was asked with."""
    proxy = Proxy(ministack.endpoint)
    proxy.refuse_unsigned = True
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ATHENA", "AWS_ENDPOINT_URL_GLUE"):
        monkeypatch.setenv(name, proxy.endpoint)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield proxy
    proxy.stop()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without a login."""
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    # Where botocore looks for the token of single sign-on is settled when it is imported.
    monkeypatch.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(home / ".aws" / "sso" / "cache"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / ".aws" / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / ".aws" / "credentials"))
    return home


def read_by_arrow(lake: S3Lake) -> list[int]:
    filesystem, root = lake.filesystem()
    ids: list[int] = pq.read_table(f"{root}{KEY}", filesystem=filesystem, partitioning=None)["id"].to_pylist()
    return ids


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_log_in_reads_by_every_library(
    way: str, identity: Identity, lake: S3Lake, proxy: Proxy, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in WAYS[way](identity, home).items():
        monkeypatch.setenv(name, value)

    def keys(read: Callable[[], object]) -> set[str]:
        proxy.keys.clear()
        read()
        return {re.sub(r"x\d+$", "", key) for key in proxy.keys}

    assert keys(lambda: lake.parquet("landing/")) == {way}
    assert keys(lambda: read_by_arrow(lake)) == {way}
    with pyathena.connect(
        session=clients.session(REGION), region_name=REGION, work_group="primary", s3_staging_dir="s3://x/"
    ) as connection:
        assert keys(lambda: connection.client.list_work_groups()) == {way}
    # dbt asks in a process of its own, by a session that it makes so.
    profile = AthenaCredentials(
        database="awsdatacatalog", schema="s", s3_staging_dir="s3://x/", region_name=REGION, work_group="primary"
    )
    by_dbt = get_boto3_session_from_credentials(profile)
    assert keys(lambda: by_dbt.client("s3").list_objects_v2(Bucket=lake.bucket.name)) == {way}


def test_credentials_are_renewed_in_a_run_longer_than_their_life(
    identity: Identity, lake: S3Lake, proxy: Proxy, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity.seconds = 60  # less than what botocore wants to be left, so that it renews them for each request
    for name, value in WAYS["ECS"](identity, home).items():
        monkeypatch.setenv(name, value)
    filesystem, root = lake.filesystem()  # kept by a reader for as long as the run takes
    for _ in range(2):
        proxy.keys.clear()
        with filesystem.open_input_file(f"{root}{KEY}") as file:
            assert pq.read_metadata(file).num_rows == 2
        assert proxy.keys[-1] == f"ECSx{identity.given}"
    for size in ("SHORT_BYTES", "LONG_BYTES"):
        monkeypatch.setattr(arrow_s3, size, 1)
    with filesystem.open_input_file(f"{root}{KEY}") as file:  # one that is read for longer than they are good for
        for _ in range(2):
            proxy.keys.clear()
            assert pq.ParquetFile(file).read()["id"].to_pylist() == [1, 2]
            assert proxy.keys[-1] == f"ECSx{identity.given}"


def test_without_a_login_nothing_is_asked_and_the_message_says_what_to_do(
    lake: S3Lake, proxy: Proxy, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for read in (lambda: lake.parquet("landing/"), lambda: read_by_arrow(lake)):
        with pytest.raises(RecographError, match=r"s3://.*: Unable to locate credentials\. Log in"):
            read()
    assert proxy.keys == []
    tries: list[str] = []

    def read_once_more() -> list[str]:
        tries.append("one")
        return lake.parquet("landing/")

    with pytest.raises(RecographError, match="Unable to locate credentials"):
        tried_again(logging.getLogger(), read_once_more, waits=(0.0,))
    assert tries == ["one"]  # a run says so at once
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(RecographError, match=r"\(nobody\) could not be found\. Let AWS_PROFILE name one of"):
        lake.parquet("landing/")
    with pytest.raises(ProfileNotFound):
        clients.session(REGION)
