"""What can't be read for certain is refused in a sentence that says why, never read in part."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recograph.cli.dump import app
from recograph.dumps import DumpReader, archives
from recograph.dumps.archives import folders
from recograph.dumps.report import DumpError
from recograph_tests.dumps import good_archives
from recograph_tests.dumps.good_archives import Files
from recograph_tests.dumps.mutations import MemoryFolder
from recograph_tests.dumps.reading import read

ROWS = {"t": [(1, "a"), (2, "b")]}


def read_folder(files: Files) -> None:
    with DumpReader(MemoryFolder(files, is_random=True)) as reader:
        list(reader)


def mydumper() -> Files:
    return good_archives.mydumper(ROWS, "", counts=True)


def test_the_folders_are_good_as_they_are() -> None:
    for files in (mydumper(), good_archives.mysql_shell(ROWS), good_archives.tab(ROWS)):
        read_folder(files)


@pytest.mark.parametrize(
    ("files", "changes", "message"),
    [
        (mydumper, {"shop.t.00000.sql.gz": gzip.compress(b"-- older")}, r"shop\.t\.00000\.sql.* are one file twice"),
        (mydumper, {"shop.t-schema.sql": b"SELECT 1;"}, r"shop\.t-schema\.sql defines no table\. It was cut"),
        (lambda: good_archives.mysql_shell(ROWS), {"shop.json": b"{"}, r"shop\.json isn't JSON\. It was cut"),
        (lambda: good_archives.tab(ROWS), {"t.sql": b"CREATE TABLE `t` (`id` int, `t` text);\n"}, "with --comments"),
        (
            lambda: good_archives.tab(ROWS),
            {"t.sql": b"-- MariaDB dump 10.19\n-- Dump completed\n"},
            r"t\.sql defines no table\. It was cut",
        ),
    ],
)
def test_files_of_a_folder_that_contradict_each_other(files: Callable[[], Files], changes: Files, message: str) -> None:
    with pytest.raises(DumpError, match=message):
        read_folder(files() | changes)


def test_more_files_than_any_dump_has(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("a.sql", "b.sql"):
            archive.addfile(tarfile.TarInfo(name))
    monkeypatch.setattr(archives.tar, "MOST_FILES", 1)
    with pytest.raises(DumpError, match=r"more than 1 files\. This is no archive of one dump"):
        read(out.getvalue())
    assert folders.MOST_FILES > 100_000


def link(name: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return made


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (link("t.sql"), r"holds t\.sql, which is neither a file nor a folder"),
        (tarfile.TarInfo("../t.sql"), r"holds \.\./t\.sql twice, or outside of its folder"),
    ],
)
def test_an_archive_that_leads_out_of_itself(member: tarfile.TarInfo, message: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(member)
    with pytest.raises(DumpError, match=message):
        read(out.getvalue())


def test_a_zip_archive_that_leads_out_of_itself() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../t.sql", "x")
        archive.writestr("u.sql", "x")
    with pytest.raises(DumpError, match=r"holds \.\./t\.sql twice, or outside of its folder"):
        read(out.getvalue())


TITLE = "-- MySQL dump 10.13\n"
TABLE = "CREATE TABLE `t` (`a` int);\n"
POSTGRESQL = "-- PostgreSQL database dump\n\nCREATE TABLE t ();\n"


@pytest.mark.parametrize(
    ("dump", "message"),
    [
        (b"7z\xbc\xaf\x27\x1c rest", "this is a 7z archive. Compress with gzip, zstd, xz, bzip2 or lz4"),
        (b'\n<?xml version="1.0"?>', "this is XML, as mysqldump --xml writes it"),
        (f"{POSTGRESQL}CREATE /* /* /* x */ */ */ TABLE u (a int);\n".encode(), "comments are nested too deeply"),
        (
            f"{TITLE}-- Current Database: `shop`\n{TABLE}INSERT INTO `t` VALUES (1);\n-- Dump completed\n".encode(),
            "a comment announces the database shop, but no USE chooses it",
        ),
        (f"{TITLE}{TABLE}INSERT INTO `t` VALUES (1),(SELECT 2);\n-- Dump completed\n".encode(), "table t"),
        (
            f"{POSTGRESQL.replace('()', '(a int)')}INSERT INTO t DEFAULT VALUES;\n"
            "-- PostgreSQL database dump complete\n".encode(),
            "a row of default values can't be read, for the values aren't in the dump",
        ),
    ],
)
def test_a_text_that_is_none_of_a_dump_or_says_less_than_its_rows(dump: bytes, message: str) -> None:
    with pytest.raises(DumpError, match=message):
        read(dump)


COPIES = """-- PostgreSQL database dump
CREATE TABLE a (x text);
CREATE TABLE b (x text);
COPY a (x) FROM stdin;
1
\\.

COPY b (x) FROM stdin;
2
\\.

