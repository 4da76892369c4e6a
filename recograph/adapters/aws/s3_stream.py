"""Reads an object of S3 as a stream that survives a lost connection: it goes on where it was."""

import io
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, ResponseStreamingError

from recograph.adapters.aws.messages import explained
from recograph.errors import RecographError

_LOST = (HTTPClientError, IncompleteReadError, ResponseStreamingError, OSError)
_ATTEMPTS = 5


class S3Stream(io.RawIOBase):
    """One version of an object; a version that another has replaced meanwhile isn't gone on with."""

    def __init__(self, client: Any, bucket: str, key: str, version: str) -> None:
        """Open it.

        Args:
            client: boto3's client of S3.
            bucket: the bucket.
            key: the object's key.
            version: its entity tag.

        Raises:
            RecographError: it can't be read.
        """
        self._client = client
        self._what = {"Bucket": bucket, "Key": key, "IfMatch": version}
        self._uri = f"s3://{bucket}/{key}"
        self._place = 0
        self._open()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read up to the buffer's length; 0 at the end.

        Raises:
            RecographError: the connection is lost again and again, or the object was replaced.
        """
        view = memoryview(buffer)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                block = self._body.read(len(view))
                break
            except _LOST as error:
                if attempt == _ATTEMPTS:
                    raise RecographError(f"{self._uri}: the connection was lost {attempt} times: {error}") from error
                self._open()
        view[: len(block)] = block
        self._place += len(block)
        return len(block)

    def _open(self) -> None:
        rest = {"Range": f"bytes={self._place}-"} if self._place else {}
        with explained(self._uri, {"NoSuchKey": "It isn't there."}):
            try:
                self._body = self._client.get_object(**self._what, **rest)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "PreconditionFailed":
                    raise
                raise RecographError(f"{self._uri} was replaced while it was read. Run again.") from error
