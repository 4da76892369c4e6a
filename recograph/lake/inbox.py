"""The dumps that customers shipped: how their files are named, and which one belongs to a day."""

import datetime
import hashlib
import os
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from recograph.customers import FIRST_DAY
from recograph.errors import RecographError
from recograph.lake.interfaces import DumpFile, Inbox

_NAME = re.compile(r"(?P<date>\d{4}-\d\d-\d\d)(?P<endings>(?:\.[A-Za-z0-9]{1,10})*)")
_FORMS = frozenset({"sql", "dump", "pgdump", "backup", "tar", "zip"})
_PACKED = frozenset({"gz", "gzip", "tgz", "bz2", "tbz2", "tbz", "xz", "txz", "zst", "zstd", "tzst", "lz4"})
_NOT_READ = frozenset({"7z", "rar", "z", "lzma", "lz", "lzo", "br", "sz", "gpg", "pgp", "age", "enc"})
"""Endings of packings that recograph can't read. Such files count as dumps, so that reading one says what is wrong."""
LAST_WRITTEN = frozenset({"metadata", "@.done.json", "toc.dat"})
"""Files that the programs which write dump folders write last; while a folder is being copied, they are missing."""
_ENDINGS = _FORMS | _PACKED | _NOT_READ


def is_possible(date: str, today: datetime.date) -> bool:
    """Whether a dump can be of that day: not before 2000, nor after tomorrow, which some customers have before us.

    The days of all customers are everybody's partitions: a year that is wrong would make many thousands more of them.
    """
    return FIRST_DAY.isoformat() <= date <= (today + datetime.timedelta(days=1)).isoformat()


def told_of_misdated(customer: str, dates: Iterable[str], today: datetime.date) -> str:
    """A sentence about a customer's dumps that aren't read because of their dates; empty where there are none."""
    wrong = [date for date in dates if not is_possible(date, today)]
    if not wrong:
        return ""
    return f"{customer} has dumps that are dated before 2000 or in the future and aren't read: {', '.join(wrong[:5])}."


def dump_for(inbox: Inbox, customer: str, date: str) -> DumpFile:
    """The dump of one partition.

    Raises:
        RecographError: it isn't there; the message names the expected file and the days that exist.
    """
    dumps = inbox.dumps(customer)
    if date in dumps:
        return dumps[date]
    days = ", ".join(list(dumps)[-10:]) or "none"
    if len(dumps) > 10:
        days = f"{len(dumps)} days, the latest {days}"
    raise RecographError(
        f"There is no dump of {customer} for {date}: expected {inbox.uri(customer, f'{date}.sql')} "
        f"(or packed, or an archive, or a folder of that date: see docs/dumps.md). Days that exist: {days}."
    )


def by_date(dumps: Iterable[DumpFile]) -> dict[str, DumpFile]:
    """Dumps by date, oldest first. If several dumps have the same date, the day's dump has this as its `trouble`."""
    dumps_by_date: dict[str, DumpFile] = {}
    for dump in sorted(dumps, key=lambda dump: (dump.date, dump.uri)):
        other = dumps_by_date.get(dump.date)
        if other:
            trouble = f"Two dumps of {dump.customer} for {dump.date}: {other.uri} and {dump.uri}. Keep one."
            dump = replace(other, version=version_of([other.version, dump.version]), trouble=trouble)
        dumps_by_date[dump.date] = dump
    return dumps_by_date


def version_of(parts: Iterable[str]) -> str:
    """The version of a dump that consists of several parts, made of the versions of these."""
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:32]


def date_of_dump(name: str, *, is_folder: bool = False) -> str | None:
    """The snapshot date that the name of a dump states, or None where it can't be a dump's name.

    A file is called after its date and what it is: `2026-01-31.sql.gz`, `.dump`, `.tar.zst`, `.zip`; a folder after its
    date alone. Checksums, parts, temporary and hidden files are no dumps.
    """
    match = _NAME.fullmatch(name)
    if not match:
        return None
    endings = match["endings"].lower().split(".")[1:]
    if is_folder == bool(endings) or not _ENDINGS.issuperset(endings):
        return None
    try:
        return datetime.date.fromisoformat(match["date"]).isoformat()
    except ValueError:
        return None


def local_dumps(folder: Path) -> list[tuple[str, Path]]:
    """The date and the path of everything in a folder that has the name of a dump.

    Raises:
        OSError: the folder can't be read.
    """
    dated = []
    # A link that leads nowhere counts as a folder that can't be read, and not as one that doesn't exist.
    for entry in os.scandir(folder) if os.path.lexists(folder) else ():
        path = Path(entry.path)
        # A link that leads nowhere, or in a circle, is no folder; its name says whether it is a dump's.
        try:
            is_folder = entry.is_dir()
        except OSError:
            is_folder = False
        if date := date_of_dump(entry.name, is_folder=is_folder):
            dated.append((date, path))
    return dated


def unlisted(inbox: Inbox, customers: Collection[str]) -> list[Path]:
    """The local folders that hold dumps as customers' folders do, and belong to none of these customers."""
    folders = []
    for path in sorted(inbox.folder.iterdir()) if inbox.folder else ():
        with suppress(OSError):  # it isn't a folder, or is closed to us
            if path.name not in customers and local_dumps(path):
                folders.append(path)
    return folders
