"""The bytes of a file of a dump, read from wherever they are asked for, as far as the file allows it.

A regular file and an object in S3 are read from anywhere. What is decompressed, and a pipe, goes forward only: going
on means reading over what lies between, going back means beginning anew, or isn't possible.
"""

import hashlib
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol, Self, cast

from recograph.dumps.message import Name
from recograph.dumps.report import DumpError

BLOCK_BYTES = 1 << 20
"""How much is read at a time."""
HEAD_BYTES = 64 << 10
"""How much of a beginning may be looked at before it is read."""


class Readable(Protocol):
    """The least that is asked of what bytes come from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many of the next bytes; none at the end."""


class Meter:
    """How many bytes of a dump's files were read; some perhaps twice."""

    def __init__(self) -> None:
        self.bytes = 0


class Counted:
    """A binary file that counts what is read of it, and digests it where asked to."""

    def __init__(self, file: BinaryIO, meter: Meter, *, digest: bool = False):
        """Begin where the file stands.

        Args:
            file: the file.
            meter: where to count.
            digest: whether to compute the SHA-256 of all of it.
        """
        self._file = file
        self._meter = meter
        self._place = 0
        self._digested = 0
        self._sha256 = hashlib.sha256() if digest else None
        seekable = getattr(file, "seekable", None)
        self.is_seekable = bool(seekable and seekable())
        self._begin = file.tell() if self.is_seekable else 0

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many of the next bytes; none at the end."""
        data = self._file.read(size) or b""
        end = self._place + len(data)
        self._meter.bytes += len(data)
        if self._sha256 and self._place <= self._digested < end:
            self._sha256.update(memoryview(data)[self._digested - self._place :])
            self._digested = end
        self._place = end
        return data

    def seek(self, place: int) -> None:
        """Go to a place, counted from where the file stood at the beginning."""
        if place != self._place:
            self._file.seek(self._begin + place)
            self._place = place

    def size(self) -> int | None:
        """The file's size where it can be told."""
        if not self.is_seekable:
            return None
        size = self._file.seek(0, 2) - self._begin
        self._file.seek(self._begin + self._place)
        return size

    def sha256(self) -> str | None:
        """The digest of the whole file, where asked for; reads what wasn't read yet."""
        if not self._sha256:
            return None
        if self.is_seekable:
            self.seek(self._digested)
        while self.read(BLOCK_BYTES):
            pass
        return self._sha256.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Stream:
    """Bytes with a place in them that can be moved."""

    def __init__(self, begin: Callable[[], Readable], name: str, *, again: bool, size: int | None = None):
        """Nothing is opened before something is read.

        Args:
            begin: opens the bytes at their beginning.
            name: what messages call them.
            again: whether `begin` may be called again.
            size: how many bytes there are, where it is known.
        """
        self._begin = begin
        self._file: Readable | None = None
        self._at = 0
        self._head = b""
        self.name = name
        self.can_go_back = again
        self.size = size
        self.place = 0

    @classmethod
    def of(cls, counted: Counted, name: str) -> Self:
        """All bytes of a file, or of a stream."""

        def begin() -> Counted:
            if counted.is_seekable:
                counted.seek(0)
            return counted

        return cls(begin, name, again=counted.is_seekable, size=counted.size())

    def peek(self, size: int = HEAD_BYTES) -> bytes:
        """The first bytes of all, wherever the place is; fewer than asked for where there are no more."""
        while len(self._head) < size and self._at == len(self._head):
            data = self._next(size - len(self._head))
            if not data:
                break
            self._head += data
        return self._head[:size]

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many of the bytes at the place, and all that are left by default; none at the end."""
        if size < 0:
            blocks = []
            while block := self.read(BLOCK_BYTES):
                blocks.append(block)
            return b"".join(blocks)
        if self.place < len(self._head):
            data = self._head[self.place : self.place + size]
        else:
            self._go()
            data = self._next(size)
        self.place += len(data)
        return data

    def exactly(self, size: int) -> bytes:
        """So many of the bytes at the place.

        Raises:
            DumpError: there are fewer.
        """
        data = self.read(size)
        while len(data) < size:
            more = self.read(min(size - len(data), BLOCK_BYTES))
            if not more:
                raise cut(self.name, self.place)
            data += more
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move the place; from the end only where the size is known."""
        base = {0: 0, 1: self.place, 2: self.size or 0}[whence]
        self.place = max(base + offset, 0)
        return self.place

    def tell(self) -> int:
        """The place that is read next, in bytes from the beginning."""
        return self.place

    def seekable(self) -> bool:
        """Whether the place may be anywhere, also behind."""
        return self.can_go_back

    def spooled(self, most: int) -> "Stream":
        """The same bytes, in a file on this machine that can be read from anywhere.

        Args:
            most: how many bytes that may be.

        Raises:
            DumpError: there are more, or the disk is full.
        """
        self.place = 0
        spool = tempfile.TemporaryFile()  # noqa: SIM115 (the stream keeps it; it is gone when that is)
        try:
            while block := self.read(BLOCK_BYTES):
                if self.place > most:
                    raise DumpError(
                        "{dump}: more than {most} bytes. Raise the limit total_bytes if it is right.",
                        dump=Name(self.name, whole=True),
                        most=most,
                    )
                spool.write(block)
        except OSError as error:
            raise DumpError(
                "{dump}: what comes as a stream must be kept on disk to be read back and forth, which "
                "failed: {reason}. Let TMPDIR name a folder with more space, or give a file.",
                dump=Name(self.name, whole=True),
                reason=Name(str(error.strerror)),
            ) from error
        spool.seek(0)
        return Stream.of(Counted(cast(BinaryIO, spool), Meter()), self.name)

    def close(self) -> None:
        """Close what `begin` opened; what is read later opens it anew."""
        if close := getattr(self._file, "close", None):
            close()
        self._file = None

    def _next(self, size: int) -> bytes:
        file = self._open()
        try:
            data = file.read(size)
        except OSError as error:
            raise DumpError(
                "{dump}: reading failed after {at} bytes: {reason}.",
                dump=Name(self.name, whole=True),
                at=self._at,
                reason=Name(str(error.strerror or error)),
            ) from error
        self._at += len(data)
        return data

    def _open(self) -> Readable:
        if self._file is None:
            self._file, self._at = self._begin(), 0
        return self._file

    def _go(self) -> None:
        """Bring the file to the place."""
        seek: Any = getattr(self._open(), "seek", None) if self.can_go_back else None
        if seek and self._at != self.place:
            seek(self.place)
            self._at = self.place
        elif self._at > self.place:
            if not self.can_go_back:
                raise DumpError(
                    "{dump}: this form is read back and forth, which a stream doesn't allow. Give it as a file.",
                    dump=Name(self.name, whole=True),
                )
            self._file = None
            self._open()
        while self._at < self.place:
            if not self._next(min(self.place - self._at, BLOCK_BYTES)):
                break


def cut(name: str, place: int) -> DumpError:
    """That the bytes end where they must not."""
    return DumpError(
        "{dump}: the file ends at byte {place}, within the dump. It was cut; fetch or make it again.",
        dump=Name(name, whole=True),
        place=place,
    )
