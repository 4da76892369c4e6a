"""What a dialect and a form of dumps are made of, shown by ones that don't exist."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from recograph.dumps import Declared, DumpReader, archives
from recograph.dumps.archives.parts import Content, Opening, Part, Wants
from recograph.dumps.archives.streams import Stream
from recograph.dumps.dialects import DIALECTS, POSTGRESQL
from recograph.dumps.dialects.rules import End, Evidence, any_of
from recograph.dumps.report import DumpError
from recograph_tests.dumps.reading import read

END = End(re.compile(rb"-- TinyDB export$"), re.compile(rb"-- TinyDB export ended"), "-- TinyDB export ended")
TINY = replace(
    POSTGRESQL,
    name="tiny",
    server="TinyDB",
    evidence=Evidence(titles=any_of(rb"^-- TinyDB export"), hints=any_of(rb"\bWHOLE NUMBER\b")),
    dump_ends=(END,),
    column_type=lambda definition: pa.int64() if definition.startswith("WHOLE NUMBER") else pa.string(),
    backslash_escapes=True,
)
BARE = b"""CREATE TABLE t (a WHOLE NUMBER, b LETTERS);
INSERT INTO t VALUES (1, 'it\\'s'), (NULL, 'x');
"""
DUMP = b"-- TinyDB export\n" + BARE + b"-- TinyDB export ended\n"


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, TINY.name, TINY)


@pytest.mark.parametrize(
    ("dump", "declared"), [(DUMP, None), (BARE, None), (BARE.replace(b"WHOLE NUMBER", b"LETTERS"), Declared("tiny"))]
)
def test_a_dialect_is_told_by_its_titles_or_its_hints_or_declared(dump: bytes, declared: Declared | None) -> None:
    (table,) = read(dump, declared=declared).values()
    assert table["b"].to_pylist() == ["it's", "x"]
    assert table["a"].type == (pa.string() if declared else pa.int64())


def test_the_end_of_its_programs_dumps_must_be_there() -> None:
    with pytest.raises(DumpError, match='the closing comment "-- TinyDB export ended" is missing'):
        read(DUMP.removesuffix(b"-- TinyDB export ended\n"))


def test_messages_name_it() -> None:
    with pytest.raises(DumpError, match="mysql, mariadb, postgresql, tiny"):
        read(BARE, declared=Declared("none"))
    with pytest.raises(DumpError, match="looks like PostgreSQL and TinyDB at once"):
        read(b"-- PostgreSQL database dump\n" + DUMP)
    with pytest.raises(DumpError, match=r"a script of SQLite, which isn't read.* MySQL, MariaDB, PostgreSQL, TinyDB"):
        read(b"PRAGMA foreign_keys=OFF;\n" + BARE)


class Hexadecimal(Content):
    """A file of hexadecimal digits behind a mark."""

    form = "hexadecimal"

    def __init__(self, stream: Stream, opening: Opening) -> None:
        self._name = stream.name
        self.head = bytes.fromhex(b"".join(opening.chunks(stream)).removeprefix(b"HEX:").decode())

    def parts(self, _: Wants) -> Iterator[Part]:
        yield Part(self._name, iter([self.head]))


def test_a_form_is_told_by_its_content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_bytes(b"HEX:" + DUMP.hex().encode())
    with pytest.raises(DumpError, match="isn't a SQL dump"):
        DumpReader(file)
    monkeypatch.setattr(archives, "FILES", (*archives.FILES, (lambda head: head.startswith(b"HEX:"), Hexadecimal)))
    with DumpReader(file) as reader:
        assert [(name, batch.num_rows) for name, batch in reader] == [("t", 2)]
        assert (reader.form, reader.dialect) == ("hexadecimal", "tiny")
