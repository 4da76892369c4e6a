"""pg_dump's archives give the rows that its plain dump gives, and only what is wanted of them is read."""

import gzip
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from recograph.dumps import DumpError, DumpReader, inspect
from recograph_tests.dumps.archives.transcoding import rewritten
from recograph_tests.dumps.reading import rows_of
from recograph_tests.dumps.servers import PostgreSQL

DATA = Path(__file__).with_name("data")
ARCHIVES = {version: (DATA / f"{version}.dump").read_bytes() for version in ("pg16", "pg18")}
"""What pg_dump of these versions wrote of the same database."""
USERS = [(1, "tab\there", True), (2, "back\\slash\nline", False)]

SQL = """create table t (a integer primary key, b text, "C d" bytea, at timestamptz);
insert into t select i, repeat(chr(97 + i % 26), i % 300) || E'\\ttab\\nline \\\\', decode('00ff0a', 'hex'), 'today'
    from generate_series(1, 500) i; update t set b = null where a % 7 = 0;
create schema other; create table other.u (x bigint, y numeric(10, 2)); insert into other.u values (1, 2.5), (3, null);
create table empty (z int); create view w as select * from t; create sequence s; create table "We ird""x" (q int);
insert into "We ird""x" values (1); select lo_from_bytea(0, 'a large object');
create table p (k int, v text) partition by range (k); create table p1 partition of p for values from (0) to (100);
create table p2 partition of p for values from (100) to (1000);
insert into p select i, 'v' || i from generate_series(1, 400) i;
create materialized view mv as select count(*) from t; create table parent (i int);
create table child (j int) inherits (parent); insert into child values (1, 2);
create table bare (); insert into bare default values;"""


class Pipe:
    """A stream that can't seek."""

    def __init__(self, data: bytes):
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 1000))


def read_from(source: Any, **options: Any) -> dict[str, pa.Table]:
    """Every table of a dump in any form."""
    with DumpReader(source, name="test", **options) as reader:
        batches: dict[str, list[pa.RecordBatch]] = {}
        for table, batch in reader:
            batches.setdefault(table, []).append(batch)
        tables = {n: pa.Table.from_batches(batches.get(n, []), schema) for n, schema in reader.schemas.items()}
    # The files of partitions may lie in any order.
    return tables | {name: tables[name].sort_by("k") for name in {"p", "parts"} & set(tables)}


@pytest.fixture(scope="module")
def plain(postgresql: PostgreSQL) -> dict[str, pa.Table]:
    """What the plain dump of the server gives."""
    postgresql.create(SQL, database="archived")
    return read_from(io.BytesIO(postgresql.dump(database="archived")))


