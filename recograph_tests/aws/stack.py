"""A stand-in of AWS on this machine: ministack for S3, Glue, IAM and more, Trino as Athena's engine.

Nothing in the project knows of it: it is reached through the environment that boto3, pyathena, dbt-athena, Arrow and
Terraform read anyway.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recograph_tests.aws.front.emulator import client
from recograph_tests.aws.front.server import Front
from recograph_tests.aws.processes import ServerProcess, answers, free_port
from recograph_tests.aws.proxy import Proxy
from recograph_tests.aws.trino import Trino

REGION = "us-east-1"


@dataclass(frozen=True)
class Deployment:
    """What Terraform makes for an installation, made directly: the bucket, databases, crawlers and a workgroup."""

    bucket: str
    environ: dict[str, str] = field(repr=False)
    """What `terraform output -raw env` says, and where the stand-in is: all that a process needs to run on it."""


class LocalAws:
    """The stand-in, running; S3 and Glue at once, Athena once `start_athena` was called."""

    def __init__(self, folder: Path) -> None:
        """Start ministack and the front.

        Raises:
            RuntimeError: ministack doesn't start.
        """
        self._folder = folder
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "LOG_LEVEL": "WARNING",
            "PERSIST_STATE": "0",
            "S3_PERSIST": "0",
            "S3_DATA_DIR": str(folder / "s3"),
            "STATE_DIR": str(folder / "state"),
        }
        ministack = Path(sys.executable).with_name("ministack")
        self._ministack = ServerProcess(
            "ministack", [str(ministack)], {**without_aws(os.environ), **settings}, folder / "ministack.log"
        )
        self._ministack.wait(lambda: answers(f"{self.endpoint}/_ministack/health"))
        self._front = Front(self.endpoint, REGION)
        self._trino: Trino | None = None
        self._engines_s3: Proxy | None = None

    def start_athena(self) -> None:
        """Start the engine, so that Athena takes queries.

        Raises:
            NotInstallableError: Trino can't be fetched.
            RuntimeError: Trino doesn't start.
        """
        self._engines_s3 = Proxy(self.endpoint)
        self._trino = Trino(self._folder / "trino", self._engines_s3.endpoint, self._front.endpoint, REGION)
        self._front.athena.trino_port = self._trino.port

    def stop(self) -> None:
        """End all of it."""
        if self._trino:
            self._trino.stop()
        if self._engines_s3:
            self._engines_s3.stop()
        self._front.stop()
        self._ministack.stop()

    @property
    def requests(self) -> Counter[str]:
        """How often each operation of Athena and Glue was asked for, but for what the engine asks."""
        return self._front.requests

    @property
    def engines_requests(self) -> Counter[str]:
        """How often the engine asked S3, which AWS bills as the pipeline's own requests."""
        return self._engines_s3.requests if self._engines_s3 else Counter()

    @property
    def environ(self) -> dict[str, str]:
        """The AWS_ variables that lead every client here."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_ATHENA": self._front.endpoint,
            "AWS_ENDPOINT_URL_GLUE": self._front.endpoint,
        }

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of a service here."""
        url = self._front.endpoint if service in ("athena", "glue") else self.endpoint
        return client(service, url, REGION, **options)

    def deploy(self, name: str, customers: Iterable[str] = ()) -> Deployment:
        """Make what Terraform makes for a deployment of that name, in a second instead of a minute."""
        bucket, prefix = f"{name}-lake", name.replace("-", "_")
        self.client("s3").create_bucket(Bucket=bucket)
        glue = self.client("glue")
        glue.create_database(DatabaseInput={"Name": f"{prefix}_marts", "LocationUri": f"s3://{bucket}/marts/"})
        for customer in customers:
            glue.create_database(DatabaseInput={"Name": f"{prefix}_landing_{customer}"})
            glue.create_crawler(
                Name=f"{name}-landing-{customer}",
                Role="arn:aws:iam::000000000000:role/crawler",
                DatabaseName=f"{prefix}_landing_{customer}",
                Targets={"S3Targets": [{"Path": f"s3://{bucket}/landing/{customer}/"}]},
            )
        results = {"OutputLocation": f"s3://{bucket}/athena-results/"}
        settings = {"ResultConfiguration": results, "EnforceWorkGroupConfiguration": False}
        self.client("athena").create_work_group(Name=name, Configuration=settings)
        environ = {
            **without_aws(os.environ),
            **self.environ,
            "RECOGRAPH_LAKE": f"s3://{bucket}",
            "RECOGRAPH_ATHENA_WORKGROUP": name,
            "RECOGRAPH_MARTS_DATABASE": f"{prefix}_marts",
            "RECOGRAPH_LANDING_DATABASE_PREFIX": f"{prefix}_landing_",
            "RECOGRAPH_CRAWLER_PREFIX": f"{name}-landing-",
        }
        return Deployment(bucket, environ)


def without_aws(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what a user's own account has put into it."""
    return {name: value for name, value in environ.items() if not name.startswith(("AWS_", "RECOGRAPH_"))}