-- PostgreSQL database dump complete
"""


@pytest.mark.parametrize("only", [None, ["a"], ["b"]])
@pytest.mark.parametrize("chunk_bytes", [16, 1 << 20])
def test_a_block_of_rows_that_lost_its_end_swallows_no_other(only: list[str] | None, chunk_bytes: int) -> None:
    whole = read(COPIES.encode(), only=only, chunk_bytes=chunk_bytes)
    assert {name: table["x"].to_pylist() for name, table in whole.items()}.items() <= {"a": ["1"], "b": ["2"]}.items()
    with pytest.raises(DumpError, match="the end of the block is missing, for another one begins in it"):
        read(COPIES.replace("\\.\n", "", 1).encode(), only=only, chunk_bytes=chunk_bytes)


@pytest.mark.parametrize(
    "rows",
    ["(1,,2)", "(,1)", "1,2)", "(1,2", "(1;2)", "(1,2) (3,4)", "(1,2),;", "(1,'a'b)", "(1,2,3)", "(1)", "(1,2),(3)"],
)
@pytest.mark.parametrize("before", ["", "(1,/* so that they are read one by one */2),"])
def test_rows_that_are_none_are_not_guessed(rows: str, before: str) -> None:
    dump = f"{TITLE}CREATE TABLE `t` (`a` int, `b` text);\nINSERT INTO `t` VALUES {before}{rows};\n-- Dump completed\n"
    with pytest.raises(DumpError, match=r"table t|the statement INSERT INTO may change rows"):
        read(dump.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE b CASCADE",
        "TRUNCATE a",
        "DROP TABLE a",
        "ALTER TABLE a DROP COLUMN x",
        "ALTER TABLE b ATTACH PARTITION a",
    ],
)
def test_what_changes_rows_that_were_read_is_refused(statement: str) -> None:
    read(COPIES.replace("COPY a", "ANALYZE a;\nCOPY a").encode())
    with pytest.raises(DumpError, match=r"table a\b|ALTER TABLE|b: "):
        read(COPIES.replace("COPY b", f"{statement};\nCOPY b").encode())


def test_a_byte_that_changed_in_a_zip_archive_is_noticed() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("t.sql", COPIES)
    packed = out.getvalue()
    assert set(read(packed)) == {"a", "b"}
    with pytest.raises(DumpError, match=r"the file in the zip archive is broken"):
        read(packed.replace(b"\n1\n", b"\n3\n"))


def test_rows_that_are_skipped_must_be_rows_too() -> None:
    dump = f"{TITLE}{TABLE}INSERT INTO `t` VALUES (1),('a'),('b);\n-- Dump completed\n".encode()
    with pytest.raises(DumpError, match=r"the dump ends within the rows|a quote is unbalanced in the rows"):
        read(dump, only=["other"])


class Torn(io.BytesIO):
    """A file on a disk that fails after the first bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(min(size or 0, 30))


def test_a_disk_that_fails_is_no_end() -> None:
    dump = f"{TITLE}{TABLE}INSERT INTO `t` VALUES (1);\n-- Dump completed\n".encode()
    with (
        pytest.raises(DumpError, match="reading failed after 30 bytes: Input/output error"),
        DumpReader(Torn(dump)) as r,
    ):
        list(r)


@pytest.mark.parametrize(
    ("magic", "message"),
    [
        (b"\x1f\x9d\x90", r"compressed by compress \(\.Z\)"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
        (b"LZIP\1", "compressed by lzip"),
        (b"\x89LZO\0\r\n\x1a\n", "compressed by lzop"),
        (b"\xff\x06\0\0sNaPpY", "compressed by snappy"),
        (b"\x02\x21\x4c\x18", r"lz4's old format \(lz4 -l\)"),
        (b"Salted__", "encrypted by openssl"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted by PGP"),
        (b"age-encryption.org/v1\n", "encrypted by age"),
    ],
)
def test_compressions_that_arent_read_are_named(magic: bytes, message: str) -> None:
    with pytest.raises(DumpError, match=rf"test\.sql: this is {message}\. Compress with gzip"):
        read(magic + b"rest of it" * 20)


def test_a_file_that_is_packed_too_often_is_refused() -> None:
    packed = COPIES.encode()
    for _ in range(4):
        packed = gzip.compress(packed)
    assert set(read(packed)) == {"a", "b"}
    with pytest.raises(DumpError, match=r"the file is packed more than 4 times"):
        read(gzip.compress(packed))


def test_a_limit_is_raised_on_the_command_line(tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(COPIES)
    runner = CliRunner()
    assert runner.invoke(app, ["inspect", str(dump)]).exit_code == 0
    refused = runner.invoke(app, ["inspect", str(dump), "--limit", "tables=1"])
    assert refused.exit_code != 0
    assert runner.invoke(app, ["inspect", str(dump), "--limit", "tables=2"]).exit_code == 0
    assert "NAME=NUMBER is needed" in runner.invoke(app, ["inspect", str(dump), "--limit", "x=2"]).output
