"""Looks into a dump without reading its values."""

from collections.abc import Callable
from dataclasses import dataclass

from recograph.dumps.dialects.evidence import dialect_of
from recograph.dumps.reader import DumpReader
from recograph.dumps.report import Limits, TableReport
from recograph.dumps.settings import Declared
from recograph.dumps.source import Openable, Source


@dataclass(frozen=True)
class Sniff:
    """What the beginning of a dump shows."""

    dialect: str
    compression: str
    form: str = "plain"


@dataclass(frozen=True)
class Inspection:
    """What a dump holds."""

    name: str
    dialect: str
    server_version: str | None
    compression: str
    bytes: int
    """Of the file, compressed as it is."""
    sha256: str
    """Digest of the file."""
    tables: dict[str, TableReport]
    is_complete: bool
    """Whether the dump says at its end that it is whole; otherwise its completeness can't be known."""
    form: str
    """What kind of dump it is: plain, pg_dump custom, mydumper, ..."""
    warnings: list[str]
    """What whoever uses the rows should know, in sentences."""


def sniff(source: Openable, *, name: str | None = None, dialect: str | None = None) -> Sniff:
    """Tell dialect and compression from the beginning alone; a stream is read from, so it can't be used again.

    Raises:
        DumpError: it isn't a dump that can be read.
    """
    opened = Source(source, name, Limits())
    try:
        return Sniff(dialect_of(opened.head, opened.name, dialect).name, opened.compression, opened.form)
    finally:
        opened.close()


def inspect(
    source: Openable,
    *,
    name: str | None = None,
    database: str | None = None,
    declared: Declared | None = None,
    limits: Limits | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Inspection:
    """Read a dump to its end and count the rows of every table; values aren't decoded.

    Raises:
        DumpError: the dump is cut, broken or beyond a limit.
    """
    with DumpReader(
        source,
        name=name,
        database=database,
        declared=declared,
        limits=limits,
        on_progress=on_progress,
        decode=False,
        digest=True,
    ) as reader:
        for _ in reader:
            pass
        return Inspection(
            name=reader.name,
            dialect=reader.dialect,
            server_version=reader.server_version,
            compression=reader.compression,
            bytes=reader.read_bytes,
            sha256=reader.sha256 or "",
            tables=reader.tables,
            is_complete=bool(reader.is_complete),
            form=reader.form,
            warnings=reader.warnings,
        )
