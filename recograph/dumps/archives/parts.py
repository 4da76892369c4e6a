"""What every form of a dump gives the reader: a head that tells what it is, and its parts one after the other."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Protocol

from recograph.ahead import Ahead, ahead
from recograph.dumps.archives.compression import codec_of, unpacked
from recograph.dumps.archives.folders import Folder
from recograph.dumps.archives.streams import Counted, Meter, Stream
from recograph.dumps.report import Limits


@dataclass(frozen=True)
class Wants:
    """Tells which tables are wanted."""

    rows: Callable[[Sequence[str]], bool]
    """Whether a table's rows are, by its path: database or schema, and its own name last."""
    definition: Callable[[str], bool]
    """Whether a table's definition may tell something of what is wanted, by its own name."""

    def __call__(self, path: Sequence[str]) -> bool:
        """See `rows`."""
        return self.rows(path)


@dataclass(frozen=True)
class RowsOnly:
    """That a part holds nothing but rows of one table, as MySQL's SELECT ... INTO OUTFILE writes them."""

    table: tuple[str, ...]
    columns: tuple[str, ...] | None = None
    """In the order of the rows; None where it is that of the table's definition."""
    encoding: str | None = None
    """MySQL's name of the character set of text; "binary": each column's own; None: that of the session."""
    transports: Mapping[str, str] = field(default_factory=dict)
    """Columns whose values come as text for their bytes: base64 or hex."""
    expected: int | None = None
    """How many bytes there must be, where the dump tells it."""
    is_form_assumed: bool = False
    """Whether nothing in the dump tells how the rows are written, so that they must show it themselves."""


@dataclass(frozen=True)
class Part:
    """A piece of a dump that is read by itself: SQL text, or rows alone."""

    name: str
    """What messages call it: the dump, and which file in it."""
    chunks: Iterable[bytes]
    rows: RowsOnly | None = None
    counts: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    """How many rows the dump says that tables have which were read before this part."""


class Content(Protocol):
    """What is in an open dump, whatever its form."""

    form: str
    """For people: plain, pg_dump custom, mydumper, ..."""
    tells_all_rows: bool = True
    """Whether the form tells, once all parts were read, that none of the rows is missing."""
    tells_empty_tables: bool = True
    """Whether a table that was dumped without any rows leaves a trace, as far as the form decides it."""
    assumption: str = ""
    """What can't be seen in the dump and is assumed, as a sentence."""
    head: bytes
    """The beginning as SQL text, by which the dialect is told."""

    def parts(self, wants: Wants) -> Iterator[Part]:
        """The parts in their order: settings and definitions first, then the rows of the tables that are wanted.

        A part is asked for when the one before it was read to its end, so that `wants` may look at definitions.

        Raises:
            DumpError: the dump is cut or broken.
        """


@dataclass
class Opening:
    """What opening a dump needs to know, and what it learns on the way."""

    limits: Limits
    chunk_bytes: int
    """How much is decoded at a time."""
    meter: Meter = field(default_factory=Meter)
    layers: dict[str, None] = field(default_factory=dict)
    """The compressions that were met, in their order."""
    containers: list[str] = field(default_factory=list)
    """The archives of files that were met, in their order."""

    def chunks(self, stream: Stream) -> Iterator[bytes]:
        """The bytes of a stream from its beginning on, in chunks; none but the last is less than half as large.

        What is decompressed comes in blocks of about that size, which aren't copied then.
        """
        stream.seek(0)
        while chunk := stream.read(self.chunk_bytes):
            blocks = [chunk]
            size = len(chunk)
            while size < self.chunk_bytes // 2 and (block := stream.read(self.chunk_bytes - size)):
                blocks.append(block)
                size += len(block)
            yield b"".join(blocks) if len(blocks) > 1 else chunk

    def stream(self, folder: Folder, path: str, *, is_packed: bool | None = None) -> Stream:
        """A file of a folder, decompressed.

        Args:
            folder: the folder.
            path: the file in it.
            is_packed: whether it is compressed at all; by default the file's ending tells it, for rows may begin with
                any bytes. How is told by content alone.
        """
        name = f"{folder.name}/{path}"
        size = folder.files()[path]
        stream = Stream(lambda: Counted(folder.open(path), self.meter), name, again=True, size=size)
        if is_packed is None:
            is_packed = path.endswith(ENDINGS)
        if is_packed and (codec := codec_of(stream.peek())):
            self.layers[codec.name] = None
            stream = unpacked(stream, codec, self.limits)
        return stream


ENDINGS = (".gz", ".zst", ".lz4", ".bz2", ".xz")
"""How the names of compressed files end, as the tools write them."""


def without_ending(path: str) -> str:
    """A path without the ending of compression."""
    return path[: path.rindex(".")] if path.endswith(ENDINGS) else path


def in_advance(parts: Iterable[Part], several: bool) -> Iterator[Part]:
    """Parts while threads read the beginnings of the next ones.

    Args:
        parts: the parts.
        several: whether more than one may be read at a time.
    """
    if not several:
        yield from _in_turn(parts)
        return
    waiting: deque[tuple[Part, Ahead[bytes]]] = deque()
    try:
        for part in parts:
            begun = Ahead(part.chunks)
            waiting.append((replace(part, chunks=begun), begun))
            if len(waiting) >= _SEVERAL:
                yield waiting.popleft()[0]
        while waiting:
            yield waiting.popleft()[0]
    finally:
        for _, begun in waiting:
            begun.close()


_SEVERAL = 3


def _in_turn(parts: Iterable[Part]) -> Iterator[Part]:
    """Parts while one thread reads on, from the end of one to the beginning of the next."""

    def pieces() -> Iterator[Part | bytes | None]:
        for part in parts:
            yield replace(part, chunks=())
            yield from part.chunks
            yield None

    def chunks() -> Iterator[bytes]:
        while isinstance(chunk := next(read, None), bytes):
            yield chunk

    with closing(ahead(pieces())) as read:
        for piece in read:
            # Of a part that wasn't read to its end the rest is passed over.
            if isinstance(piece, Part):
                yield replace(piece, chunks=chunks())
