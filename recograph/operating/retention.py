"""Deletes the landed tables and marts of old snapshots, which can be made again from the dumps.

The next load compares with the snapshots that the graph holds and with the newest one of each table, so these are kept,
however old they are.
"""

import datetime
import shutil
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recograph.lake.interfaces import Lake
from recograph.lake.layout import PARTITIONS
from recograph.lake.staging import abandoned


@dataclass(frozen=True, order=True)
class Partition:
    """A table's partition in the lake."""

    customer: str
    date: str
    prefix: str
    """The beginning of the keys of its files."""


def first_kept(keep_days: int, today: datetime.date) -> str:
    """The oldest date that isn't old."""
    return (today - datetime.timedelta(days=keep_days)).isoformat()


def expired(
    lake: Lake,
    keep_days: int,
    today: datetime.date,
    held: Mapping[str, Collection[str]],
    customers: Collection[str] | None = None,
) -> list[Partition]:
    """The partitions that are old enough to be deleted, and that nothing needs.

    Args:
        lake: where to look.
        keep_days: how many days before today are kept.
        today: the day to count from.
        held: the snapshots that the graph holds by customer, which are kept too.
        customers: whose partitions; default: of all customers that the lake has, also of those not in customers.yaml.
    """
    first = first_kept(keep_days, today)
    return sorted(
        partition
        for by_date in _tables(lake).values()
        for date, partition in by_date.items()
        if date < first
        and date != max(by_date)
        and date not in held.get(partition.customer, ())
        and (customers is None or partition.customer in customers)
    )


def remaining(lake: Lake, gone: Collection[Partition]) -> set[str]:
    """The other partitions that the lake has, as Dagster names them: ``customer|date``."""
    partitions = (partition for by_date in _tables(lake).values() for partition in by_date.values())
    return {f"{partition.customer}|{partition.date}" for partition in partitions if partition not in gone}


def _tables(lake: Lake) -> dict[str, dict[str, Partition]]:
    """The partitions of each customer's tables by date."""
    tables: dict[str, dict[str, Partition]] = defaultdict(dict)
    for root, folder in PARTITIONS.items():
        for key in lake.parquet(root):
            if match := folder.match(key):
                tables[match[1]][match["date"]] = Partition(match["customer"], match["date"], match[0])
    return tables


def delete(lake: Lake, partitions: Iterable[Partition]) -> int:
    """Delete partitions; returns the number of files.

    Raises:
        RecographError: the lake can't be reached, or doesn't let us; what was deleted before is gone.
    """
    return sum(lake.delete(partition.prefix) for partition in partitions)


def leftovers(home: Path, lake: Path | None) -> list[Path]:
    """Files and folders that killed processes left behind and that nobody uses any more.

    Args:
        home: the installation's folder for state.
        lake: the lake's folder; None where the lake is elsewhere.
    """
    paths = [
        *abandoned(home / "staging"),
        *abandoned(home / "dbt", "build-"),
        *abandoned(home / "dbt"),
        *abandoned(home / "neo4j", "restore-"),
    ]
    if lake:
        # A file has such a name only while it is being published, which takes moments.
        yesterday = time.time() - 24 * 3600
        paths += [
            path
            for pattern in (".*.parquet.*", "tmp_*.parquet")
            for path in lake.rglob(pattern)
            if path.is_file() and path.stat().st_mtime < yesterday
        ]
    return sorted(paths)


def remove_leftovers(paths: Iterable[Path]) -> None:
    """Delete what `leftovers` found."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def described(partitions: Iterable[Partition]) -> list[str]:
    """One line per customer and date, such as ``customer_1 2026-11-01: 20 tables``."""
    tables: dict[tuple[str, str], int] = defaultdict(int)
    for partition in partitions:
        tables[partition.customer, partition.date] += 1
    return [
        f"{customer} {date}: {count} table{'s' * (count > 1)}" for (customer, date), count in sorted(tables.items())
    ]
