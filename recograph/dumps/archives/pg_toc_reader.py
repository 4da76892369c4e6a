"""Reads the table of contents of pg_dump's archives.

Source: `ReadHead` and `ReadToc` in PostgreSQL's pg_backup_archiver.c, as documented there for archive versions 1.12
(PostgreSQL 9.6) to 1.16 (17 and 18).
"""

import re
from collections.abc import Callable
from typing import TypeVar

from recograph.dumps.archives.pg_toc import CUSTOM, MAGIC, Entry, Toc
from recograph.dumps.archives.streams import Stream, cut
from recograph.dumps.charsets import postgresql_codec
from recograph.dumps.message import Name
from recograph.dumps.names import COLUMN_LIST, QUALIFIED, names
from recograph.dumps.report import DumpError, Limits

COMPRESSIONS = ("none", "gzip", "lz4", "zstd")
_OLDEST, _NEWEST = (1, 12), (1, 16)
_MOST_ENTRIES = 10_000_000
_LARGEST_INT = 8
_PARTS_OF_TIME = 7
_BLOCK_BYTES = 64 << 10
_NOT_SET, _SET, _NO_DATA = 1, 2, 3
_COPY = re.compile(rb"(?:--[^\n]*\n)*COPY (%s) (?:%s)? ?(?:WITH OIDS )?FROM stdin;\n" % (QUALIFIED, COLUMN_LIST))
"""Of a table without columns the list is missing, and not the blanks around it."""
_Read = TypeVar("_Read")
_ENCODING = re.compile(rb"SET client_encoding = '(\w+)'")


def read_toc(stream: Stream, limits: Limits) -> Toc:
    """Read a header and the table behind it.

    Raises:
        DumpError: it is cut, broken, or of a version that isn't known.
    """
    return _Reader(stream, limits).read()


class _ShortError(Exception):
    """The block that is at hand ends within what is read."""


class _Fields:
    """Takes one field after the other from a block, in which something with all its fields mostly lies whole."""

    def __init__(self, stream: Stream, limits: Limits):
        self._stream = stream
        self._block = b""
        self._at = 0
        self._begin = 0
        self._largest = limits.value_bytes
        self.integers = 1
        """Bytes of an integer."""

    @property
    def place(self) -> int:
        """Where it is in the file."""
        return self._begin + self._at

    def whole(self, read: Callable[[], _Read]) -> _Read:
        """What a function reads; it is called again from where it began whenever the block was too short for it.

        Raises:
            DumpError: the file ends before.
        """
        begin = self.place
        while True:
            try:
                return read()
            except _ShortError:
                # Doubling keeps the work linear.
                more = self._stream.read(max(_BLOCK_BYTES, len(self._block)))
                if not more:
                    raise cut(self._stream.name, self._begin + len(self._block)) from None
                self._block = self._block[begin - self._begin :] + more
                self._begin, self._at = begin, 0

    def take(self, size: int) -> bytes:
        """The next bytes, as many as are asked for."""
        end = self._at + size
        if end > len(self._block):
            raise _ShortError
        data = self._block[self._at : end]
        self._at = end
        return data

    def integer(self) -> int:
        """An integer: a byte for its sign, and its size."""
        at = self._at
        end = at + 1 + self.integers
        if end > len(self._block):
            raise _ShortError
        self._at = end
        number = int.from_bytes(self._block[at + 1 : end], "little")
        return -number if self._block[at] else number

    def strings(self, number: int) -> list[bytes]:
        """So many strings, each behind its length; none is an empty one."""
        block, at, strings = self._block, self._at, []
        for _ in range(number):
            begin = at + 1 + self.integers
            if begin > len(block):
                raise _ShortError
            # A length below zero is of none.
            end = begin if block[at] else begin + int.from_bytes(block[at + 1 : begin], "little")
            if end > len(block):
                self._at = at
                self._check(end - begin)
                raise _ShortError
            strings.append(block[begin:end])
            at = end
        self._at = at
        return strings

    def skip_list(self) -> None:
        """Pass over strings up to one that is none."""
        while (size := self.integer()) >= 0:
            self._check(size)
            self._at += size

    def _check(self, size: int) -> None:
        if size > self._largest:
            raise self.broken()

    def broken(self) -> DumpError:
        """That what stands here can't stand in a table of contents."""
        return DumpError(
            "{dump}: the table of contents is broken at byte {at}. The file was damaged; fetch or make it again.",
            dump=Name(self._stream.name, whole=True),
            at=self.place,
        )


