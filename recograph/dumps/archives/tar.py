"""Tar archives: of a folder of a dump, of pg_dump (`-Ft`), or of one file.

The headers are read first, then the files that are wanted in the order in which they lie, so that an archive that is
compressed, and so goes forward only, is read through a few times at most.
"""

import io
import tarfile
from typing import BinaryIO

from recograph.dumps.archives.folders import MOST_FILES, is_aside
from recograph.dumps.archives.streams import BLOCK_BYTES, Stream, cut
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError, Limits

_BLOCK = 512


def matches(head: bytes) -> bool:
    """Whether a file begins like one."""
    return head[257:262] == b"ustar"


class Slice(io.RawIOBase):
    """A file within another."""

    def __init__(self, stream: Stream, begin: int, size: int):
        self._stream = stream
        self._begin = begin
        self._size = size
        self._place = 0

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many of the next bytes; none at the end."""
        left = self._size - self._place
        size = left if size < 0 else min(size, left)
        if not size:
            return b""
        self._stream.seek(self._begin + self._place)
        data = self._stream.read(size)
        if not data:
            raise cut(self._stream.name, self._begin + self._place)
        self._place += len(data)
        return data

    def seek(self, place: int, whence: int = 0, /) -> int:
        """Go to a place."""
        self._place = max({0: 0, 1: self._place, 2: self._size}[whence] + place, 0)
        return self._place

    def tell(self) -> int:
        """The place that is read next."""
        return self._place

    def seekable(self) -> bool:
        """Whether it can be read from any place: always."""
        return True


class TarFolder:
    """The files of a tar archive."""

    is_random = False

    def __init__(self, stream: Stream, limits: Limits):
        """Read the headers.

        Raises:
            DumpError: the archive is cut or broken.
        """
        self._stream = stream if stream.can_go_back else stream.spooled(limits.total_bytes)
        self.name = stream.name
        self._members: dict[str, tarfile.TarInfo] = {}
        self._stream.seek(0)
        end = 0
        try:
            with tarfile.open(fileobj=self._stream, mode="r:") as archive:  # type: ignore[call-overload]
                for member in archive:
                    end = member.offset_data + -(-member.size // _BLOCK) * _BLOCK
                    if member.issparse() or not (member.isfile() or member.isdir()):
                        raise DumpError(
                            "{dump}: the archive holds {name}, which is neither a file nor a folder (a link, or "
                            "sparse). Make it with tar --dereference, without --sparse.",
                            dump=Name(self.name, whole=True),
                            name=Name(member.name),
                        )
                    path = member.name.removeprefix("./").strip("/")
                    is_outside = ".." in path.split("/")
                    if member.isfile() and (is_outside or not is_aside(path)):
                        if is_outside or path in self._members:
                            raise DumpError(
                                "{dump}: the archive holds {path} twice, or outside of its folder.",
                                dump=Name(self.name, whole=True),
                                path=Name(path, whole=True),
                            )
                        self._members[path] = member
                    if len(self._members) > MOST_FILES:
                        raise DumpError(
                            "{dump}: more than {most_files} files. This is no archive of one dump.",
                            dump=Name(self.name, whole=True),
                            most_files=MOST_FILES,
                        )
        except tarfile.TarError as error:
            raise DumpError(
                "{dump}: the tar archive is broken. It was cut or damaged; fetch or make it again.",
                dump=Name(self.name, whole=True),
            ) from error
        self._check_end(end)

    def _check_end(self, end: int) -> None:
        """An archive ends with two blocks of zeros, and nothing but zeros follows them."""
        self._stream.seek(end)
        is_broken = bool(self._stream.exactly(2 * _BLOCK).strip(b"\0"))
        while not is_broken and (block := self._stream.read(BLOCK_BYTES)):
            is_broken = bool(block.strip(b"\0"))
        if is_broken:
            raise DumpError(
                "{dump}: the tar archive is broken at byte {end}, or something follows its end. It was damaged, or "
                "two archives were joined; fetch or make it again.",
                dump=Name(self.name, whole=True),
                end=end,
            )

    def stamp(self) -> object:
        """See `Folder.stamp`: it is one file, which is looked at as such."""
        return None

    def files(self) -> dict[str, int]:
        """See `Folder.files`."""
        return {path: member.size for path, member in self._members.items()}

    def open(self, path: str) -> BinaryIO:
        """See `Folder.open`."""
        member = self._members[path]
        return Slice(self._stream, member.offset_data, member.size)  # type: ignore[return-value]
