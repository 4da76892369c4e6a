"""Files on their way to S3: small ones wait on this machine, large ones are sent while they are written.

What is sent lies at a hidden place of the bucket, where no table looks, until it is published by a copy that S3 itself
makes. So a day's landing needs little room here however large its dump is, and nothing shows before all is whole.
"""

import io
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow.fs as fs
from boto3.s3.transfer import TransferConfig

from recograph.adapters.aws.arrow_s3 import signed_s3
from recograph.adapters.aws.bucket import Bucket
from recograph.lake.staging import room_needed

PART_BYTES = 64 * 1024**2
"""Of a file so much waits here at most; S3 takes 10,000 parts, 640 GB of Parquet."""
_COPIES = TransferConfig(multipart_threshold=256 * 1024**2, multipart_chunksize=256 * 1024**2)


class _Upload(io.RawIOBase):
    """A file that is written once, from its beginning to its end."""

    def __init__(self, bucket: Bucket, key: str, path: Path) -> None:
        self.key = key
        self.path = path
        self.size = 0
        self._bucket = bucket
        self._file = path.open("w+b")
        self._id = ""
        self._is_whole = False
        self._parts: list[dict[str, Any]] = []

    @property
    def is_sent(self) -> bool:
        """Whether it lies in the bucket, and not on this machine."""
        return bool(self._id)

    def writable(self) -> bool:
        """Whether it can be written to: always, for it isn't read."""
        return True

    def tell(self) -> int:
        """How much was written."""
        return self.size

    def write(self, data: Any) -> int:
        """Write all of it; what fills a part is sent."""
        with room_needed(self.path.parent):
            written = self._file.write(data)
        self.size += written
        if self._file.tell() >= PART_BYTES:
            self._send()
        return written

    def close(self) -> None:
        """Finish it: what was begun to be sent is sent whole."""
        if self.closed:
            return
        super().close()
        with room_needed(self.path.parent):
            self._file.flush()
        if self._id:
            if self._file.tell():
                self._send()
            with self._bucket.explained(self.key):
                self._bucket.client.complete_multipart_upload(**self._where, MultipartUpload={"Parts": self._parts})
            self.path.unlink()
        self._file.close()
        self._is_whole = True

    def abort(self) -> None:
        """Give it up unless it is whole, and leave nothing of it."""
        if self._is_whole:
            return
        super().close()
        self._file.close()
        if self._id:
            with self._bucket.explained(self.key):
                self._bucket.client.abort_multipart_upload(**self._where)

    @property
    def _where(self) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self.key, "UploadId": self._id}

    def _send(self) -> None:
        client = self._bucket.client
        with self._bucket.explained(self.key):
            if not self._id:
                made = client.create_multipart_upload(Bucket=self._bucket.name, Key=self.key)
                self._id = made["UploadId"]
            self._file.seek(0)
            number = len(self._parts) + 1
            answer = client.upload_part(**self._where, PartNumber=number, Body=self._file)
        # S3 wants to be told again what it answered, checksums too.
        checksums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"], **checksums})
        self._file.seek(0)
        self._file.truncate()


class S3Staged:
    """See `Staged`."""

    def __init__(self, bucket: Bucket, prefix: str, folder: Path) -> None:
        """Nothing is written yet.

        Args:
            bucket: where to publish.
            prefix: of the keys of what is sent before it is published.
            folder: of this machine, for the rest.
        """
        self.folder = folder
        self._bucket = bucket
        self._prefix = prefix
        self._uploads: dict[str, _Upload] = {}

    def open(self, name: str) -> BinaryIO:
        """See `Staged.open`."""
        upload = self._uploads[name] = _Upload(self._bucket, f"{self._prefix}{name}", self.folder / name)
        return cast(BinaryIO, upload)

    def source(self, name: str) -> tuple[fs.FileSystem, str]:
        """See `Staged.source`."""
        upload = self._uploads[name]
        if upload.is_sent:
            return signed_s3(self._bucket.region), f"{self._bucket.name}/{upload.key}"
        return fs.LocalFileSystem(), str(upload.path)

    def remove(self, name: str) -> None:
        """See `Staged.remove`."""
        upload = self._uploads.pop(name)
        if upload.is_sent:
            with self._bucket.explained(upload.key):
                self._bucket.client.delete_object(Bucket=self._bucket.name, Key=upload.key)
        else:
            upload.path.unlink()

    def publish_all(self, names: Mapping[str, str]) -> dict[str, int]:
        """See `Staged.publish_all`."""
        client, bucket = self._bucket.client, self._bucket.name
        for key, name in names.items():
            upload = self._uploads[name]
            with self._bucket.explained(key):
                if upload.is_sent:
                    client.copy({"Bucket": bucket, "Key": upload.key}, bucket, key, Config=_COPIES)
                else:
                    client.upload_file(str(upload.path), bucket, key)
        return {key: self._uploads[name].size for key, name in names.items()}

    def give_up(self) -> None:
        """Leave nothing of what wasn't finished."""
        with ExitStack() as stack:  # each of them, also where another can't be
            for upload in self._uploads.values():
                stack.callback(upload.abort)

    @property
    def has_sent(self) -> bool:
        """Whether anything lies at the hidden place."""
        return any(upload.is_sent for upload in self._uploads.values())
