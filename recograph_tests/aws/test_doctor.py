"""What `recograph doctor` says of a deployment, on the stand-in."""

from collections.abc import Callable

import pytest

from recograph.operating.doctor import diagnose
from recograph_tests.aws.stack import Deployment

pytestmark = pytest.mark.aws


def test_credentials_and_bucket_are_checked(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy("customer_1")
    found = [finding for finding in diagnose(deployment.environ) if finding.check == "aws"]
    assert [finding.status for finding in found] == ["ok", "ok"]
    assert f"s3://{deployment.bucket} can be listed" in found[1].text

    elsewhere = deployment.environ | {"RECOGRAPH_LAKE": "s3://somebody-elses"}
    *_, bucket = (finding for finding in diagnose(elsewhere) if finding.check == "aws")
    assert bucket.status == "problem"
    assert "NoSuchBucket" in bucket.text
    assert "correct RECOGRAPH_LAKE" in bucket.text
