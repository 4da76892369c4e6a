"""A frame of zstd, decompressed in pieces of bounded size, for the library alone bounds nothing."""

from collections.abc import Iterator

import zstandard


class ZstdFrame:
    """A frame of zstd, handed to the library block by block, as a block becomes 128 KiB at most."""

    _HEADER, _BLOCK, _CHECKSUM = range(3)

    def __init__(self, window_bytes: int) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=window_bytes).decompressobj()
        self._window_bytes = window_bytes
        self._input = b""
        self._next = self._HEADER
        self._has_checksum = False
        self.ended = False

    @property
    def left(self) -> bytes:
        """Input behind its end."""
        return self._input if self.ended else b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What more input becomes, block by block."""
        self._input += data
        at = 0
        while not self.ended:
            size, following = self._measure(self._input[at : at + 18])
            if not size or at + size > len(self._input):
                break
            yield self._decompressor.decompress(self._input[at : at + size])
            at += size
            self._next = following
            self.ended = following > self._CHECKSUM
        self._input = self._input[at:]

    def _measure(self, head: bytes) -> tuple[int, int]:
        """The size of what comes next, 0 where more input must tell it; and what follows it."""
        if self._next == self._HEADER:
            size = self._header_size(head)
            if len(head) < size:
                return 0, 0
            self._check_window(head[:size])
            return size, self._BLOCK
        if self._next == self._CHECKSUM:
            return 4, self._CHECKSUM + 1
        if len(head) < 3:
            return 0, 0
        block = int.from_bytes(head[:3], "little")
        size = 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
        if not block & 1:
            return size, self._BLOCK
        return size, self._CHECKSUM if self._has_checksum else self._CHECKSUM + 1

    @staticmethod
    def _header_size(head: bytes) -> int:
        if len(head) < 5:
            return 18
        single, dictionary, content = head[4] >> 5 & 1, head[4] & 3, head[4] >> 6
        return 6 - single + (0, 1, 2, 4)[dictionary] + (single, 2, 4, 8)[content]

    def _check_window(self, header: bytes) -> None:
        flags = header[4]
        self._has_checksum = bool(flags & 4)
        if flags >> 5 & 1:
            size = (1, 2, 4, 8)[flags >> 6]
            window = int.from_bytes(header[-size:], "little")
        else:
            base = 1 << 10 + (header[5] >> 3)
            window = base + base // 8 * (header[5] & 7)
        if window > self._window_bytes:
            raise TooFarBackError(window)


class TooFarBackError(ValueError):
    """A frame refers back further than memory may hold."""

    def __init__(self, window: int):
        super().__init__(window)
        self.window = window
