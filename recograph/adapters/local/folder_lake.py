"""The lake on one machine: a folder; dumps lie in the data folder."""

import os
import shutil
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow.fs as fs

from recograph.errors import RecographError
from recograph.lake.inbox import date_of_dump, newest_by_date
from recograph.lake.interfaces import DumpFile
from recograph.lake.staging import staging_folder


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
