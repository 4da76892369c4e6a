"""Settings that decide how strings and moments are read are followed, also by expressions, or the dump is refused."""

from typing import Any

import pytest

from recograph.dumps import Declared, DumpError
from recograph_tests.dumps.reading import read, rows_of
from recograph_tests.dumps.test_reports import mysql, postgresql

NEW_LINE, BACKSLASH = "C:\new", "C:\\new"


def mode(statement: str) -> Any:
    """What is read of a string with a backslash behind a statement."""
    body = f"CREATE TABLE `t` (`b` text);\n{statement}\nINSERT INTO `t` VALUES ('C:\\new');\n"
    return rows_of(read(mysql(body).encode())["t"])[0][0]


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("SET sql_mode = NO_BACKSLASH_ESCAPES;", BACKSLASH),
        ("SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES';", BACKSLASH),
        ("SET sql_mode = 'NO_BACKSLASH_ESCAPES';\nSET sql_mode = DEFAULT;", NEW_LINE),
        ("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES';", NEW_LINE),
        (
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES';\nSET sql_mode = REPLACE(@@sql_mode, 'STRICT_TRANS_TABLES', '');",
            BACKSLASH,
        ),
        (
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES';\nSET @saved_sql_mode = @@sql_mode;\n"
            "SET sql_mode = '';\nSET sql_mode = @saved_sql_mode;",
            BACKSLASH,
        ),
        (
            "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES';\nSET SQL_MODE=IFNULL(@OLD_SQL_MODE, '');",
            NEW_LINE,
        ),
    ],
)
def test_the_mode_of_the_server_says_what_a_backslash_is(statement: str, value: str) -> None:
    assert mode(statement) == value


@pytest.mark.parametrize("value", ["CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')", "(SELECT 'ANSI_QUOTES')", "1048576"])
def test_a_mode_that_isnt_known_is_refused(value: str) -> None:
    with pytest.raises(DumpError, match=r"^test\.sql: the setting sql_mode, by which strings are read, has a value"):
        mode(f"SET @@session.sql_mode = {value};")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_catalog.set_config('standard_conforming_strings', 'off', false);",
        "SET SESSION standard_conforming_strings TO off;",
    ],
)
def test_strings_of_postgresql_are_read_as_the_dump_says(statement: str) -> None:
    body = "CREATE TABLE t (b text);\n%s\nINSERT INTO t VALUES ('C:\\new');\n"
    assert rows_of(read(postgresql(body % statement).encode())["t"]) == [(NEW_LINE,)]
    assert rows_of(read(postgresql(body % "").encode())["t"]) == [(BACKSLASH,)]
    for unknown in ("RESET standard_conforming_strings;", "DISCARD ALL;"):
        with pytest.raises(DumpError, match=r"statement (RESET|DISCARD) may change rows in a way that isn't read"):
            read(postgresql(body % f"{statement}\n{unknown}").encode())


def test_rows_in_a_character_set_that_is_set_alone_are_not_guessed() -> None:
    table, rows = "CREATE TABLE `t` (`b` text);\n", "INSERT INTO `t` VALUES ('é');\n"
    alone = "SET @saved = @@character_set_client;\nSET character_set_client = latin1;\n"
    with pytest.raises(DumpError, match=r"table t: the rows are in the character set latin1 .* --encoding"):
        read(mysql(f"{table}{alone}{rows}").encode())
    for around in (
        f"{alone}{table}SET character_set_client = @saved;\n",
        f"{alone.replace('latin1', 'utf8mb4')}{table}",
    ):
        assert rows_of(read(mysql(f"{around}{rows}").encode())["t"]) == [("é",)]
    declared = Declared(encoding="utf8")
    assert rows_of(read(mysql(f"{table}{alone}{rows}").encode(), declared=declared)["t"]) == [("é",)]


UTC = "SET TIME_ZONE='+00:00';\n"


@pytest.mark.parametrize(
    ("settings", "declared", "zone"),
    [
        (UTC, None, "UTC"),
        (f"SET @OLD_TIME_ZONE=@@TIME_ZONE;\n{UTC}SET TIME_ZONE=@OLD_TIME_ZONE;\n", None, None),
        (f"{UTC}SET TIME_ZONE='SYSTEM';\n", None, None),
        (f"{UTC}SET TIME_ZONE='SYSTEM';\n", "UTC", "UTC"),
        (f"{UTC}SET @kept=@@TIME_ZONE;\nSET TIME_ZONE='SYSTEM';\nSET TIME_ZONE=@kept;\n", None, "UTC"),
    ],
)
def test_moments_are_in_the_time_zone_that_is_set_where_they_stand(
    settings: str, declared: str | None, zone: str | None
) -> None:
    dump = mysql(
        f"{settings}CREATE TABLE `t` (`at` timestamp NULL);\nINSERT INTO `t` VALUES ('2026-01-02 00:00:00');\n"
    )
    table = read(dump.encode(), declared=Declared(time_zone=declared))["t"]
    assert table.schema.field("at").type.tz == zone
    assert str(rows_of(table)[0][0]).startswith("2026-01-02 00:00:00")


def test_dumps_of_two_servers_in_one_file_are_refused() -> None:
    first = postgresql("CREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\n1\n\\.\n")
    second = mysql("CREATE TABLE `u` (`b` text);\nINSERT INTO `u` VALUES ('it\\'s');\n")
    for both in (first + second, second + first):
        with pytest.raises(DumpError, match=r"looks like \w+ and \w+ at once\. Two dumps may have been joined"):
            read(both.encode())
