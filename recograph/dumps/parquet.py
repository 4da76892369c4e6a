"""Every table of a dump as a Parquet file."""

import os
import re
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recograph.ahead import ahead
from recograph.dumps.message import Name, Names, Place
from recograph.dumps.reader import DumpReader
from recograph.dumps.report import DumpError, Limits, TableReport
from recograph.dumps.settings import Declared
from recograph.dumps.source import Openable

WRITING: dict[str, Any] = {"compression": "zstd", "use_dictionary": False, "write_batch_size": 64 << 10}
"""How Parquet is written: without dictionaries in half the time, and zstd finds what repeats by itself; few large
batches of values save a tenth of the rest."""
_LONGEST_NAME = 200
_MOST_OPEN = 64
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029%/\\:*?"<>|]|^[. ~-]|[. ]$')


def file_name(table: str) -> str:
    """A table's file name; what could leave the folder, hide the file or trouble a system is percent-encoded.

    Raises:
        DumpError: the name is too long for a file.
    """
    safe = _UNSAFE.sub(_percent_encoded, table)
    if len(safe.encode()) > _LONGEST_NAME:
        raise DumpError(
            "The table name {name} is too long for a file name. Leave it out with --table.", name=Name(table)
        )
    return f"{safe}.parquet"


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode(errors="surrogatepass"))


class _Folder:
    """Parquet files that appear in a folder together, at the end, or not at all."""

    def __init__(self, path: Path):
        self._path = path
        self._suffix = f".{uuid.uuid4().hex}.part"
        self._parts: dict[str, Path] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Write rows of a table."""
        writer = self._writers.pop(table, None) or self._open(table, batch.schema)
        # The writers are in the order of their last use; a dump goes from table to table, so the first are done.
        self._writers[table] = writer
        writer.write_batch(batch)
        if len(self._writers) > _MOST_OPEN:
            self._writers.pop(next(iter(self._writers))).close()

    def write_empty(self, table: str, schema: pa.Schema) -> None:
        """Write a table without rows, unless it has some."""
        if table not in self._parts:
            self._open(table, schema).close()

    def _open(self, table: str, schema: pa.Schema) -> pq.ParquetWriter:
        part = self._parts.setdefault(table, self._path / f".{file_name(table)}{self._suffix}")
        before = part.replace(part.with_suffix(".before")) if part.exists() else None
        writer = pq.ParquetWriter(part, schema, **WRITING)
        if before:
            with pq.ParquetFile(before) as file:
                for batch in file.iter_batches():
                    writer.write_batch(batch)
            before.unlink()
        return writer

    def _close(self) -> None:
        while self._writers:
            self._writers.popitem()[1].close()

    def publish(self) -> None:
        """Move all files to their places."""
        self._close()
        for table, part in self._parts.items():
            part.replace(self._path / file_name(table))

    def discard(self) -> None:
        """Remove what wasn't published."""
        self._close()
        for part in self._parts.values():
            part.unlink(missing_ok=True)


def convert(
    source: Openable,
    out: str | os.PathLike[str],
    *,
    tables: Collection[str] | None = None,
    database: str | None = None,
    as_text: Collection[str] = (),
    declared: Declared | None = None,
    limits: Limits | None = None,
    on_warning: Callable[[str], None] | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> dict[str, TableReport]:
    """Write `OUT/TABLE.parquet` for the tables of a dump, typed as the dump defines them.

    Files are written beside their place and moved there when the whole dump was read; on failure nothing is left.

    Args:
        source: the dump: a file, a stream or a folder.
        out: the folder; it is made where it isn't there.
        tables: names of the tables to write; all of them by default.
        database: the database, or in PostgreSQL the schema, to read.
        as_text: columns, as TABLE.COLUMN, to write as text.
        declared: what is known of the dump beforehand.
        limits: bounds on what the dump may cost.
        on_warning: called with each sentence that whoever uses the tables should know.
        on_progress: called with the bytes of the file that were read, and its size.

    Raises:
        DumpError: the dump can't be read, lacks one of `tables`, or the folder can't be written.
    """
    path = Path(out)
    folder = _Folder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with DumpReader(
            source,
            only=tables,
            database=database,
            as_text=as_text,
            declared=declared,
            limits=limits,
            on_progress=on_progress,
        ) as reader:
            for table, batch in ahead(reader, most=1):
                folder.write(table, batch)
            missing = sorted(set(tables or ()) - set(reader.tables))
            if missing:
                raise DumpError(
                    "{dump}: the dump has no table {missing}. See recograph dump inspect.",
                    dump=Place(reader.name),
                    missing=Names.of(missing),
                )
            for table, schema in reader.schemas.items():
                folder.write_empty(table, schema)
        folder.publish()
        if on_warning:
            for warning in reader.warnings:
                on_warning(warning)
    except OSError as error:
        raise DumpError(
            "{path} can't be written: {why}.",
            path=Name(str(path), whole=True),
            why=Name(error.strerror or type(error).__name__),
        ) from error
    finally:
        folder.discard()
    return reader.tables
