"""Reads the table of contents of pg_dump's archives.

Source: `ReadHead` and `ReadToc` in PostgreSQL's pg_backup_archiver.c, as documented there for archive versions 1.12
(PostgreSQL 9.6) to 1.16 (17 and 18).
"""

import re

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
_NOT_SET, _SET, _NO_DATA = 1, 2, 3
_COPY = re.compile(rb"(?:--[^\n]*\n)*COPY (%s) (?:%s )?(?:WITH OIDS )?FROM stdin;\n" % (QUALIFIED, COLUMN_LIST))
_ENCODING = re.compile(rb"SET client_encoding = '(\w+)'")


def read_toc(stream: Stream, limits: Limits) -> Toc:
    """Read a header and the table behind it.

    Raises:
        DumpError: it is cut, broken, or of a version that isn't known.
    """
    return _Reader(stream, limits).read()


class _Reader:
    """Takes one field after the other."""

    def __init__(self, stream: Stream, limits: Limits):
        self._stream = stream
        self._limits = limits
        self._integers = self._offsets = 0
        self._encoding = "utf-8"
        self._block = b""
        self._at = 0
        self._begin = 0

    def read(self) -> Toc:
        stream = self._stream
        stream.seek(0)
        self._take(len(MAGIC))
        major, minor, _ = self._take(3)
        version = (major, minor)
        if not _OLDEST <= version <= _NEWEST:
            raise DumpError(
                "{dump}: an archive of pg_dump in version {major}.{minor}; versions 1.12 (PostgreSQL "
                "9.6) to 1.16 (18) are read. Make a plain dump of it: pg_restore --file=dump.sql FILE.",
                dump=Name(stream.name, whole=True),
                major=major,
                minor=minor,
            )
        self._integers, self._offsets, form = self._take(3)
        if not 0 < self._integers <= _LARGEST_INT or not 0 < self._offsets <= _LARGEST_INT:
            raise self._broken()
        if version >= (1, 15):
            algorithm = self._take(1)[0]
            if algorithm >= len(COMPRESSIONS):
                raise DumpError(
                    "{dump}: the archive is compressed in a way that isn't known (number {algorithm}). Make "
                    "it with --compress=gzip, lz4 or zstd.",
                    dump=Name(stream.name, whole=True),
                    algorithm=algorithm,
                )
            compression = COMPRESSIONS[algorithm]
        else:
            compression = "gzip" if self._int() else "none"
        for _ in range(7):
            self._int()
        self._text()
        server, tool = self._text(), self._text()
        count = self._int()
        if not 0 <= count <= _MOST_ENTRIES:
            raise self._broken()
        entries = tuple(self._entry(version, form) for _ in range(count))
        end = self._begin + self._at
        toc = Toc(version, form, compression, server, tool, entries, self._integers, end)
        toc.check(stream.name)
        return toc

    def _entry(self, version: tuple[int, int], form: int) -> Entry:
        number, has_data = self._int(), self._int()
        self._bytes(), self._bytes()
        name, kind = self._text(), self._text()
        self._int()
        definition = self._bytes()
        self._bytes()
        copy, schema = self._bytes(), self._text()
        self._bytes()
        if version >= (1, 14):
            self._bytes()
        if version >= (1, 16):
            self._int()
        self._bytes(), self._bytes()
        while self._nullable() is not None:
            pass
        offset, file, known = None, "", bool(has_data)
        if form == CUSTOM:
            state = self._take(1)[0]
            place = int.from_bytes(self._take(self._offsets), "little")
            if state not in (_NOT_SET, _SET, _NO_DATA):
                raise self._broken()
            offset = place if state == _SET else None
            known = known and state != _NO_DATA
        else:
            file = self._text()
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

    def _take(self, size: int) -> bytes:
        while len(self._block) - self._at < size:
            self._begin += self._at
            more = self._stream.read(max(64 << 10, min(size, 1 << 20)))
            if not more:
                raise cut(self._stream.name, self._begin + len(self._block) - self._at)
            self._block, self._at = self._block[self._at :] + more, 0
        data = self._block[self._at : self._at + size]
        self._at += size
        return data

    def _int(self) -> int:
        data = self._take(1 + self._integers)
        number = int.from_bytes(data[1:], "little")
        return -number if data[0] else number

    def _bytes(self) -> bytes:
        return self._nullable() or b""

    def _nullable(self) -> bytes | None:
        size = self._int()
        if size < 0:
            return None
        if size > self._limits.value_bytes:
            raise self._broken()
        return self._take(size)

    def _text(self) -> str:
        return self._bytes().decode(self._encoding, errors="replace")

    def _broken(self) -> DumpError:
        return DumpError(
            "{dump}: the table of contents is broken at byte {at}. The file was damaged; fetch or make it again.",
            dump=Name(self._stream.name, whole=True),
            at=self._begin + self._at,
        )
