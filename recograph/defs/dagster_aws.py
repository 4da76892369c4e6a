"""dagster-aws's resources, for assets that ask AWS themselves: with the session, and the login, of everything else."""

import warnings
from collections.abc import Collection
from typing import Any

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*SecretsManagerResource")

from dagster_aws.s3 import S3Resource  # noqa: E402
from dagster_aws.secretsmanager import SecretsManagerResource  # noqa: E402

from recograph.adapters.aws.clients import client  # noqa: E402


class SharedS3(S3Resource):
    """S3 through the session of this process."""

    def get_client(self) -> Any:
        """The client that the lake uses, too."""
        return client("s3", str(self.region_name))


class SharedSecretsManager(SecretsManagerResource):
    """Secrets Manager through the session of this process."""

    def get_client(self) -> Any:
        """The client that reads Neo4j's login, too."""
        return client("secretsmanager", str(self.region_name))


def service_resources(services: Collection[str], region: str) -> dict[str, Any]:
    """The resources of some services, by AWS's names."""
    kinds = {"s3": SharedS3, "secretsmanager": SharedSecretsManager}
    return {service: kinds[service](region_name=region) for service in services}