FORMS = {
    "custom": ("-Fc",),
    "custom, not compressed": ("-Fc", "-Z0"),
    "custom, INSERTs": ("-Fc", "--inserts"),
    "custom, rows of partitions by their root": ("-Fc", "--load-via-partition-root"),
    "folder": ("-Fd",),
    "folder, not compressed": ("-Fd", "-Z0"),
    "folder by two": ("-Fd", "-j2"),
    "folder, INSERTs by column": ("-Fd", "--column-inserts"),
    "tar": ("-Ft",),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_archive_gives_what_the_plain_dump_gives(
    form: str, plain: dict[str, pa.Table], postgresql: PostgreSQL, tmp_path: Path
) -> None:
    path = tmp_path / "dump"
    postgresql.dump(*FORMS[form], f"--file={path}", database="archived")
    assert read_from(path) == plain
    seen = inspect(path)
    assert seen.form == {"c": "pg_dump custom", "f": "pg_dump folder", "t": "pg_dump folder in tar"}[form[0]]
    assert (seen.dialect, seen.server_version) == (
        "postgresql",
        inspect(io.BytesIO(postgresql.dump(database="archived"))).server_version,
    )
    assert {name: report.rows for name, report in seen.tables.items()} == {k: t.num_rows for k, t in plain.items()}
    if path.is_file():
        for pack in (bytes, gzip.compress):
            assert read_from(io.BytesIO(pack(path.read_bytes()))) == plain
            assert read_from(Pipe(pack(path.read_bytes()))) == plain


def test_an_archive_that_was_written_to_a_pipe_is_read_by_its_blocks(
    plain: dict[str, pa.Table], postgresql: PostgreSQL
) -> None:
    for options in ((), ("-Z0",), ("--blobs",)):
        archive = postgresql.dump("-Fc", *options, database="archived")
        assert read_from(io.BytesIO(archive)) == plain
        assert read_from(Pipe(archive), only=["p", 'We ird"x']) == {name: plain[name] for name in ("p", 'We ird"x')}


def test_blocks_of_many_pieces_of_one_length_end_where_they_do(postgresql: PostgreSQL) -> None:
    series = "select i, md5(i::text) || md5((i * 7)::text) v from generate_series(1, {}) i"
    tables = {f"t{number}": series.format(5000 + number) for number in range(3)}
    postgresql.create(";".join(f"create table {name} as {rows}" for name, rows in tables.items()), database="pieces")
    plain = read_from(io.BytesIO(postgresql.dump(database="pieces")))
    for options in ((), ("-Z0",)):
        archive = postgresql.dump("-Fc", *options, database="pieces")
        assert read_from(io.BytesIO(archive)) == plain
        assert read_from(Pipe(archive), only=["t2"]) == {"t2": plain["t2"]}


@pytest.mark.parametrize("wrap", ["tar of a folder", "tar.gz of a folder", "tar of the files", "zip of a folder"])
def test_a_folder_may_be_packed(wrap: str, plain: dict[str, pa.Table], postgresql: PostgreSQL, tmp_path: Path) -> None:
    folder = tmp_path / "2026-01-31"
    postgresql.dump("-Fd", f"--file={folder}", database="archived")
    packed = tmp_path / "packed"
    if wrap.startswith("zip"):
        shutil.make_archive(str(packed), "zip", tmp_path, folder.name)
        packed = packed.with_suffix(".zip")
    else:
        with tarfile.open(packed, "w:gz" if ".gz" in wrap else "w") as archive:
            archive.add(folder, "." if "files" in wrap else folder.name)
    assert read_from(packed) == plain
    assert read_from(Pipe(packed.read_bytes())) == plain


@pytest.mark.parametrize("version", ARCHIVES)
def test_archives_of_newer_versions_are_read(version: str) -> None:
    tables = read_from(io.BytesIO(ARCHIVES[version]))
    assert [row[:3] for row in rows_of(tables["users"])] == USERS
    assert {name: table.num_rows for name, table in tables.items()} == {
        "first": 200, "users": 2, "parts": 2, "Other x.t": 1
    }  # fmt: skip


@pytest.mark.parametrize("minor", range(12, 17))
@pytest.mark.parametrize("compression", range(4))
@pytest.mark.parametrize("offsets", [True, False])
def test_all_versions_of_the_archive_are_read(minor: int, compression: int, offsets: bool) -> None:
    if minor < 15 and compression > 1:
        compression -= 2
    given = read_from(io.BytesIO(ARCHIVES["pg18"]))
    archive = rewritten(ARCHIVES["pg18"], minor, compression, offsets=offsets, unqualified=minor == 12)
    assert read_from(io.BytesIO(archive)) == given
    with DumpReader(io.BytesIO(archive), name="test") as reader:
        assert reader.compression == ("none", "gzip", "lz4", "zstd")[compression]


def test_a_version_that_is_not_known_is_refused() -> None:
    for minor in (11, 17):
        with pytest.raises(DumpError, match=rf"version 1\.{minor}; versions 1\.12 .* are read.*pg_restore"):
            read_from(io.BytesIO(rewritten(ARCHIVES["pg18"], minor)))


def test_only_the_data_of_wanted_tables_are_touched(postgresql: PostgreSQL, tmp_path: Path) -> None:
    postgresql.create(
        "create table large (a text); insert into large select md5(i::text) from generate_series(1, 60000) i;"
        "create table small (a integer); insert into small values (1), (2);"
        "create table zlarge (a text); insert into zlarge select * from large"
    )
    for form in ("c", "d", "t"):
        path = tmp_path / form
        postgresql.dump(f"-F{form}", f"--file={path}")
        size = path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.iterdir())
        with DumpReader(path, only=["small"]) as reader:
            assert sum(batch.num_rows for _, batch in reader) == 2
            assert reader.tables_in_dump == 3
            assert reader.read_bytes < size / 4


