"""What AWS answers when it refuses, as boto3, Arrow and pyathena each pass it on: one sentence with what to do."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from recograph.adapters.aws.athena import AthenaWarehouse
from recograph.adapters.aws.bucket import Bucket
from recograph.adapters.aws.s3_inbox import S3Inbox
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.errors import RecographError
from recograph_tests.aws.stack import REGION

SKEWED = (
    403,
    b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is "
    b"too large.</Message><RequestTime>20261126T090000Z</RequestTime><ServerTime>2026-11-26T10:00:00Z</ServerTime>"
    b"<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds></Error>",
)
DISABLED = (
    400,
    b"<Error><Code>KMS.DisabledException</Code><Message>arn:aws:kms:us-east-1:111122223333:key/0a is disabled."
    b"</Message></Error>",
)
EXPIRED: dict[str, object] = {
    "__type": "InvalidSignatureException",
    "message": "Signature expired: 20261126T090000Z is now earlier than 20261126T095500Z (20261126T100000Z - 5 min.)",
}
FAILED: dict[str, object] = {
    "QueryExecution": {
        "QueryExecutionId": "q",
        "Query": "select 1",
        "Status": {
            "State": "FAILED",
            "StateChangeReason": "com.amazonaws.services.s3.model.AmazonS3Exception: "
            "arn:aws:kms:us-east-1:111122223333:key/0a is disabled. (Service: Amazon S3; Status Code: 400; Error Code: "
            "KMS.DisabledException)",
        },
    }
}


class Refusing:
    """An endpoint of all services that answers S3 in XML and the others in JSON; nothing is ever right."""

    def __init__(self) -> None:
        self.s3 = SKEWED
        self.others: Callable[[str], tuple[int, Mapping[str, object]]] = lambda operation: (400, EXPIRED)
        """Status and answer by the name of the operation."""
        refusing = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = refusing.s3
                if target := self.headers.get("X-Amz-Target"):
                    status, told = refusing.others(target.rpartition(".")[2])
                    body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = answer  # noqa: N815 - the names that the library wants

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusing]:
    """An AWS that refuses, to which this process is led."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    refusing = Refusing()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{refusing.server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield refusing
    refusing.server.shutdown()
    refusing.server.server_close()


@pytest.fixture
def reads(tmp_path: Path) -> dict[str, Callable[[], object]]:
    """A read by each library."""
    bucket = Bucket("lake", REGION)
    lake = S3Lake(bucket, home=str(tmp_path))
    filesystem, root = lake.filesystem()
    dump = tmp_path / "dump.sql"
    dump.write_text("-- a dump")
    athena = AthenaWarehouse(lake, REGION, "recograph", "s3://lake/athena-results/", "marts")
    return {
        "boto3": lambda: lake.parquet("landing/"),
        "boto3 about an object": lambda: S3Inbox(bucket).upload(dump, "a"),
        "Arrow": lambda: filesystem.open_input_stream(f"{root}landing/f.parquet"),
        "pyathena": lambda: athena.query("select 1"),
    }


LIBRARIES = ("boto3", "boto3 about an object", "Arrow", "pyathena")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_clock_that_is_wrong(aws: Refusing, reads: dict[str, Callable[[], object]], library: str) -> None:
    with pytest.raises(RecographError, match=r"Set this machine's clock: AWS refuses requests from another time\.$"):
        reads[library]()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_key_that_is_disabled(aws: Refusing, reads: dict[str, Callable[[], object]], library: str) -> None:
    aws.s3 = DISABLED
    aws.others = lambda operation: (200, FAILED if operation == "GetQueryExecution" else {"QueryExecutionId": "q"})
    with pytest.raises(RecographError, match=r"A KMS key is needed: .* see that it is enabled\.$"):
        reads[library]()
