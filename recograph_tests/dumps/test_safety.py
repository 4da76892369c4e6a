"""A dump is data: whatever it holds, reading it ends soon, in bounded memory, with one clear message."""

import io
import zlib

import pyarrow as pa
import pytest

from recograph.dumps import DumpError, DumpReader, Limits
from recograph_tests.dumps.reading import read, rows_of

HEAD = b"-- MySQL dump 10.13  Distrib 8.0.36\nCREATE TABLE `t` (`a` int, `b` text);\n"
TAIL = b"-- Dump completed\n"
DUMP = HEAD + b"INSERT INTO `t` VALUES (1,'x'),(2,'it\\'s');\n" + TAIL
ROWS = [(1, "x"), (2, "it's")]


def test_a_dump_beyond_the_size_that_is_allowed_is_refused() -> None:
    with pytest.raises(DumpError, match=r"more than 100 bytes of SQL.*total_bytes"):
        read(DUMP, limits=Limits(total_bytes=100))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"PGDMP\x01\x0e\x00", "ends at byte 8"),
        (DUMP.decode().encode("utf-16"), "UTF-16.*--result-file"),
        (b"PK\x03\x04" + bytes(100), "zip archive is broken"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), "a 7z archive"),
        (b"<?xml version='1.0'?>\n<mysqldump>", "XML.*--xml"),
        (bytes(range(256)) * 20, "binary file"),
        (b"\x7fELF\x02\x01\x01" + bytes(1000), "binary file"),
        (b"id,name\n1,x\n", "isn't a SQL dump"),
        (b"{}", "isn't a SQL dump"),
        (zlib.compress(DUMP), "isn't a SQL dump|binary file"),
        (b"-- MySQL dump 10.13\n", "nothing but comments"),
    ],
)
def test_what_is_no_plain_dump_is_refused_with_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(DumpError, match=rf"(?s)^test\.sql: .*{message}"):
        read(content)


QUOTES = {
    "a string without end": b"INSERT INTO `t` VALUES (1,'x'),(2,'y",
    "an escaped end": b"INSERT INTO `t` VALUES (1,'x'),(2,'y\\');\n",
    "a name without end": b"CREATE TABLE `u (`a` int);\n",
    "a comment without end": b"/* \n",
    "a definition without end": b"CREATE TABLE u (a int DEFAULT 'x);\n",
    "a delimiter that never comes": b"DELIMITER ;;\nSELECT 1;\n",
}


@pytest.mark.parametrize("what", QUOTES)
def test_what_has_no_end_is_refused(what: str) -> None:
    with pytest.raises(DumpError, match=r"test\.sql.*(byte \d+|table)"):
        read(HEAD + QUOTES[what] + TAIL)
    with pytest.raises(DumpError, match=r"test\.sql.*(byte \d+|table)"):
        read(HEAD + QUOTES[what] + b" " * 100_000 + b"\n" + TAIL, limits=Limits(value_bytes=10_000), chunk_bytes=1000)


COPY = (
    b"-- PostgreSQL database dump\nCREATE TABLE public.t (a integer, b text);\nCOPY public.t (a, b) FROM stdin;\n1\tx\n"
)


@pytest.mark.parametrize(
    ("dump", "message"),
    [
        (COPY + b"2\n\\.\n", r"table public\.t, row 2 \(after byte \d+\): the row has 1 values where 2"),
        (COPY + b"2\ty\tz\n\\.\n", r"table public\.t, row 2 \(after byte \d+\): the row has 3 values where 2"),
        (COPY + b"x\ty\n\\.\n", r"table t, column a, row 2 \(byte \d+\): the value is none of type int32"),
        (COPY + b"2\ty\n", r"table public\.t, row \d \(after byte \d+\): the dump ends within the block"),
        (COPY + b"2\ty\n\\.\n", 'the closing comment "-- PostgreSQL database dump complete" is missing'),
        (COPY.replace(b"stdin", b"stdin CSV"), r"line \d+, byte \d+: COPY has options"),
    ],
)
def test_a_broken_copy_block_is_refused(dump: bytes, message: str) -> None:
    with pytest.raises(DumpError, match=f"test.sql: {message}"):
        read(dump)


@pytest.mark.parametrize("value", [b"x" * 300_000, b"\\\\" * 150_000, b"''" * 150_000, b"),(" * 100_000])
def test_a_huge_value_is_read_within_the_limit_and_refused_beyond(value: bytes) -> None:
    dump = HEAD + b"INSERT INTO `t` VALUES (1,'x'),(2,'" + value + b"'),(3,'y');\n" + TAIL
    expected = value.replace(b"\\\\", b"\\").replace(b"''", b"'").decode()
    assert rows_of(read(dump, chunk_bytes=1000)["t"]) == [(1, "x"), (2, expected), (3, "y")]
    with pytest.raises(
        DumpError, match=r"table t, row 2 \(after byte \d+\): the row is longer than 10000 .*value_bytes"
    ):
        read(dump, limits=Limits(value_bytes=10_000), chunk_bytes=1000)
    # What nobody asked for may be as large as it likes.
    other = dump.replace(b"`t`", b"`u`") + DUMP
    assert rows_of(read(other, limits=Limits(value_bytes=10_000), chunk_bytes=1000, only=["t"])["t"]) == ROWS


def test_too_many_tables_or_columns_are_refused() -> None:
    tables = b"".join(b"CREATE TABLE `t%d` (a int);" % at for at in range(11))
    with pytest.raises(DumpError, match=r"more than 10 tables.*limit tables"):
        read(tables, limits=Limits(tables=10))
    with pytest.raises(DumpError, match="more than 10 tables"):
        read(
            b"".join(b"INSERT INTO `t%d` VALUES (1);" % at for at in range(11)), limits=Limits(tables=10), only=["t0x"]
        )
    columns = b", ".join(b"c%d int" % at for at in range(11))
    with pytest.raises(DumpError, match=r"table wide \(line 1, byte 0\) has more than 10 columns.*limit columns"):
        read(b"CREATE TABLE `wide` (%s);" % columns, limits=Limits(columns=10))


def test_a_dump_is_read_once() -> None:
    reader = DumpReader(io.BytesIO(DUMP))
    list(reader)
    with pytest.raises(DumpError, match="read once"):
        list(reader)


def test_a_required_column_must_be_there_and_never_null() -> None:
    def schema(name: str, kind: pa.DataType) -> dict[str, pa.Schema]:
        return {"t": pa.schema([pa.field(name, kind, nullable=False)])}

    assert read(DUMP, schemas=schema("B", pa.string()))["t"].to_pylist() == [{"B": "x"}, {"B": "it's"}]
    with pytest.raises(DumpError, match="table t: the required column c is missing; the table has a, b"):
        read(DUMP, schemas=schema("c", pa.string()))
    null = DUMP.replace(b"(1,'x')", b"(1,'x'),(NULL,'y')")
    with pytest.raises(DumpError, match=r"table t, column a, row 2 \(byte \d+\): NULL isn't allowed"):
        read(null, schemas=schema("a", pa.int64()))
    with pytest.raises(
        DumpError,
        match=r"column b, row 1 \(byte \d+\): the value is none of type int64; row 2 .*change the column's type in the",
    ):
        read(DUMP, schemas=schema("b", pa.int64()))
