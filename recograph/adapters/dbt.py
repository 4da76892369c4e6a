"""What dbt needs to know: target, variables, environment, and the manifest from which Dagster's assets are made."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

import yaml

from recograph.customers import Customer
from recograph.errors import RecographError
from recograph.lake.staging import temporary_folder
from recograph.platforms import PLATFORMS
from recograph.settings import DBT_PROJECT_DIR, Settings

DBT = Path(sys.executable).with_name("dbt")
"""The dbt of this environment, whatever PATH says."""
ANYONE = Customer(id="customer", name="-", region="-", size="-", category="-")
"""For what dbt says alike of all customers."""


@cache
def mart_columns() -> dict[str, dict[str, str]]:
    """By mart the types of its columns, as the models' descriptions have them; the last two name the partition."""
    described = yaml.safe_load((DBT_PROJECT_DIR / "models" / "marts" / "marts.yml").read_text(encoding="utf-8"))
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for model in described["models"]
    }


def target(settings: Settings) -> str:
    """The dbt target of this installation."""
    return "athena" if settings.on_aws else "local"


def dbt_vars(customer: Customer, date: str) -> dict[str, str]:
    """The variables with which dbt builds one partition."""
    return {
        "customer": customer.id,
        "snapshot_date": date,
        "customer_name": customer.name,
        "region": customer.region,
        "size": customer.size,
        "category": customer.category,
        "platform": customer.platform,
    }


def dbt_environment(settings: Settings) -> dict[str, str]:
    """What the dbt profile reads from the environment."""
    return {
        "RECOGRAPH_LAKE": settings.lake,
        "RECOGRAPH_PLATFORMS": " ".join(PLATFORMS),
        "RECOGRAPH_SPILL": str(settings.home / f"spill-{os.getpid()}"),
        "AWS_REGION": settings.region,
        "RECOGRAPH_ATHENA_WORKGROUP": settings.athena_workgroup,
        "RECOGRAPH_ATHENA_RESULTS": settings.athena_results,
        "RECOGRAPH_MARTS_DATABASE": settings.marts_database,
        "RECOGRAPH_LANDING_DATABASE_PREFIX": settings.landing_database_prefix,
    }


def manifest(settings: Settings) -> Path:
    """The manifest of the dbt project as it stands, parsed anew only when one of its files has changed.

    Raises:
        RecographError: dbt can't parse the project.
    """
    files = sorted(path for path in DBT_PROJECT_DIR.rglob("*") if path.suffix in {".sql", ".yml", ".csv"})
    digest = hashlib.sha256(f"{version('dbt-core')} {target(settings)} {settings.lake} {list(PLATFORMS)}".encode())
    for path in files:
        if not {"target", "logs"} & set(path.relative_to(DBT_PROJECT_DIR).parts):
            digest.update(str(path).encode() + path.read_bytes())
    folder = settings.home / "dbt" / f"manifest-{digest.hexdigest()[:16]}"
    if not (folder / "manifest.json").exists():
        with temporary_folder(folder.parent) as scratch:
            _parse(settings, scratch)
            for old in folder.parent.glob("manifest-*"):
                shutil.rmtree(old, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            (scratch / "manifest.json").replace(folder / "manifest.json")
    return folder / "manifest.json"


def _parse(settings: Settings, target_path: Path) -> None:
    """Run `dbt parse` with some customer's variables: the manifest's structure is the same for all."""
    variables = dbt_vars(ANYONE, "2026-01-01")
    command = [
        *(str(DBT), "--quiet", "parse", "--target", target(settings)),
        *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
        *("--target-path", str(target_path), "--log-path", str(target_path), "--vars", json.dumps(variables)),
    ]
    done = subprocess.run(  # noqa: S603 - dbt of this environment, with arguments made here
        command, env={**os.environ, **dbt_environment(settings)}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RecographError(f"dbt can't parse {DBT_PROJECT_DIR}:\n{(done.stdout + done.stderr).strip()}")
