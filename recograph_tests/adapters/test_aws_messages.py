"""What AWS and its libraries say becomes one sentence with what to do, from whichever of them it comes."""

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from recograph.adapters.aws.messages import advice, aws_explained
from recograph.errors import RecographError, UnavailableError


def refusal(code: str, message: str = "No.") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "what_to_do"),
    [
        (exceptions.NoCredentialsError(), r"Log in to AWS .*AWS_PROFILE.*AWS_ACCESS_KEY_ID"),
        (exceptions.PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"), "Log in to AWS"),
        (exceptions.ProfileNotFound(profile="work"), r"\(work\) could not be found\. Let AWS_PROFILE name one of"),
        (exceptions.SSOTokenLoadError(error_msg="Token for corp does not exist"), "`aws sso login`"),
        (exceptions.UnauthorizedSSOTokenError(), "`aws sso login`"),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="Token has expired"), "`aws sso login`"),
        (
            exceptions.CredentialRetrievalError(provider="custom-process", error_msg="exit 1"),
            "gets credentials from gave",
        ),
        (exceptions.NoRegionError(), "set AWS_REGION"),
        (exceptions.EndpointConnectionError(endpoint_url="https://s3.eu-west-1.amazonaws.com"), "Look at the network"),
        (exceptions.ConnectTimeoutError(endpoint_url="https://s3.amazonaws.com"), "Look at the network"),
        (exceptions.ReadTimeoutError(endpoint_url="https://s3.amazonaws.com"), "Look at the network"),
        (exceptions.ConnectionClosedError(endpoint_url="https://s3.amazonaws.com"), "Look at the network"),
        (refusal("ExpiredToken", "The provided token has expired."), "The login has run out"),
        (refusal("ExpiredTokenException"), "The login has run out"),
        (refusal("InvalidAccessKeyId"), "doesn't know these credentials"),
        (refusal("UnrecognizedClientException"), "doesn't know these credentials"),
        (refusal("SignatureDoesNotMatch"), "secret key isn't that of the access key"),
        (
            refusal("InvalidSignatureException", "The request signature we calculated does not match"),
            "secret key isn't",
        ),
        (refusal("RequestTimeTooSkewed"), "Set this machine's clock"),
        (
            refusal("InvalidSignatureException", "Signature expired: 1 is now earlier than 2"),
            "Set this machine's clock",
        ),
        (refusal("SignatureDoesNotMatch", "Signature not yet current: 2 is still later"), "Set this machine's clock"),
        (refusal("AccessDenied", "Access Denied"), "pipeline's role or policy"),
        (refusal("AccessDenied", "User is not authorized to perform: kms:Decrypt"), "A KMS key is needed"),
        (refusal("KMS.DisabledException"), "A KMS key is needed"),
        (refusal("AccessDeniedException", "Insufficient Lake Formation permission(s)"), "Lake Formation governs"),
        (
            refusal("InvalidObjectState", "The operation is not valid for the object's storage class"),
            "Glacier: restore",
        ),
        (refusal("PermanentRedirect"), "set AWS_REGION"),
        (refusal("AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong"), "set AWS_REGION"),
        (refusal("NoSuchBucket"), "Run `make deploy`, or correct RECOGRAPH_LAKE"),
        (
            OSError("When reading information for key 'k': AWS Error EXPIRED_TOKEN during GetObject"),
            "The login has run out",
        ),
        (OSError("When getting information for key 'k': AWS Error ACCESS_DENIED during HeadObject"), "pipeline's role"),
        (OSError("AWS Error NETWORK_CONNECTION during ListObjectsV2 operation: curlCode: 7"), "Look at the network"),
        (OSError("AWS Error INVALID_OBJECT_STATE during GetObject operation"), "Glacier: restore"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, Exception) else "",
)
def test_the_message_says_what_to_do(error: Exception, what_to_do: str) -> None:
    with (
        pytest.raises(RecographError, match=rf"(?s)^s3://bucket: .*{what_to_do}") as raised,
        aws_explained("s3://bucket"),
    ):
        raise error
    assert "\n" not in str(raised.value)
    # What no second try mends, such as a missing login, is told at once.
    assert isinstance(raised.value, UnavailableError) is (what_to_do == "Look at the network")


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "SlowDown", "TooManyRequestsException"])
def test_throttling_may_pass_by_itself(code: str) -> None:
    with pytest.raises(UnavailableError, match="asked too much at once, although"), aws_explained("Glue"):
        raise refusal(code, "Rate exceeded")


@pytest.mark.parametrize("error", [FileNotFoundError("k"), OSError(28, "No space left on device"), ValueError("x")])
def test_what_is_not_of_aws_is_left_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)), aws_explained("s3://bucket"):
        raise error


def test_a_message_of_dbt_gets_the_same_advice() -> None:
    said = "Runtime Error: An error occurred (ExpiredTokenException) when calling the StartQueryExecution operation"
    assert advice(said).startswith("The login has run out")
    assert advice("SYNTAX_ERROR: line 1:8: Column 'lesson_processor' cannot be resolved") == ""
