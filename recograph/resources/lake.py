"""The lake: where dumps come from and where landed Parquet lies, in a folder or in S3.

Keys are the same in both: ``landing/CUSTOMER/TABLE/snapshot_date=DATE/TABLE.parquet``. A partition is one file, which
appears whole or not at all, so a reader never sees half a table.
"""

import datetime
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import dagster as dg
import pyarrow.fs as fs

from recograph.errors import RecographError

_DUMP_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.sql(\.[A-Za-z0-9]+)?")


@dataclass(frozen=True)
class DumpFile:
    """A dump that a customer shipped."""

    customer: str
    date: str
    uri: str
    size: int
    version: str
    """Changes when the file is replaced: time of modification and size, or S3's entity tag."""


class Lake(Protocol):
    """What the pipeline needs of a store of files."""

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        """The customer's dumps by snapshot date, oldest first."""

    def open_dump(self, dump: DumpFile) -> BinaryIO:
        """Open a dump for streaming."""

    def staging(self) -> AbstractContextManager[Path]:
        """A local folder for files that are being written, gone at the end of the block."""

    def publish(self, file: Path, key: str) -> int:
        """Put a staged file at a key, replacing what was there in one move; returns its size in bytes."""

    def parquet(self, prefix: str) -> list[str]:
        """The keys of the Parquet files below a prefix, sorted."""

    def delete(self, prefix: str) -> int:
        """Delete everything below a prefix; returns the number of files."""

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """An Arrow file system, and the path to put before a key in it."""

    def uri(self, key: str) -> str:
        """The address of a key, for people and for other programs."""


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


def landing_key(customer: str, table: str, date: str) -> str:
    """The key of a landed table's partition."""
    return f"landing/{customer}/{table}/snapshot_date={date}/{table}.parquet"


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


@contextmanager
def staging_folder(home: str) -> Iterator[Path]:
    """A new folder below HOME/staging that is removed at the end.

    Raises:
        RecographError: the folder can't be written.
    """
    try:
        parent = Path(home) / "staging"
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=parent))
    except OSError as error:
        raise RecographError(
            f"{home} can't be written ({error.strerror}). Let RECOGRAPH_HOME name a folder that can."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class LocalLake(dg.ConfigurableResource["LocalLake"]):
    """A lake in a folder; dumps lie in the data folder."""

    root: str
    """Folder of the lake."""
    data: str
    """Folder with one folder of dumps a customer."""
    home: str
    """Folder for files that are being written, on the same disk as the lake where possible."""

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        """See `Lake.dumps`."""
        found = []
        folder = Path(self.data) / customer
        for path in folder.iterdir() if folder.is_dir() else ():
            if date := date_of_dump(path.name):
                stat = path.stat()
                found.append(DumpFile(customer, date, str(path), stat.st_size, f"{stat.st_mtime_ns}-{stat.st_size}"))
        return newest_by_date(found)

    def open_dump(self, dump: DumpFile) -> BinaryIO:
        """See `Lake.open_dump`."""
        try:
            return Path(dump.uri).open("rb")
        except OSError as error:
            raise RecographError(f"{dump.uri} can't be read: {error.strerror}.") from error

    def staging(self) -> AbstractContextManager[Path]:
        """See `Lake.staging`."""
        return staging_folder(self.home)

    def publish(self, file: Path, key: str) -> int:
        """See `Lake.publish`."""
        target = Path(self.root) / key
        size = file.stat().st_size
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            shutil.move(file, beside)
            beside.replace(target)
        except OSError as error:
            raise RecographError(f"{target} can't be written: {error.strerror}.") from error
        return size

    def parquet(self, prefix: str) -> list[str]:
        """See `Lake.parquet`."""
        root = Path(self.root)
        found = (path.relative_to(root) for path in (root / prefix).rglob("*.parquet"))
        return sorted(str(path) for path in found if not path.name.startswith((".", "_")))

    def delete(self, prefix: str) -> int:
        """See `Lake.delete`."""
        target = Path(self.root) / prefix
        count = sum(len(files) for _, _, files in os.walk(target))
        shutil.rmtree(target, ignore_errors=True)
        return count

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """See `Lake.filesystem`."""
        return fs.LocalFileSystem(), f"{self.root}/"

    def uri(self, key: str) -> str:
        """See `Lake.uri`."""
        if key.startswith("dumps/"):
            return str(Path(self.data) / key.removeprefix("dumps/"))
        return str(Path(self.root) / key)
