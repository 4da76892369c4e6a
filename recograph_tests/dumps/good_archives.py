"""Good dumps in archives and folders as their tools write them, with the rows that they were made from."""

import gzip
import io
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import zstandard

from recograph_tests.dumps.archives.transcoding import Entry, custom, folder
from recograph_tests.dumps.good_dumps import Made, Rows, made_rows, mysqldump, pg_dump

Files = dict[str, bytes]


@dataclass(frozen=True)
class Packed:
    """A whole dump in one file or in a folder of files."""

    content: bytes | Files
    rows: Rows
    has_sums: bool
    """Whether check sums protect what is in it, so that a single byte can't change without notice."""
    knows_end: bool = True
    """Whether it tells how many rows there must be."""


def _held(rows: Made) -> Rows:
    return {table: [(number, text) for number, text in held] for table, held in rows.items()}


def _zstd(content: bytes) -> bytes:
    """As the program compresses it, with a check sum."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


_PACKINGS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": _zstd}


def _entry(number: int, name: str, kind: str, section: int, **given: Any) -> Entry:
    fields = {
        "number": number, "has_data": 0, "table_oid": b"0", "oid": b"0", "name": name.encode(), "kind": kind.encode(),
        "section": section, "definition": None, "drop": b"", "copy": None, "schema": None, "tablespace": None,
        "access": None, "kind_of_table": 0, "owner": b"lms", "oids": b"false",
    }  # fmt: skip
    rows = given.pop("rows", None)
    return Entry(fields | given, [], 3, rows)


def _entries(rows: Made) -> list[Entry]:
    """The table of contents of pg_dump."""
    settings = {
        "ENCODING": b"SET client_encoding = 'UTF8';\n",
        "STDSTRINGS": b"SET standard_conforming_strings = 'on';\n",
        "SEARCHPATH": b"SELECT pg_catalog.set_config('search_path', '', false);\n",
    }
    entries = [_entry(at, kind, kind, 2, definition=text) for at, (kind, text) in enumerate(settings.items(), 3000)]
    for at, table in enumerate(rows, 200):
        definition = f"CREATE TABLE public.{table} (\n    id integer NOT NULL,\n    t text\n);\n".encode()
        entries.append(_entry(at, table, "TABLE", 2, definition=definition, schema=b"public", access=b"heap"))
    for at, (table, held) in enumerate(rows.items(), 3100):
        block = pg_dump({table: held}, inserts=False).text.encode().partition(b"FROM stdin;\n")[2]
        text = block[: block.index(b"\n\\.\n") + 1] + b"\\.\n\n\n"
        copy = f"COPY public.{table} (id, t) FROM stdin;\n".encode()
        entries.append(_entry(at, table, "TABLE DATA", 3, has_data=1, copy=copy, schema=b"public", rows=text))
    return entries


def _tar(files: Files) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def mydumper(rows: Made, packing: str, *, counts: bool) -> Files:
    """As mydumper writes it, older ones without the number of rows."""
    pack = _PACKINGS[packing]
    metadata = "# Started dump at: 2026-01-31 05:00:00\n"
    files = {f"shop-schema-create.sql{packing}": pack(b"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop`;\n")}
    for table, held in rows.items():
        text = mysqldump({table: held}, one_each=False, a_line_each=True).text
        made = text[text.index("CREATE TABLE") : text.index("LOCK TABLES")]
        filled = text[text.index("INSERT INTO") : text.index("/*!40000 ALTER TABLE", text.index("INSERT INTO"))]
        files[f"shop.{table}-schema.sql{packing}"] = pack(f"/*!40101 SET NAMES binary*/;\n{made}".encode())
        files[f"shop.{table}.00000.sql{packing}"] = pack(f"/*!40101 SET NAMES binary*/;\n{filled}".encode())
        metadata += f"\n[`shop`.`{table}`]\nreal_table_name={table}\nrows = {len(held)}\n" if counts else ""
    return files | {"metadata": f"{metadata}# Finished dump at: 2026-01-31 05:00:01\n".encode()}


def _tsv(held: list[tuple[int, str]], *, letters: bool) -> bytes:
    """Rows as a server writes them into a file, or MySQL Shell with letters for what a line can't hold."""
    escapes = {"\\": "\\\\", "\0": "\\0", "\t": "\\\t", "\n": "\\\n"}
    if letters:
        escapes |= {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\x1a": "\\Z"}
    table = str.maketrans(escapes)
    return "".join(f"{number}\t{text.translate(table)}\n" for number, text in held).encode()


def _definition(table: str) -> str:
    return f"CREATE TABLE IF NOT EXISTS `{table}` (\n  `id` int NOT NULL,\n  `t` text\n) ENGINE=InnoDB;\n"


def mysql_shell(rows: Made) -> Files:
    """As MySQL Shell's util.dumpSchemas writes it."""
    options = {
        "schema": "shop", "columns": ["id", "t"], "defaultCharacterSet": "utf8mb4", "fieldsTerminatedBy": "\t",
        "fieldsEnclosedBy": "", "fieldsEscapedBy": "\\", "fieldsOptionallyEnclosed": False, "linesTerminatedBy": "\n",
    }  # fmt: skip
    basenames = {table: f"shop@{table}" for table in rows}
    begun = {"schemas": ["shop"], "basenames": {"shop": "shop"}, "defaultCharacterSet": "utf8mb4", "tzUtc": True}
    files = {
        "@.json": json.dumps(begun | {"serverVersion": "8.4.0"}).encode(),
        "shop.json": json.dumps({"includesDdl": True, "tables": list(rows), "basenames": basenames}).encode(),
    }
    told: dict[str, Any] = {"tableRows": {"shop": {}}, "tableDataBytes": {"shop": {}}, "chunkFileBytes": {}}
    for table, held in rows.items():
        described = {"options": options | {"table": table}, "includesData": True, "extension": "tsv.zst"}
        files[f"shop@{table}.json"] = json.dumps(described | {"chunking": True, "basenames": {}}).encode()
        files[f"shop@{table}.sql"] = _definition(table).encode()
        halves = (held[: len(held) // 2], held[len(held) // 2 :])
        for half, name in zip(halves, (f"shop@{table}@0.tsv.zst", f"shop@{table}@@1.tsv.zst"), strict=True):
            content = _tsv(half, letters=True)
            files[name] = _zstd(content)
            told["chunkFileBytes"][name] = len(content)
        told["tableRows"]["shop"][table] = len(held)
        told["tableDataBytes"]["shop"][table] = len(_tsv(held, letters=True))
    return files | {"@.done.json": json.dumps(told).encode()}


def tab(rows: Made) -> Files:
    """As mariadb-dump --tab writes it."""
    files: Files = {}
    for table, held in rows.items():
        made = (
            f"-- MariaDB dump 10.19\n--\n-- Host: localhost    Database: shop\n{_definition(table)}-- Dump completed\n"
        )
        files |= {f"{table}.sql": made.encode(), f"{table}.txt": _tsv(held, letters=False)}
    return files


def good_archives(random_: random.Random) -> Iterator[Packed]:
    """Dumps in all archives and folders."""
    while True:
        rows = made_rows(random_)
        # A NULL in another notation and marks around all texts are what --tab can't be told from.
        plain = {table: [(number, f"{text} -") for number, text in held] for table, held in rows.items()}
        entries = _entries(rows)
        for compression in range(4):
            content = custom(entries, compression, offsets=random_.random() < 0.5)
            yield Packed(content, _held(rows), has_sums=compression == 1)
            yield Packed(folder(entries, compression), _held(rows), has_sums=compression == 1)
        yield Packed(_tar(folder(entries, 0) | {"restore.sql": b"-- see the archive\n"}), _held(rows), has_sums=False)
        for packing in _PACKINGS:
            yield Packed(mydumper(rows, packing, counts=True), _held(rows), has_sums=packing != "")
            yield Packed(mydumper(rows, packing, counts=False), _held(rows), has_sums=packing != "", knows_end=False)
        yield Packed(mysql_shell(rows), _held(rows), has_sums=True)
        yield Packed(tab(plain), _held(plain), has_sums=False, knows_end=False)
