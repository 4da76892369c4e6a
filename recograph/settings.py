"""Everything that the environment decides, read in one place.

An installation is a pair of folders, ``RECOGRAPH_DATA`` (customers and dumps) and ``RECOGRAPH_HOME`` (state);
``RECOGRAPH_LAKE=s3://...`` moves the lake, the catalog and the warehouse to AWS.
"""

import datetime
import os
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recograph.errors import RecographError

PROJECT_DIR = Path(__file__).resolve().parents[1]
DBT_PROJECT_DIR = PROJECT_DIR / "dbt_project"


@dataclass(frozen=True)
class Settings:
    """What the environment says; see the table in the README for each variable."""

    data: Path
    home: Path
    lake: str
    neo4j_uri: str | None = None
    neo4j_username: str = "neo4j"
    neo4j_password: str | None = None
    neo4j_secret: str | None = None
    region: str = "us-east-1"
    athena_workgroup: str = "recograph"
    athena_results: str = ""
    marts_database: str = "recograph_marts"
    landing_database_prefix: str = "recograph_landing_"
    crawler_prefix: str = "recograph-landing-"
    schedule_time: str = "05:00"
    timezone: str = "UTC"
    dagster_url: str = "http://127.0.0.1:3000"
    alert_webhook: str | None = field(default=None, repr=False)
    alert_email: tuple[str, ...] = ()
    smtp_host: str = "localhost"
    smtp_port: int = 25
    smtp_username: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_from: str = "recograph@localhost"
    keep_days: int | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; unset and empty variables take the defaults.

        Raises:
            RecographError: a variable has a value that can't be used.
        """
        env = {name: value for name, value in environ.items() if value}
        home = Path(env.get("RECOGRAPH_HOME", PROJECT_DIR / ".recograph")).expanduser().resolve()
        lake = env.get("RECOGRAPH_LAKE", str(home / "lake")).rstrip("/")
        if "://" in lake and not re.fullmatch(r"s3://[^/]+", lake):
            raise RecographError(f"RECOGRAPH_LAKE is {lake!r}: give a folder, or s3://BUCKET for a lake on AWS.")
        timezone = env.get("RECOGRAPH_TIMEZONE", "UTC")
        try:
            zoneinfo.ZoneInfo(timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise RecographError(f"RECOGRAPH_TIMEZONE is {timezone!r}; give a name such as Europe/London.") from None
        optional: dict[str, Any] = {
            **_alerts(env),
            "neo4j_uri": env.get("NEO4J_URI"),
            "neo4j_username": env.get("NEO4J_USERNAME"),
            "neo4j_password": env.get("NEO4J_PASSWORD"),
            "neo4j_secret": env.get("RECOGRAPH_NEO4J_SECRET"),
            "region": env.get("AWS_REGION", env.get("AWS_DEFAULT_REGION")),
            "athena_workgroup": env.get("RECOGRAPH_ATHENA_WORKGROUP"),
            "athena_results": env.get("RECOGRAPH_ATHENA_RESULTS", f"{lake}/athena-results/"),
            "marts_database": env.get("RECOGRAPH_MARTS_DATABASE"),
            "landing_database_prefix": env.get("RECOGRAPH_LANDING_DATABASE_PREFIX"),
            "crawler_prefix": env.get("RECOGRAPH_CRAWLER_PREFIX"),
            "schedule_time": env.get("RECOGRAPH_SCHEDULE_TIME"),
            "timezone": timezone,
            "dagster_url": env.get("RECOGRAPH_DAGSTER_URL", "").rstrip("/") or None,
            "keep_days": _number(env, "RECOGRAPH_KEEP_DAYS"),
        }
        return cls(
            data=Path(env.get("RECOGRAPH_DATA", PROJECT_DIR / "data")).expanduser().resolve(),
            home=home,
            lake=lake if lake.startswith("s3://") else str(Path(lake).expanduser().resolve()),
            **{name: value for name, value in optional.items() if value is not None},
        )

    @property
    def schedule_cron(self) -> str:
        """RECOGRAPH_SCHEDULE_TIME as a cron expression.

        Raises:
            RecographError: it isn't a time of day.
        """
        try:
            time = datetime.time.fromisoformat(self.schedule_time)
        except ValueError:
            raise RecographError(
                f"RECOGRAPH_SCHEDULE_TIME is {self.schedule_time!r}; give HH:MM, such as 05:00."
            ) from None
        return f"{time.minute} {time.hour} * * *"

    @property
    def on_aws(self) -> bool:
        """Whether the lake is in S3, and so the catalog is Glue and the warehouse Athena."""
        return self.lake.startswith("s3://")


def _number(env: Mapping[str, str], name: str) -> int | None:
    """A whole number of 1 or more, or None where the variable isn't set."""
    value = env.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", value):
        raise RecographError(f"{name} is {value!r}, but must be a whole number of 1 or more.")
    return int(value)


def _alerts(env: Mapping[str, str]) -> dict[str, Any]:
    """Where alerts go, and through which mail server."""
    webhook = env.get("RECOGRAPH_ALERT_WEBHOOK")
    if webhook and not re.fullmatch(r"https?://[^/\s]\S*", webhook):
        raise RecographError("RECOGRAPH_ALERT_WEBHOOK isn't an address that begins with https:// or http://.")
    sender = env.get("RECOGRAPH_SMTP_FROM")
    recipients = tuple(part.strip() for part in env.get("RECOGRAPH_ALERT_EMAIL", "").split(",") if part.strip())
    for address in (*recipients, *([sender] if sender else [])):
        if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address):
            raise RecographError(
                f"{address!r} isn't an e-mail address: correct RECOGRAPH_ALERT_EMAIL (several with commas between) or "
                "RECOGRAPH_SMTP_FROM."
            )
    username, password = env.get("RECOGRAPH_SMTP_USERNAME"), env.get("RECOGRAPH_SMTP_PASSWORD")
    if (username is None) != (password is None):
        raise RecographError("Set both RECOGRAPH_SMTP_USERNAME and RECOGRAPH_SMTP_PASSWORD, or neither.")
    return {
        "alert_webhook": webhook,
        "alert_email": recipients,
        "smtp_host": env.get("RECOGRAPH_SMTP_HOST"),
        "smtp_port": _number(env, "RECOGRAPH_SMTP_PORT"),
        "smtp_username": username,
        "smtp_password": password,
        "smtp_from": sender,
    }
