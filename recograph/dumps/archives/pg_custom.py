"""pg_dump's custom form (`-Fc`, pgAdmin's default): one file, a table of contents, and blocks of rows behind it.

Where the file was written to a disk the table says where each table's block begins, and only the wanted ones are
touched. An archive that was written to a pipe doesn't; then the lengths before each piece of a block are followed from
one to the next. Source: pg_backup_custom.c of PostgreSQL.
"""

from collections.abc import Iterator

import numpy as np

from recograph.dumps.archives.compression import CODECS, unpacked
from recograph.dumps.archives.parts import Content, Opening, Part, Wants, in_advance
from recograph.dumps.archives.pg_toc import CUSTOM, MAGIC, TAIL, Entry
from recograph.dumps.archives.pg_toc_reader import read_toc
from recograph.dumps.archives.streams import BLOCK_BYTES, Stream, cut
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError
from recograph.dumps.scan import Bytes

_ROWS, _LARGE_OBJECTS = 1, 3
_FIRST_BYTES = 32 << 10
_LEAST_BEHIND, _MOST_BEHIND, _SHARE_BEHIND = 256 << 10, 16 << 20, 16
"""How much from the last known block on is looked through to its end, and which part of the file at most."""
_MANY = 16
"""From how many pieces of one length on they are taken together: compression fills a buffer for each but the last."""
_FAR = 4 << 20
"""From how far on it is quicker to seek than to read over what lies between."""


def matches(head: bytes) -> bool:
    """Whether a file begins like one."""
    return head.startswith(MAGIC)


