"""Sample dumps of invented customers, each in its platform's schema: the same bytes for the same seed."""

import gzip
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import IO, cast

from recograph.customers import Customer, load_customers
from recograph.errors import RecographError
from recograph.platforms import PLATFORMS, platform_of
from recograph.sample_data.defaults import SEED, START
from recograph.sample_data.mysqldump import MARIADB, MYSQL, MySqlDump
from recograph.sample_data.pg_dump import PgDump
from recograph.sample_data.profiles import profile_of
from recograph.sample_data.schema import SampleTables
from recograph.sample_data.world import World


@dataclass(frozen=True)
class Dump:
    """A dump that was written."""

    customer: str
    date: date
    path: Path
    dialect: str


def prepare(out: Path, platform: str | None = None) -> dict[str, Customer]:
    """The customers by id, from `OUT/customers.yaml`, which is written first where it is missing.

    Args:
        out: The folder.
        platform: Only customers of this platform, which the written list has too; by default Docebo's are written.

    Raises:
        RecographError: the platform is unknown, or no customer of an existing list has it.
    """
    if platform is not None and platform not in PLATFORMS:
        raise RecographError(f"There is no platform {platform!r}. Name one of {', '.join(PLATFORMS)}.")
    path = out / "customers.yaml"
    if not path.exists():
        with _replaced(path) as file:
            package = f"recograph.platforms.{platform or 'docebo'}.sample"
            file.write(files(package).joinpath("customers.yaml").read_bytes())
    listed = load_customers(out).customers
    chosen = {id_: customer for id_, customer in listed.items() if platform in (None, customer.platform)}
    if not chosen:
        raise RecographError(f"{path} has no customer of the platform {platform}. Add one, or choose another folder.")
    return chosen


def generate(
    out: Path,
    scale: float = 1,
    days: int = 3,
    seed: int = SEED,
    customers: Sequence[Customer] | None = None,
    start: date = START,
    compress: bool = True,
    written: Callable[[Dump], object] | None = None,
) -> list[Dump]:
    """Write a dump per customer and day to `OUT/CUSTOMER/DATE.sql.gz`, or `.sql`.

    Args:
        out: The folder; a dump that is there already is replaced.
        scale: Factor for the number of users and of what they do.
        days: How many days in a row, each with its dump.
        seed: What the world is drawn from.
        customers: Whose dumps; by default those of `OUT/customers.yaml`.
        start: The first day.
        compress: Whether to write gzip.
        written: Called with each dump as soon as it is complete.

    Raises:
        RecographError: a number is out of range, a customer's size is unknown, or a file can't be written.
    """
    if not 0 < scale < math.inf:
        raise RecographError(f"The scale is {scale:g}; it must be a number above 0.")
    if days < 1:
        raise RecographError(f"The number of days is {days}; it must be 1 or more.")
    chosen = list(prepare(out).values()) if customers is None else customers
    dumps: list[Dump] = []
    for customer in chosen:
        profile = profile_of(customer, scale)
        rows = platform_of(customer).sample(World.build(customer, profile, start, days, seed))
        for day in range(days):
            snapshot = start + timedelta(days=day)
            path = out / customer.id / f"{snapshot}.sql{'.gz' if compress else ''}"
            with _replaced(path) as file:
                _write(file, profile.dialect, customer.id, rows, day, snapshot)
            dumps.append(Dump(customer.id, snapshot, path, profile.dialect))
            if written:
                written(dumps[-1])
    return dumps


def _write(file: IO[bytes], dialect: str, customer: str, rows: SampleTables, day: int, snapshot: date) -> None:
    database, taken = f"lms_{customer}", datetime.combine(snapshot, time(23, 55, 7), UTC)
    tables = rows.tables
    dump: MySqlDump | PgDump
    if dialect == "pg_dump":
        dump = PgDump(file, database, taken)
        dump.header()
        dump.define(tables)
    else:
        dump = MySqlDump(file, MYSQL if dialect == "mysqldump" else MARIADB, database, taken)
        dump.header()
    for table in tables:
        dump.table(table, rows.of(table.name, day))
    dump.footer()


@contextmanager
def _replaced(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when it is complete; a gzip file has no name and no time in it."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                    yield cast(IO[bytes], packed)
            else:
                yield raw
        partial.replace(path)
    except OSError as error:
        raise RecographError(f"{path} can't be written: {error.strerror}. Choose another folder.") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
