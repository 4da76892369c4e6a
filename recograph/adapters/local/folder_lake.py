"""The lake on one machine: a folder; dumps lie in the data folder."""

import os
import shutil
import stat
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pyarrow.fs as fs

from recograph.dumps import LocalFolder, Openable
from recograph.errors import RecographError
from recograph.lake.inbox import by_date, local_dumps, version_of
from recograph.lake.interfaces import DumpFile
from recograph.lake.staging import customer_locked, refusal, staging_folder


@dataclass(frozen=True)
class LocalLake:
    """A lake in a folder; dumps lie in the data folder."""

    root: str
    """Folder of the lake."""
    data: str
    """Folder with one folder of dumps a customer."""
    home: str
    """Folder for files that are being written, on the same disk as the lake where possible."""

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        """See `Lake.dumps`."""
        folder = Path(self.data) / customer
        try:
            return by_date(_dump(customer, date, path) for date, path in local_dumps(folder))
        except OSError as error:
            raise RecographError(
                f"{folder} can't be read: {error.strerror}. Let the user that runs recograph read it."
            ) from error

    def open_dump(self, dump: DumpFile) -> AbstractContextManager[Openable]:
        """See `Lake.open_dump`."""
        if dump.trouble:
            raise RecographError(dump.trouble)
        if dump.is_folder:
            return nullcontext(LocalFolder(Path(dump.uri), dump.uri))
        try:
            return Path(dump.uri).open("rb")
        except OSError as error:
            raise RecographError(f"{dump.uri} can't be read: {error.strerror}.") from error

    def staging(self) -> AbstractContextManager[Path]:
        """See `Lake.staging`."""
        return staging_folder(self.home)

    def locked(self, customer: str) -> AbstractContextManager[None]:
        """See `Lake.locked`."""
        return customer_locked(self.home, customer)

    def old_versions(self, prefix: str) -> int:  # noqa: ARG002
        """See `Lake.old_versions`: a folder keeps none."""
        return 0

    def publish(self, file: Path, key: str) -> int:
        """See `Lake.publish`."""
        return self.publish_all({key: file})[key]

    def publish_all(self, files: Mapping[str, Path]) -> dict[str, int]:
        """See `Lake.publish_all`."""
        sizes = {key: file.stat().st_size for key, file in files.items()}
        drafts: dict[Path, Path] = {}
        try:
            for key, file in files.items():
                target = Path(self.root) / key
                target.parent.mkdir(parents=True, exist_ok=True)
                drafts[target] = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
                # Needs room where the lake is on another disk than the staging folder.
                shutil.move(file, drafts[target])
            # Nothing can fail for lack of room any more.
            for target, draft in drafts.items():
                draft.replace(target)
        except OSError as error:
            raise RecographError(refusal(target, error)) from error
        finally:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)
        return sizes

    def parquet(self, prefix: str) -> list[str]:
        """See `Lake.parquet`."""
        root = Path(self.root)
        found = (path.relative_to(root) for path in (root / prefix).rglob("*.parquet"))
        # DuckDB calls a file tmp_NAME until it is whole.
        return sorted(str(path) for path in found if not path.name.startswith((".", "_", "tmp_")))

    def delete(self, prefix: str) -> int:
        """See `Lake.delete`."""
        target = Path(self.root) / prefix
        count = sum(len(files) for _, _, files in os.walk(target))
        try:
            shutil.rmtree(target)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise RecographError(
                f"{error.filename or target} can't be deleted ({error.strerror}). Make its folder writable and run "
                "this again."
            ) from error
        return count

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """See `Lake.filesystem`."""
        return fs.LocalFileSystem(), f"{self.root}/"

    def uri(self, key: str) -> str:
        """See `Lake.uri`."""
        if key.startswith("dumps/"):
            return str(Path(self.data) / key.removeprefix("dumps/"))
        return str(Path(self.root) / key)


def _dump(customer: str, date: str, path: Path) -> DumpFile:
    """A dump as it lies there; that it can't be read is trouble of its own day only."""
    try:
        status = path.stat()
        if not stat.S_ISDIR(status.st_mode):
            version = f"{status.st_mtime_ns}-{status.st_size}"
            return DumpFile(customer, date, str(path), status.st_size, version)
        files = LocalFolder(path, str(path)).look()
    except OSError as error:
        trouble = f"{error.filename or path} can't be read: {error.strerror}. Mend it, or take it away."
        return DumpFile(customer, date, str(path), 0, version_of(["unreadable", str(error.strerror)]), trouble)
    except RecographError as error:
        return DumpFile(customer, date, str(path), 0, version_of(["unreadable", str(error)]), str(error))
    version = version_of(f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in files)
    return DumpFile(customer, date, str(path), sum(s.st_size for _, s in files), version, is_folder=True)
