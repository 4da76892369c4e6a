"""Customer × snapshot date: the partitions that every asset shares."""

import datetime
import zoneinfo
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from recograph.adapters.environment import open_inbox
from recograph.customers import CustomerList, load_customers
from recograph.errors import RecographError
from recograph.lake.inbox import is_possible, local_dumps
from recograph.lake.interfaces import Inbox
from recograph.lake.staging import stamp_of
from recograph.settings import Settings

SETTINGS = Settings.from_env()
TIMEZONE = zoneinfo.ZoneInfo(SETTINGS.timezone)


def _stamp() -> str:
    """What changes when customers.yaml does; empty where it isn't there."""
    try:
        return stamp_of((SETTINGS.data / "customers.yaml").stat())
    except OSError:
        return ""


_LOADED = _stamp()
CUSTOMERS = load_customers(SETTINGS.data)


def is_listed(customer: str) -> bool:
    """Whether customers.yaml names a customer, and does so still: it may change while this process lives."""
    if customer in CUSTOMERS.customers and _stamp() != _LOADED:
        with suppress(RecographError):  # somebody is writing it
            return customer in load_customers(SETTINGS.data).customers
    return customer in CUSTOMERS.customers


OWNERS = ["team:data"]


@dataclass(frozen=True, order=True)
class Snapshot:
    """One customer's data on one day."""

    customer: str
    date: str

    def __str__(self) -> str:
        """Customer and date, as messages show them."""
        return f"{self.customer} {self.date}"

    @property
    def key(self) -> dg.MultiPartitionKey:
        """The partition key in Dagster, ``customer|date``."""
        return dg.MultiPartitionKey({"customer": self.customer, "date": self.date})


def date_window(
    settings: Settings, customers: CustomerList, inbox: Inbox, today: datetime.date
) -> tuple[datetime.date, int]:
    """The first day, and how many days past yesterday the partitions reach.

    They reach from the start date in customers.yaml (or the oldest dump in the data folder, if that is older) to
    tomorrow at most, where a dump of today or tomorrow is there already.
    """
    shipped = {date for customer in customers.customers for date in _dates(settings.data / customer)}
    dates = [datetime.date.fromisoformat(date) for date in sorted(shipped) if is_possible(date, today)]
    first = min([*dates[:1], *([customers.start_date] if customers.start_date else [])], default=None)
    if first is None and inbox.folder is None:
        raise RecographError(
            f"{settings.data / 'customers.yaml'}: add start_date, the first day with a dump in {inbox.uri()}."
        )
    return first or today, 1 + max(0, (max([today, *dates[-1:]]) - today).days)


def _dates(folder: Path) -> list[str]:
    """The dates of the dumps in a customer's folder; none where it can't be read, which landing says then."""
    try:
        return [date for date, _ in local_dumps(folder)]
    except OSError:
        return []


def _snapshots() -> dg.MultiPartitionsDefinition:
    today = datetime.datetime.now(TIMEZONE).date()
    start, end_offset = date_window(SETTINGS, CUSTOMERS, open_inbox(SETTINGS), today)
    return dg.MultiPartitionsDefinition(
        {
            "customer": dg.StaticPartitionsDefinition(list(CUSTOMERS.customers)),
            "date": dg.DailyPartitionsDefinition(
                start_date=start.isoformat(), end_offset=end_offset, timezone=SETTINGS.timezone
            ),
        }
    )


SNAPSHOTS = _snapshots()


def partition_dates() -> list[str]:
    """The days of the partitions, as they are now: days begin while this process lives."""
    return list(SNAPSHOTS.get_partitions_def_for_dimension("date").get_partition_keys())


def snapshot_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Snapshot:
    """The snapshot that a run is about.

    Raises:
        dg.Failure: the run is about none, or about several: what is said of one day must never be said of another.
    """
    keys = context.partition_keys if context.has_partition_key or context.has_partition_key_range else []
    if not keys:
        raise dg.Failure(
            description="This run names no customer and day. Where checks alone are executed, Dagster offers no choice "
            "of them: press Materialize and choose a partition, which checks it too, or run "
            "`recograph run --customer CUSTOMER --date DATE`."
        )
    if len(keys) > 1:
        raise dg.Failure(
            description=f"This run is about {len(keys)} partitions, but each is a run of its own: choose one customer "
            "and day, or launch a backfill, which starts a run for each."
        )
    key = SNAPSHOTS.get_partition_key_from_str(keys[0]).keys_by_dimension
    return Snapshot(key["customer"], key["date"])
