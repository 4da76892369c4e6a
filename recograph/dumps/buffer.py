"""A window that slides over the chunks of a dump."""

from collections.abc import Iterable

from recograph.dumps.scan import count_line_ends

_LONG_LINE = 64 << 10


class Buffer:
    """Bytes from `pos` on are yet to be read; `data` is immutable, so that arrays may point into it.

    `base` is where `data` begins in the dump, in bytes.
    """

    def __init__(self, chunks: Iterable[bytes]):
        self._chunks = iter(chunks)
        self._lines = self._counted = 0
        self.base = 0
        self.data = b""
        self.pos = 0
        self.eof = False

    @property
    def offset(self) -> int:
        """Where `pos` is in the dump, in bytes."""
        return self.base + self.pos

    @property
    def line(self) -> int:
        """The number of the line that `pos` is in, from 1."""
        # Every statement has a place, so only what stands behind the last one is counted.
        self._lines += count_line_ends(self.data, self._counted, self.pos)
        self._counted = self.pos
        return self._lines + 1

    @property
    def left(self) -> int:
        """Bytes that are there and not yet read."""
        return len(self.data) - self.pos

    def extend(self) -> bool:
        """Drop what was read and append as much as is left, at least a chunk; False at the end of the dump.

        Doubling keeps the work linear when something long, such as a row of many megabytes, is looked at again
        after every extension.
        """
        if self.eof:
            return False
        self._lines += count_line_ends(self.data, self._counted, self.pos)
        self._counted = 0
        parts, got, left = [], 0, self.left
        if left:
            parts.append(self.data[self.pos :])
        self.data = b""
        while got < max(left, 1):
            chunk = next(self._chunks, None)
            if chunk is None:
                self.eof = True
                break
            parts.append(chunk)
            got += len(chunk)
        self.base += self.pos
        self.data, self.pos = parts[0] if len(parts) == 1 else b"".join(parts), 0
        return got > 0

    def take_line(self) -> bytes:
        """Consume the rest of the line and return it without its end; of a very long line only the beginning."""
        line, at = b"", self.pos
        while (end := self.data.find(b"\n", at)) < 0:
            if self.left > _LONG_LINE:
                line = line or self.data[self.pos : self.pos + _LONG_LINE]
                self.pos = len(self.data)
            at = self.left
            if not self.extend():
                end = len(self.data)
                break
        line = line or self.data[self.pos : end][:_LONG_LINE]
        self.pos = min(end + 1, len(self.data))
        return line.rstrip(b"\r")
