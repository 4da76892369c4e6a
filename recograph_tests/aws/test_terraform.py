"""The Terraform deployment: its own tests with a mocked provider, and for real on the stand-in of AWS."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from botocore.exceptions import ClientError

from recograph.customers import load_customers
from recograph.platforms.docebo.contracts import CONTRACTS
from recograph.settings import PROJECT_DIR, Settings
from recograph_tests.aws.stack import REGION, LocalAws, without_aws
from recograph_tests.aws.terraform import NotUsableError, Terraform

BUCKET = "recograph-terraform"
DUMP = "2026-11-01.sql.gz"


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    try:
        return Terraform(tmp_path_factory.mktemp("terraform"))
    except NotUsableError as reason:
        pytest.skip(str(reason))


def test_files_are_formatted(terraform: Terraform) -> None:
    ran = terraform.run("fmt", "-check", "-recursive", "-diff")
    assert ran.returncode == 0, ran.stdout


def test_configuration_is_valid(terraform: Terraform) -> None:
    ran = terraform.run("validate", "-json")
    assert json.loads(ran.stdout)["diagnostics"] == []


def test_its_own_tests_pass(terraform: Terraform) -> None:
    ran = terraform.run("test")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " 0 failed" in ran.stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The customers of the repository, with one dump each."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copy(PROJECT_DIR / "data" / "customers.yaml", folder)
    for customer in load_customers(folder).customers:
        (folder / customer).mkdir()
        shutil.copy(PROJECT_DIR / "data" / customer / DUMP, folder / customer)
    return folder


@pytest.fixture(scope="module")
def environ(ministack: LocalAws, data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All that differs from a deployment on an account: where AWS is, and every option turned on."""
    neo4j = {"uri": "neo4j+s://graph.example.com", "username": "neo4j", "password": "not-a-real-one"}
    return {
        **ministack.environ,
        "RECOGRAPH_DATA": str(data),
        "RECOGRAPH_HOME": str(tmp_path_factory.mktemp("home")),
        "TF_VAR_bucket": BUCKET,
        "TF_VAR_customers_file": str(data / "customers.yaml"),
        "TF_VAR_s3_use_path_style": "true",
        "TF_VAR_neo4j": json.dumps(neo4j),
        "TF_VAR_neo4j_version": "1",
        "TF_VAR_alarm_emails": '["data@example.com"]',
        "TF_VAR_monthly_budget_usd": "50",
    }


@pytest.fixture(scope="module")
def deployed(terraform: Terraform, environ: dict[str, str]) -> Iterator[str]:
    """`make deploy` on the stand-in; what it printed."""
    ran = terraform.make("deploy", environ=environ)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    yield ran.stdout
    terraform.run("destroy", "-auto-approve", environ={**environ, "TF_VAR_force_destroy": "true"})


