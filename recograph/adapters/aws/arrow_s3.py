"""S3 for Arrow, with boto3's credentials.

Arrow's own way to log in knows neither roles that a profile assumes nor single sign-on, and where it finds nothing it
asks unsigned. So it gets boto3's credentials, and gets them anew when boto3 has renewed them.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs as fs
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, ResponseStreamingError

from recograph.adapters.aws import clients
from recograph.adapters.aws.messages import aws_explained
from recograph.adapters.aws.read_only import ReadOnlyFile

_AWS_OWN = re.compile(r"https://s3\.([a-z0-9-]+\.)?amazonaws\.com(\.cn)?")


SHORT_BYTES = 1024**2
"""Up to this size a file is read by one request. Arrow would take three: for its size, its footer and its rows."""
LONG_BYTES = 1024**3
"""From this size on reading a file may take longer than its credentials are good for."""


class SignedS3(fs.FileSystemHandler):  # type: ignore[misc]
    """Reads what a bucket holds; it is written through boto3, whose uploads appear whole or not at all."""

    def __init__(self, region: str) -> None:
        """Make it for a region; nothing is asked yet."""
        self._region = region
        self._made: tuple[Any, fs.S3FileSystem] | None = None

    @property
    def filesystem(self) -> fs.S3FileSystem:
        """Arrow's own, made anew when the credentials are no longer those it was made with."""
        credentials = clients.credentials(self._region)
        if self._made is None or self._made[0] != credentials:
            endpoint = clients.client("s3", self._region).meta.endpoint_url
            filesystem = fs.S3FileSystem(
                access_key=credentials.access_key,
                secret_key=credentials.secret_key,
                session_token=credentials.token,
                region=self._region,
                scheme=urlsplit(endpoint).scheme,
                # With an endpoint Arrow no longer calls a bucket by its name in the address.
                endpoint_override=None if _AWS_OWN.fullmatch(endpoint) else urlsplit(endpoint).netloc,
            )
            self._made = (credentials, filesystem)
        return self._made[1]

    @contextmanager
    def explained(self, path: str) -> Iterator[fs.S3FileSystem]:
        """Arrow's file system; what goes wrong in the block is said in a sentence."""
        with aws_explained(f"s3://{path}"):
            try:
                yield self.filesystem
            except OSError as error:
                if "No response body" in str(error):
                    bucket, _, key = path.partition("/")
                    clients.ask_why(self._region, bucket, key)
                raise

    def get_type_name(self) -> str:
        """The name of this kind of file system."""
        return "s3"

    def normalize_path(self, path: str) -> str:
        """Keys are as they are."""
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        """What is at some paths."""
        with self.explained(paths[0]) as filesystem:
            files: list[fs.FileInfo] = filesystem.get_file_info(paths)
            return files

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        """What lies below a folder."""
        with self.explained(selector.base_dir) as filesystem:
            files: list[fs.FileInfo] = filesystem.get_file_info(selector)
            return files

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """A file, from its beginning on."""
        with self.explained(path) as filesystem:
            return filesystem.open_input_stream(path)

    def open_input_file(self, path: str) -> pa.NativeFile:
        """A file, at any place."""
        with self.explained(path) as filesystem:
            short = self._read_short(path)
            if short is not None:
                return pa.BufferReader(short)
            file = filesystem.open_input_file(path)
        return file if file.size() < LONG_BYTES else pa.PythonFile(_Renewed(self, path, file), mode="r")

    def _read_short(self, path: str) -> bytes | None:
        """All of a file that is short; None of a longer one, which Arrow reads part by part."""
        bucket, _, key = path.partition("/")
        try:
            answer = clients.client("s3", self._region).get_object(
                Bucket=bucket, Key=key, Range=f"bytes=-{SHORT_BYTES}"
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "NoSuchKey":
                raise FileNotFoundError(errno.ENOENT, "It isn't there", f"s3://{path}") from error
            if code == "InvalidRange":  # there is no last byte
                return b""
            raise
        with answer["Body"] as body:
            if answer["ContentRange"].split("/")[1] != str(answer["ContentLength"]):
                return None
            try:
                content: bytes = body.read()
            except (HTTPClientError, IncompleteReadError, ResponseStreamingError):
                return None  # Arrow asks anew
        return content

    def _read_only(self, *_: Any) -> Any:
        raise NotImplementedError

    create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = _read_only
    move = copy_file = open_output_stream = open_append_stream = _read_only


class _Renewed(ReadOnlyFile):
    """A file that is opened anew when the credentials are no longer those that it was opened with."""

    def __init__(self, handler: SignedS3, path: str, file: pa.NativeFile) -> None:
        super().__init__(file.size())
        self._handler, self._path, self._file = handler, path, file
        self._opened_by = handler.filesystem

    def read(self, size: int = -1, /) -> bytes:
        """Read up to so many bytes."""
        with self._handler.explained(self._path) as filesystem:
            if filesystem is not self._opened_by:
                self._file.close()
                self._file, self._opened_by = filesystem.open_input_file(self._path), filesystem
            size = self._size - self._place if size < 0 else size
            block: bytes = self._file.read_at(size, self._place)
        self._place += len(block)
        return block

    def close(self) -> None:
        """Close it."""
        self._file.close()
        super().close()


def signed_s3(region: str) -> fs.FileSystem:
    """A file system of Arrow over S3 that asks as boto3 would; paths begin with the bucket."""
    return fs.PyFileSystem(SignedS3(region))
