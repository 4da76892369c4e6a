"""The steps of `make deploy` that follow Terraform, each alone; test_terraform.py runs them all."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from recograph.adapters.aws.glue_catalog import GlueCatalog
from recograph.adapters.aws.s3_inbox import S3Inbox
from recograph.cli import app
from recograph.errors import RecographError, UnavailableError
from recograph.lake.interfaces import DumpFile
from recograph.lake.landing import Landing
from recograph.operating.deployment import BadDump, Deployment
from recograph.settings import Settings
from recograph_tests.aws.proxy import Proxy
from recograph_tests.aws.stack import Deployment as Made
from recograph_tests.aws.stack import LocalAws


@pytest.fixture
def data(sample: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample, tmp_path / "data"))


@pytest.fixture
def made(deploy: Callable[..., Made], data: Path, tmp_path: Path) -> Made:
    return deploy("customer_1", "customer_2", "customer_3", data=data, home=tmp_path / "home")


@pytest.fixture
def deployment(made: Made) -> Deployment:
    return Deployment.open(Settings.from_env(made.environ), ["customer_1"])


def uploaded(deployment: Deployment) -> list[tuple[str, str, bool]]:
    """What is sent, or there already, where every dump is good."""
    return [sent for sent in deployment.upload() if not isinstance(sent, BadDump)]


def test_only_what_is_new_or_changed_is_uploaded(deployment: Deployment, data: Path) -> None:
    assert [sent[2] for sent in uploaded(deployment)] == [True, True]
    first, second = sorted((data / "customer_1").iterdir())
    first.write_bytes(second.read_bytes())
    assert [sent[2] for sent in uploaded(deployment)] == [True, False]


def test_a_second_dump_of_a_day_is_not_uploaded(deployment: Deployment, data: Path) -> None:
    list(deployment.upload())
    dump = min((data / "customer_1").iterdir())
    dump.rename(dump.with_name(f"{dump.name.split('.')[0]}.sql.zst"))
    refused, sent = deployment.upload()
    assert isinstance(refused, BadDump)
    assert re.search(r"would be a second dump of customer_1 for .* Delete one of them\.$", refused.reason)
    assert not isinstance(sent, BadDump)


def test_a_customers_bad_dump_keeps_no_other_from_being_sent(made: Made, data: Path) -> None:
    shutil.rmtree(data / "customer_2")
    (data / "customer_2").write_text("no folder")
    day = min((data / "customer_1").iterdir()).name.split(".")[0]
    (data / "customer_1" / f"{day}.dump").write_text("the same day again")
    ran = CliRunner().invoke(app, ["aws", "upload"])
    assert isinstance(ran.exception, RecographError)
    first, second = rf"Two dumps of customer_1 for {day}: .* Keep one\.", "customer_2 can't be read: Not a directory"
    assert re.match(rf"2 of the dumps couldn't be uploaded\. {first} .*{second}", str(ran.exception))
    assert "3 dumps uploaded, 0 were there." in ran.stdout


def test_a_lake_that_is_away_is_told_once_and_not_for_each_customer(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def away(_: S3Inbox, customer: str) -> dict[str, DumpFile]:
        asked.append(customer)
        raise UnavailableError("AWS can't be reached.")

    monkeypatch.setattr(S3Inbox, "dumps", away)
    for step in (deployment.upload, deployment.land):
        with pytest.raises(UnavailableError, match="AWS can't be reached"):
            list(step())
    assert asked == ["customer_1"] * 2


def test_days_are_landed_whole_or_only_the_given_one(deployment: Deployment) -> None:
    with pytest.raises(RecographError, match=r"No dump in s3://.*/dumps/: run `recograph aws upload` first\."):
        list(deployment.land())
    list(deployment.upload())
    day = max(deployment.inbox.dumps("customer_1"))
    (landing,) = deployment.land([day])
    assert isinstance(landing, Landing)
    assert landing.dump.date == day
    landed = deployment.lake.parquet("landing/")
    assert len(landed) == 8
    assert all(f"/snapshot_date={day}/" in key for key in landed)
    with pytest.raises(RecographError, match="No dump of 1999-01-01 in"):
        list(deployment.land(["1999-01-01"]))


def test_of_a_hundred_customers_the_one_that_is_named_is_all_that_is_touched(
    ministack: LocalAws, deploy: Callable[..., Made], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = yaml.safe_load((data / "customers.yaml").read_text())
    hundred = [listed["customers"][0] | {"id": f"customer_{number}"} for number in range(1, 101)]
    (data / "customers.yaml").write_text(yaml.safe_dump(listed | {"customers": hundred}))
    max((data / "customer_1").iterdir()).unlink()
    for customer in hundred[3:]:
        shutil.copytree(data / "customer_1", data / customer["id"])
    # Only this one's database is there, so that asking for another's would fail.
    environ = deploy("customer_77", data=data, home=tmp_path / "home").environ
    crawled: list[str] = []
    monkeypatch.setattr(GlueCatalog, "crawl", lambda _, customer: crawled.append(customer))
    proxy = Proxy(ministack.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    try:
        deployment = Deployment.open(Settings.from_env(environ), ["customer_77"])
        assert [sent[0] for sent in uploaded(deployment)] == ["customer_77"]
        (landing,) = deployment.land()
        assert isinstance(landing, Landing)
        assert [customer for customer, _ in deployment.crawl()] == crawled == ["customer_77"]
        databases = {table.database for table in deployment.tables()}
        assert databases == {
            f"{environ['RECOGRAPH_LANDING_DATABASE_PREFIX']}customer_77",
            deployment.settings.marts_database,
        }
    finally:
        proxy.stop()
    assert proxy.log
    assert [asked for asked in proxy.log if "/customer_77/" not in asked.key] == []


def test_a_bad_dump_is_told_at_the_end_and_keeps_no_other_from_landing(made: Made, data: Path) -> None:
    text = "-- MySQL dump 10.13\nCREATE TABLE `x` (`a` int);\n-- Dump completed\n"
    bad = min((data / "customer_1").iterdir())
    bad.unlink()
    day = bad.name.split(".")[0]
    bad.with_name(f"{day}.sql").write_text(text)
    runner = CliRunner()
    assert runner.invoke(app, ["aws", "upload"]).exit_code == 0
    landed = runner.invoke(app, ["aws", "land", "-c", "customer_1"])
    assert isinstance(landed.exception, RecographError)
    assert str(landed.exception).startswith("1 of the dumps couldn't be landed. s3://")
    assert f"/customer_1/{day}.sql: table core_user is missing" in str(landed.exception)
    assert "8 tables with" in landed.stdout
    lake = Deployment.open(Settings.from_env(made.environ)).lake
    assert not [key for key in lake.parquet("landing/customer_1/") if f"snapshot_date={day}" in key]


def test_what_is_landed_or_was_cleaned_away_is_not_landed_again(deployment: Deployment, data: Path) -> None:
    list(deployment.upload())
    first, second = deployment.inbox.dumps("customer_1")

    def landed(*dates: str) -> list[str]:
        days = []
        for landing in deployment.land(dates):
            assert isinstance(landing, Landing)
            days.append(landing.dump.date)
        return days

    assert landed() == [first, second]
    deployment.lake.publish(data / "customers.yaml", "landing/customer_1/readme.txt")
    assert landed() == []
    dump = deployment.settings.data / "customer_1" / deployment.inbox.dumps("customer_1")[second].uri.rsplit("/", 1)[1]
    dump.write_bytes(min((data / "customer_1").iterdir()).read_bytes())
    list(deployment.upload())
    assert landed() == [second]  # it was replaced
    for key in deployment.lake.parquet("landing/customer_1/"):
        if f"snapshot_date={first}" in key:
            deployment.lake.delete(key)
    assert landed() == []
    assert landed(first) == [first]  # asked for by name


def test_a_bucket_is_empty_only_without_old_versions(ministack: LocalAws, made: Made, deployment: Deployment) -> None:
    s3 = ministack.client("s3")
    s3.put_bucket_versioning(Bucket=made.bucket, VersioningConfiguration={"Status": "Enabled"})
    assert deployment.files() == 0
    s3.put_object(Bucket=made.bucket, Key="dumps/x", Body=b"")
    s3.delete_object(Bucket=made.bucket, Key="dumps/x")
    assert deployment.files() == 2  # the version, and the mark that it was deleted


def test_old_versions_of_a_customer_are_purged_and_nothing_else(ministack: LocalAws, made: Made) -> None:
    s3 = ministack.client("s3")
    s3.put_bucket_versioning(Bucket=made.bucket, VersioningConfiguration={"Status": "Enabled"})
    replaced, deleted = "landing/customer_1/t/f", "marts/users/customer=customer_1/snapshot_date=2026-11-01/f"
    others = "landing/customer_2/t/f"
    for key in (replaced, replaced, deleted, others, others):
        s3.put_object(Bucket=made.bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket=made.bucket, Key=deleted)
    purged = CliRunner().invoke(app, ["aws", "purge", "-c", "customer_1", "-y"])
    assert "customer_1: 3 old versions deleted." in purged.stdout
    listed = s3.list_object_versions(Bucket=made.bucket)
    assert sorted(version["Key"] for version in listed["Versions"]) == [replaced, others, others]
    assert not listed.get("DeleteMarkers")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["upload", "-c", "nobody"], "Customer 'nobody' isn't in customers.yaml"),
        (["tables"], "The catalog has no table yet: run `recograph aws land` and `recograph aws crawl`."),
    ],
)
def test_the_command_says_what_is_wrong(made: Made, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["aws", *arguments])
    assert isinstance(result.exception, RecographError)
    assert message in str(result.exception)


def test_an_installation_that_is_not_on_aws_is_told_how_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOGRAPH_LAKE", str(tmp_path))
    result = CliRunner().invoke(app, ["aws", "tables"])
    assert "isn't on AWS" in str(result.exception)
    assert "terraform output -raw env" in str(result.exception)


def test_a_lake_is_a_whole_bucket() -> None:
    with pytest.raises(RecographError, match="give a folder, or s3://BUCKET"):
        Settings.from_env({"RECOGRAPH_LAKE": "s3://bucket/prefix"})
