"""Retention on S3, on the stand-in's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.s3_lake import S3Lake
from recograph_tests.aws.stack import REGION, Deployment
from recograph_tests.operating.test_retention import check_retention

pytestmark = pytest.mark.aws


def test_only_what_is_old_not_held_and_not_the_newest_goes(deploy: Callable[..., Deployment], tmp_path: Path) -> None:
    deployment = deploy("acme", "zeta")
    check_retention(S3Lake(Bucket(deployment.bucket, REGION), home=str(tmp_path)))