@pytest.mark.aws
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("deployed")
class TestDeployed:
    def test_it_uploads_lands_and_crawls_and_prints_the_tables(
        self, ministack: LocalAws, environ: dict[str, str], deployed: str
    ) -> None:
        assert "3 dumps uploaded, 0 were there." in deployed
        assert "24 tables with" in deployed
        glue = ministack.client("glue")
        for customer in load_customers(Path(environ["RECOGRAPH_DATA"])).customers:
            assert (
                glue.get_crawler(Name=f"recograph-landing-{customer}")["Crawler"]["LastCrawl"]["Status"] == "SUCCEEDED"
            )
            for table in CONTRACTS:
                assert f"recograph_landing_{customer}.{table.lower()} " in deployed
        last = deployed.rindex("8 tables in the catalog")
        assert deployed.index("rows landed.") < last < deployed.index("In Athena")

    def test_again_it_changes_nothing_and_parts_run_alone(
        self, terraform: Terraform, ministack: LocalAws, environ: dict[str, str], data: Path
    ) -> None:
        def landed() -> dict[str, int]:
            files = ministack.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="landing/")["Contents"]
            return {file["Key"]: file["Size"] for file in files}

        before = landed()
        assert len(before) == 24
        late = data / "customer_1" / "2026-11-02.sql"
        late.write_text("-- not to be sent")
        try:
            again = terraform.make("deploy", "UPLOAD=no", environ=environ)
        finally:
            late.unlink()
        assert again.returncode == 0, again.stdout + again.stderr
        assert "0 added, 0 changed, 0 destroyed" in again.stdout
        assert landed() == before

        alone = terraform.make("aws-upload", environ=environ)
        assert "0 dumps uploaded, 3 were there." in alone.stdout
        alone = terraform.make("aws-tables", environ=environ)
        assert "recograph_landing_customer_1.core_user " in alone.stdout

    def test_a_second_plan_is_empty(self, terraform: Terraform, environ: dict[str, str]) -> None:
        ran = terraform.run("plan", "-detailed-exitcode", environ=environ)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def test_every_customer_has_database_and_crawler(self, ministack: LocalAws, environ: dict[str, str]) -> None:
        glue = ministack.client("glue")
        customers = load_customers(PROJECT_DIR / "data").customers
        databases = {database["Name"] for database in glue.get_databases()["DatabaseList"]}
        assert databases >= {f"recograph_landing_{customer}" for customer in customers} | {"recograph_marts"}
        for customer in customers:
            crawler = glue.get_crawler(Name=f"recograph-landing-{customer}")["Crawler"]
            assert crawler["Targets"]["S3Targets"][0]["Path"] == f"s3://{BUCKET}/landing/{customer}/"
            assert crawler["DatabaseName"] == f"recograph_landing_{customer}"

    def test_the_environment_is_one_of_the_pipeline(self, terraform: Terraform, environ: dict[str, str]) -> None:
        lines = terraform.run("output", "-raw", "env", environ=environ).stdout.splitlines()
        named = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        settings = Settings.from_env(named)
        assert (settings.lake, settings.region, settings.on_aws) == (f"s3://{BUCKET}", REGION, True)
        assert settings.neo4j_secret == "recograph/neo4j"
        assert Settings.from_env(without_aws(named)).athena_workgroup == settings.athena_workgroup

    def test_the_secret_is_written_and_not_in_the_state(
        self, terraform: Terraform, ministack: LocalAws, environ: dict[str, str]
    ) -> None:
        secret = ministack.client("secretsmanager").get_secret_value(SecretId="recograph/neo4j")
        assert json.loads(secret["SecretString"]) == json.loads(environ["TF_VAR_neo4j"])
        assert "not-a-real-one" not in (terraform.folder / "terraform.tfstate").read_text()

    @pytest.mark.parametrize(("customer", "action"), [("customer_9", "create"), ("customer_3", "delete")])
    def test_a_customer_who_comes_or_goes_is_two_resources_and_no_change(
        self, terraform: Terraform, environ: dict[str, str], data: Path, customer: str, action: str
    ) -> None:
        listed = data / "customers.yaml"
        before = listed.read_text()
        customers = yaml.safe_load(before)
        if action == "create":
            customers["customers"].append(customers["customers"][0] | {"id": customer})
        else:
            customers["customers"] = [entry for entry in customers["customers"] if entry["id"] != customer]
        listed.write_text(yaml.safe_dump(customers))
        try:
            terraform.run("plan", "-out=plan", environ=environ)
            plan = json.loads(terraform.run("show", "-json", "plan", environ=environ).stdout)
        finally:
            listed.write_text(before)
        changes = {
            change["address"]: change["change"]["actions"]
            for change in plan["resource_changes"]
            if change["mode"] == "managed" and change["change"]["actions"] != ["no-op"]
        }
        assert changes == {
            f'{kind}["{customer}"]': [action]
            for kind in ("aws_glue_catalog_database.landing", "aws_glue_crawler.landing")
        }

    def test_destroy_refuses_a_bucket_with_something_in_it(
        self, terraform: Terraform, ministack: LocalAws, environ: dict[str, str]
    ) -> None:
        s3 = ministack.client("s3")
        resources = terraform.run("state", "list").stdout
        refused = terraform.make("destroy", environ=environ)
        assert refused.returncode != 0
        assert "Nothing was destroyed" in refused.stderr
        assert terraform.run("state", "list").stdout == resources

        refused = terraform.run("destroy", "-auto-approve", environ=environ)  # nor does Terraform by itself
        assert refused.returncode == 1
        assert "BucketNotEmpty" in refused.stderr
        assert s3.list_objects_v2(Bucket=BUCKET, Prefix="dumps/")["KeyCount"] == 3

        ran = terraform.make("destroy", "FORCE=1", environ=environ)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        with pytest.raises(ClientError, match="404"):
            s3.head_bucket(Bucket=BUCKET)
        assert terraform.run("state", "list").stdout == ""
