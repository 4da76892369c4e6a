"""The bytes of a dump: opened, decompressed as they stream by, within limits, ahead of the reader.

Compression is told by content, never by name. What isn't SQL text is refused with the option that would have made it
readable.
"""

import codecs
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from recograph.ahead import ahead
from recograph.dumps.report import DumpError, Limits

CHUNK_BYTES = 4 << 20
_READ_BYTES = 1 << 20
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_SKIPPABLE_FRAME = b"\x2a\x4d\x18"


def compression_of(head: bytes) -> str:
    """The compression that a file's first bytes show: none, gzip, zstd or bzip2."""
    for magic, codec in _MAGIC.items():
        if head.startswith(magic):
            return "bzip2" if codec == "bz2" else codec
    if head[1:4] == _SKIPPABLE_FRAME and head[0] & 0xF0 == 0x50:
        return "zstd"
    return "none"


def refuse_foreign(head: bytes, name: str) -> None:
    """Refuse files that aren't SQL text, by their first bytes.

    Raises:
        DumpError: with what the file is and how to get a readable one.
    """
    plain = "Make a plain dump instead: pg_dump --format=plain (or pg_restore --file=dump.sql FILE)."
    if not head.strip():
        raise DumpError(f"{name}: the file is empty. The export may have failed; make it again.")
    if head.startswith(b"PGDMP"):
        raise DumpError(f"{name}: this is pg_dump's custom format. {plain}")
    if head[257:262] == b"ustar":
        raise DumpError(
            f"{name}: this is a tar archive, perhaps of pg_dump --format=tar. {plain} "
            "An archive of a plain dump must be unpacked first."
        )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DumpError(
            f"{name}: this text is UTF-16, as PowerShell's > writes it. "
            "Let the dump program write the file: mysqldump --result-file=FILE, pg_dump --file=FILE."
        )
    if head.startswith(b"PK\x03\x04"):
        raise DumpError(f"{name}: this is a zip archive. Unpack it, or compress with gzip, zstd or bzip2.")
    if head.startswith((b"\xfd7zXZ", b"7z\xbc\xaf")):
        raise DumpError(f"{name}: xz and 7z aren't supported. Compress with gzip, zstd or bzip2.")
    if head.lstrip().startswith(b"<?xml"):
        raise DumpError(f"{name}: this is XML, as mysqldump --xml writes it. Leave --xml away.")
    # Strings may hold any bytes, what stands before the first doesn't.
    before = head[:4096].partition(b"'")[0]
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in before):
        raise DumpError(f"{name}: this is a binary file, not SQL text. A dump of mysqldump or pg_dump is needed.")


def _refuse_folder(path: Path, name: str) -> None:
    if (path / "toc.dat").exists():
        raise DumpError(f"{name}: this is pg_dump's directory format. Use pg_dump --format=plain.")
    if (path / "metadata").exists():
        raise DumpError(f"{name}: this is a folder of mydumper. Use mysqldump or mariadb-dump, which write one file.")
    if any(path.glob("*.txt")) and any(path.glob("*.sql")):
        raise DumpError(f"{name}: this is a folder of mysqldump --tab. Leave --tab away.")
    raise DumpError(f"{name}: this is a folder. Name the dump file in it.")


class _Raw:
    """A binary stream that counts what was read of it, and digests it where asked to."""

    def __init__(self, stream: BinaryIO, digest: bool):
        self._stream = stream
        self._head = b""
        self.read_bytes = 0
        self.sha256 = hashlib.sha256() if digest else None
        self.closed = False

    def peek(self, size: int) -> bytes:
        while len(self._head) < size and (more := self._stream.read(size - len(self._head))):
            self._head += more
        return self._head

    def read(self, size: int = -1) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            data = self._stream.read(size) or b""
        self.read_bytes += len(data)
        if self.sha256:
            self.sha256.update(data)
        return data

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


class Source:
    """A dump as chunks of decompressed bytes, read by a thread of its own."""

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        name: str | None,
        limits: Limits,
        chunk_bytes: int = CHUNK_BYTES,
        digest: bool = False,
    ):
        self._limits = limits
        self._chunk_bytes = chunk_bytes
        self._own: BinaryIO | None = None
        self.size: int | None = None
        if isinstance(source, str | os.PathLike):
            self.name = name or str(source)
            stream = self._own = self._open(Path(source))
            mode = os.fstat(stream.fileno())
            self.size = mode.st_size if stat.S_ISREG(mode.st_mode) else None
        else:
            self.name = name or str(getattr(source, "name", "the dump"))
            stream = source
        self._raw = _Raw(stream, digest)
        try:
            self.compression = compression_of(self._raw.peek(8))
            self._stream = self._decompressed()
            # A byte order mark, as PowerShell writes it, says nothing in UTF-8.
            self.head = self._first(64 << 10).removeprefix(codecs.BOM_UTF8)
            refuse_foreign(self.head, self.name)
        except BaseException:
            self.close()
            raise

    def _open(self, path: Path) -> BinaryIO:
        if path.is_dir():
            _refuse_folder(path, self.name)
        try:
            return path.open("rb")
        except OSError as error:
            raise DumpError(f"{self.name}: the file can't be read: {error.strerror}.") from error

    def _decompressed(self) -> BinaryIO:
        if self.compression == "none":
            return cast(BinaryIO, self._raw)
        codec = "bz2" if self.compression == "bzip2" else self.compression
        return cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(self._raw, mode="r"), codec))

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (OSError, EOFError, pa.ArrowException) as error:
            what = str(error).splitlines()[0]
            if self.compression == "none":
                raise DumpError(f"{self.name}: reading failed after {self.read_bytes} bytes: {what}.") from error
            raise DumpError(
                f"{self.name}: the {self.compression} stream is broken after {self.read_bytes} compressed bytes "
                f"({what}). The file was cut or damaged on its way; fetch it again."
            ) from error

    def _first(self, size: int) -> bytes:
        parts = []
        while size > 0 and (data := self._read(min(size, _READ_BYTES))):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    @property
    def read_bytes(self) -> int:
        """Bytes of the file that were read so far."""
        return self._raw.read_bytes

    @property
    def sha256(self) -> str | None:
        """The digest of the file; complete when it is read to its end."""
        return self._raw.sha256.hexdigest() if self._raw.sha256 else None

    def _chunks(self) -> Iterator[bytes]:
        total, chunk = 0, self.head
        while chunk:
            total += len(chunk)
            self._check(total)
            for at in range(0, len(chunk), self._chunk_bytes):
                yield chunk[at : at + self._chunk_bytes]
            chunk = self._first(self._chunk_bytes)

    def _check(self, total: int) -> None:
        limits = self._limits
        if total > limits.total_bytes:
            raise DumpError(
                f"{self.name}: more than {limits.total_bytes} bytes of SQL. Raise the limit total_bytes if it is right."
            )
        if self.compression != "none" and total - limits.ratio_from > limits.ratio * max(self.read_bytes, 1):
            raise DumpError(
                f"{self.name}: {self.read_bytes} compressed bytes hold more than {total} bytes, more than "
                f"{limits.ratio} times as many: this looks like a decompression bomb. "
                "Raise the limit ratio if it is right."
            )

    def __iter__(self) -> Iterator[bytes]:
        """The chunks, while a thread reads the next ones."""
        return ahead(self._chunks())

    def close(self) -> None:
        """Close the file, where this opened it; a stream that was handed in stays open."""
        if self._own:
            self._own.close()
