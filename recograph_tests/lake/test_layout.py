"""The lake's layout is spelt in one module of Python; dbt and Terraform, which can't import it, have the same."""

import re

from recograph.lake.layout import (
    RESULTS,
    customer_folder,
    dumps_folder,
    erased_folder,
    landing_partition,
    mart_partition,
    mart_root,
)
from recograph.settings import DBT_PROJECT_DIR, PROJECT_DIR

TERRAFORM = "\n".join(path.read_text() for path in sorted((PROJECT_DIR / "terraform").glob("*.tf")))
MARTS = mart_root("MART").removesuffix("MART/")


def test_terraform_has_athenas_results_where_the_layout_has_them() -> None:
    assert re.findall(r'"(athena-results[^"]*|[^"]*/athena-results[^"]*)"', TERRAFORM) == [RESULTS.removesuffix("/")]
    assert re.findall(r"^ +results += +\"(.+?)\"", TERRAFORM, re.M) == [RESULTS.removesuffix("/")]


def test_the_pipelines_policy_names_the_layouts_folders() -> None:
    roots = {folder("c").split("/")[0] for folder in (dumps_folder, customer_folder, mart_root, erased_folder)}
    (listed,) = re.findall(r'values += \["(dumps/.*?)"\]', TERRAFORM)
    assert {name.split("/")[0] for name in listed.split('", "')} - {"${local.results}", "dagster-logs"} == roots
    crawled = customer_folder("${each.key}")
    assert re.findall(r'path += "s3://\$\{aws_s3_bucket\.lake\.bucket\}/(.*?)"', TERRAFORM) == [crawled]


def test_dbt_reads_landed_tables_where_the_layout_has_them() -> None:
    landed = landing_partition("__customer__", "{name}", "__snapshot_date__")
    sources = [path.read_text() for path in (DBT_PROJECT_DIR / "models" / "staging").glob("*/sources.yml")]
    assert sources
    assert all(re.findall(r"read_parquet\('(.*?)'", text) == [f"__lake__/{landed}*.parquet"] for text in sources)


def test_dbt_writes_marts_where_the_layout_has_them() -> None:
    macros = (DBT_PROJECT_DIR / "macros" / "partition.sql").read_text()
    (path,) = re.findall(r"macro partition_path\(\) -%\}\s*\{\{- (.*?) -\}\}", macros)
    below = re.sub(r" ~ partition\('(\w+)'\)( ~ )?", r"{\1}", path).replace("'", "") + "/"
    assert below == mart_partition("", "{customer}", "{snapshot_date}").removeprefix(MARTS)
    assert re.findall(r"folder = lake ~ '/(.*?)' ~ mart ", macros) == [MARTS]
    profiles = (DBT_PROJECT_DIR / "profiles.yml").read_text()
    assert re.findall(r"s3_data_dir: .*\}\}/(.*?)\"", profiles) == [MARTS]
