"""An S3 bucket, by boto3: it honours AWS_ENDPOINT_URL, and a multipart upload appears whole or not at all."""

import datetime
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from recograph.adapters.aws.clients import client
from recograph.adapters.aws.messages import aws_explained

_HINTS = {"NoSuchKey": "It isn't there."}


@dataclass(frozen=True)
class Bucket:
    """What inbox and lake need of the bucket in which both lie."""

    name: str
    region: str

    @property
    def client(self) -> Any:
        """boto3's client of S3."""
        return client("s3", self.region)

    def uri(self, key: str) -> str:
        """The address of a key."""
        return f"s3://{self.name}/{key}"

    def key(self, uri: str) -> str:
        """The key of an address."""
        return uri.removeprefix(self.uri(""))

    def explained(self, key: str) -> AbstractContextManager[None]:
        """What goes wrong in the block is said in a sentence that names the key.

        Raises:
            RecographError: S3 refuses, or can't be reached.
        """
        return aws_explained(self.uri(key), _HINTS)

    def objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Everything below a prefix."""
        for page in self.pages(prefix):
            yield from page.get("Contents", [])

    def pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        """S3's answers to the question what is below a prefix."""
        with self.explained(prefix):
            yield from self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, **options)

    def modified(self, prefix: str) -> dict[str, datetime.datetime]:
        """When each object below a prefix was written, by key."""
        return {item["Key"]: item["LastModified"] for item in self.objects(prefix)}
