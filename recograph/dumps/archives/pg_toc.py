"""The table of contents of pg_dump's archives: what they hold, read without touching any row.

`pg_toc_reader` reads it. From it comes the SQL text that pg_restore would write before the rows: settings,
the wanted kinds of definitions, nothing else.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from recograph.dumps.archives.parts import Wants
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError

MAGIC = b"PGDMP"
CUSTOM, TAR = 1, 3
"""How the header names the forms; a directory has a tar's."""
_ATTACH = "TABLE ATTACH"
_DEFINITIONS = frozenset({"TABLE", _ATTACH, "FOREIGN TABLE"})
"""Kinds of entries whose definitions tell columns, or of which table another is a part."""
_TABLES = frozenset({"TABLE", "FOREIGN TABLE"})
_LARGE_OBJECTS = "BLOB"
_SETTINGS = frozenset({"ENCODING", "STDSTRINGS", "SEARCHPATH"})
_ROWS = "TABLE DATA"


class Entry(NamedTuple):
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

    @property
    def comment(self) -> bytes:
        """What pg_restore writes before its rows."""
        name, schema = (" ".join(part.splitlines()) for part in (self.name, self.schema))
        return f"-- Data for Name: {name}; Type: {self.kind}; Schema: {schema}; Owner: -\n".encode()

    @property
    def is_elsewhere(self) -> bool:
        """Whether its rows go into another table."""
        return self.target != self.path


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

    @cached_property
    def rows(self) -> list[Entry]:
        """The entries that have rows, in their order."""
        return [entry for entry in self.entries if entry.kind == _ROWS]

    def wanted(self, wants: Wants) -> list[Entry]:
        """The entries with rows that are wanted, also where they go into another table, as partitions' may."""
        return [entry for entry in self.rows if wants(entry.path) or (entry.is_elsewhere and wants(entry.target or ()))]

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
        yield self._search_path(entry) + (entry.copy or entry.comment)
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

    @cached_property
    def _has_search_path(self) -> bool:
        return any(entry.kind == "SEARCHPATH" for entry in self.entries)

    def _search_path(self, entry: Entry) -> bytes:
        """Names were not qualified before version 1.13."""
        if self._has_search_path or not entry.schema:
            return b""
        schema = entry.schema.replace('"', '""')
        return f'SET search_path = "{schema}", pg_catalog;\n'.encode()


_TAKES_PART = re.compile(rb"\b(?:INHERITS|PARTITION OF)\b")
_AFTER_ROWS = b"\n\n\n"
TAIL = b"\n--\n-- PostgreSQL database dump complete\n--\n"
