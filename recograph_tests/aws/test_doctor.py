"""What `recograph doctor` says of a deployment, on the stand-in."""

from collections.abc import Callable

import pytest

from recograph.operating.doctor import diagnose
from recograph_tests.aws.stack import Deployment, LocalAws

pytestmark = pytest.mark.aws


def test_every_library_is_proved_by_a_read(athena: LocalAws, deploy: Callable[..., Deployment]) -> None:
    deployment = deploy("customer_1")
    findings = [finding for finding in diagnose(deployment.environ) if finding.check == "aws"]
    assert [finding.status for finding in findings] == ["ok"] * 6
    assert [finding.text.split(" ", 1)[1] for finding in findings[1:3]] == [
        "can be listed by boto3",
        "can be read by Arrow",
    ]
    assert findings[-1].text == "dbt can query, too"

    elsewhere = deployment.environ | {"RECOGRAPH_LAKE": "s3://somebody-elses"}
    *_, bucket = (finding for finding in diagnose(elsewhere) if finding.check == "aws")
    assert bucket.status == "problem"
    assert "NoSuchBucket" in bucket.text
    assert "correct RECOGRAPH_LAKE" in bucket.text
