"""Tables whose rows were left out of a dump are told, and tables that have none are not taken for such."""

import io
from pathlib import Path

import pytest

from recograph.dumps import DumpReader, inspect
from recograph_tests.dumps.servers import MariaDB, PostgreSQL

LEFT_OUT = "has the definition alone, and no rows, of"
UNKNOWN = "whether there are none, or they were left out"
TABLES = "create table kept (a int); insert into kept values (1); create table none (a int); create table gone (a int);"
FILLED = f"{TABLES} insert into gone values (7);"


def told(dump: bytes | Path) -> str:
    source = io.BytesIO(dump) if isinstance(dump, bytes) else dump
    with DumpReader(source, name="test") as reader:
        rows = {name: 0 for name, _ in reader}
        assert rows.keys() <= reader.tables.keys()
        return " ".join(reader.warnings)


@pytest.mark.parametrize("options", [(), ("--skip-comments",)])
def test_mariadb_dump_tells_what_it_left_out(mariadb: MariaDB, options: tuple[str, ...]) -> None:
    mariadb.create(FILLED, database="left_out")
    assert told(mariadb.dump(*options, database="left_out")) == ""
    without = told(mariadb.dump(*options, "--ignore-table-data=left_out.gone", database="left_out"))
    assert f"{LEFT_OUT} gone:" in without


def test_mariadb_dump_without_any_rows_is_told(mariadb: MariaDB) -> None:
    mariadb.create(FILLED, database="left_out")
    assert f"{LEFT_OUT} gone, kept, none:" in told(mariadb.dump("--no-data", database="left_out"))
    assert UNKNOWN in told(mariadb.dump("--no-data", "--compact", database="left_out"))
    assert "a condition (--where) chose its rows" in told(mariadb.dump("--where=a < 5", database="left_out"))


@pytest.mark.parametrize("form", ["plain", "custom", "directory", "tar"])
@pytest.mark.parametrize("options", [(), ("--inserts",)])
def test_pg_dump_tells_what_it_left_out(
    form: str, options: tuple[str, ...], postgresql: PostgreSQL, tmp_path: Path
) -> None:
    postgresql.create(FILLED, database="left_out")

    def dump(*more: str) -> Path:
        path = tmp_path / f"dump{len(list(tmp_path.iterdir()))}"
        postgresql.dump(f"--format={form}", *options, *more, f"--file={path}", database="left_out")
        return path

    assert told(dump()) == ""
    assert f"{LEFT_OUT} gone:" in told(dump("--exclude-table-data=gone"))
    assert f"{LEFT_OUT} gone, kept, none:" in told(dump("--schema-only"))


def test_a_partition_that_was_left_out_is_told(postgresql: PostgreSQL) -> None:
    postgresql.create(
        "create table t (a int) partition by list (a); create table t1 partition of t for values in (1); "
        "create table t2 partition of t for values in (2); insert into t values (1), (2); "
        "create table bare (a int) partition by list (a);",
        database="left_out",
    )
    assert told(postgresql.dump(database="left_out")) == ""
    assert f"{LEFT_OUT} t2:" in told(postgresql.dump("--exclude-table-data=t2", database="left_out"))


def test_mydumper_leaves_no_trace_of_a_table_without_rows(mariadb: MariaDB, tmp_path: Path) -> None:
    mariadb.create(FILLED, database="left_out")
    mariadb.mydumper(tmp_path / "whole", database="left_out")
    assert f"no rows of none; {UNKNOWN}" in told(tmp_path / "whole")


def test_only_tables_that_are_asked_for_are_named(mariadb: MariaDB) -> None:
    mariadb.create(FILLED, database="left_out")
    dump = io.BytesIO(mariadb.dump("--no-data", database="left_out"))
    with DumpReader(dump, name="test", only=["kept"]) as reader:
        assert list(reader) == []
        assert f"{LEFT_OUT} kept:" in " ".join(reader.warnings)


def test_many_tables_are_told_in_one_sentence(mariadb: MariaDB) -> None:
    mariadb.create("".join(f"create table t{at} (a int);" for at in range(15)), database="left_out")
    warnings = inspect(io.BytesIO(mariadb.dump("--no-data", database="left_out"))).warnings
    assert [warning for warning in warnings if "and 5 more:" in warning]
