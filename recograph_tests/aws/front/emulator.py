"""Calls to the emulator behind the front."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import boto3

ACCOUNT = "000000000000"
_ACCESS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def client(service: str, endpoint: str, region: str, **options: Any) -> Any:
    """A boto3 client of a service at an address of the stand-in."""
    make: Any = boto3.client  # typed by the name of each of its hundreds of services
    return make(service, endpoint_url=endpoint, region_name=region, **_ACCESS, **options)


class Emulator:
    """The emulator of AWS: whole requests are passed on to it, and boto3 clients talk to it."""

    def __init__(self, endpoint: str, region: str) -> None:
        self.endpoint = endpoint
        self.region = region
        self.s3 = client("s3", endpoint, region)
        self.glue = client("glue", endpoint, region)

    def call(self, target: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any]:
        """Send one request of the JSON 1.1 protocol; returns status and body."""
        request = urllib.request.Request(
            self.endpoint,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target, **headers},
        )
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def files(self, location: str) -> list[str]:
        """The addresses of the files with something in them below an ``s3://`` location."""
        bucket, prefix = split_location(location)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix.rstrip("/") + "/")
        return [f"s3://{bucket}/{file['Key']}" for page in pages for file in page.get("Contents", []) if file["Size"]]

    def write(self, location: str, text: str) -> None:
        """Write a text file."""
        bucket, key = split_location(location)
        self.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())


def split_location(location: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` location."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key
