"""What Terraform renders for few and for many customers stays within what AWS takes; each quota by its name."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from recograph.settings import PROJECT_DIR
from recograph_tests.aws.stack import LocalAws
from recograph_tests.aws.terraform import NotUsableError, Terraform

ACCOUNT = "000000000000"
# AWS's own names and default values; those of a resource's count are per account and region.
COUNTS = {
    "aws_glue_crawler": ("Number of crawlers per account", 1000),
    "aws_glue_catalog_database": ("Max databases per catalog", 10_000),
    "aws_glue_security_configuration": ("Max security configurations per account", 250),
    "aws_iam_role": ("Roles per account", 1000),
    "aws_iam_policy": ("Customer managed policies per account", 1500),
    "aws_s3_bucket": ("General purpose buckets", 10_000),
    "aws_athena_workgroup": ("Workgroups", 1000),
    "aws_cloudwatch_event_rule": ("Rules per event bus", 300),
}
LENGTHS = {
    "Role trust policy length": 2048,
    "Managed policy length": 6144,
    "Inline policies of a role": 10_240,
    "Bucket policy": 20 * 1024,
    "Event pattern": 2048,
    "Role name": 64,
    "Policy name": 128,
    "Database name": 255,
    "Crawler name": 255,
    "Workgroup name": 128,
    "Secret name": 512,
}
OPTIONS = ("kms_key_arn", "permissions_boundary_arn", "vpc_endpoint_ids")
ENCRYPTED = (
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_athena_workgroup",
    "aws_glue_security_configuration",
    "aws_secretsmanager_secret",
    "aws_cloudwatch_log_group",
    "aws_sns_topic",
)
pytestmark = pytest.mark.timeout(1200)  # a plan for 1,000 customers takes two minutes of a processor
MANAGED_POLICIES_OF_A_ROLE = 10
LIFECYCLE_RULES_OF_A_BUCKET = 1000
TAGS_OF_A_RESOURCE = 50


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    try:
        return Terraform(tmp_path_factory.mktemp("terraform"))
    except NotUsableError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module", params=[3, 10, 100, pytest.param(1000, marks=pytest.mark.aws)])
def plan(request: pytest.FixtureRequest, ministack: LocalAws, terraform: Terraform) -> dict[str, Any]:
    """Terraform's plan for that many customers, with names as long as they may be and every option turned on."""
    listed = terraform.folder / "many.yaml"
    ids = [f"{'c' * 58}_{number:04}" for number in range(request.param)]
    # Every third is of the other platform, which asks for nothing else: tables are the crawler's and the contracts'.
    platforms = ["docebo", "moodle", "docebo"] * (request.param // 3 + 1)
    customers = [{"id": customer, "platform": of} for customer, of in zip(ids, platforms, strict=False)]
    listed.write_text(yaml.safe_dump({"customers": customers}))
    variables = {
        "bucket": "b" * 63,
        "name": "n" * 20,
        "customers_file": str(listed),
        "s3_use_path_style": "true",
        "dump_retention_days": "365",
        "pipeline_principals": json.dumps([f"arn:aws:iam::{ACCOUNT}:role/{'r' * 64}"]),
        "kms_key_arn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "permissions_boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
        "access_log_bucket": "logs",
        "vpc_endpoint_ids": json.dumps([f"vpce-{number:017x}" for number in range(10)]),
        "alarm_emails": '["data@example.com"]',
        "monthly_budget_usd": "50",
    }
    environ = ministack.environ | {f"TF_VAR_{name}": value for name, value in variables.items()}
    planned = terraform.run("plan", "-out=plan", environ=environ)
    assert planned.returncode == 0, planned.stderr
    shown: dict[str, Any] = json.loads(terraform.run("show", "-json", "plan").stdout)
    return shown | {"customers": request.param}


def resources(plan: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    for resource in plan["planned_values"]["root_module"]["resources"]:
        if resource["type"] == kind:
            yield resource["values"]


def compact(policy: str) -> str:
    """As IAM counts it: without white space between the tokens."""
    return json.dumps(json.loads(policy), separators=(",", ":"))


def test_as_many_of_each_kind_as_an_account_has_room_for(plan: dict[str, Any]) -> None:
    counts = Counter(
        resource["type"] for resource in plan["planned_values"]["root_module"]["resources"] if "index" in resource
    )
    assert counts["aws_glue_crawler"] == plan["customers"]
    places = {crawler["s3_target"][0]["path"] for crawler in resources(plan, "aws_glue_crawler")}
    assert len(places) == plan["customers"]  # one for each, of whichever platform
    assert {
        quota: count
        for kind, (quota, most) in COUNTS.items()
        if (count := sum(1 for _ in resources(plan, kind))) > most or (kind != "aws_s3_bucket" and not count)
    } == {}


def lengths_of(plan: dict[str, Any]) -> dict[str, list[int]]:
    """How long each policy and name is, by the quota."""
    inline: Counter[str] = Counter()
    for policy in resources(plan, "aws_iam_role_policy"):
        inline[policy["name"]] += len(compact(policy["policy"]))
    return {
        "Role trust policy length": [len(compact(r["assume_role_policy"])) for r in resources(plan, "aws_iam_role")],
        "Managed policy length": [len(compact(p["policy"])) for p in resources(plan, "aws_iam_policy")],
        "Inline policies of a role": [inline.total()],
        "Bucket policy": [len(p["policy"]) for p in resources(plan, "aws_s3_bucket_policy")],
        "Event pattern": [len(r["event_pattern"]) for r in resources(plan, "aws_cloudwatch_event_rule")],
        "Role name": [len(r["name"]) for r in resources(plan, "aws_iam_role")],
        "Policy name": [len(p["name"]) for p in resources(plan, "aws_iam_policy")],
        "Database name": [len(d["name"]) for d in resources(plan, "aws_glue_catalog_database")],
        "Crawler name": [len(c["name"]) for c in resources(plan, "aws_glue_crawler")],
        "Workgroup name": [len(w["name"]) for w in resources(plan, "aws_athena_workgroup")],
        "Secret name": [len(s["name"]) for s in resources(plan, "aws_secretsmanager_secret")],
    }


def test_every_policy_and_name_is_short_enough(plan: dict[str, Any]) -> None:
    measured = lengths_of(plan)
    assert set(measured) == set(LENGTHS)
    assert all(measured.values())
    assert {quota: max(lengths) for quota, lengths in measured.items() if max(lengths) > LENGTHS[quota]} == {}


def test_the_readme_tells_how_much_of_each_quota_is_taken(plan: dict[str, Any]) -> None:
    page = (PROJECT_DIR / "terraform" / "README.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+).* \| [\d,]+ \| ([\d,]+) \| ([\d,]+) \|$", page, re.M)
    told = {name: [int(count.replace(",", "")) for count in counts] for name, *counts in rows}
    lengths = lengths_of(plan)
    column = 1 if plan["customers"] == 1000 else 0
    for name, quota in {
        "managed policy": "Managed policy length",
        "inline policies of a role": "Inline policies of a role",
        "trust policy of a role": "Role trust policy length",
        "bucket policy": "Bucket policy",
    }.items():
        assert told[name][column] == max(lengths[quota]), name
    assert told["roles per account"][column] == len(list(resources(plan, "aws_iam_role")))
    crawlers = len(list(resources(plan, "aws_glue_crawler")))
    databases = len(list(resources(plan, "aws_glue_catalog_database")))
    assert plan["customers"] not in (3, 1000) or told["crawlers per account"][column] == crawlers
    assert plan["customers"] not in (3, 1000) or told["databases per catalog"][column] == databases


def test_policies_of_a_role_rules_of_the_bucket_and_tags(plan: dict[str, Any]) -> None:
    attached = Counter(attachment["role"] for attachment in resources(plan, "aws_iam_role_policy_attachment"))
    assert 0 < max(attached.values()) <= MANAGED_POLICIES_OF_A_ROLE
    rules = [len(bucket["rule"]) for bucket in resources(plan, "aws_s3_bucket_lifecycle_configuration")]
    assert 0 < max(rules) <= LIFECYCLE_RULES_OF_A_BUCKET
    tags = [len(bucket["tags_all"]) for bucket in resources(plan, "aws_s3_bucket")]
    assert 0 < max(tags) <= TAGS_OF_A_RESOURCE


def test_a_customers_names_are_those_that_the_policies_let_through(plan: dict[str, Any], tmp_path: Path) -> None:
    (policy,) = (json.loads(policy["policy"]) for policy in resources(plan, "aws_iam_policy"))
    statement = next(s for s in policy["Statement"] if s["Sid"] == "RegisterLanding")
    allowed = [re.compile(re.escape(arn).replace(r"\*", ".*")) for arn in statement["Resource"]]
    for database in resources(plan, "aws_glue_catalog_database"):
        table = f"arn:aws:glue:us-east-1:{ACCOUNT}:table/{database['name']}/core_user"
        is_landing = database["name"] != f"{'n' * 20}_marts"
        assert any(pattern.fullmatch(table) for pattern in allowed) is is_landing


def test_each_call_of_the_catalog_is_one_that_the_pipeline_may_make(plan: dict[str, Any]) -> None:
    sources = (PROJECT_DIR / "recograph" / "adapters" / "aws").glob("glue_*.py")
    code = "".join(source.read_text() for source in sources)
    called = set(re.findall(r"glue\.(\w+)\(", code)) - {"get_paginator"} | set(
        re.findall(r'get_paginator\("(\w+)"', code)
    )
    assert {"get_tables", "get_partitions", "create_table", "update_partition", "start_crawler"} <= called
    (policy,) = (json.loads(policy["policy"]) for policy in resources(plan, "aws_iam_policy"))
    allowed = {action for statement in policy["Statement"] for action in _listed(statement["Action"])}
    assert {f"glue:{name.title().replace('_', '')}" for name in called} - allowed == set()
    of_landing = next(s for s in policy["Statement"] if s["Sid"] == "RegisterLanding")
    assert "glue:BatchDeletePartition" in of_landing["Action"]  # marts alone have it from elsewhere


S3_CALLS = {
    "list_objects_v2": "s3:ListBucket",
    "list_object_versions": "s3:ListBucketVersions",
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "upload_file": "s3:PutObject",
    "upload_fileobj": "s3:PutObject",
    "upload_part": "s3:PutObject",
    "copy": "s3:PutObject",
    "create_multipart_upload": "s3:PutObject",
    "complete_multipart_upload": "s3:PutObject",
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "delete_object": "s3:DeleteObject",
    "delete_objects": "s3:DeleteObject",
}
"""What S3 wants to be allowed, by boto3's call."""


def test_each_call_of_s3_is_one_that_the_pipeline_may_make(plan: dict[str, Any]) -> None:
    sources = (PROJECT_DIR / "recograph" / "adapters" / "aws").glob("*.py")
    code = "".join(source.read_text() for source in sources if not source.name.startswith("glue_"))
    called = set(re.findall(r"\bclient\.(\w+)\(", code)) | set(re.findall(r'get_paginator\("(\w+)"', code))
    assert called - {"get_paginator"} <= set(S3_CALLS)
    assert {"list_object_versions", "copy", "abort_multipart_upload"} <= called
    (policy,) = (json.loads(policy["policy"]) for policy in resources(plan, "aws_iam_policy"))
    allowed = {action for statement in policy["Statement"] for action in _listed(statement["Action"])}
    assert {S3_CALLS[name] for name in called - {"get_paginator"}} <= allowed


def test_key_boundary_and_endpoints_are_everywhere_where_they_count(plan: dict[str, Any]) -> None:
    key, boundary, endpoints = (plan["variables"][name]["value"] for name in OPTIONS)
    roles = list(resources(plan, "aws_iam_role"))
    assert len(roles) == 2
    assert {role["permissions_boundary"] for role in roles} == {boundary}
    (bucket_policy,) = (json.loads(policy["policy"]) for policy in resources(plan, "aws_s3_bucket_policy"))
    (through,) = (s for s in bucket_policy["Statement"] if s["Sid"] == "ThroughEndpointsOnly")
    assert through["Effect"] == "Deny"
    assert through["Condition"]["StringNotEquals"]["aws:SourceVpce"] == endpoints
    for kind in ENCRYPTED:
        encrypted = list(resources(plan, kind))
        assert encrypted, kind
        assert all(key in json.dumps(resource) for resource in encrypted), kind
    policies = [*resources(plan, "aws_iam_policy"), *resources(plan, "aws_iam_role_policy")]
    using = {p["name"] for p in policies for s in json.loads(p["policy"])["Statement"] if key in _listed(s["Resource"])}
    assert len(using) == len(policies)  # the pipeline's, and the crawlers'


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
