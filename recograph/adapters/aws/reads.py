"""Whether each of the libraries that ask AWS gets through, with a read of each."""

import os
import subprocess
from collections.abc import Iterator

from recograph.adapters.aws.clients import client
from recograph.adapters.aws.messages import aws_explained, sentence
from recograph.adapters.dbt import DBT, dbt_environment
from recograph.adapters.environment import open_dbt, open_lake, open_warehouse
from recograph.errors import RecographError
from recograph.lake.layout import customer_folder
from recograph.settings import DBT_PROJECT_DIR, Settings


def reads(settings: Settings) -> Iterator[str]:
    """What could be read, a sentence for each way.

    Raises:
        RecographError: one couldn't; those before it could.
    """
    with aws_explained("AWS credentials"):
        identity = client("sts", settings.region).get_caller_identity()
    yield f"{identity['Arn']} in {settings.region}"
    lake = open_lake(settings)
    # Of a folder, since the pipeline's role may list no more.
    lake.parquet(customer_folder("nobody"))
    yield f"{settings.lake} can be listed by boto3"
    filesystem, root = lake.filesystem()
    with aws_explained(settings.lake):
        filesystem.get_file_info(f"{root}{customer_folder('nobody')}nothing")
    yield f"{settings.lake} can be read by Arrow"
    with aws_explained(f"Glue database {settings.marts_database}", {"EntityNotFoundException": "Run `make deploy`."}):
        client("glue", settings.region).get_database(Name=settings.marts_database)
    yield f"{settings.marts_database} can be read in Glue"
    open_warehouse(settings).query("select 1 as one")
    yield f"the workgroup {settings.athena_workgroup} answers queries"
    _ask_by_dbt(settings)
    yield "dbt can query, too"


def _ask_by_dbt(settings: Settings) -> None:
    command = [
        *(str(DBT), "--no-use-colors", "debug", "--connection", "--target", open_dbt(settings).target),
        *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
        *("--log-path", str(settings.home / "dbt")),
    ]
    asked = subprocess.run(  # noqa: S603 - dbt of this environment, with arguments made here
        command, env={**os.environ, **dbt_environment(settings)}, capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise RecographError(sentence("dbt can't query Athena", asked.stdout[asked.stdout.find("Connection test") :]))
