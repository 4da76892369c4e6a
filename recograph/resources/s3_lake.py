"""The lake in S3, by boto3: it honours AWS_ENDPOINT_URL, and a multipart upload appears whole or not at all."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import boto3
import dagster as dg
import pyarrow.fs as fs
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from recograph.errors import RecographError
from recograph.resources.lake import DumpFile, date_of_dump, newest_by_date, staging_folder

RETRIES = Config(retries={"max_attempts": 8, "mode": "adaptive"})


class S3Lake(dg.ConfigurableResource["S3Lake"]):
    """A lake in an S3 bucket; dumps lie below ``dumps/`` in it."""

    bucket: str
    region: str
    home: str
    """Local folder for files that are being written."""

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        """See `Lake.dumps`."""
        found = []
        for item in self._objects(f"dumps/{customer}/"):
            if date := date_of_dump(item["Key"].rsplit("/", 1)[1]):
                uri = self.uri(item["Key"])
                found.append(DumpFile(customer, date, uri, item["Size"], item["ETag"].strip('"')))
        return newest_by_date(found)

    def open_dump(self, dump: DumpFile) -> BinaryIO:
        """See `Lake.open_dump`."""
        with self._clear_errors(dump.uri):
            body = self._client.get_object(Bucket=self.bucket, Key=self._key(dump.uri))["Body"]
        return cast(BinaryIO, io.BufferedReader(body, 1 << 20))

    def staging(self) -> AbstractContextManager[Path]:
        """See `Lake.staging`."""
        return staging_folder(self.home)

    def publish(self, file: Path, key: str) -> int:
        """See `Lake.publish`."""
        size = file.stat().st_size
        with self._clear_errors(self.uri(key)):
            self._client.upload_file(str(file), self.bucket, key)
        return size

    def parquet(self, prefix: str) -> list[str]:
        """See `Lake.parquet`."""
        keys = (item["Key"] for item in self._objects(prefix))
        return sorted(
            key for key in keys if key.endswith(".parquet") and not key.rsplit("/", 1)[1].startswith((".", "_"))
        )

    def delete(self, prefix: str) -> int:
        """See `Lake.delete`."""
        keys = [{"Key": item["Key"]} for item in self._objects(prefix)]
        for start in range(0, len(keys), 1000):
            with self._clear_errors(self.uri(prefix)):
                answer = self._client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": keys[start : start + 1000], "Quiet": True}
                )
            if errors := answer.get("Errors"):
                raise RecographError(f"{self.uri(errors[0]['Key'])} can't be deleted: {errors[0]['Message']}")
        return len(keys)

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """See `Lake.filesystem`.

        The file system is made from an address, because only then does Arrow honour AWS_ENDPOINT_URL.
        """
        filesystem, path = fs.FileSystem.from_uri(f"s3://{self.bucket}?region={self.region}")
        return filesystem, f"{path}/"

    def uri(self, key: str) -> str:
        """See `Lake.uri`."""
        return f"s3://{self.bucket}/{key}"

    def _key(self, uri: str) -> str:
        return uri.removeprefix(f"s3://{self.bucket}/")

    @property
    def _client(self) -> Any:
        return boto3.client("s3", region_name=self.region, config=RETRIES)

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        with self._clear_errors(self.uri(prefix)):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                yield from page.get("Contents", [])

    @contextmanager
    def _clear_errors(self, uri: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            hint = {
                "NoSuchBucket": "The bucket doesn't exist: run `make deploy`, or correct RECOGRAPH_LAKE.",
                "AccessDenied": "Access is denied: run with the pipeline's role (terraform output).",
                "NoSuchKey": "It isn't there.",
            }.get(code, error.response["Error"].get("Message", ""))
            raise RecographError(f"{uri}: {code}. {hint}") from error
        except BotoCoreError as error:
            raise RecographError(f"{uri} can't be reached: {error}") from error
