"""Bytes of a dump: compression is told by content, not by name, and undone while reading."""

import bz2
import gzip
import io
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

import pyarrow as pa

from recograph.dumps.errors import DumpError

CHUNK = 1 << 20

_REFUSED = {
    b"PGDMP": "a custom-format pg_dump; write it with `pg_dump --format=plain`, or run `pg_restore -f FILE` on it",
    b"\x89PNG": "a PNG picture",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"%PDF": "a PDF document",
}


class _Counting(io.RawIOBase):
    """Counts the bytes that were read of a stream, before they are unpacked."""

    def __init__(self, stream: BinaryIO, on_progress: Callable[[int, int | None], None] | None) -> None:
        super().__init__()
        self.stream, self.read_bytes, self.on_progress = stream, 0, on_progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        data = self.stream.read(len(memoryview(cast(bytearray, buffer))))
        memoryview(cast(bytearray, buffer))[: len(data)] = data
        self.read_bytes += len(data)
        if self.on_progress:
            self.on_progress(self.read_bytes, None)
        return len(data)


class Source:
    """The text of a dump as a growing buffer: `data[position:]` is what hasn't been consumed."""

    def __init__(
        self, stream: BinaryIO, name: str, on_progress: Callable[[int, int | None], None] | None = None
    ) -> None:
        self.name = name
        raw = io.BufferedReader(_Counting(stream, on_progress), CHUNK)
        head = raw.peek(512)
        self.compression, self._stream = _unpacked(raw, head)
        self.data = b""
        self.position = 0
        self.consumed = 0
        """Bytes of text before `data`."""
        self.ended = False
        self.more()
        self._refuse_foreign()

    def more(self) -> bool:
        """Drop what was consumed and read another chunk; returns whether there was any."""
        if self.ended:
            return False
        try:
            chunk = self._stream.read(max(CHUNK, len(self.data) - self.position))
        except (EOFError, OSError, zlib.error, pa.ArrowException) as error:
            raise DumpError(
                f"{self.name}: the {self.compression} data are broken after {self.consumed} bytes of text ({error}). "
                "The file is cut off or damaged: ask for it again."
            ) from error
        self.consumed += self.position
        self.data = self.data[self.position :] + chunk
        self.position = 0
        self.ended = not chunk
        return bool(chunk)

    def line(self) -> bytes | None:
        """Consume and return one line with its end, or None at the end of the dump."""
        searched = self.position
        while (end := self.data.find(b"\n", searched)) < 0:
            searched = len(self.data) - self.position
            if not self.more():
                end = len(self.data) - 1
                break
        line = self.data[self.position : end + 1]
        self.position = end + 1
        return line or None

    @property
    def offset(self) -> int:
        """Bytes of text consumed so far."""
        return self.consumed + self.position

    def _refuse_foreign(self) -> None:
        if not self.data.strip():
            raise DumpError(f"{self.name} is empty. Ask for the dump again.")
        for magic, what in _REFUSED.items():
            if self.data.startswith(magic):
                raise DumpError(f"{self.name} isn't a plain SQL dump but {what}.")
        if self.data[257:262] == b"ustar":
            raise DumpError(f"{self.name} is a tar archive. Write the dump with `pg_dump --format=plain`.")


def _unpacked(raw: io.BufferedReader, head: bytes) -> tuple[str, BinaryIO]:
    if head.startswith(b"\x1f\x8b"):
        return "gzip", cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    if head.startswith(b"BZh"):
        return "bzip2", cast(BinaryIO, bz2.BZ2File(raw))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd", cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"))
    return "none", cast(BinaryIO, raw)
