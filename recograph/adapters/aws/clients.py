"""What the resources on AWS share: clients that try again, and errors that say what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from recograph.errors import RecographError, UnavailableError

# Adaptive: throttled calls are spread out instead of repeated at once.
RETRIES = Config(retries={"max_attempts": 6, "mode": "adaptive"})

_LOGIN = "Log in to AWS again (such as `aws sso login`), or name another AWS_PROFILE."
_HINTS = {
    "AccessDenied": "Run with the pipeline's role or policy (terraform output pipeline_role_arn).",
    "AccessDeniedException": "Run with the pipeline's role or policy (terraform output pipeline_role_arn).",
    "ExpiredToken": _LOGIN,
    "ExpiredTokenException": _LOGIN,
    "InvalidAccessKeyId": _LOGIN,
    "UnrecognizedClientException": _LOGIN,
}


def client(service: str, region: str) -> Any:
    """A boto3 client; AWS_ENDPOINT_URL and its like lead it elsewhere."""
    make: Any = boto3.client  # typed by the name of each of its hundreds of services
    return make(service, region_name=region, config=RETRIES)


@contextmanager
def explained(what: str, hints: Mapping[str, str] = {}) -> Iterator[None]:
    """Turn what boto3 raises into one sentence about `what`, with what to do.

    Args:
        what: what was asked for, to begin the message with.
        hints: what to do by AWS's error code, besides what always holds.

    Raises:
        RecographError: the call failed.
    """
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        hint = hints.get(code) or _HINTS.get(code) or ""
        raise RecographError(" ".join(f"{what}: {code}. {message} {hint}".split())) from error
    except BotoCoreError as error:
        raise UnavailableError(f"{what}: AWS can't be reached. {error}") from error
