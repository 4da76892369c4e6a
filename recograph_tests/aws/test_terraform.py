"""The Terraform deployment: its own tests with a mocked provider, and for real on the stand-in of AWS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from botocore.exceptions import ClientError

from recograph.customers import load_customers
from recograph_tests.aws.stack import REGION, LocalAws, without_aws
from recograph_tests.aws.terraform import NotUsableError, Terraform

BUCKET = "recograph-terraform"


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    try:
        return Terraform(tmp_path_factory.mktemp("terraform"))
    except NotUsableError as reason:
        pytest.skip(str(reason))


def test_files_are_formatted(terraform: Terraform) -> None:
    done = terraform.run("fmt", "-check", "-recursive", "-diff")
    assert done.returncode == 0, done.stdout


def test_configuration_is_valid(terraform: Terraform) -> None:
    done = terraform.run("validate", "-json")
    assert json.loads(done.stdout)["diagnostics"] == []


def test_its_own_tests_pass(terraform: Terraform) -> None:
    done = terraform.run("test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout


@pytest.fixture(scope="module")
def applied(terraform: Terraform, ministack: LocalAws) -> Iterator[dict[str, str]]:
    """Everything applied on the stand-in, with all options; the environment for more of the same."""
    # Path-style addresses are the one thing that the provider can't be told by the environment.
    override = 'provider "aws" {\n  s3_use_path_style = true\n}\n'
    (terraform.folder / "path_style_override.tf").write_text(override)
    neo4j = {"uri": "neo4j+s://graph.example.com", "username": "neo4j", "password": "not-a-real-one"}
    environ = {
        **ministack.environ,
        "TF_VAR_bucket": BUCKET,
        "TF_VAR_secret_recovery_days": "0",
        "TF_VAR_neo4j": json.dumps(neo4j),
        "TF_VAR_neo4j_version": "1",
        "TF_VAR_alarm_emails": '["data@example.com"]',
        "TF_VAR_monthly_budget_usd": "50",
    }
    done = terraform.run("apply", "-auto-approve", environ=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    yield environ
    terraform.run("destroy", "-auto-approve", environ={**environ, "TF_VAR_force_destroy": "true"})


@pytest.mark.aws
@pytest.mark.timeout(600)
class TestApplied:
    def test_a_second_plan_is_empty(self, terraform: Terraform, applied: dict[str, str]) -> None:
        done = terraform.run("plan", "-detailed-exitcode", environ=applied)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_every_customer_has_database_and_crawler(self, ministack: LocalAws, applied: dict[str, str]) -> None:
        glue = ministack.client("glue")
        customers = load_customers(Path("data")).customers
        databases = {database["Name"] for database in glue.get_databases()["DatabaseList"]}
        assert databases >= {f"recograph_landing_{customer}" for customer in customers} | {"recograph_marts"}
        for customer in customers:
            crawler = glue.get_crawler(Name=f"recograph-landing-{customer}")["Crawler"]
            assert crawler["Targets"]["S3Targets"][0]["Path"] == f"s3://{BUCKET}/landing/{customer}/"
            assert crawler["DatabaseName"] == f"recograph_landing_{customer}"

    def test_the_environment_is_one_of_the_pipeline(self, terraform: Terraform, applied: dict[str, str]) -> None:
        from recograph.settings import Settings

        lines = terraform.run("output", "-raw", "env", environ=applied).stdout.splitlines()
        environ = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        settings = Settings.from_env(environ)
        assert (settings.lake, settings.region, settings.on_aws) == (f"s3://{BUCKET}", REGION, True)
        assert settings.neo4j_secret == "recograph/neo4j"
        assert Settings.from_env(without_aws(environ)).athena_workgroup == settings.athena_workgroup

    def test_the_secret_is_written_and_not_in_the_state(
        self, terraform: Terraform, ministack: LocalAws, applied: dict[str, str]
    ) -> None:
        secret = ministack.client("secretsmanager").get_secret_value(SecretId="recograph/neo4j")
        assert secret["SecretString"] == json.dumps(json.loads(applied["TF_VAR_neo4j"]), separators=(",", ":"))
        assert "not-a-real-one" not in (terraform.folder / "terraform.tfstate").read_text()

    def test_another_customer_is_two_more_resources_and_no_change(
        self, terraform: Terraform, applied: dict[str, str]
    ) -> None:
        listed = terraform.folder.parent / "data" / "customers.yaml"
        before = listed.read_text()
        customers = yaml.safe_load(before)
        customers["customers"].append(customers["customers"][0] | {"id": "customer_9"})
        listed.write_text(yaml.safe_dump(customers))
        try:
            terraform.run("plan", "-out=plan", environ=applied)
            plan = json.loads(terraform.run("show", "-json", "plan", environ=applied).stdout)
        finally:
            listed.write_text(before)
        changes = {
            change["address"]: change["change"]["actions"]
            for change in plan["resource_changes"]
            if change["mode"] == "managed" and change["change"]["actions"] != ["no-op"]
        }
        assert changes.pop("aws_iam_policy.pipeline") == ["update"]  # which lists the customers' databases
        assert changes == {
            f'{kind}["customer_9"]': ["create"]
            for kind in (
                "aws_glue_catalog_database.landing",
                "aws_glue_crawler.landing",
                "aws_iam_role.crawler",
                "aws_iam_role_policy.crawler",
            )
        }

    def test_destroy_refuses_a_bucket_with_something_in_it(
        self, terraform: Terraform, ministack: LocalAws, applied: dict[str, str]
    ) -> None:
        s3 = ministack.client("s3")
        s3.put_object(Bucket=BUCKET, Key="dumps/customer_1/2026-11-01.sql", Body=b"-- a dump")
        refused = terraform.run("destroy", "-auto-approve", environ=applied)
        assert refused.returncode == 1
        assert "BucketNotEmpty" in refused.stderr
        assert s3.get_object(Bucket=BUCKET, Key="dumps/customer_1/2026-11-01.sql")["Body"].read() == b"-- a dump"

        told = {**applied, "TF_VAR_force_destroy": "true"}
        assert terraform.run("apply", "-auto-approve", "-target=aws_s3_bucket.lake", environ=told).returncode == 0
        done = terraform.run("destroy", "-auto-approve", environ=told)
        assert done.returncode == 0, done.stdout + done.stderr
        with pytest.raises(ClientError, match="404"):
            s3.head_bucket(Bucket=BUCKET)
        assert terraform.run("state", "list").stdout == ""
