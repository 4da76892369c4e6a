"""Customer × snapshot date: the partitions that every asset shares."""

import datetime
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from recograph.customers import CustomerList, load_customers
from recograph.errors import RecographError
from recograph.lake.inbox import local_dumps
from recograph.settings import Settings

SETTINGS = Settings.from_env()
TIMEZONE = zoneinfo.ZoneInfo(SETTINGS.timezone)
CUSTOMERS = load_customers(SETTINGS.data)

OWNERS = ["team:data"]


@dataclass(frozen=True, order=True)
class Snapshot:
    """One customer's data on one day."""

    customer: str
    date: str

    @property
    def key(self) -> dg.MultiPartitionKey:
        """The partition key in Dagster, ``customer|date``."""
        return dg.MultiPartitionKey({"customer": self.customer, "date": self.date})


def date_window(settings: Settings, customers: CustomerList, today: datetime.date) -> tuple[datetime.date, int]:
    """The first day, and how many days past yesterday the partitions reach.

    They reach from the start date in customers.yaml (or the oldest dump in the data folder, if that is older) to
    today (or the newest dump, if that is newer).
    """
    dates = sorted(date for customer in customers.customers for date in _dates(settings.data / customer))
    first = min([*dates[:1], *([customers.start_date] if customers.start_date else [])], default=None)
    if first is None and settings.on_aws:
        raise RecographError(
            f"{settings.data / 'customers.yaml'}: add start_date, the first day with a dump in {settings.lake}."
        )
    return first or today, 1 + max(0, (max([today, *dates[-1:]]) - today).days)


def _dates(folder: Path) -> list[datetime.date]:
    """The dates of the dumps in a customer's folder; none where it can't be read, which landing says then."""
    try:
        return [datetime.date.fromisoformat(date) for date, _ in local_dumps(folder)]
    except OSError:
        return []


def _snapshots() -> dg.MultiPartitionsDefinition:
    today = datetime.datetime.now(TIMEZONE).date()
    start, end_offset = date_window(SETTINGS, CUSTOMERS, today)
    return dg.MultiPartitionsDefinition(
        {
            "customer": dg.StaticPartitionsDefinition(list(CUSTOMERS.customers)),
            "date": dg.DailyPartitionsDefinition(
                start_date=start.isoformat(), end_offset=end_offset, timezone=SETTINGS.timezone
            ),
        }
    )


SNAPSHOTS = _snapshots()


def snapshots_of(context: dg.AssetExecutionContext) -> list[Snapshot]:
    """The snapshots that a run asks for: one, or in a backfill several, by customer and then in date order."""
    keys = (SNAPSHOTS.get_partition_key_from_str(key).keys_by_dimension for key in context.partition_keys)
    return sorted(Snapshot(key["customer"], key["date"]) for key in keys)


def consecutive(dates: Sequence[str]) -> Iterator[list[str]]:
    """Split dates into runs of consecutive days, oldest first; each is one Dagster run."""
    days: list[str] = []
    for date in sorted(dates):
        day_before = (datetime.date.fromisoformat(date) - datetime.timedelta(days=1)).isoformat()
        if days and days[-1] != day_before:
            yield days
            days = []
        days.append(date)
    if days:
        yield days


def range_tags(customer: str, first: str, last: str) -> dict[str, str]:
    """The tags of a run over a customer's days from the first to the last."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: Snapshot(customer, first).key,
        ASSET_PARTITION_RANGE_END_TAG: Snapshot(customer, last).key,
    }
