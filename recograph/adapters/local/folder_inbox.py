"""The inbox on one machine: the data folder, with one folder of dumps per customer."""

import datetime
import stat
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from recograph.dumps import LocalFolder, Openable
from recograph.dumps.archives.folders import NO_FILE
from recograph.errors import RecographError
from recograph.lake.inbox import by_date, local_dumps, version_of
from recograph.lake.interfaces import DumpFile
from recograph.lake.staging import stamp_of


@dataclass(frozen=True)
class LocalInbox:
    """A folder of this machine, with one folder of dumps per customer."""

    folder: Path
    """See `Inbox.folder`."""

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        """See `Inbox.dumps`."""
        folder = self.folder / customer
        try:
            return by_date(_dump(customer, date, path) for date, path in local_dumps(folder))
        except OSError as error:
            raise RecographError(
                f"{folder} can't be read: {error.strerror}. Let the user that runs recograph read it."
            ) from error

    def open_dump(self, dump: DumpFile) -> AbstractContextManager[Openable]:
        """See `Inbox.open_dump`."""
        if dump.trouble:
            raise RecographError(dump.trouble)
        if dump.is_folder:
            return nullcontext(LocalFolder(Path(dump.uri), dump.uri))
        try:
            return Path(dump.uri).open("rb")
        except OSError as error:
            raise RecographError(f"{dump.uri} can't be read: {error.strerror}.") from error

    def stamp(self, dump: DumpFile) -> str:
        """See `Inbox.stamp`."""
        path = Path(dump.uri)
        try:
            files = LocalFolder(path, dump.uri).look() if dump.is_folder else [("", path.stat())]
        except OSError as error:
            raise RecographError(f"{dump.uri} can't be read: {error.strerror}.") from error
        return version_of(f"{name} {stamp_of(status)}" for name, status in files)

    def uri(self, customer: str = "", name: str = "") -> str:
        """See `Inbox.uri`."""
        return str(self.folder / customer / name)


def _dump(customer: str, date: str, path: Path) -> DumpFile:
    """A dump as it lies in the folder. If it can't be read it has `trouble`, so that the other days stay readable."""
    try:
        status = path.stat()
        if not stat.S_ISDIR(status.st_mode):
            version = f"{status.st_mtime_ns}-{status.st_size}"
            trouble = "" if stat.S_ISREG(status.st_mode) else f"{path} {NO_FILE}. Take it away."
            return DumpFile(customer, date, str(path), status.st_size, version, trouble)
        files = LocalFolder(path, str(path)).look()
    except OSError as error:
        trouble = f"{error.filename or path} can't be read: {error.strerror}. Mend it, or take it away."
        return DumpFile(customer, date, str(path), 0, version_of(["unreadable", str(error.strerror)]), trouble)
    except RecographError as error:
        return DumpFile(customer, date, str(path), 0, version_of(["unreadable", str(error)]), str(error))
    version = version_of(f"{name} {seen.st_size} {seen.st_mtime_ns}" for name, seen in files)
    size = sum(seen.st_size for _, seen in files)
    # The time of the change counts, because copying can keep the time of modification.
    last = max((seen.st_ctime for _, seen in files), default=status.st_ctime)
    changed = datetime.datetime.fromtimestamp(last, datetime.UTC)
    return DumpFile(customer, date, str(path), size, version, is_folder=True, changed=changed)