class Custom(Content):
    """An archive in one file."""

    form = "pg_dump custom"

    def __init__(self, stream: Stream, opening: Opening):
        self._stream = stream
        self._opening = opening
        self._toc = read_toc(stream, opening.limits)
        if self._toc.form != CUSTOM:
            raise DumpError(
                "{dump}: this is the table of contents of a folder of pg_dump (toc.dat) without its "
                "files. Give the folder, or the tar archive, that it is from.",
                dump=Name(stream.name, whole=True),
            )
        if self._toc.compression != "none":
            opening.layers[self._toc.compression] = None
        self.head = self._toc.head()
        self._check_size()

    def _check_size(self) -> None:
        """Check what can be seen of the end without reading up to it: the last block ends with a length of zero."""
        stream, zero = self._stream, 1 + self._toc.integers
        first = self._toc.first_data
        if first is not None and first != self._toc.end:
            raise DumpError(
                "{dump}: the table of contents ends at byte {end}, but data begin at {first}. The file "
                "was damaged; fetch or make it again.",
                dump=Name(stream.name, whole=True),
                end=self._toc.end,
                first=first,
            )
        if stream.size is None or not self._toc.rows:
            return
        furthest = max((entry.offset or 0 for entry in self._toc.rows), default=0)
        if max(furthest, self._toc.end) + zero > stream.size:
            raise cut(stream.name, stream.size)
        if stream.can_go_back:
            stream.seek(stream.size - zero)
            if stream.exactly(zero).strip(b"\0"):
                raise cut(stream.name, stream.size)

    def parts(self, wants: Wants) -> Iterator[Part]:
        """See `Content.parts`."""
        name = self._stream.name
        yield Part(name, [self.head, self._toc.definitions(wants)])
        yield from in_advance(self._tables(self._toc.wanted(wants)), several=False)
        self._check_behind()
        yield Part(name, [TAIL])

    def _tables(self, wanted: list[Entry]) -> Iterator[Part]:
        """The rows of tables, by their place in the file as far as it is known."""
        known = [entry for entry in wanted if entry.offset is not None]
        for entry in sorted(known, key=lambda entry: entry.offset or 0):
            blocks = _Blocks(self._stream, self._toc.integers, entry.offset or 0)
            if blocks.next() != (_ROWS, entry.id):
                raise blocks.broken()
            yield self._rows(entry, blocks)
        yield from self._walk([entry for entry in wanted if entry.offset is None])

    def _check_behind(self) -> None:
        """Check that nothing follows the last block, where that costs little: another archive may have been joined."""
        last = max((entry.offset or self._toc.end for entry in self._toc.entries), default=self._toc.end)
        size = self._stream.size
        if not self._stream.can_go_back or size is None:
            return
        if size - last > max(_LEAST_BEHIND, min(_MOST_BEHIND, size // _SHARE_BEHIND)):
            return
        blocks = _Blocks(self._stream, self._toc.integers, last)
        while block := blocks.next():
            self._skip(block[0], blocks)

    def _skip(self, kind: int, blocks: "_Blocks") -> None:
        if kind == _ROWS:
            blocks.skip()
        elif kind == _LARGE_OBJECTS:
            while blocks.integer():
                blocks.skip()
        else:
            raise blocks.broken()

    def _walk(self, wanted: list[Entry]) -> Iterator[Part]:
        """The rows of tables whose place isn't known: all blocks are looked at, from the first."""
        waiting = {entry.id: entry for entry in wanted}
        blocks = _Blocks(self._stream, self._toc.integers, self._toc.end)
        while waiting:
            block = blocks.next()
            if block is None:
                raise cut(self._stream.name, blocks.place)
            kind, number = block
            if kind == _ROWS and number in waiting:
                yield self._rows(waiting.pop(number), blocks)
            else:
                self._skip(kind, blocks)

    def _rows(self, entry: Entry, blocks: "_Blocks") -> Part:
        name = self._stream.name
        return Part(name, self._toc.text(entry, self._chunks(blocks), name))

    def _chunks(self, blocks: "_Blocks") -> Iterator[bytes]:
        pieces = Stream(lambda: _Joined(blocks), self._stream.name, again=False)
        codec = next((codec for codec in CODECS if codec.name == self._toc.compression), None)
        if codec is None:
            yield from self._opening.chunks(pieces)
            return
        yield from self._opening.chunks(unpacked(pieces, codec, self._opening.limits))
        if pieces.read(1):
            raise blocks.broken()


class _Joined:
    """The pieces of a block as one file."""

    def __init__(self, blocks: "_Blocks"):
        self._pieces = blocks.pieces()
        self._left = b""

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many of the next bytes; none at the end."""
        data = self._left or next(self._pieces, b"")
        self._left = data[size:]
        return data[:size]


class _Blocks:
    """Goes from block to block of an archive, through a window of its bytes."""

    def __init__(self, stream: Stream, integers: int, place: int):
        self._stream = stream
        self._integers = integers
        self._base = place
        self._window = b""
        self._at = 0
        self._size = _FIRST_BYTES

    @property
    def place(self) -> int:
        """Where it is in the file."""
        return self._base + self._at

    def next(self) -> tuple[int, int] | None:
        """Kind and number of the block that begins here; None at the end of the file."""
        if not self._more(1):
            return None
        kind = self._window[self._at]
        self._at += 1
        return kind, self.integer()

    def integer(self) -> int:
        """The integer that stands here."""
        size = 1 + self._integers
        if not self._more(size):
            raise cut(self._stream.name, self.place)
        data = self._window[self._at : self._at + size]
        if data[0]:
            raise self.broken()
        self._at += size
        return int.from_bytes(data[1:], "little")

    def pieces(self) -> Iterator[bytes]:
        """The contents of a block, joined to pieces of some size."""
        joined: list[bytes | memoryview] = []
        size = 0
        while length := self.integer():
            if (alike := self._alike(length)) is not None:
                joined.append(alike.tobytes())
                size += alike.size
                length = 0
            while length:
                if not self._more(1):
                    raise cut(self._stream.name, self.place)
                piece = memoryview(self._window)[self._at : self._at + length]
                self._at += len(piece)
                length -= len(piece)
                size += len(piece)
                joined.append(piece)
            if size >= BLOCK_BYTES:
                yield b"".join(joined)
                joined, size = [], 0
        yield b"".join(joined)

    def skip(self) -> None:
        """Pass over the contents of a block."""
        while length := self.integer():
            if self._alike(length) is not None:
                continue
            left = len(self._window) - self._at
            if length <= left:
                self._at += length
                continue
            place = self.place + length
            if self._stream.size is not None and place > self._stream.size:
                raise cut(self._stream.name, self._stream.size)
            if length - left < _FAR:
                while place > self._base + len(self._window):
                    if not self._next_window():
                        raise cut(self._stream.name, self._base + len(self._window))
                self._at = place - self._base
            else:
                self._base, self._window, self._at = place, b"", 0

    def _alike(self, length: int) -> Bytes | None:
        """Pass over all pieces of one length that lie whole in the window.

        Args:
            length: of the first, whose contents begin here.

        Returns:
            Their contents, a row per piece; None, and nothing is passed over, where they are few.
        """
        header = 1 + self._integers
        begin, size = self._at - header, header + length
        if not self._window.startswith(self._window[begin : self._at], begin + _MANY * size):
            return None
        count = (len(self._window) - begin) // size
        pieces: Bytes = np.frombuffer(self._window, np.uint8, count * size, begin).reshape(count, size)
        differs = (pieces[:, :header] != pieces[0, :header]).any(axis=1)
        alike = int(differs.argmax()) if differs.any() else count
        self._at = begin + alike * size
        return pieces[:alike, header:]

    def broken(self) -> DumpError:
        """That what stands here isn't what must."""
        return DumpError(
            "{dump}: the archive is broken at byte {place}. The file was damaged; fetch or make it again.",
            dump=Name(self._stream.name, whole=True),
            place=self.place,
        )

    def _more(self, size: int) -> bool:
        """Have so many bytes in the window; False where the file ends before."""
        while len(self._window) - self._at < size:
            rest = self._window[self._at :]
            self._stream.seek(self._base + len(self._window))
            data = self._stream.read(self._grown())
            if not data:
                return False
            self._base += self._at
            self._window, self._at = rest + data, 0
        return True

    def _next_window(self) -> bool:
        self._base += len(self._window)
        self._at = 0
        self._stream.seek(self._base)
        self._window = self._stream.read(self._grown())
        return bool(self._window)

    def _grown(self) -> int:
        """How much to read next: little at first, for a table may be small, and other tables follow it."""
        size, self._size = self._size, min(2 * self._size, BLOCK_BYTES)
        return size
