"""What AWS and the libraries that talk to it say, as one sentence with what to do.

boto3, pyathena, dbt-athena and Arrow each word the same trouble in their own way; what they have in common are AWS's
error codes and a few phrases, and these are what is looked for.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from recograph.errors import RecographError, UnavailableError

_ADVICE = (
    ("Lake Formation", "Lake Formation governs the catalog: grant the role what docs/aws.md lists under Permissions."),
    (
        "KMS|kms:",
        "A KMS key is needed: let the role use it (kms_key_arn in Terraform, and the key's own policy), and see that "
        "it is enabled.",
    ),
    (
        "InvalidObjectState|INVALID_OBJECT_STATE",
        "The object is archived in Glacier: restore it, and exempt its prefix from the rule that archived it.",
    ),
    (
        "Expired ?Token|EXPIRED_TOKEN|token (included in the request is|has) expired|TokenRefreshRequired",
        "The login has run out: log in to AWS again (such as `aws sso login`).",
    ),
    (r"\b(SSO|sso)", "Log in to AWS again: `aws sso login`, with --profile where AWS_PROFILE is set."),
    ("config profile", "Let AWS_PROFILE name one of the profiles that `aws configure list-profiles` prints."),
    (
        "locate credentials|NoCredentials|[Pp]artial credentials",
        "Log in to AWS (such as `aws sso login`), let AWS_PROFILE name a profile, or set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY.",
    ),
    (
        "[Rr]etrieving (credentials|metadata)",
        "Where AWS_PROFILE or this machine gets credentials from gave none: correct it, or log in again.",
    ),
    (
        "InvalidAccessKeyId|INVALID_ACCESS_KEY|UnrecognizedClient|INVALID_CLIENT_TOKEN|InvalidClientTokenId"
        "|token included in the request is invalid",
        "AWS doesn't know these credentials: log in again, or name another AWS_PROFILE.",
    ),
    (
        "TimeTooSkewed|SKEWED|Signature (not yet current|expired)",
        "Set this machine's clock: AWS refuses requests from another time.",
    ),
    (
        "Signature ?Does ?Not ?Match|SIGNATURE_DOES_NOT|InvalidSignature",
        "The secret key isn't that of the access key: log in again.",
    ),
    (
        "PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocation|must specify a region|HTTP status 301"
        "|MOVED_PERMANENTLY|Invalid ?Region",
        "The bucket is in another region: set AWS_REGION to the one that it was deployed to.",
    ),
    (
        "SlowDown|SLOW_DOWN|Throttl|THROTTL|TooManyRequests|RequestLimitExceeded|Rate exceeded",
        "AWS is asked too much at once, although it was tried again and again: run again later, or fewer runs at once.",
    ),
    (
        "Access ?Denied|ACCESS_DENIED|not authorized|Forbidden|HTTP status 403",
        "Run with the pipeline's role or policy (terraform output pipeline_role_arn).",
    ),
    ("NoSuchBucket|NO_SUCH_BUCKET", "Run `make deploy`, or correct RECOGRAPH_LAKE."),
    (
        "[Cc]ould not connect|[Cc]onnect(ion)? (time|was closed)|NETWORK_CONNECTION|curlCode|resolve host"
        "|Read timeout|service not known|SSL validation",
        "Look at the network, the proxy and AWS_REGION, and run again.",
    ),
)
"""What to do, by a pattern of what is said; the first that is found counts."""

_UNREACHED = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
"""What botocore raises when the network or the other end fails, and not the settings of this machine."""

_PASSING = "Throttl|SlowDown|TooManyRequests|RequestLimitExceeded|InternalError|InternalServ|ServiceUnavailable|^50"
"""Codes of what may succeed without anybody's help."""
_PASSING_ARROW = "NETWORK_CONNECTION|SLOW_DOWN|THROTTLING|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|curlCode"
"""How Arrow says the same."""


def advice(text: str) -> str:
    """What to do about a message of AWS or of a library that talks to it; empty where nothing is known."""
    return next((what for pattern, what in _ADVICE if re.search(pattern, text)), "")


def is_of_aws(error: BaseException) -> bool:
    """Whether Arrow raised this because of what S3 answered, or didn't."""
    return isinstance(error, OSError) and "AWS Error" in str(error)


@contextmanager
def aws_explained(what: str, hints: Mapping[str, str] = {}) -> Iterator[None]:
    """Turn what boto3 and Arrow raise into one sentence about `what`, with what to do.

    Args:
        what: what was asked for, to begin the message with.
        hints: what to do by AWS's error code, where that is more than what always holds.

    Raises:
        RecographError: the call failed.
    """
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        kind = UnavailableError if re.search(_PASSING, code) else RecographError
        raise kind(sentence(what, f"{code}. {message}", hints.get(code))) from error
    except _UNREACHED as error:
        raise UnavailableError(sentence(what, f"AWS can't be reached. {error}")) from error
    except BotoCoreError as error:  # such as a missing login, which no second try finds
        raise RecographError(sentence(what, str(error))) from error
    except OSError as error:
        if not is_of_aws(error):
            raise
        kind = UnavailableError if re.search(_PASSING_ARROW, str(error)) else RecographError
        raise kind(sentence(what, str(error))) from error


def sentence(what: str, text: str, hint: str | None = None) -> str:
    """A message about `what`, with what to do."""
    text = " ".join(text.split()).rstrip(".")
    return f"{what}: {text}. {hint or advice(text)}".strip()
