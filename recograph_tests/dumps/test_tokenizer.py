"""Whatever values are written as literals, the same values are read, in every way of writing them."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recograph.dumps import DumpError, scan
from recograph_tests.dumps.reading import read, rows_of

Rows = list[tuple[int | None, str | None, bytes | None]]

# Letters that mean something to a reader of dumps, and some that don't.
ALPHABET = st.sampled_from(list("'\"\\`;,()\n\r\t \0\b\x1a-#/*!$NnrtbZx0é😀"))
TEXT = st.none() | st.text(ALPHABET, max_size=12)
ROWS = st.lists(
    st.tuples(st.none() | st.integers(-(2**31), 2**31 - 1), TEXT, st.none() | st.binary(max_size=8)), max_size=12
)
ESCAPED = {
    "\0": "\\0",
    "'": "\\'",
    '"': '\\"',
    "\b": "\\b",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\x1a": "\\Z",
    "\\": "\\\\",
}
COPIED = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def escaped(value: str | None, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in value or "")


def mysql_text(value: str | None) -> str:
    return "NULL" if value is None else f"'{escaped(value, ESCAPED)}'"


def doubled_text(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def plain_text(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def hexadecimal(value: bytes | None) -> str:
    return "NULL" if value is None else f"0x{value.hex()}" if value else "''"


def statements(rows: list[tuple[str, str, str]], single: bool) -> str:
    texts = [f"({', '.join(map(str, row))})" for row in rows]
    if single:
        return "".join(f"INSERT INTO t VALUES {text};\n" for text in texts)
    return "INSERT INTO t VALUES " + ",\n".join(texts) + ";\n" if texts else ""


def number(value: int | None) -> str:
    return "NULL" if value is None else str(value)


@pytest.mark.parametrize("text", [mysql_text, doubled_text], ids=["escaped", "doubled"])
@given(ROWS, st.booleans(), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_rows_of_mysql_are_read_as_they_were_written(
    text: Callable[[str | None], str], rows: Rows, single: bool, size: int
) -> None:
    table = "CREATE TABLE `t` (a int, b text, c blob);\n"
    written = [(number(a), text(b), hexadecimal(c)) for a, b, c in rows]
    dump = table + statements(written, single) + "SET @after = 1;\n"
    assert rows_of(read(dump.encode(), chunk_bytes=size)["t"]) == rows


@given(ROWS, st.booleans(), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_rows_without_backslash_escapes_are_read_as_they_were_written(rows: Rows, single: bool, size: int) -> None:
    table = "SET SQL_MODE='NO_BACKSLASH_ESCAPES';\nCREATE TABLE `t` (a int, b text, c blob);\n"
    written = [(number(a), plain_text(b), hexadecimal(c)) for a, b, c in rows]
    assert rows_of(read((table + statements(written, single)).encode(), chunk_bytes=size)["t"]) == rows


@given(ROWS, st.booleans(), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_rows_of_postgresql_are_read_as_they_were_written(rows: Rows, is_copy: bool, size: int) -> None:
    rows = [(a, b and b.replace("\0", ""), c) for a, b, c in rows]
    dump = "SET client_encoding = 'UTF8';\nCREATE TABLE public.t (a integer, b text, c bytea);\n"
    if is_copy:
        fields = [(a if a is None else str(a), b, c if c is None else f"\\x{c.hex()}") for a, b, c in rows]
        lines = ["\t".join("\\N" if v is None else escaped(v, COPIED) for v in row) + "\n" for row in fields]
        dump += "COPY public.t (a, b, c) FROM stdin;\n" + "".join(lines) + "\\.\n"
    else:
        written = [(number(a), plain_text(b), "NULL" if c is None else f"'\\x{c.hex()}'") for a, b, c in rows]
        dump += statements(written, single=False).replace("INTO t", "INTO public.t")
    assert rows_of(read(dump.encode(), chunk_bytes=size)["t"]) == rows


STRINGS = re.compile(rb"'(?:[^'\\]|\\.|'')*'", re.S)
PLAIN_STRINGS = re.compile(rb"'(?:[^']|'')*'", re.S)


@given(st.binary(max_size=300) | st.text("'\\,;x", max_size=300).map(str.encode), st.booleans(), st.integers(4, 80))
@settings(max_examples=400, deadline=None)
def test_separators_are_those_outside_of_strings(data: bytes, escapes: bool, piece: int) -> None:
    if escapes:
        # Outside of strings a backslash is no escape, but no dump has one there.
        data = b"".join(
            p if p.startswith(b"'") else p.replace(b"\\", b"")
            for p in re.split(rb"('(?:[^'\\]|\\.|'')*'?)", data, flags=re.S)
        )
    bare = (STRINGS if escapes else PLAIN_STRINGS).sub(lambda match: b"_" * len(match[0]), data)
    is_open = b"'" in bare
    bare = bare[: bare.index(b"'")] if is_open else bare
    before, scan.PIECE_BYTES = scan.PIECE_BYTES, piece
    try:
        structure = scan.structure(np.frombuffer(data, np.uint8), escapes)
    finally:
        scan.PIECE_BYTES = before
    assert structure.open == is_open
    assert structure.separators.tolist() == [at for at, byte in enumerate(bare) if byte in b",;"]
    assert structure.semicolons.tolist() == [at for at, byte in enumerate(bare) if byte in b";"]


@given(
    st.binary(max_size=400),
    st.sampled_from(
        [
            "-- MySQL dump 10\n",
            "-- PostgreSQL database dump\n",
            "CREATE TABLE t (a int);\nINSERT INTO t VALUES (",
            "COPY t (a) FROM stdin;\n",
        ]
    ),
)
@settings(max_examples=150, deadline=None)
def test_garbage_is_refused_or_read_but_never_crashes(data: bytes, head: str) -> None:
    message = "test.sql: "
    try:
        read(head.encode() + data)
    except DumpError as error:
        message = str(error)
    assert message.startswith("test.sql: ")


@given(st.lists(st.sampled_from([b"\\", b".", b"\n", b"x"]), max_size=40).map(b"".join), st.integers(0, 40))
def test_pairs_are_found_wherever_they_stand(data: bytes, start: int) -> None:
    start = min(start, len(data))
    for end in range(start, len(data) + 1):
        expected = [match.start() for match in re.compile(rb"\\\.").finditer(data, start, end)]
        assert scan.find_pairs(data, b"\\.", start, end).tolist() == expected
