"""A dump, opened: its layers taken off one after the other, each told by content, never by name.

What is found inside is an archive, a folder or a text; see `recograph.dumps.archives`.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from recograph.dumps.archives.compression import codec_of, unpacked
from recograph.dumps.archives.parts import Content, Opening, Part, Wants
from recograph.dumps.archives.plain import Plain
from recograph.dumps.archives.streams import Counted, Stream
from recograph.dumps.report import DumpError, Limits

CHUNK_BYTES = 4 << 20
_MOST_LAYERS = 4


class Source:
    """What a dump is read from."""

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        name: str | None,
        limits: Limits,
        chunk_bytes: int = CHUNK_BYTES,
        digest: bool = False,
    ):
        """Open it and look at its beginning.

        Raises:
            DumpError: it can't be opened, or isn't a dump that can be read.
        """
        self._own: BinaryIO | None = None
        if isinstance(source, str | os.PathLike):
            self.name = name or str(source)
            file = self._own = self._open(Path(source))
        else:
            self.name = name or str(getattr(source, "name", "the dump"))
            file = source
        self._opening = Opening(limits, chunk_bytes)
        self._counted = Counted(file, digest)
        try:
            self._content = open_file(Stream.of(self._counted, self.name), self._opening)
        except BaseException:
            self.close()
            raise
        self.size = self._counted.size()

    def _open(self, path: Path) -> BinaryIO:
        if path.is_dir():
            _refuse_folder(path, self.name)
        try:
            return path.open("rb")
        except OSError as error:
            raise DumpError(f"{self.name}: the file can't be read: {error.strerror}.") from error

    @property
    def form(self) -> str:
        """What kind of dump it is, for people."""
        return self._content.form

    @property
    def head(self) -> bytes:
        """The beginning as SQL text."""
        return self._content.head

    @property
    def compression(self) -> str:
        """The compressions that were met so far, the outer first; none where there is none."""
        return " in ".join(reversed(self._opening.layers)) or "none"

    @property
    def read_bytes(self) -> int:
        """Bytes of the file that were read so far."""
        return self._counted.read_bytes

    @property
    def sha256(self) -> str | None:
        """The digest of the file, where asked for; reads what wasn't read yet."""
        return self._counted.sha256()

    def parts(self, wants: Wants) -> Iterator[Part]:
        """See `Content.parts`."""
        return self._content.parts(wants)

    def close(self) -> None:
        """Close the file, where this opened it; a stream that was handed in stays open."""
        if self._own:
            self._own.close()


def _refuse_folder(path: Path, name: str) -> None:
    if (path / "toc.dat").exists():
        raise DumpError(f"{name}: this is pg_dump's directory format. Use pg_dump --format=plain.")
    if (path / "metadata").exists():
        raise DumpError(f"{name}: this is a folder of mydumper. Use mysqldump or mariadb-dump, which write one file.")
    raise DumpError(f"{name}: this is a folder. Name the dump file in it.")


def open_file(stream: Stream, opening: Opening) -> Content:
    """What is in a file.

    Raises:
        DumpError: nothing that can be read.
    """
    for _ in range(_MOST_LAYERS):
        codec = codec_of(stream.peek())
        if not codec:
            return Plain(stream, opening)
        opening.layers[codec.name] = None
        stream = unpacked(stream, codec, opening.limits)
    raise DumpError(f"{stream.name}: the file is compressed more than {_MOST_LAYERS} times. Compress it once.")
