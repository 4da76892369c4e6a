"""The inbox in S3: ``dumps/CUSTOMER/`` of the bucket in which the lake is, too."""

import datetime
import hashlib
import io
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from botocore.exceptions import ClientError

from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.clients import ask_why
from recograph.adapters.aws.s3_folder import S3Folder
from recograph.adapters.aws.s3_stream import S3Stream
from recograph.dumps import LocalFolder, Openable
from recograph.errors import RecographError, UnavailableError
from recograph.lake.inbox import LAST_WRITTEN, by_date, date_of_dump
from recograph.lake.interfaces import DumpFile
from recograph.lake.layout import dumps_folder


@dataclass(frozen=True)
class S3Inbox:
    """Dumps in an S3 bucket."""

    bucket: Bucket

    @property
    def folder(self) -> None:
        """See `Inbox.folder`."""
        return

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        """See `Inbox.dumps`."""
        prefix = dumps_folder(customer)
        dumps = []
        for page in self.bucket.pages(prefix, Delimiter="/"):
            for item in page.get("Contents", []):
                if date := date_of_dump(item["Key"].removeprefix(prefix)):
                    uri = self.bucket.uri(item["Key"])
                    dumps.append(DumpFile(customer, date, uri, item["Size"], item["ETag"].strip('"')))
            for below in page.get("CommonPrefixes", []):
                key = below["Prefix"].removesuffix("/")
                if date := date_of_dump(key.removeprefix(prefix), is_folder=True):
                    folder = self._folder(key)
                    uri, size = self.bucket.uri(key), sum(folder.files().values())
                    version, changed = folder.version(), folder.changed()
                    dumps.append(DumpFile(customer, date, uri, size, version, is_folder=True, changed=changed))
        return by_date(dumps)

    def open_dump(self, dump: DumpFile) -> AbstractContextManager[Openable]:
        """See `Inbox.open_dump`."""
        if dump.trouble:
            raise RecographError(dump.trouble)
        if dump.is_folder:
            folder = self._folder(self.bucket.key(dump.uri))
            if folder.version() != dump.version:
                raise UnavailableError(f"{dump.uri} was replaced while it was read. Run again.")
            return nullcontext(folder)
        stream = S3Stream(self.bucket.client, self.bucket.name, self.bucket.key(dump.uri), dump.version)
        return io.BufferedReader(stream, 1 << 20)

    def stamp(self, dump: DumpFile) -> str:
        """See `Inbox.stamp`: entity tags say it."""
        return dump.version

    def uri(self, customer: str = "", name: str = "") -> str:
        """See `Inbox.uri`."""
        return self.bucket.uri(f"{dumps_folder(customer)}{name}")

    def modified(self, customer: str) -> dict[str, datetime.datetime]:
        """When each object of a customer's dumps was written, by address."""
        return {self.bucket.uri(key): time for key, time in self.bucket.modified(dumps_folder(customer)).items()}

    def upload(self, path: Path, customer: str) -> bool:
        """Put a dump of this machine into the inbox unless it is there already; returns whether anything was sent.

        Of a folder the files that say that it is whole come last.

        Raises:
            RecographError: a file can't be read, or the bucket can't be written.
        """
        if not path.is_dir():
            return self._upload(path, f"{dumps_folder(customer)}{path.name}")
        files = [name for name, _ in LocalFolder(path, str(path)).look()]
        files.sort(key=lambda name: name in LAST_WRITTEN)
        sent = [self._upload(path / name, f"{dumps_folder(customer)}{path.name}/{name}") for name in files]
        return any(sent)

    def _upload(self, file: Path, key: str) -> bool:
        try:
            with file.open("rb") as body:
                digest = hashlib.file_digest(body, "sha256").hexdigest()
                body.seek(0)
                with self.bucket.explained(key):
                    if self._digest(key) == digest:
                        return False
                    self.bucket.client.upload_fileobj(
                        body, self.bucket.name, key, ExtraArgs={"Metadata": {"sha256": digest}}
                    )
        except OSError as error:
            raise RecographError(f"{file} can't be read: {error.strerror}.") from error
        return True

    def _digest(self, key: str) -> str | None:
        """The digest that `upload` noted; None where the object isn't there, or came another way."""
        try:
            head = self.bucket.client.head_object(Bucket=self.bucket.name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return None
            ask_why(self.bucket.region, self.bucket.name, key)
            raise
        return cast(str | None, head["Metadata"].get("sha256"))

    def _folder(self, key: str) -> S3Folder:
        return S3Folder(self.bucket.client, self.bucket.name, key, lambda: self.bucket.objects(f"{key}/"))
