"""The lake on one machine: a folder."""

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.fs as fs

from recograph.errors import RecographError
from recograph.lake.staging import customer_locked, refusal, staging_folder, stamp_of


@dataclass(frozen=True)
class LocalLake:
    """A lake in a folder of this machine."""

    root: str
    """Path of the folder."""
    home: str
    """Folder for files that are being written, on the same disk as the lake where possible."""

    @property
    def folder(self) -> Path:
        """See `Lake.folder`."""
        return Path(self.root)

    def staging(self) -> AbstractContextManager[Path]:
        """See `Lake.staging`."""
        return staging_folder(self.home)

    @contextmanager
    def staged(self) -> Iterator["LocalStaged"]:
        """See `Lake.staged`."""
        with self.staging() as folder:
            yield LocalStaged(self, folder)

    def locked(self, customer: str) -> AbstractContextManager[None]:
        """See `Lake.locked`."""
        return customer_locked(self.home, customer)

    @property
    def deletion_advice(self) -> str:
        """See `Lake.deletion_advice`."""
        return ""

    def old_versions(self, prefix: str) -> int:  # noqa: ARG002
        """See `Lake.old_versions`: a folder keeps none."""
        return 0

    def publish(self, file: Path, key: str) -> int:
        """See `Lake.publish`."""
        return self.publish_all({key: file})[key]

    def publish_all(self, files: Mapping[str, Path]) -> dict[str, int]:
        """Put staged files at their keys, but none before there is room for all; returns their sizes by key."""
        sizes = {key: file.stat().st_size for key, file in files.items()}
        drafts: dict[Path, Path] = {}
        try:
            for key, file in files.items():
                target = self.folder / key
                target.parent.mkdir(parents=True, exist_ok=True)
                drafts[target] = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
                # This copies, and so needs room, if the lake is on another disk than the staging folder.
                shutil.move(file, drafts[target])
            # From here on nothing can fail for lack of room.
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
        paths = (self.folder / prefix).rglob("*.parquet")
        # DuckDB calls a file tmp_NAME until it is whole.
        return sorted(
            str(path.relative_to(self.folder)) for path in paths if not path.name.startswith((".", "_", "tmp_"))
        )

    def stamps(self, prefix: str) -> dict[str, str]:
        """See `Lake.stamps`."""
        stamps = {}
        for key in self.parquet(prefix):
            with suppress(FileNotFoundError):  # erased or replaced at this moment
                stamps[key] = stamp_of((self.folder / key).stat())
        return stamps

    def delete(self, prefix: str) -> int:
        """See `Lake.delete`."""
        target = self.folder / prefix
        count = 1 if target.is_file() else sum(len(files) for _, _, files in os.walk(target))
        try:
            target.unlink() if target.is_file() else shutil.rmtree(target)
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
        return str(self.folder / key)


@dataclass(frozen=True)
class LocalStaged:
    """See `Staged`."""

    lake: LocalLake
    folder: Path

    def open(self, name: str) -> BinaryIO:
        """See `Staged.open`."""
        return cast(BinaryIO, pa.OSFile(str(self.folder / name), "wb"))

    def source(self, name: str) -> tuple[fs.FileSystem, str]:
        """See `Staged.source`."""
        return fs.LocalFileSystem(), str(self.folder / name)

    def remove(self, name: str) -> None:
        """See `Staged.remove`."""
        (self.folder / name).unlink()

    def publish_all(self, names: Mapping[str, str]) -> dict[str, int]:
        """See `Staged.publish_all`."""
        return self.lake.publish_all({key: self.folder / name for key, name in names.items()})
