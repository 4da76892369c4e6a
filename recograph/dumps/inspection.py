"""What a dump holds, without keeping any of it."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, cast

from recograph.dumps.reader import DumpReader, TableReport


@dataclass(frozen=True)
class Inspection:
    """A dump's dialect, server, tables and digest."""

    dialect: str
    server_version: str | None
    compression: str
    tables: Mapping[str, TableReport]
    bytes: int
    """Size of the file."""
    sha256: str
    """Digest of the file."""


class _Hashing:
    """A stream that is digested while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.digest, self.bytes = stream, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.digest.update(data)
        self.bytes += len(data)
        return data


def inspect(source: str | os.PathLike[str] | BinaryIO, *, name: str | None = None) -> Inspection:
    """Read a dump once for what it holds.

    Raises:
        DumpError: it isn't a whole dump.
    """
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as stream:  # noqa: PTH123 - takes both kinds of path
            return inspect(stream, name=name or str(source))
    hashing = _Hashing(source)
    reader = DumpReader(cast(BinaryIO, hashing), name=name, schemas={})
    for _ in reader:
        pass
    while hashing.read(1 << 20):
        pass
    return Inspection(
        reader.dialect,
        reader.server_version,
        reader.compression,
        reader.tables,
        hashing.bytes,
        hashing.digest.hexdigest(),
    )
