"""Old versions of objects in the bucket: what was deleted or replaced stays for days, unless purged."""

from collections.abc import Iterator, Sequence
from typing import Any

from recograph.adapters.aws.clients import client
from recograph.adapters.aws.messages import aws_explained
from recograph.adapters.dbt_models import mart_columns
from recograph.errors import RecographError
from recograph.lake.layout import customer_folder, dumps_folder, mart_folder
from recograph.settings import Settings

_MOST_AT_ONCE = 1000
"""How many versions S3 lists, or deletes, in one call."""


def purge(settings: Settings, customer: str) -> int:
    """Delete every old version of a customer's dumps, landed tables and marts; current versions stay.

    Returns:
        the number of versions and deletion marks that were deleted.

    Raises:
        RecographError: S3 refuses.
    """
    bucket = settings.lake.removeprefix("s3://")
    s3 = client("s3", settings.region)
    prefixes = [dumps_folder(customer), customer_folder(customer)]
    prefixes += [mart_folder(mart, customer) for mart in mart_columns()]
    count = 0
    for prefix in prefixes:
        with aws_explained(f"s3://{bucket}/{prefix}"):
            old = list(_old_versions(s3, bucket, prefix))
            for start in range(0, len(old), _MOST_AT_ONCE):
                _delete(s3, bucket, old[start : start + _MOST_AT_ONCE])
        count += len(old)
    return count


def count_versions(settings: Settings) -> int:
    """How many objects the bucket has, old versions and deletion marks included; counting ends at 1000.

    Raises:
        RecographError: S3 refuses.
    """
    with aws_explained(settings.lake):
        bucket = settings.lake.removeprefix("s3://")
        answer = client("s3", settings.region).list_object_versions(Bucket=bucket, MaxKeys=_MOST_AT_ONCE)
    return len(answer.get("Versions", [])) + len(answer.get("DeleteMarkers", []))


def _old_versions(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, str]]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        replaced = [version for version in page.get("Versions", []) if not version["IsLatest"]]
        for item in [*replaced, *page.get("DeleteMarkers", [])]:
            yield {"Key": item["Key"], "VersionId": item["VersionId"]}


def _delete(s3: Any, bucket: str, versions: Sequence[dict[str, str]]) -> None:
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": list(versions), "Quiet": True})
    if errors := answer.get("Errors"):
        raise RecographError(
            f"An old version of s3://{bucket}/{errors[0]['Key']} can't be deleted: {errors[0]['Message']} "
            "Purge with a login that may delete versions (s3:DeleteObjectVersion), which the pipeline may not."
        )
