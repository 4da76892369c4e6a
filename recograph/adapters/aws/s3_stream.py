"""Reads an object of S3 as a file that survives a lost connection: it goes on where it was, or anywhere else."""

from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, ResponseStreamingError

from recograph.adapters.aws.messages import aws_explained
from recograph.adapters.aws.read_only import ReadOnlyFile
from recograph.errors import RecographError, UnavailableError

_LOST = (HTTPClientError, IncompleteReadError, ResponseStreamingError, OSError)
_ATTEMPTS = 5


class S3Stream(ReadOnlyFile):
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
        super().__init__(0)
        self._at = 0
        self._size = self._open()

    def readinto(self, buffer: Any) -> int:
        """Read up to the buffer's length; 0 at the end.

        Raises:
            RecographError: the connection is lost again and again, or the object was replaced.
        """
        view = memoryview(buffer)
        if self._place >= self._size:
            return 0
        if self._place != self._at:
            self._body.close()
            self._open()
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
        self._at = self._place
        return len(block)

    def _open(self) -> int:
        """Ask for the object from the place on; gives how many bytes there are from there."""
        rest = {"Range": f"bytes={self._place}-"} if self._place else {}
        with aws_explained(self._uri, {"NoSuchKey": "It isn't there."}):
            try:
                answer = self._client.get_object(**self._what, **rest)
            except ClientError as error:
                if error.response["Error"]["Code"] != "PreconditionFailed":
                    raise
                raise UnavailableError(f"{self._uri} was replaced while it was read. Run again.") from error
        self._body, self._at = answer["Body"], self._place
        return int(answer["ContentLength"])
