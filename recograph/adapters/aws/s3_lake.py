"""The lake in S3, by boto3: it honours AWS_ENDPOINT_URL, and a multipart upload appears whole or not at all."""

import datetime
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow.fs as fs
from botocore.exceptions import ClientError

from recograph.adapters.aws.arrow_s3 import signed_s3
from recograph.adapters.aws.clients import client
from recograph.adapters.aws.messages import aws_explained
from recograph.adapters.aws.s3_folder import S3Folder
from recograph.adapters.aws.s3_stream import S3Stream
from recograph.dumps import LocalFolder, Openable
from recograph.errors import RecographError, UnavailableError
from recograph.lake.inbox import LAST_WRITTEN, by_date, date_of_dump
from recograph.lake.interfaces import DumpFile
from recograph.lake.staging import customer_locked, staging_folder

_HINTS = {"NoSuchKey": "It isn't there."}


@dataclass(frozen=True)
class S3Lake:
    """A lake in an S3 bucket; dumps lie below ``dumps/`` in it."""

    bucket: str
    region: str
    home: str
    """Local folder for files that are being written."""

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        """See `Lake.dumps`."""
        prefix = f"dumps/{customer}/"
        found = []
        for page in self._pages(prefix, Delimiter="/"):
            for item in page.get("Contents", []):
                if date := date_of_dump(item["Key"].removeprefix(prefix)):
                    uri = self.uri(item["Key"])
                    found.append(DumpFile(customer, date, uri, item["Size"], item["ETag"].strip('"')))
            for below in page.get("CommonPrefixes", []):
                key = below["Prefix"].removesuffix("/")
                if date := date_of_dump(key.removeprefix(prefix), is_folder=True):
                    folder = self._folder(key)
                    size = sum(folder.files().values())
                    found.append(DumpFile(customer, date, self.uri(key), size, folder.version(), is_folder=True))
        return by_date(found)

    def open_dump(self, dump: DumpFile) -> AbstractContextManager[Openable]:
        """See `Lake.open_dump`."""
        if dump.trouble:
            raise RecographError(dump.trouble)
        if dump.is_folder:
            folder = self._folder(self._key(dump.uri))
            if folder.version() != dump.version:
                raise UnavailableError(f"{dump.uri} was replaced while it was read. Run again.")
            return nullcontext(folder)
        stream = S3Stream(self._client, self.bucket, self._key(dump.uri), dump.version)
        return io.BufferedReader(stream, 1 << 20)

    def _folder(self, key: str) -> S3Folder:
        return S3Folder(self._client, self.bucket, key, lambda: self._objects(f"{key}/"))

    def staging(self) -> AbstractContextManager[Path]:
        """See `Lake.staging`."""
        return staging_folder(self.home)

    def locked(self, customer: str) -> AbstractContextManager[None]:
        """See `Lake.locked`."""
        return customer_locked(self.home, customer)

    def old_versions(self, prefix: str) -> int:
        """See `Lake.old_versions`."""
        with aws_explained(self.uri(prefix), _HINTS):
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
            return sum(not version["IsLatest"] for page in pages for version in page.get("Versions", []))

    def publish(self, file: Path, key: str) -> int:
        """See `Lake.publish`."""
        size = file.stat().st_size
        with aws_explained(self.uri(key), _HINTS), file.open("rb") as body:
            self._client.upload_fileobj(body, self.bucket, key)
        return size

    def publish_all(self, files: Mapping[str, Path]) -> dict[str, int]:
        """See `Lake.publish_all`."""
        return {key: self.publish(file, key) for key, file in files.items()}

    def upload_dump(self, path: Path, customer: str) -> bool:
        """Put a dump of this machine into the lake unless it is there already; returns whether anything was sent.

        Of a folder the files that say that it is whole come last.

        Raises:
            RecographError: a file can't be read, or the bucket can't be written.
        """
        if not path.is_dir():
            return self._upload(path, f"dumps/{customer}/{path.name}")
        files = [name for name, _ in LocalFolder(path, str(path)).look()]
        files.sort(key=lambda name: name in LAST_WRITTEN)
        sent = [self._upload(path / name, f"dumps/{customer}/{path.name}/{name}") for name in files]
        return any(sent)

    def _upload(self, file: Path, key: str) -> bool:
        try:
            with file.open("rb") as body:
                digest = hashlib.file_digest(body, "sha256").hexdigest()
                body.seek(0)
                with aws_explained(self.uri(key), _HINTS):
                    if self._digest(key) == digest:
                        return False
                    self._client.upload_fileobj(body, self.bucket, key, ExtraArgs={"Metadata": {"sha256": digest}})
        except OSError as error:
            raise RecographError(f"{file} can't be read: {error.strerror}.") from error
        return True

    def _digest(self, key: str) -> str | None:
        """The digest that `upload_dump` noted; None where the object isn't there, or came another way."""
        try:
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return None
            raise
        return cast(str | None, head["Metadata"].get("sha256"))

    def parquet(self, prefix: str) -> list[str]:
        """See `Lake.parquet`."""
        keys = (item["Key"] for item in self._objects(prefix))
        names = ((key, key.rsplit("/", 1)[1]) for key in keys)
        # Athena gives the Parquet files that it writes no ending.
        return sorted(
            key
            for key, name in names
            if name and not name.startswith((".", "_")) and Path(name).suffix in ("", ".parquet")
        )

    def modified(self, prefix: str) -> dict[str, datetime.datetime]:
        """When each object below a prefix was written, by key, and by address where it is a dump."""
        dumps = prefix.startswith("dumps/")
        return {self.uri(item["Key"]) if dumps else item["Key"]: item["LastModified"] for item in self._objects(prefix)}

    def delete(self, prefix: str) -> int:
        """See `Lake.delete`."""
        keys = [{"Key": item["Key"]} for item in self._objects(prefix)]
        for start in range(0, len(keys), 1000):
            with aws_explained(self.uri(prefix), _HINTS):
                answer = self._client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": keys[start : start + 1000], "Quiet": True}
                )
            if errors := answer.get("Errors"):
                raise RecographError(f"{self.uri(errors[0]['Key'])} can't be deleted: {errors[0]['Message']}")
        return len(keys)

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """See `Lake.filesystem`."""
        return signed_s3(self.region), f"{self.bucket}/"

    def uri(self, key: str) -> str:
        """See `Lake.uri`."""
        return f"s3://{self.bucket}/{key}"

    def _key(self, uri: str) -> str:
        return uri.removeprefix(f"s3://{self.bucket}/")

    @property
    def _client(self) -> Any:
        return client("s3", self.region)

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._pages(prefix):
            yield from page.get("Contents", [])

    def _pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        with aws_explained(self.uri(prefix), _HINTS):
            paginator = self._client.get_paginator("list_objects_v2")
            yield from paginator.paginate(Bucket=self.bucket, Prefix=prefix, **options)
