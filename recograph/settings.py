"""The settings, which come from environment variables; no other module reads them.

An installation is a pair of folders, ``RECOGRAPH_DATA`` (customers and dumps) and ``RECOGRAPH_HOME`` (state);
``RECOGRAPH_LAKE=s3://...`` moves the lake, the catalog and the warehouse to AWS.

pydantic checks the values. pydantic-settings isn't used, for two reasons: it reads only ``os.environ``, but `doctor`
checks whichever environment it is given; and with it every command would start 0.06 s later.
"""

import datetime
import os
import re
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from recograph.errors import RecographError

_PACKAGE = Path(__file__).resolve().parent
PROJECT_DIR = _PACKAGE.parent
"""The checkout; meaningless where the package was installed from a wheel."""


def _travelling(name: str) -> Path:
    """The path of something that lies beside the package in a checkout, and inside the package in a wheel."""
    return _PACKAGE / name if (_PACKAGE / name).exists() else PROJECT_DIR / name


DBT_PROJECT_DIR = _travelling("dbt_project")
WORKSPACE = _travelling("workspace.yaml")


def _project_folder(start: Path) -> Path | None:
    """The nearest folder, from `start` upwards, that has data/customers.yaml; else this checkout, if it has one."""
    folders = [start, *start.parents, PROJECT_DIR]
    return next((folder for folder in folders if (folder / "data" / "customers.yaml").is_file()), None)


def default_data() -> Path:
    """``data/`` in the project folder; if there is none, in the user's folder for recograph's data."""
    return (_project_folder(Path.cwd()) or platformdirs.user_data_path("recograph")) / "data"


def default_home() -> Path:
    """``.recograph/`` in the project folder; if there is none, the user's folder for recograph's data."""
    folder = _project_folder(Path.cwd())
    return folder / ".recograph" if folder else platformdirs.user_data_path("recograph")


