"""Files that lie together: in a folder of this machine, in a store, or in an archive of files."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from recograph.dumps.message import Kind, Name
from recograph.dumps.report import DumpError

MOST_FILES = 1_000_000
"""Most files of a dump."""
NO_FILE = Kind("is no file, but a pipe, a socket or a device, and reading it might never end")


@runtime_checkable
class Folder(Protocol):
    """A folder of files."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def is_random(self) -> bool:
        """Whether several files may be open at once, and in any order, without a price."""

    def files(self) -> dict[str, int]:
        """The size of every file by its path in the folder, with slashes, in the order in which they lie.

        Raises:
            RecographError: the folder can't be listed.
        """

    def open(self, path: str) -> BinaryIO:
        """Open one of the files.

        Raises:
            RecographError: it can't be opened.
        """

    def stamp(self) -> object:
        """What changes when a file is written to, added or taken away, by a look at the store."""


class LocalFolder:
    """A folder of this machine."""

    is_random = True

    def __init__(self, path: Path, name: str):
        self._path = path
        self._files: dict[str, int] | None = None
        self.name = name

    def files(self) -> dict[str, int]:
        """See `Folder.files`."""
        return self._files if self._files is not None else self._kept(self.look())

    def stamp(self) -> object:
        """See `Folder.stamp`."""
        files = self.look()
        if self._files is None:
            self._kept(files)
        return [(path, status.st_size, status.st_mtime_ns) for path, status in files]

    def _kept(self, files: list[tuple[str, os.stat_result]]) -> dict[str, int]:
        """The sizes of files, as they are at the first look."""
        self._files = {path: status.st_size for path, status in files}
        return self._files

    def look(self) -> list[tuple[str, os.stat_result]]:
        """Every file as it is now, by its path.

        Raises:
            DumpError: one can't be looked at.
        """
        files = []
        try:
            for folder, _, names in os.walk(self._path, onerror=_fail):
                below = Path(folder).relative_to(self._path).as_posix()
                prefix = "" if below == "." else f"{below}/"
                for name in names:
                    # A path of pathlib for each file would take most of the time.
                    status = os.stat(f"{folder}/{name}")  # noqa: PTH116
                    if not stat.S_ISREG(status.st_mode):
                        raise DumpError("{name} {trouble}.", name=Name(f"{folder}/{name}", whole=True), trouble=NO_FILE)
                    files.append((f"{prefix}{name}", status))
                    if len(files) > MOST_FILES:
                        raise DumpError(
                            "{dump}: more than {most_files} files. This is no folder of one dump.",
                            dump=Name(self.name, whole=True),
                            most_files=MOST_FILES,
                        )
        except OSError as error:
            raise DumpError(
                "{name} can't be read: {reason}.",
                name=Name(str(error.filename or self.name), whole=True),
                reason=Name(str(error.strerror)),
            ) from error
        return sorted(files, key=lambda item: item[0])

    def open(self, path: str) -> BinaryIO:
        """See `Folder.open`."""
        try:
            return (self._path / path).open("rb")
        except OSError as error:
            raise DumpError(
                "{dump}/{path} can't be read: {reason}.",
                dump=Name(self.name, whole=True),
                path=Name(path, whole=True),
                reason=Name(str(error.strerror)),
            ) from error


def _fail(error: OSError) -> None:
    raise error


class Below:
    """What lies below a path of a folder, as a folder."""

    def __init__(self, folder: Folder, path: str):
        self._folder = folder
        self._prefix = f"{path}/"
        self.name = folder.name
        self.is_random = folder.is_random

    def files(self) -> dict[str, int]:
        """See `Folder.files`."""
        cut = len(self._prefix)
        return {path[cut:]: size for path, size in self._folder.files().items() if path.startswith(self._prefix)}

    def open(self, path: str) -> BinaryIO:
        """See `Folder.open`."""
        return self._folder.open(self._prefix + path)

    def stamp(self) -> object:
        """See `Folder.stamp`."""
        return self._folder.stamp()


def is_aside(path: str) -> bool:
    """Whether a file belongs to no dump: hidden, or what systems, transfers and people leave beside one."""
    folders = path.split("/")
    name = folders[-1].lower()
    return (
        any(part.startswith(".") or part == "__MACOSX" for part in folders)
        or name in _ASIDE_NAMES
        or name.endswith(_ASIDE_ENDS)
    )


_ASIDE_NAMES = {
    "thumbs.db",
    "desktop.ini",
    "md5sums",
    "sha256sums",
    "sha1sums",
    "checksums.txt",
    "readme",
    "readme.md",
    "readme.txt",
}
_ASIDE_ENDS = (".md5", ".sha1", ".sha256", ".sha512", ".part", ".tmp", ".bak", "~", ".crc", ".log", ".asc", ".sig")
