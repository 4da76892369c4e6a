"""The one place where sessions, clients and credentials of AWS come from.

All that asks AWS in this process shares one session of boto3, so every way to log in that boto3 knows works for all of
it, and credentials are renewed for all of it when they run out.
"""

import os
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

# Adaptive: throttled calls are spread out instead of repeated at once.
RETRIES = Config(retries={"max_attempts": 6, "mode": "adaptive"})


def session(region: str) -> boto3.Session:
    """The session of this process.

    Raises:
        botocore.exceptions.BotoCoreError: the profile doesn't exist.
    """
    return _session(region, _environment())


def client(service: str, region: str) -> Any:
    """A client, shared by all threads: what is throttled for one of them is throttled for the others too."""
    return _client(service, region, _environment(), RETRIES)


def credentials(region: str) -> ReadOnlyCredentials:
    """Credentials that are good for some minutes at least.

    Raises:
        botocore.exceptions.BotoCoreError: there are none, or they can't be renewed.
    """
    login = session(region).get_credentials()
    if login is None:
        raise NoCredentialsError
    return login.get_frozen_credentials()


def ask_why(region: str, bucket: str, key: str) -> None:
    """Have S3 say why it refuses to tell of an object: whoever asks about one gets no reason, whoever reads one does.

    Raises:
        botocore.exceptions.ClientError: with the reason.
    """
    client("s3", region).get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()


def _environment() -> tuple[tuple[str, str], ...]:
    """What of the environment decides who asks whom."""
    return tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))


@lru_cache(maxsize=4)
def _session(region: str, environment: tuple[tuple[str, str], ...]) -> boto3.Session:  # noqa: ARG001 - part of the key
    return boto3.Session(region_name=region)


@lru_cache(maxsize=16)
def _client(service: str, region: str, environment: tuple[tuple[str, str], ...], config: Config) -> Any:
    made: Any = _session(region, environment).client  # typed by the name of each of its hundreds of services
    return made(service, config=config)
