"""The table of contents of pg_dump's archives: what they hold, read without touching any row.

Source: `ReadHead` and `ReadToc` in PostgreSQL's pg_backup_archiver.c, as documented there for archive versions 1.12
(PostgreSQL 9.6) to 1.16 (17 and 18). From it comes the SQL text that pg_restore would write before the rows: settings,
the wanted kinds of definitions, nothing else.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from recograph.dumps.archives.parts import Wants
from recograph.dumps.archives.streams import Stream, cut
from recograph.dumps.charsets import postgresql_codec
from recograph.dumps.message import Name
from recograph.dumps.names import COLUMN_LIST, QUALIFIED, names
from recograph.dumps.report import DumpError, Limits

MAGIC = b"PGDMP"
CUSTOM, TAR = 1, 3
"""How the header names the forms; a directory has a tar's."""
COMPRESSIONS = ("none", "gzip", "lz4", "zstd")
_OLDEST, _NEWEST = (1, 12), (1, 16)
_MOST_ENTRIES = 10_000_000
_LARGEST_INT = 8
_ATTACH = "TABLE ATTACH"
_DEFINITIONS = frozenset({"TABLE", _ATTACH, "FOREIGN TABLE"})
"""Kinds of entries whose definitions tell columns, or of which table another is a part."""
_TABLES = frozenset({"TABLE", "FOREIGN TABLE"})
_LARGE_OBJECTS = "BLOB"
_SETTINGS = frozenset({"ENCODING", "STDSTRINGS", "SEARCHPATH"})
_ROWS = "TABLE DATA"
_NOT_SET, _SET, _NO_DATA = 1, 2, 3


@dataclass(frozen=True)
class Entry:
    """One line of the table of contents."""

    id: int
    kind: str
    """TABLE, TABLE DATA, SEQUENCE, ..."""
    name: str
    schema: str
    definition: bytes
    """The statement that makes it."""
    copy: bytes
    """The COPY statement before its rows; empty where the rows are INSERTs."""
    target: tuple[str, ...] | None
    """The table that the rows go into: a partition's may go into another, and then COPY names that; None where the COPY
    statement isn't one."""
    has_data: bool
    file: str = ""
    """Name of the file of its rows, in a directory or a tar."""
    offset: int | None = None
    """Where its rows begin in a file of the custom form; None where the archive doesn't know."""

    @property
    def path(self) -> tuple[str, ...]:
        """Schema and name."""
        return (self.schema, self.name) if self.schema else (self.name,)


@dataclass(frozen=True)
class Toc:
    """What an archive says of itself."""

    version: tuple[int, int]
    form: int
    compression: str
    server_version: str
    tool_version: str
    entries: tuple[Entry, ...]
    integers: int
    """Bytes of an integer."""
    end: int
    """Where the table of contents ends in its file."""

    @staticmethod
    def read(stream: Stream, limits: Limits) -> "Toc":
        """Read a header and the table behind it.

        Raises:
            DumpError: it is cut, broken, or of a version that isn't known.
        """
        return _Reader(stream, limits).read()

    @property
    def rows(self) -> list[Entry]:
        """The entries that have rows, in their order."""
        return [entry for entry in self.entries if entry.kind == _ROWS]

    def wanted(self, wants: Wants) -> list[Entry]:
        """The entries with rows that are wanted, also where they go into another table, as partitions' may."""
        return [entry for entry in self.rows if wants(entry.path) or wants(entry.target or ())]

    @property
    def first_data(self) -> int | None:
        """Where the first block of data begins in a file of the custom form, where it knows."""
        return min((entry.offset for entry in self.entries if entry.offset is not None), default=None)

    def check(self, name: str) -> None:
        """Check what no check sum protects: that entries with rows are whole, and of tables that are defined.

        Args:
            name: what messages call the file.

        Raises:
            DumpError: an entry contradicts itself or another.
        """
        tables = {entry.path for entry in self.entries if entry.kind in _TABLES}
        for entry in self.entries:
            is_rows = entry.kind == _ROWS
            is_right = is_rows == (entry.has_data and not entry.kind.startswith(_LARGE_OBJECTS))
            is_right &= entry.kind != "" and (is_rows or not entry.copy)
            is_right &= entry.target is not None
            is_right &= not (is_rows and tables) or {entry.path, entry.target} <= tables
            if not is_right:
                raise DumpError(
                    "{dump}: entry {id} of the table of contents ({kind} {name}) isn't as pg_dump writes it. "
                    "The file was damaged, or a newer pg_dump wrote it; make a plain dump: pg_dump "
                    "--format=plain.",
                    dump=Name(name, whole=True),
                    id=entry.id,
                    kind=Name(entry.kind),
                    name=Name(entry.name),
                )

    def definitions(self, wants: Wants) -> bytes:
        """The definitions that may be needed as SQL text, as pg_restore writes it."""
        entries = [entry for entry in self.entries if entry.kind in _DEFINITIONS]
        # Where tables take part in others, those that are wanted may be known by any of them.
        if not any(entry.kind == _ATTACH or _TAKES_PART.search(entry.definition) for entry in entries):
            entries = [entry for entry in entries if wants.definition(entry.name)]
        return b"\n".join(self._search_path(entry) + entry.definition for entry in entries) + b"\n"

    def head(self) -> bytes:
        """The title and the settings as SQL text, as pg_restore writes it."""
        settings = [entry.definition for entry in self.entries if entry.kind in _SETTINGS]
        title = (
            "--\n-- PostgreSQL database dump\n--\n\n"
            f"-- Dumped from database version {self.server_version}\n"
            f"-- Dumped by pg_dump version {self.tool_version}\n\n"
        )
        return title.encode() + b"\n".join(settings) + b"\n"

    def text(self, entry: Entry, chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """The rows of an entry as SQL text.

        Args:
            entry: the entry.
            chunks: what the archive holds of it.
            name: what messages call it.

        Raises:
            DumpError: what pg_dump writes behind the last row is missing.
        """
        yield self._search_path(entry) + entry.copy
        # INSERTs of a table without rows are two line ends.
        last = b"" if entry.copy else b"\n"
        for chunk in chunks:
            last = (last + chunk[-len(_AFTER_ROWS) :])[-len(_AFTER_ROWS) :]
            yield chunk
        if last != _AFTER_ROWS:
            raise DumpError(
                "{dump}: the rows of table {name} have no end. They were cut; make the dump again.",
                dump=Name(name, whole=True),
                name=Name(entry.name),
            )

    def _search_path(self, entry: Entry) -> bytes:
        """Names were not qualified before version 1.13."""
        if any(other.kind == "SEARCHPATH" for other in self.entries) or not entry.schema:
            return b""
        schema = entry.schema.replace('"', '""')
        return f'SET search_path = "{schema}", pg_catalog;\n'.encode()


_COPY = re.compile(rb"(?:--[^\n]*\n)*COPY (%s) (?:%s )?(?:WITH OIDS )?FROM stdin;\n" % (QUALIFIED, COLUMN_LIST))
_ENCODING = re.compile(rb"SET client_encoding = '(\w+)'")
_TAKES_PART = re.compile(rb"\b(?:INHERITS|PARTITION OF)\b")
_AFTER_ROWS = b"\n\n\n"
TAIL = b"\n--\n-- PostgreSQL database dump complete\n--\n"


class _Reader:
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
