"""Zip archives: of one dump, or of a folder of one."""

import zipfile
import zlib
from typing import IO, BinaryIO, cast

from recograph.dumps.archives.compression import check_ratio
from recograph.dumps.archives.folders import MOST_FILES, is_aside
from recograph.dumps.archives.streams import Stream
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError, Limits

_ENCRYPTED = 1


def matches(head: bytes) -> bool:
    """Whether a file begins like one."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK00PK\x03\x04"))


class ZipFolder:
    """The files of a zip archive."""

    is_random = False

    def __init__(self, stream: Stream, limits: Limits):
        """Read the directory at the end.

        Raises:
            DumpError: the archive is cut or broken, or what it holds can't be read.
        """
        self.name = stream.name
        self._limits = limits
        if not stream.can_go_back or stream.size is None:
            stream = stream.spooled(limits.total_bytes)
        try:
            self._archive = zipfile.ZipFile(cast(BinaryIO, stream))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise DumpError(
                "{dump}: the zip archive is broken, or one of several volumes. It was cut or damaged; "
                "fetch or make it again.",
                dump=Name(self.name, whole=True),
            ) from error
        if min((member.header_offset for member in self._archive.infolist()), default=0):
            raise DumpError(
                "{dump}: something stands before the zip archive. It was damaged, or two archives were joined; "
                "fetch or make it again.",
                dump=Name(self.name, whole=True),
            )
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._archive.infolist():
            path = member.filename.replace("\\", "/").removeprefix("./")
            is_outside = ".." in path.split("/")
            if member.is_dir() or (is_aside(path) and not is_outside):
                continue
            if member.flag_bits & _ENCRYPTED:
                raise DumpError(
                    "{dump}: {path} in the zip archive is encrypted. Make it without a password.",
                    dump=Name(self.name, whole=True),
                    path=Name(path, whole=True),
                )
            if is_outside or path in self._members or len(self._members) >= MOST_FILES:
                raise DumpError(
                    "{dump}: the zip archive holds {path} twice, or outside of its folder, or more than {most_files} "
                    "files.",
                    dump=Name(self.name, whole=True),
                    path=Name(path, whole=True),
                    most_files=MOST_FILES,
                )
            self._members[path] = member

    def stamp(self) -> object:
        """See `Folder.stamp`: it is one file, which is looked at as such."""
        return None

    def files(self) -> dict[str, int]:
        """See `Folder.files`."""
        return {path: member.file_size for path, member in self._members.items()}

    def open(self, path: str) -> BinaryIO:
        """See `Folder.open`."""
        member = self._members[path]
        try:
            file = self._archive.open(member)
        except (NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
            raise DumpError(
                "{dump}: {path} in the zip archive can't be read: it is broken, or compressed in a way "
                "that isn't known. Make it with zip as it comes.",
                dump=Name(self.name, whole=True),
                path=Name(path, whole=True),
            ) from error
        return cast(BinaryIO, _Member(file, member, f"{self.name}/{path}", self._limits))


class _Member:
    """A file in a zip archive, whose check sum is looked at when it was read to its end."""

    def __init__(self, file: IO[bytes], member: zipfile.ZipInfo, name: str, limits: Limits):
        self._file = file
        self._packed = member.compress_size
        self._name = name
        self._limits = limits
        self._place = 0

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = self._file.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise DumpError(
                "{dump}: the file in the zip archive is broken. It was cut or damaged; fetch or make it again.",
                dump=Name(self._name, whole=True),
            ) from error
        self._place += len(data)
        check_ratio(self._name, self._place, self._packed, self._limits)
        return data

    def close(self) -> None:
        self._file.close()
