"""A dump in S3 that is a folder: all objects below a prefix."""

import datetime
import io
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, BinaryIO, cast

from recograph.adapters.aws.s3_stream import S3Stream
from recograph.lake.inbox import version_of


class S3Folder:
    """The objects below a key, as they were when they were first listed; see `recograph.dumps.Folder`."""

    is_random = True

    def __init__(self, client: Any, bucket: str, key: str, listing: Callable[[], Iterable[dict[str, Any]]]) -> None:
        """Nothing is listed yet.

        Args:
            client: boto3's client of S3.
            bucket: the bucket.
            key: the folder's key, without a slash at its end.
            listing: lists the objects below it.
        """
        self._client, self._bucket, self._prefix = client, bucket, f"{key}/"
        self._listing = listing
        self.name = f"s3://{bucket}/{key}"

    @cached_property
    def _items(self) -> dict[str, dict[str, Any]]:
        return _by_path(self._listing(), self._prefix)

    @cached_property
    def _objects(self) -> dict[str, tuple[int, str]]:
        return _tagged(self._items)

    def version(self) -> str:
        """Changes when an object is replaced, added or taken away."""
        return version_of(f"{path} {size} {tag}" for path, (size, tag) in sorted(self._objects.items()))

    def changed(self) -> datetime.datetime | None:
        """When the last object came."""
        return max((item["LastModified"] for item in self._items.values()), default=None)

    def files(self) -> dict[str, int]:
        """See `Folder.files`."""
        return {path: size for path, (size, _) in self._objects.items()}

    def stamp(self) -> object:
        """See `Folder.stamp`."""
        return _tagged(_by_path(self._listing(), self._prefix))

    def open(self, path: str) -> BinaryIO:
        """See `Folder.open`."""
        stream = S3Stream(self._client, self._bucket, self._prefix + path, self._objects[path][1])
        return cast(BinaryIO, io.BufferedReader(stream, 1 << 20))


def _by_path(listed: Iterable[dict[str, Any]], prefix: str) -> dict[str, dict[str, Any]]:
    """What S3 says of every object, by its path below a prefix."""
    items = ((item["Key"].removeprefix(prefix), item) for item in listed)
    return {path: item for path, item in items if path and path[-1] != "/"}


def _tagged(items: dict[str, dict[str, Any]]) -> dict[str, tuple[int, str]]:
    """Size and entity tag of every object by its path."""
    return {path: (item["Size"], item["ETag"].strip('"')) for path, item in items.items()}
