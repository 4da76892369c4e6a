"""Writes an archive of pg_dump anew, in another version or compression, after the documented form of each.

Servers and tools of all versions can't be had on one machine. What a version adds to the form is one field each.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lz4.frame
import zstandard

COMPRESS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: zlib.compress,
    2: lz4.frame.compress,
    3: zstandard.ZstdCompressor().compress,
}


@dataclass
class _Bytes:
    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def integer(self) -> int:
        sign = self.take(1)[0]
        value = int.from_bytes(self.take(4), "little")
        return -value if sign else value

    def text(self) -> bytes | None:
        size = self.integer()
        return None if size < 0 else self.take(size)


def _integer(value: int) -> bytes:
    return bytes([value < 0]) + abs(value).to_bytes(4, "little")


def _text(value: bytes | None) -> bytes:
    return _integer(-1) if value is None else _integer(len(value)) + value


_NUMBER, _TEXT = _Bytes.integer, _Bytes.text
_WRITE: dict[Any, Callable[[Any], bytes]] = {_NUMBER: _integer, _TEXT: _text}
_FIELDS = (
    ("number", _NUMBER, 0),
    ("has_data", _NUMBER, 0),
    ("table_oid", _TEXT, 0),
    ("oid", _TEXT, 0),
    ("name", _TEXT, 0),
    ("kind", _TEXT, 0),
    ("section", _NUMBER, 0),
    ("definition", _TEXT, 0),
    ("drop", _TEXT, 0),
    ("copy", _TEXT, 0),
    ("schema", _TEXT, 0),
    ("tablespace", _TEXT, 0),
    ("access", _TEXT, 14),
    ("kind_of_table", _NUMBER, 16),
    ("owner", _TEXT, 0),
    ("oids", _TEXT, 0),
)
"""The fields of an entry: name, how it is written, and the minor version that it came with."""


@dataclass
class Entry:
    """A line of the table of contents, and the rows that it is of."""

    fields: dict[str, Any]
    needed: list[bytes]
    state: int
    rows: bytes | None = None

    def written(self, minor: int, place: int | None) -> bytes:
        out = b"".join(_WRITE[how](self.fields[name]) for name, how, since in _FIELDS if minor >= since)
        state = self.state if self.rows is None else 1 if place is None else 2
        out += b"".join(map(_text, self.needed)) + _integer(-1)
        return out + bytes([state]) + (place or 0).to_bytes(8, "little")


def _entry(old: _Bytes, minor: int) -> Entry:
    fields = {name: how(old) if minor >= since else 0 for name, how, since in _FIELDS}
    needed = list(iter(old.text, None))
    entry = Entry(fields, needed, old.take(1)[0])
    offset = int.from_bytes(old.take(8), "little")
    if entry.state == 2:
        block, pieces = _Bytes(old.data, offset), b""
        assert block.take(1) == b"\x01"
        assert block.integer() == fields["number"]
        while size := block.integer():
            pieces += block.take(size)
        entry.rows = zlib.decompress(pieces)
    return entry


def _without_schema(entry: Entry) -> None:
    schema = entry.fields["schema"]
    for name in ("definition", "copy"):
        for prefix in (schema + b".", b'"' + schema + b'".') if schema and entry.fields[name] else ():
            entry.fields[name] = entry.fields[name].replace(prefix, b"")


def rewritten(
    archive: bytes, minor: int, compression: int = 1, *, offsets: bool = True, unqualified: bool = False
) -> bytes:
    """An archive in the custom form of version 1.15 or 1.16, compressed by gzip, in another version.

    Args:
        archive: as pg_dump 16 or later wrote it.
        minor: the version is 1 and this.
        compression: 0 none, 1 gzip, 2 lz4, 3 zstd.
        offsets: whether it tells where data begin, or is as one that was written to a pipe.
        unqualified: whether names come without their schema, as before version 1.13.
    """
    old = _Bytes(archive)
    assert old.take(5) == b"PGDMP"
    old_minor = old.take(3)[1]
    head = b"PGDMP" + bytes([1, minor, 0]) + old.take(3)
    old.take(1)
    head += bytes([compression]) if minor >= 15 else _integer(-1 if compression else 0)
    head += b"".join(_integer(old.integer()) for _ in range(7)) + b"".join(_text(old.text()) for _ in range(3))
    entries = [_entry(old, old_minor) for _ in range(old.integer())]
    if unqualified:
        entries = [entry for entry in entries if entry.fields["kind"] != b"SEARCHPATH"]
        for entry in entries:
            _without_schema(entry)
    return _archive(head, entries, minor, compression, offsets=offsets)


def _archive(head: bytes, entries: list[Entry], minor: int, compression: int, *, offsets: bool) -> bytes:
    head += _integer(len(entries))
    start = len(head) + sum(len(entry.written(minor, 0)) for entry in entries)
    blocks, table = b"", b""
    for entry in entries:
        table += entry.written(minor, start + len(blocks) if offsets else None)
        if entry.rows is not None:
            packed = COMPRESS[compression](entry.rows)
            pieces = [packed[at : at + 100] for at in range(0, len(packed), 100)]
            blocks += b"\x01" + _integer(entry.fields["number"])
            blocks += b"".join(_integer(len(piece)) + piece for piece in pieces) + _integer(0)
    return head + table + blocks


def _head(form: int, compression: int) -> bytes:
    """The head of version 1.16; the form is 1 custom, 3 folder or tar."""
    head = b"PGDMP" + bytes([1, 16, 0, 4, 8, form, compression])
    return head + b"".join(map(_integer, (0, 0, 1, 1, 0, 126, 0))) + b"".join(map(_text, (b"shop", b"18.0", b"18.0")))


def custom(entries: list[Entry], compression: int, *, offsets: bool) -> bytes:
    """An archive of entries in the custom form."""
    return _archive(_head(1, compression), entries, 16, compression, offsets=offsets)


def folder(entries: list[Entry], compression: int) -> dict[str, bytes]:
    """An archive of entries as a folder."""
    toc, files = _head(3, compression) + _integer(len(entries)), {}
    for entry in entries:
        name = b"" if entry.rows is None else b"%d.dat" % entry.fields["number"]
        toc += entry.written(16, None)[:-9] + _text(name)
        if entry.rows is not None:
            packed = gzip.compress(entry.rows) if compression == 1 else COMPRESS[compression](entry.rows)
            files[name.decode() + ("", ".gz", ".lz4", ".zst")[compression]] = packed
    return {"toc.dat": toc} | files
