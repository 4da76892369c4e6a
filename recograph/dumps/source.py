"""A dump, opened: a file, a stream or a folder, and what is known of it as a whole."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from recograph.dumps.archives import open_file, open_folder
from recograph.dumps.archives.folders import Folder, LocalFolder
from recograph.dumps.archives.parts import Opening, Part, Wants
from recograph.dumps.archives.streams import BLOCK_BYTES, Counted, Stream
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError, Limits
from recograph.errors import UnavailableError

CHUNK_BYTES = 4 << 20

Openable = str | os.PathLike[str] | BinaryIO | Folder
"""What a dump may be given as: a path of a file or a folder, a binary stream, or a folder of any store."""


class ChangedError(DumpError, UnavailableError):
    """A dump was written to while it was read; it may be whole when it is read again."""


class Source:
    """What a dump is read from."""

    def __init__(
        self,
        source: Openable,
        name: str | None,
        limits: Limits,
        chunk_bytes: int = CHUNK_BYTES,
        digest: bool = False,
    ):
        """Open it and look at its beginning.

        Raises:
            DumpError: it can't be opened, or isn't a dump that can be read.
        """
        self._opening = Opening(limits, chunk_bytes)
        self._digest = digest
        self._own: BinaryIO | None = None
        self._folder: Folder | None = None
        self._file: Counted | None = None
        self._path: Path | None = None
        self._descriptor: int | None = None
        try:
            if isinstance(source, str | os.PathLike):
                self.name = name or str(source)
                self._open(Path(source))
            elif isinstance(source, Folder):
                self.name = name or source.name
                self._folder = source
            else:
                self.name = name or str(getattr(source, "name", "the dump"))
                self._count(source)
            self._before = self._stamp()
            if self._folder:
                self.size = sum(self._folder.files().values())
                self._content = open_folder(self._folder, self._opening)
            elif self._file:
                self.size = self._file.size()
                self._content = open_file(Stream.of(self._file, self.name), self._opening)
        except BaseException:
            self.close()
            raise

    def _open(self, path: Path) -> None:
        self._path = path
        if path.is_dir():
            self._folder = LocalFolder(path, self.name)
            return
        try:
            self._own = path.open("rb")
        except OSError as error:
            raise DumpError(
                "{dump}: the file can't be read: {reason}.",
                dump=Name(self.name, whole=True),
                reason=Name(str(error.strerror)),
            ) from error
        self._count(self._own)

    def _count(self, file: BinaryIO) -> None:
        self._file = Counted(file, self._opening.meter, digest=self._digest)
        try:
            self._descriptor = file.fileno()
        except (OSError, AttributeError):
            self._descriptor = None

    def _stamp(self) -> object:
        """What changes when the dump is written to, as far as it can be told."""
        if self._folder:
            return self._folder.stamp()
        if self._descriptor is None or not stat.S_ISREG((status := os.fstat(self._descriptor)).st_mode):
            return None
        return status.st_size, status.st_mtime_ns

    @property
    def form(self) -> str:
        """What kind of dump it is, for people."""
        return " in ".join([self._content.form, *reversed(self._opening.containers)])

    @property
    def head(self) -> bytes:
        """The beginning as SQL text."""
        return self._content.head

    @property
    def tells_all_rows(self) -> bool:
        """See `Content.tells_all_rows`."""
        return self._content.tells_all_rows

    @property
    def tells_empty_tables(self) -> bool:
        """See `Content.tells_empty_tables`."""
        return self._content.tells_empty_tables

    @property
    def assumption(self) -> str:
        """See `Content.assumption`."""
        return self._content.assumption

    @property
    def compression(self) -> str:
        """The compressions that were met so far, the inner first; none where there is none."""
        return " in ".join(reversed(self._opening.layers)) or "none"

    @property
    def read_bytes(self) -> int:
        """Bytes of the files that were read so far."""
        return min(self._opening.meter.bytes, self.size or self._opening.meter.bytes)

    @property
    def sha256(self) -> str | None:
        """The digest of all files, where asked for; reads what wasn't read yet."""
        if self._folder and self._digest:
            return _digest_of(self._folder)
        return self._file.sha256() if self._file else None

    def parts(self, wants: Wants) -> Iterator[Part]:
        """See `Content.parts`.

        Raises:
            ChangedError: the dump was written to meanwhile.
        """
        try:
            yield from self._content.parts(wants)
        except DumpError as error:
            self._check_unchanged(error)
            raise
        self._check_unchanged()

    def _check_unchanged(self, error: DumpError | None = None) -> None:
        if self._stamp() != self._before:
            raise ChangedError(
                "{dump}: the dump was written to while it was read. Read it again.",
                dump=Name(self.name, whole=True),
            ) from error

    def close(self) -> None:
        """Close the file, where this opened it; a stream that was handed in stays open."""
        if self._own:
            self._own.close()


def _digest_of(folder: Folder) -> str:
    """One digest of the names and contents of all files."""
    digest = hashlib.sha256()
    for path in sorted(folder.files()):
        content = hashlib.sha256()
        with folder.open(path) as file:
            while block := file.read(BLOCK_BYTES):
                content.update(block)
        digest.update(f"{content.hexdigest()}  {path}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
