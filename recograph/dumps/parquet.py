"""Every table of a dump as a Parquet file."""

import os
import urllib.parse
import uuid
from collections.abc import Callable, Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recograph.dumps.reader import DumpReader
from recograph.dumps.report import DumpError, Limits, TableReport

_LONGEST_NAME = 200


def file_name(table: str) -> str:
    """A table's file name; what could leave the folder or hide the file is percent-encoded."""
    safe = urllib.parse.quote(table.encode(errors="surrogateescape"), safe=" !#$&'()+,;=@[]{}^~")
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if len(safe) > _LONGEST_NAME:
        raise DumpError(f"The table name {safe[:60]}... is too long for a file name. Leave it out with --table.")
    return f"{safe}.parquet"


def convert(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    tables: Collection[str] | None = None,
    database: str | None = None,
    as_text: Collection[str] = (),
    limits: Limits | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> dict[str, TableReport]:
    """Write `OUT/TABLE.parquet` for the tables of a dump, typed as the dump defines them.

    Files are written beside their place and moved there when the whole dump was read; on failure nothing is left.

    Args:
        source: the dump.
        out: the folder; it is made where it isn't there.
        tables: names of the tables to write; all of them by default.
        database: the database (MySQL) or schema (PostgreSQL) to read.
        as_text: columns, as TABLE.COLUMN, to write as text.
        limits: bounds on what the dump may cost.
        on_progress: called with the bytes of the file that were read, and its size.

    Raises:
        DumpError: the dump can't be read, lacks one of `tables`, or the folder can't be written.
    """
    folder = Path(out)
    writers: dict[str, tuple[Path, pq.ParquetWriter]] = {}
    suffix = f".{uuid.uuid4().hex}.part"

    def writer(table: str, schema: pa.Schema) -> pq.ParquetWriter:
        if table not in writers:
            part = folder / f".{file_name(table)}{suffix}"
            writers[table] = part, pq.ParquetWriter(part, schema, compression="snappy")
        return writers[table][1]

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with DumpReader(
            source, only=tables, database=database, as_text=as_text, limits=limits, on_progress=on_progress
        ) as reader:
            for table, batch in reader:
                writer(table, batch.schema).write_batch(batch)
            missing = sorted(set(tables or ()) - set(reader.tables))
            if missing:
                raise DumpError(
                    f"{reader.name}: the dump has no table {', '.join(missing)}. See recograph dump inspect."
                )
            for table in reader.tables:
                writer(table, reader.schema(table))
        for table, (part, opened) in writers.items():
            opened.close()
            part.replace(folder / file_name(table))
    except OSError as error:
        raise DumpError(f"{folder} can't be written: {error.strerror or error}.") from error
    finally:
        for part, opened in writers.values():
            opened.close()
            part.unlink(missing_ok=True)
    return reader.tables
