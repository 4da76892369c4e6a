"""A file that is only read, at any place of it."""

import io


class ReadOnlyFile(io.RawIOBase):
    """What all such files share: they know their size and the place from which the next read goes on."""

    def __init__(self, size: int) -> None:
        """Begin at the beginning.

        Args:
            size: bytes of the file.
        """
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read from any place: always."""
        return True

    def tell(self) -> int:
        """The place, in bytes from the beginning."""
        return self._place

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; nothing is asked of S3 before something is read there."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(start + place, 0)
        return self._place
