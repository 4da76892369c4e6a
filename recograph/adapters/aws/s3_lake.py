"""The lake in S3."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.fs as fs

from recograph.adapters.aws.arrow_s3 import signed_s3
from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.s3_staged import S3Staged
from recograph.errors import RecographError
from recograph.lake.layout import RESULTS, STAGED
from recograph.lake.staging import customer_locked, staging_folder


@dataclass(frozen=True)
class S3Lake:
    """A lake in an S3 bucket."""

    bucket: Bucket
    home: str
    """Local folder for files that are being written."""

    @property
    def folder(self) -> None:
        """See `Lake.folder`."""
        return

    def staging(self) -> AbstractContextManager[Path]:
        """See `Lake.staging`."""
        return staging_folder(self.home)

    @contextmanager
    def staged(self) -> Iterator[S3Staged]:
        """See `Lake.staged`."""
        prefix = f"{STAGED}{uuid.uuid4().hex}/"
        with self.staging() as folder:
            staged = S3Staged(self.bucket, prefix, folder)
            try:
                yield staged
            finally:
                try:
                    staged.give_up()
                finally:
                    if staged.has_sent:
                        self.delete(prefix)

    def locked(self, customer: str) -> AbstractContextManager[None]:
        """See `Lake.locked`."""
        return customer_locked(self.home, customer)

    @property
    def deletion_advice(self) -> str:
        """See `Lake.deletion_advice`."""
        return (
            "The bucket keeps old versions for some days (noncurrent_days in Terraform); `recograph aws purge` deletes "
            f"those of a customer now. What Athena wrote to answer queries, {self.uri(RESULTS)}, may have rows about "
            "people and expires by itself."
        )

    def old_versions(self, prefix: str) -> int:
        """See `Lake.old_versions`."""
        with self.bucket.explained(prefix):
            pages = self.bucket.client.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket.name, Prefix=prefix
            )
            return sum(not version["IsLatest"] for page in pages for version in page.get("Versions", []))

    def publish(self, file: Path, key: str) -> int:
        """See `Lake.publish`."""
        size = file.stat().st_size
        with self.bucket.explained(key), file.open("rb") as body:
            self.bucket.client.upload_fileobj(body, self.bucket.name, key)
        return size

    def parquet(self, prefix: str) -> list[str]:
        """See `Lake.parquet`."""
        keys = (item["Key"] for item in self.bucket.objects(prefix))
        names = ((key, key.rsplit("/", 1)[1]) for key in keys)
        # Athena gives the Parquet files that it writes no ending.
        return sorted(
            key
            for key, name in names
            if name and not name.startswith((".", "_")) and Path(name).suffix in ("", ".parquet")
        )

    def stamps(self, prefix: str) -> dict[str, str]:
        """See `Lake.stamps`."""
        items = self.bucket.objects(prefix)
        return {item["Key"]: f"{item['ETag']} {item['LastModified'].isoformat()}" for item in items}

    def delete(self, prefix: str) -> int:
        """See `Lake.delete`."""
        keys = [item["Key"] for item in self.bucket.objects(prefix)]
        self.delete_keys(keys)
        return len(keys)

    def delete_keys(self, keys: Sequence[str]) -> None:
        """Delete files that are known to be there, a thousand per request."""
        for start in range(0, len(keys), 1000):
            some = [{"Key": key} for key in keys[start : start + 1000]]
            with self.bucket.explained(keys[start]):
                answer = self.bucket.client.delete_objects(
                    Bucket=self.bucket.name, Delete={"Objects": some, "Quiet": True}
                )
            if errors := answer.get("Errors"):
                raise RecographError(f"{self.uri(errors[0]['Key'])} can't be deleted: {errors[0]['Message']}")

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """See `Lake.filesystem`."""
        return signed_s3(self.bucket.region), f"{self.bucket.name}/"

    def uri(self, key: str) -> str:
        """See `Lake.uri`."""
        return self.bucket.uri(key)
