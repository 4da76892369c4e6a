"""Checks that each library that calls AWS gets through, by making one read with each."""

import os
import subprocess
from collections.abc import Iterator

from recograph.adapters.aws.clients import client
from recograph.adapters.aws.messages import aws_explained, sentence
from recograph.adapters.dbt_engine import DbtEngine
from recograph.adapters.dbt_variables import DBT, dbt_environment
from recograph.errors import RecographError
from recograph.lake.interfaces import Lake, Warehouse
from recograph.lake.layout import customer_folder
from recograph.settings import DBT_PROJECT_DIR, Settings


def reads(settings: Settings, lake: Lake, warehouse: Warehouse, engine: DbtEngine) -> Iterator[str]:
    """Make one read with each library, and say in a sentence what could be read.

    Raises:
        RecographError: a read failed; those before it succeeded.
    """
    with aws_explained("AWS credentials"):
        identity = client("sts", settings.region).get_caller_identity()
    yield f"{identity['Arn']} in {settings.region}"
    # Only one folder is listed, because the pipeline's role may list no more.
    lake.parquet(customer_folder("nobody"))
    yield f"{settings.lake} can be listed by boto3"
    filesystem, root = lake.filesystem()
    with aws_explained(settings.lake):
        filesystem.get_file_info(f"{root}{customer_folder('nobody')}nothing")
    yield f"{settings.lake} can be read by Arrow"
    with aws_explained(f"Glue database {settings.marts_database}", {"EntityNotFoundException": "Run `make deploy`."}):
        client("glue", settings.region).get_database(Name=settings.marts_database)
    yield f"{settings.marts_database} can be read in Glue"
    warehouse.query("select 1 as one")
    yield f"the workgroup {settings.athena_workgroup} answers queries"
    _ask_by_dbt(settings, engine.target)
    yield "dbt can query, too"


def _ask_by_dbt(settings: Settings, target: str) -> None:
    command = [
        *(str(DBT), "--no-use-colors", "debug", "--connection", "--target", target),
        *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
        *("--log-path", str(settings.home / "dbt")),
    ]
    asked = subprocess.run(  # noqa: S603 - dbt of this environment, with arguments made here
        command, env={**os.environ, **dbt_environment(settings)}, capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise RecographError(sentence("dbt can't query Athena", asked.stdout[asked.stdout.find("Connection test") :]))
