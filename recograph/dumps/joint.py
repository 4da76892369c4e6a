"""What stands between two rows where a program writes a statement for each, and where the last of them ends."""

import numpy as np

from recograph.dumps.buffer import Buffer
from recograph.dumps.headers import DataHeader
from recograph.dumps.scan import Bytes, Mask, Positions, find_pairs

FIRST_LOOK = 64 << 10
"""How far the end of a statement is looked for at first: most are short."""
_COMPARED = 64
"""How many bytes of a header are compared at a time."""


class Joint:
    """What stands between two rows of statements with the same header: a semicolon, a line end and the header."""

    def __init__(self, buffer: Buffer, header: DataHeader):
        at = buffer.pos - len(header.text)
        # The line ends of the first two statements are those of all.
        line_end = b"\r\n" if buffer.data[max(at - 2, 0) : at] == b"\r\n" else b"\n"
        text = b";" + line_end + header.text
        self.size = len(text)
        """How far behind the semicolon the next row begins."""
        self.separators = sum(header.text.count(byte) for byte in (b",", b";"))
        """How many separators the header itself holds."""
        # A quote in a name would turn the parity of all quotes behind it.
        self._is_usable = b"'" not in text and b";" not in header.text
        self._text: Bytes = np.frombuffer(text + b"(", np.uint8)

    def follow(self, data: Bytes, semicolons: Positions) -> Mask:
        """Marks the semicolons behind which the header is repeated."""
        follows: Mask = np.zeros(len(semicolons), np.bool_)
        if not self._is_usable:
            return follows
        at = np.flatnonzero(semicolons + len(self._text) <= len(data))
        for offset in range(0, len(self._text), _COMPARED):
            if not len(at):
                return follows
            part = self._text[offset : offset + _COMPARED]
            given = data[semicolons[at][:, None] + (offset + np.arange(len(part)))]
            at = at[(given == part).all(axis=1)]
        follows[at] = True
        return follows

    def split(self, data: Bytes, semicolons: Positions) -> tuple[Positions, int | None]:
        """The semicolons up to the end of the last statement with this header, and that end where it is there."""
        other = np.flatnonzero(~self.follow(data, semicolons))
        if not len(other):
            return semicolons, None
        return semicolons[: other[0]], int(semicolons[other[0]])

    def end(self, data: bytes, start: int, far: int) -> int:
        """Behind the first semicolon at a line's end that another statement may follow; `far` where there is none."""
        everything, size = np.frombuffer(data, np.uint8), FIRST_LOOK
        while start < far:
            ends = find_pairs(data, b";\n", start, min(start + size, far))
            _, stop = self.split(everything, ends)
            if stop is not None:
                return stop + 1
            # A pair may lie across the border.
            start, size = start + size - 1, size * 4
        return far
