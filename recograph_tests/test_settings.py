"""Settings come from the environment: what can't be used is one sentence that names the variable."""

from pathlib import Path

import pytest

from recograph.errors import RecographError
from recograph.settings import Settings


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "RECOGRAPH_LAKE",
            "gs://lake",
            "RECOGRAPH_LAKE is 'gs://lake': give a folder, or s3://BUCKET for a lake on AWS.",
        ),
        ("RECOGRAPH_LAKE", "s3://lake/below", "RECOGRAPH_LAKE is 's3://lake/below': give a folder, or s3://BUCKET"),
        ("RECOGRAPH_TIMEZONE", "Mars/Base", "RECOGRAPH_TIMEZONE is 'Mars/Base': give a name such as Europe/London."),
        ("RECOGRAPH_SCHEDULE_TIME", "25:00", "RECOGRAPH_SCHEDULE_TIME is '25:00': give HH:MM, such as 05:00."),
        ("RECOGRAPH_KEEP_DAYS", "soon", "RECOGRAPH_KEEP_DAYS is 'soon': "),
        ("RECOGRAPH_HOME", "/why?", "RECOGRAPH_HOME is '/why?': give a folder without ? and % in its path, which"),
    ],
)
def test_what_cant_be_used_is_named(variable: str, value: str, said: str) -> None:
    with pytest.raises(RecographError) as refused:
        Settings.from_env({variable: value})
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_default_that_cant_be_used_is_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "100%" / "data").mkdir(parents=True)
    (tmp_path / "100%" / "data" / "customers.yaml").touch()
    monkeypatch.chdir(tmp_path / "100%")
    with pytest.raises(RecographError, match=r"RECOGRAPH_HOME is '.*/100%/\.recograph': give a folder without"):
        Settings.from_env({})


def test_a_lake_is_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert not Settings.from_env({"RECOGRAPH_LAKE": f"{tmp_path}/"}).on_aws
    assert Settings.from_env({"RECOGRAPH_LAKE": f"{tmp_path}/"}).lake == str(tmp_path)
    assert Settings.from_env({"RECOGRAPH_HOME": str(tmp_path), "RECOGRAPH_LAKE": ""}).lake == str(tmp_path / "lake")
    on_aws = Settings.from_env({"RECOGRAPH_LAKE": "s3://lake/", "AWS_DEFAULT_REGION": "eu-west-2"})
    assert on_aws.on_aws
    assert (on_aws.lake, on_aws.region) == ("s3://lake", "eu-west-2")
    assert Settings.from_env({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}).region == "eu-west-1"


def test_the_time_of_the_schedule_is_a_cron_expression() -> None:
    assert Settings.from_env({"RECOGRAPH_SCHEDULE_TIME": "06:30"}).schedule_cron == "30 6 * * *"
