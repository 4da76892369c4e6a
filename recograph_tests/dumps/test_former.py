"""What a server would make something else of than the dump's text is refused: former rows, places in lists, offsets."""

import subprocess
from typing import Any

import pyarrow as pa
import pytest

from recograph.dumps import DumpError
from recograph_tests.dumps.reading import read, rows_of
from recograph_tests.dumps.servers import MariaDB
from recograph_tests.dumps.test_reports import mysql, postgresql
from recograph_tests.dumps.test_settings import mode


def test_rows_as_they_once_were_are_no_rows(mariadb: MariaDB) -> None:
    mariadb.create(
        "create table kept (a int); insert into kept values (1);"
        "create table person (a int) with system versioning; insert into person values (1), (2);"
        "delete from person where a = 2;",
        database="former",
    )
    tables = read(mariadb.dump(database="former"))
    assert rows_of(tables["person"]) == [(1,)]
    history = mariadb.dump("--dump-history", database="former")
    wanted = pa.schema([("a", pa.int32())])
    with pytest.raises(DumpError, match=r"person: the dump holds rows as they once were, too"):
        read(history, schemas={"person": wanted})
    assert rows_of(read(history, schemas={"kept": wanted})["kept"]) == [(1,)]
    # Where all columns are read, one tells when a row ended.
    assert read(history)["person"].schema.names == ["a", "row_start", "row_end"]


def test_a_dump_with_users_and_roles_is_read(mariadb: MariaDB) -> None:
    mariadb.create("create table t (a int); insert into t values (1);", database="former")
    dump = mariadb.dump("--system=users", database="former")
    assert b"EXECUTE IMMEDIATE" in dump
    assert rows_of(read(dump, only=["t"])["t"]) == [(1,)]
    with pytest.raises(DumpError, match="the statement EXECUTE IMMEDIATE may change rows"):
        read(dump.replace(b"'SET ROLE '", b"'DELETE FROM t'"), only=["t"])


@pytest.mark.parametrize("name", ["oracle", "mssql", "postgresql", "db2", "maxdb", "ansi"])
def test_names_in_double_quotes_are_names_in_modes_of_other_servers(name: str, mariadb: MariaDB) -> None:
    mariadb.create("create table `t;'` (`a,b` int); insert into `t;'` values (1);", database="former")
    try:
        dump = mariadb.dump(f"--compatible={name}", database="former")
    except subprocess.CalledProcessError:
        pytest.fail(f"mariadb-dump knows no --compatible={name}")
    assert b'"a,b"' in dump
    assert rows_of(read(dump)["t;'"]) == [(1,)]


@pytest.mark.parametrize("value", ["'EMPTY_STRING_IS_NULL'", "CONCAT(@@sql_mode, ',EMPTY_STRING_IS_NULL')"])
def test_a_mode_in_which_empty_strings_are_null_is_refused(value: str) -> None:
    with pytest.raises(DumpError, match="the setting sql_mode, by which strings are read"):
        mode(f"SET sql_mode = {value};")


def enum(values: str, **options: Any) -> list[tuple[Any, ...]]:
    table = "CREATE TABLE `t` (`a` enum('x','1'), `b` set('p','q'));\n"
    return rows_of(read(mysql(f"{table}INSERT INTO `t` VALUES {values};\n").encode(), **options)["t"])


def test_a_number_that_stands_for_a_place_in_a_list_is_refused() -> None:
    assert enum("('x','p,q'), ('1',NULL)") == [("x", "p,q"), ("1", None)]
    for column, values in (
        ("a", "('x','p'),(1,'p')"),
        ("b", "('x','p'), ('x', 3 )"),
        ("b", "('x',/* p */'p'),('x',3)"),
    ):
        with pytest.raises(DumpError, match=rf"column {column}, row 2 .*(a place in the column's list|than a literal)"):
            enum(values)


@pytest.mark.parametrize("value", ["2024-01-05 10:00:00+02:00", "2024-01-05 10:00:00Z", "0044-01-05 10:00:00+02 BC"])
def test_an_offset_of_a_moment_without_a_time_zone_is_refused(value: str) -> None:
    of_mysql = mysql(f"CREATE TABLE `t` (`at` datetime);\nINSERT INTO `t` VALUES ('{value}');\n")
    copied = postgresql(f"CREATE TABLE t (at timestamp);\nCOPY t (at) FROM stdin;\n{value}\n\\.\n")
    for dump in (of_mysql, copied):
        with pytest.raises(DumpError, match=r"column at, row 1.*the value is none of type timestamp"):
            read(dump.encode())
    zoned = copied.replace("at timestamp", "at timestamptz").replace("0044", "2024").replace(" BC", "")
    assert rows_of(read(zoned.encode())["t"])[0][0].hour == (10 if "Z" in value else 8)
