"""What a damaged file or an unusual layout hides is read or refused, never lost: rows behind others' words or ends."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from recograph.dumps import DumpError, DumpReader
from recograph_tests.dumps.reading import read, rows_of
from recograph_tests.dumps.servers import PostgreSQL
from recograph_tests.dumps.test_reports import mysql, phpmyadmin, postgresql
from recograph_tests.dumps.test_tools import MYSQL, ROWS, told

TABLE = "CREATE TABLE `t` (`a` int, `b` text);\n"
FIRST, SECOND = "INSERT INTO `t` VALUES (1,'x');", "INSERT INTO `t` VALUES (2,'y');"
BOTH = [(1, "x"), (2, "y")]
COPY = "CREATE TABLE t (a int, b text);\nCOPY t (a, b) FROM stdin;\n1\tx\n2\ty\n\\.\n"


@pytest.mark.parametrize(
    "body",
    [
        f"{TABLE}{FIRST}\nUSE `shop`; {SECOND}\n",
        f"{TABLE}{FIRST}\nuse shop; -- the same one\n{SECOND}\n",
        f"{TABLE}{FIRST} {SECOND}\nUSE shop\n",
    ],
)
def test_statements_behind_a_change_of_database_are_read(body: str) -> None:
    dump = mysql("USE `shop`;\n" + body).encode()
    for chunk_bytes in (7, 1 << 20):
        assert rows_of(read(dump, chunk_bytes=chunk_bytes)["t"]) == BOTH


def test_a_carriage_return_within_a_comment_hides_no_rows() -> None:
    old_mac = mysql(f"{TABLE}{FIRST}\n-- more\n{SECOND}\n").replace("\n", "\r")
    within = mysql(f"{TABLE}{FIRST}\n-- more\r{SECOND}\r\n")
    with_rows = mysql(f"{TABLE}INSERT INTO `t` VALUES (1,'x') -- more\r,(2,'y')\n,(3,'z');\n")
    for dump in (old_mac, within):
        with pytest.raises(DumpError, match="a carriage return stands within a comment"):
            read(dump.encode())
    with pytest.raises(DumpError, match="table t, row 1"):
        read(with_rows.encode())
    # PostgreSQL itself ends a comment there.
    rows = "INSERT INTO t VALUES (1, 'x') -- more\r, (2, 'y');\n"
    assert rows_of(read(postgresql(f"{COPY.split('COPY')[0]}{rows}").encode())["t"]) == BOTH


@pytest.mark.parametrize(
    "before",
    ["COMMIT", "UNLOCK TABLES", "SET autocommit=0", "ALTER TABLE `t` ENABLE KEYS", "CREATE VIEW v AS SELECT 1"],
)
@pytest.mark.parametrize("change", [SECOND, "REPLACE INTO `t` VALUES (3,'z');", "DELETE FROM t;", "UPDATE t SET a=1;"])
def test_rows_behind_a_statement_that_lost_its_end_are_not_lost(before: str, change: str) -> None:
    for space in (" ", "\n  "):
        with pytest.raises(DumpError, match=r"the end of the statement .* is missing"):
            read(mysql(f"{TABLE}{FIRST}\n{before}{space}{change}\n").encode())


def test_what_speaks_of_changes_without_making_any_is_passed_over() -> None:
    key = "FOREIGN KEY (`a`) REFERENCES `u` (`a`) ON DELETE SET NULL ON UPDATE SET NULL"
    body = f"{TABLE}{FIRST}\n{SECOND}\nALTER TABLE `t` ADD CONSTRAINT `k` {key};\nGRANT INSERT, UPDATE ON t TO x;\n"
    assert rows_of(read(mysql(body).encode())["t"]) == BOTH
    rule = "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (new.a);\n"
    assert rows_of(read(postgresql(f"{COPY}{rule}").encode())["t"]) == BOTH


@pytest.mark.parametrize(
    "data",
    [
        mysql("INSERT INTO `t` (`a`) VALUES (1);\n"),
        postgresql("COPY public.t (a) FROM stdin;\n1\n\\.\n"),
        phpmyadmin("INSERT INTO `t` (`a`) VALUES (1);\n"),
    ],
    ids=["mysqldump", "pg_dump", "phpMyAdmin"],
)
def test_rows_of_a_table_that_were_appended_twice_are_refused(data: str) -> None:
    assert rows_of(read(data.encode())["t"]) == [("1",)]
    with pytest.raises(DumpError, match=r"t: rows of the table stand in two dumps that were joined"):
        read((data + data).encode())
    assert rows_of(read((data + data.replace("t` (", "u` (").replace("public.t", "public.u")).encode())["u"]) == [
        ("1",)
    ]


def test_rows_of_a_table_whose_name_differs_in_case_are_refused() -> None:
    for dump in (mysql(f"{TABLE}{FIRST.replace('`t`', '`T`')}\n"), postgresql(COPY.replace("COPY t", "COPY T"))):
        with pytest.raises(DumpError, match=r"T: the dump defines a table (public\.)?t, whose name differs in case"):
            read(dump.encode(), only=["t"])


def test_a_dump_whose_beginning_is_missing_is_refused_or_told() -> None:
    assert told(MYSQL) == ({"users": ROWS}, [])
    with pytest.raises(DumpError, match=r"settings are restored that weren't saved .* beginning is missing"):
        read(MYSQL[MYSQL.index("DROP TABLE") :].encode())
    rest = postgresql(COPY).replace("--\n-- PostgreSQL database dump\n--\n", "")
    assert "completeness can't be known" in told(rest)[1][0]


@pytest.mark.parametrize("server", ["YSQL", "Greenplum Database"])
def test_the_ends_of_servers_that_come_from_postgresql_are_known(server: str) -> None:
    dump = postgresql(COPY).replace("PostgreSQL database dump", f"{server} database dump")
    head = "SET client_encoding = 'UTF8';\n"
    assert told(head + dump) == ({"t": BOTH}, [])
    with pytest.raises(DumpError, match=r"the closing comment .* is missing"):
        read((head + dump[: dump.rindex("--\n--")]).encode())


def test_what_people_put_beside_a_dump_is_passed_over() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("README.txt", "__MACOSX/._dump.sql", "dump.sql.sha256", ".DS_Store"):
            archive.writestr(name, "x")
        archive.writestr("dump.sql", mysql(f"{TABLE}{FIRST}\n{SECOND}\n"))
    assert rows_of(read(packed.getvalue())["t"]) == BOTH


def test_a_hole_in_a_file_is_noticed() -> None:
    rows = "".join(f"{SECOND}\n" for _ in range(9000))
    lines = "".join(f"{row}\ty\n" for row in range(70_000))
    insertions = COPY.split("COPY")[0] + rows.replace("`", "")
    for dump in (mysql(TABLE + rows), postgresql(insertions), postgresql(COPY.replace("1\tx\n", lines))):
        last = dump.rindex("y")
        assert read(dump.encode())["t"].num_rows > 9000 - 1
        with pytest.raises(DumpError, match=r"t, row \d+.*a byte of zero is in the rows, as where a file has a hole"):
            read(f"{dump[:last]}{chr(0) * 9}{dump[last:]}".encode())


def test_settings_may_be_forgotten_behind_the_last_row() -> None:
    # As Supabase's client ends its dumps.
    assert rows_of(read(f"{postgresql(COPY)}\nRESET ALL;\n".encode())["t"]) == BOTH


def test_the_schema_of_a_users_own_name_is_passed_over() -> None:
    for setting in (
        'SET search_path = "$user", shop;',
        "SELECT pg_catalog.set_config('search_path', '\"$user\", shop', false);",
        "SET SCHEMA 'shop';",
    ):
        assert rows_of(read(postgresql(f"{setting}\n{COPY}").encode())["shop.t"]) == BOTH


def test_a_table_may_begin_to_inherit_later_but_may_not_end() -> None:
    child = "CREATE TABLE c (a int, b text, d int);\n"
    begin = "ALTER TABLE ONLY public.c INHERIT public.t;\n"
    dump = postgresql(COPY.replace("COPY", f"{child}{begin}COPY") + "COPY c (a, b, d) FROM stdin;\n3\tz\t7\n\\.\n")
    assert rows_of(read(dump.encode(), only=["t"])["t"]) == [*BOTH, (3, "z")]
    assert rows_of(read(dump.encode())["t"]) == BOTH
    ended = dump.replace("\\.\n--", "\\.\nALTER TABLE c NO INHERIT t;\n--")
    with pytest.raises(DumpError, match="the statement ALTER TABLE may change rows"):
        read(ended.encode())


def test_a_schema_that_is_renamed_is_refused() -> None:
    with pytest.raises(DumpError, match="the statement ALTER SCHEMA may change rows"):
        read(postgresql(f"{COPY}ALTER SCHEMA public RENAME TO old;\n").encode())


@pytest.mark.parametrize("end", ["2026-01-01 00:00:00", "2026-01-01 00:00:00 UTC", "2026-01-01 00:00:00.123456+00"])
def test_adminers_last_comment_is_known_of_both_servers(end: str) -> None:
    dump = f"-- Adminer 4.8.1 PostgreSQL 15.3 dump\n\n{COPY.split('COPY')[0]}INSERT INTO \"t\" VALUES\n(1,\t'x');\n"
    assert told(f"{dump}\n-- {end}\n") == ({"t": [(1, "x")]}, [])
    with pytest.raises(DumpError, match='closing comment "-- DATE TIME" is missing'):
        read(dump.encode())


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_who_asks_for_a_table_alone_gets_the_rows_of_those_that_inherit_from_it(
    form: str, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    postgresql.create(
        "create table parent (a int, b text); create table child (c int) inherits (parent);"
        "create table grandchild () inherits (child); insert into parent values (1, 'x');"
        "insert into child values (2, 'y', 9); insert into grandchild values (3, 'z', 8);",
        database="inherited",
    )
    path = tmp_path / "dump"
    postgresql.dump(f"--format={form}", f"--file={path}", database="inherited")

    def asked(**options: Any) -> dict[str, list[dict[str, Any]]]:
        with DumpReader(path, **options) as reader:
            rows: dict[str, list[dict[str, Any]]] = {}
            for table, batch in reader:
                rows.setdefault(table, []).extend(batch.to_pylist())
            return rows

    whole = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]
    alone = asked(only=["parent"])
    assert sorted(alone["parent"], key=lambda row: row["a"]) == whole
    contract = asked(schemas={"parent": pa.schema([("b", pa.string())])})
    assert sorted(row["b"] for row in contract["parent"]) == ["x", "y", "z"]
    apart = {"parent": whole[:1], "child": [{**whole[1], "c": 9}], "grandchild": [{**whole[2], "c": 8}]}
    assert asked() == apart
