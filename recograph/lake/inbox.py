"""The dumps that customers shipped: how their files are named, and which one belongs to a day."""

import datetime
import re

from recograph.errors import RecographError
from recograph.lake.interfaces import DumpFile, Lake

_DUMP_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.sql(\.[A-Za-z0-9]+)?")


def dump_for(lake: Lake, customer: str, date: str) -> DumpFile:
    """The dump of one partition.

    Raises:
        RecographError: it isn't there; the message names the expected file and the days that exist.
    """
    dumps = lake.dumps(customer)
    if date in dumps:
        return dumps[date]
    days = ", ".join(list(dumps)[-10:]) or "none"
    if len(dumps) > 10:
        days = f"{len(dumps)} days, the latest {days}"
    raise RecographError(
        f"There is no dump of {customer} for {date}: expected {lake.uri(f'dumps/{customer}/{date}.sql')} "
        f"(plain, or .gz, .zst, .bz2). Days that exist: {days}."
    )


def newest_by_date(dumps: list[DumpFile]) -> dict[str, DumpFile]:
    """Dumps by date, oldest first.

    Raises:
        RecographError: two files claim the same day.
    """
    by_date: dict[str, DumpFile] = {}
    for dump in sorted(dumps, key=lambda d: (d.date, d.uri)):
        if dump.date in by_date:
            raise RecographError(
                f"Two dumps of {dump.customer} for {dump.date}: {by_date[dump.date].uri} and {dump.uri}. Keep one."
            )
        by_date[dump.date] = dump
    return by_date


def date_of_dump(name: str) -> str | None:
    """The snapshot date that a dump's file name states, or None where it isn't a dump's name."""
    match = _DUMP_NAME.fullmatch(name)
    if not match:
        return None
    try:
        return datetime.date.fromisoformat(match[1]).isoformat()
    except ValueError:
        return None