def test_a_file_of_rows_that_begins_as_something_compressed_would_is_rows(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    postgresql.create("create table t (a text); insert into t values ('BZh91AY')")
    postgresql.dump("-Fd", "-Z0", f"--file={tmp_path / 'dump'}")
    assert rows_of(read_from(tmp_path / "dump")["t"])[0] == ("BZh91AY",)


def _without(name: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        next(folder.glob(name)).unlink()

    return remove


def _shorten(folder: Path) -> None:
    file = next(folder.glob("*.dat.gz"))
    file.write_bytes(file.read_bytes()[:-1])


def test_a_folder_that_is_not_whole_is_refused(postgresql: PostgreSQL, tmp_path: Path) -> None:
    postgresql.create("create table t (a text); insert into t values ('x')")
    for number, (damage, message) in enumerate(
        [
            (_without("*.dat.gz"), r"the file \d+\.dat, with the rows of table t, is missing"),
            (_without("toc.dat"), "is pg_dump's|isn't a SQL dump|no file|end"),
            (_shorten, r"test/\d+\.dat\.gz: the gzip stream ends"),
        ]
    ):
        folder = tmp_path / str(number)
        postgresql.dump("-Fd", f"--file={folder}")
        damage(folder)
        with pytest.raises(DumpError, match=message):
            read_from(folder)
    (tmp_path / "toc.dat").write_bytes((tmp_path / "0" / "toc.dat").read_bytes())
    with pytest.raises(DumpError, match=r"toc\.dat\) without its files"):
        read_from(tmp_path / "toc.dat")


@pytest.mark.parametrize("offsets", [True, False])
def test_an_archive_that_was_cut_anywhere_is_refused(offsets: bool) -> None:
    for compression in (0, 1):
        archive = rewritten(ARCHIVES["pg18"], 16, compression, offsets=offsets)
        for size in range(1, len(archive), 5):
            with pytest.raises(DumpError, match=r"^test: "):
                read_from(io.BytesIO(archive[:size]))


def test_an_archive_with_a_flipped_byte_gives_the_rows_or_is_refused() -> None:
    archive = ARCHIVES["pg18"]
    schemas = {"users": pa.schema([("id", pa.int64()), ("name", pa.string()), ("valid", pa.bool_())])}
    expected, refused = read_from(io.BytesIO(archive), schemas=schemas), 0
    for at in range(0, len(archive), 7):
        damaged = bytearray(archive)
        damaged[at] ^= 1 << at % 8
        try:
            got = read_from(io.BytesIO(damaged), schemas=schemas)
        except DumpError:
            refused += 1
            continue
        assert got == expected, at
    assert refused > 50


@pytest.mark.parametrize("form", ["c", "d", "t"])
def test_an_archive_without_rows_or_without_definitions_is_read(
    form: str, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    postgresql.create("create table t (a text); insert into t values ('x')")
    postgresql.dump(f"-F{form}", "--schema-only", f"--file={tmp_path / 'schema'}")
    assert read_from(tmp_path / "schema")["t"].num_rows == 0
    postgresql.dump(f"-F{form}", "--data-only", f"--file={tmp_path / 'data'}")
    assert rows_of(read_from(tmp_path / "data")["t"]) == [("x",)]


def test_pg_restore_reads_what_the_tests_rewrote(tmp_path: Path, postgresql: PostgreSQL) -> None:
    program = postgresql.program("pg_restore")
    for minor, compression, unqualified in ((12, 1, True), (13, 0, False), (14, 1, False)):
        path = tmp_path / "dump"
        path.write_bytes(rewritten(ARCHIVES["pg18"], minor, compression, unqualified=unqualified))
        restored = subprocess.run([program, "--file=-", path], capture_output=True, check=True)
        assert read_from(io.BytesIO(restored.stdout)) == read_from(path)


def test_names_and_values_come_in_the_encoding_of_the_database(postgresql: PostgreSQL, tmp_path: Path) -> None:
    postgresql.create("drop table if exists café; create table café (é text)", database="latin", encoding="LATIN1")
    postgresql.run("insert into café values ('José')", database="latin")
    for form in ("-Fc", "-Fd"):
        postgresql.dump(form, f"--file={tmp_path / form}", database="latin")
        tables = read_from(tmp_path / form)
        assert tables["café"].to_pydict() == {"é": ["José"]}


@pytest.mark.parametrize(
    "damage",
    [
        lambda archive: archive.replace(b"\n", b"\r\n"),
        lambda archive: archive.decode("latin-1").encode("utf-16"),
        lambda archive: archive.decode("latin-1").encode(),
        lambda archive: b"pg_dump: warning: something\n" + archive,
        lambda archive: archive[:4700] + bytes(200) + archive[4900:],
        lambda archive: archive + archive[:40],
    ],
    ids=["line ends of a terminal", "PowerShell", "re-encoded", "a message before it", "a hole", "something behind it"],
)
def test_an_archive_that_went_through_something_is_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DumpError, match=r"^test: "):
        read_from(io.BytesIO(damage(ARCHIVES["pg18"])))