def _matching(pattern: str, advice: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(advice)
        return value

    return AfterValidator(check)


def _folder(value: str | Path) -> Path:
    return Path(value).expanduser().resolve()


def _home(value: Path) -> Path:
    if {"?", "%"} & set(str(value)):
        raise ValueError(
            "give a folder without ? and % in its path, which the address of Dagster's database can't have"
        )
    return value


def _lake(value: str) -> str:
    value = value.rstrip("/")
    if value.startswith("s3://") and re.fullmatch(r"s3://[^/]+", value):
        return value
    if "://" in value:
        raise ValueError("give a folder, or s3://BUCKET for a lake on AWS")
    return str(_folder(value or "/"))


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("give a name such as Europe/London") from None
    return value


def _time_of_day(value: str) -> str:
    try:
        return datetime.time.fromisoformat(value).strftime("%H:%M")
    except ValueError:
        raise ValueError("give HH:MM, such as 05:00") from None


def _count(value: str | int) -> int:
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", str(value)):
        raise ValueError("give a whole number of 1 or more")
    return int(value)


def _split(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Folder = Annotated[Path, BeforeValidator(_folder)]
Count = Annotated[int, BeforeValidator(_count)]
Mailbox = Annotated[str, _matching(r"[^@\s<>]+@[^@\s<>]+", "give an e-mail address (several with commas between)")]
Address = Annotated[str, _matching(r"https?://[^/\s]\S*", "give an address that begins with https:// or http://")]


class Settings(BaseModel):
    """What the environment says; see the table in the README for each variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, validate_default=True)

    data: Folder = Field(default_factory=default_data, alias="RECOGRAPH_DATA")
    home: Annotated[Folder, AfterValidator(_home)] = Field(default_factory=default_home, alias="RECOGRAPH_HOME")
    lake: Annotated[str, AfterValidator(_lake)] = Field(
        default_factory=lambda values: str(values["home"] / "lake"), alias="RECOGRAPH_LAKE"
    )
    neo4j_uri: str | None = Field(default=None, alias="NEO4J_URI")
    neo4j_username: str = Field(default="neo4j", alias="NEO4J_USERNAME")
    neo4j_password: str | None = Field(default=None, alias="NEO4J_PASSWORD", repr=False)
    neo4j_secret: str | None = Field(default=None, alias="RECOGRAPH_NEO4J_SECRET")
    region: str = Field(default="us-east-1", alias="AWS_REGION")
    athena_workgroup: str = Field(default="recograph", alias="RECOGRAPH_ATHENA_WORKGROUP")
    athena_results: str | None = Field(default=None, alias="RECOGRAPH_ATHENA_RESULTS")
    marts_database: str = Field(default="recograph_marts", alias="RECOGRAPH_MARTS_DATABASE")
    landing_database_prefix: str = Field(default="recograph_landing_", alias="RECOGRAPH_LANDING_DATABASE_PREFIX")
    crawler_prefix: str = Field(default="recograph-landing-", alias="RECOGRAPH_CRAWLER_PREFIX")
    schedule_time: Annotated[str, AfterValidator(_time_of_day)] = Field(
        default="05:00", alias="RECOGRAPH_SCHEDULE_TIME"
    )
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(default="UTC", alias="RECOGRAPH_TIMEZONE")
    dagster_url: Annotated[str, AfterValidator(lambda value: value.rstrip("/"))] = Field(
        default="http://127.0.0.1:3000", alias="RECOGRAPH_DAGSTER_URL"
    )
    alert_form: Literal["json", "slack", "teams"] | None = Field(default=None, alias="RECOGRAPH_ALERT_FORM")
    alert_webhook: Address | None = Field(default=None, alias="RECOGRAPH_ALERT_WEBHOOK", repr=False)
    alert_email: Annotated[tuple[Mailbox, ...], BeforeValidator(_split)] = Field(
        default=(), alias="RECOGRAPH_ALERT_EMAIL"
    )
    smtp_host: str = Field(default="localhost", alias="RECOGRAPH_SMTP_HOST")
    smtp_port: Count = Field(default=25, alias="RECOGRAPH_SMTP_PORT")
    smtp_username: str | None = Field(default=None, alias="RECOGRAPH_SMTP_USERNAME")
    smtp_password: str | None = Field(default=None, alias="RECOGRAPH_SMTP_PASSWORD", repr=False)
    smtp_from: Mailbox = Field(default="recograph@localhost", alias="RECOGRAPH_SMTP_FROM")
    keep_days: Count | None = Field(default=None, alias="RECOGRAPH_KEEP_DAYS")
    serve_access: Folder | None = Field(default=None, alias="RECOGRAPH_SERVE_ACCESS")

    @model_validator(mode="after")
    def _both_or_neither(self) -> "Settings":
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("Set both RECOGRAPH_SMTP_USERNAME and RECOGRAPH_SMTP_PASSWORD, or neither.")
        return self

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; unset and empty variables take the defaults.

        Raises:
            RecographError: a variable has a value that can't be used.
        """
        env = {name: value for name, value in environ.items() if value}
        if "AWS_DEFAULT_REGION" in env:
            env.setdefault("AWS_REGION", env["AWS_DEFAULT_REGION"])
        try:
            return cls.model_validate(env)
        except ValidationError as error:
            raise RecographError(_problem(error, env)) from None

    @property
    def schedule_cron(self) -> str:
        """RECOGRAPH_SCHEDULE_TIME as a cron expression."""
        time = datetime.time.fromisoformat(self.schedule_time)
        return f"{time.minute} {time.hour} * * *"

    @property
    def has_own_neo4j(self) -> bool:
        """Whether the environment names a Neo4j, so that none is started on this machine."""
        return bool(self.neo4j_uri or self.neo4j_secret)

    @property
    def on_aws(self) -> bool:
        """Whether the lake is in S3, and so the catalog is Glue and the warehouse Athena."""
        return self.lake.startswith("s3://")


def _problem(error: ValidationError, env: Mapping[str, Any]) -> str:
    """What is wrong with the first variable that can't be used; its value is left out where it may be a secret."""
    problem = error.errors()[0]
    reason = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return reason
    place = str(problem["loc"][0])
    variable = str(Settings.model_fields[place].alias) if place in Settings.model_fields else place  # of a default
    shown = all(field.repr for field in Settings.model_fields.values() if field.alias == variable)
    return (
        f"{variable} is {env.get(variable) or str(problem['input'])!r}: {reason}."
        if shown
        else f"{variable} can't be used: {reason}."
    )