class _Reader:
    """Knows what stands where in a header and in an entry."""

    def __init__(self, stream: Stream, limits: Limits):
        stream.seek(0)
        self._name = stream.name
        self._fields = _Fields(stream, limits)
        self._version, self._form, self._offsets = (0, 0), 0, 0
        self._encoding = "utf-8"

    def read(self) -> Toc:
        """See `read_toc`."""
        compression, server, tool, count = self._fields.whole(self._header)
        if not 0 <= count <= _MOST_ENTRIES:
            raise self._fields.broken()
        entries = tuple(self._fields.whole(self._entry) for _ in range(count))
        integers, end = self._fields.integers, self._fields.place
        toc = Toc(self._version, self._form, compression, server, tool, entries, integers, end)
        toc.check(self._name)
        return toc

    def _header(self) -> tuple[str, str, str, int]:
        """Compression, versions of server and program, and the number of entries."""
        fields = self._fields
        fields.take(len(MAGIC))
        major, minor, _ = fields.take(3)
        self._version = (major, minor)
        if not _OLDEST <= self._version <= _NEWEST:
            raise DumpError(
                "{dump}: an archive of pg_dump in version {major}.{minor}; versions 1.12 (PostgreSQL "
                "9.6) to 1.16 (18) are read. Make a plain dump of it: pg_restore --file=dump.sql FILE.",
                dump=Name(self._name, whole=True),
                major=major,
                minor=minor,
            )
        fields.integers, self._offsets, self._form = fields.take(3)
        if not 0 < fields.integers <= _LARGEST_INT or not 0 < self._offsets <= _LARGEST_INT:
            raise fields.broken()
        if self._version >= (1, 15):
            algorithm = fields.take(1)[0]
            if algorithm >= len(COMPRESSIONS):
                raise DumpError(
                    "{dump}: the archive is compressed in a way that isn't known (number {algorithm}). Make "
                    "it with --compress=gzip, lz4 or zstd.",
                    dump=Name(self._name, whole=True),
                    algorithm=algorithm,
                )
            compression = COMPRESSIONS[algorithm]
        else:
            compression = "gzip" if fields.integer() else "none"
        for _ in range(_PARTS_OF_TIME):
            fields.integer()
        _, server, tool = fields.strings(3)
        return compression, self._text(server), self._text(tool), fields.integer()

    def _entry(self) -> Entry:
        fields = self._fields
        number, has_data = fields.integer(), fields.integer()
        _, _, tag, description = fields.strings(4)
        fields.integer()
        definition, _, copy, namespace, *_ = fields.strings(6 if self._version >= (1, 14) else 5)
        if self._version >= (1, 16):
            fields.integer()
        fields.strings(2)
        fields.skip_list()
        name, kind, schema = self._text(tag), self._text(description), self._text(namespace)
        offset, file, known = None, "", bool(has_data)
        if self._form == CUSTOM:
            state = fields.take(1)[0]
            place = int.from_bytes(fields.take(self._offsets), "little")
            if state not in (_NOT_SET, _SET, _NO_DATA):
                raise fields.broken()
            offset = place if state == _SET else None
            known = known and state != _NO_DATA
        else:
            file = self._text(*fields.strings(1))
            known = known and bool(file)
        if kind == "ENCODING" and (match := _ENCODING.search(definition)):
            self._encoding = postgresql_codec(match[1].decode()) or "utf-8"
        path = (schema, name) if schema else (name,)
        return Entry(number, kind, name, schema, definition, copy, self._target(copy, path), known, file, offset)

    def _target(self, copy: bytes, path: tuple[str, ...]) -> tuple[str, ...] | None:
        if not copy:
            return path
        match = _COPY.fullmatch(copy)
        return (path[0], *names(match[1], self._encoding))[-len(path) :] if match else None

    def _text(self, data: bytes) -> str:
        return data.decode(self._encoding, errors="replace")
