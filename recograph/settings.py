"""Everything that the environment decides, read in one place.

An installation is a pair of folders, ``RECOGRAPH_DATA`` (customers and dumps) and ``RECOGRAPH_HOME`` (state);
``RECOGRAPH_LAKE=s3://...`` moves the lake, the catalog and the warehouse to AWS.
"""

import datetime
import os
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
        if timezone not in zoneinfo.available_timezones():
            raise RecographError(f"RECOGRAPH_TIMEZONE is {timezone!r}; give a name such as Europe/London.")
        optional = {
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
