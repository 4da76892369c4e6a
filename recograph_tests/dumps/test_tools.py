"""Dumps that people have: of many tools, with messages of programs in them, edited, cut; read rightly or refused."""

import time
from typing import Any

import pytest

from recograph.dumps import Declared, DumpError, DumpReader
from recograph_tests.dumps.reading import read, rows_of

TITLE = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n-- Server version\t8.0.36\n"
SAVE = """/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
"""
RESTORE = "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n"
END = "-- Dump completed on 2026-01-01  1:00:00\n"
USERS = """DROP TABLE IF EXISTS `users`;
CREATE TABLE `users` (
  `id` int NOT NULL,
  `name` varchar(50) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
LOCK TABLES `users` WRITE;
"""
DATA = "INSERT INTO `users` VALUES (1,'it\\'s'),(2,'c\\\\d;e');\nUNLOCK TABLES;\n"
ROWS: list[tuple[object, ...]] = [(1, "it's"), (2, "c\\d;e")]
MYSQL = TITLE + SAVE + USERS + DATA + RESTORE + END
POSTGRESQL = """--
-- PostgreSQL database dump
--
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
CREATE TABLE public.users (
    id integer NOT NULL,
    name text
);
ALTER TABLE public.users OWNER TO lms;
COPY public.users (id, name) FROM stdin;
1	it's
2	c\\\\d;e
\\.
--
-- PostgreSQL database dump complete
--
"""


def told(dump: str | bytes, declared: Declared | None = None) -> tuple[dict[str, list[tuple[Any, ...]]], list[str]]:
    """All rows, and the warnings."""
    import io

    data = dump if isinstance(dump, bytes) else dump.encode()
    with DumpReader(io.BytesIO(data), name="test.sql", declared=declared) as reader:
        for _ in reader:
            pass
    return {name: rows_of(table) for name, table in read(data, declared=declared).items()}, reader.warnings


MESSAGES = [
    "Warning: A partial dump from a server that has GTIDs includes them. If you don't want to, pass --set-gtid-purged.",
    "WARNING: option --ssl-verify-server-cert is disabled, because of an insecure passwordless login.",
    "mysqldump: [Warning] Using a password on the command line interface can be insecure.",
    'mysqldump: Couldn\'t find table: "foo"',
    "mysqldump: unknown option '--no-beep'",
    "/usr/bin/mariadb-dump: Deprecated program name. It will be removed in a future release",
    "pg_dump: last built-in OID is 16383",
    'pg_dump: creating TABLE "public.a"',
    "./backup.sh: line 3: warning: setlocale: LC_ALL: cannot change locale (en_US.UTF-8)",
    "-bash: warning: setlocale: LC_ALL: cannot change locale (de_DE.UTF-8)",
    'Defaulted container "db" out of: db, exporter',
    "the input device is not a TTY",
    "Unable to find image 'mysql:8' locally",
    "Warning: Permanently added 'db1' (ED25519) to the list of known hosts.",
    'time="2026-01-01T00:00:00Z" level=warning msg="the attribute `version` is obsolete"',
    "real\t0m1.234s",
    'Script started on 2026-01-01 10:00:00+01:00 [TERM="xterm"]',
    "1.21MiB 0:00:01 [1.02MiB/s] [ <=> ]",
    "Success: Exported to '-'.",
    "[success] Database dump saved to /tmp/shop.sql",
]
BETWEEN = [
    "+ /usr/bin/mysqldump --ignore-table=shop.failed_jobs shop",
    "\x1b[33mWARN\x1b[0m[0000] /srv/docker-compose.yml: `version` is obsolete",
    '\x1b[33mtime="2026-01-01T00:00:00Z" level=warning msg="the attribute is obsolete"\x1b[0m',
    " [success] Database dump saved to /tmp/shop.sql",
]
"""Messages that begin as no row does, but aren't looked for within rows that nobody asked for."""


@pytest.mark.parametrize("message", MESSAGES + BETWEEN)
@pytest.mark.parametrize("before", ["-- ", "CREATE TABLE", "LOCK TABLES", "INSERT INTO", "-- Dump completed"])
def test_a_message_between_statements_is_passed_over_and_told(message: str, before: str) -> None:
    at = MYSQL.index(before)
    rows, warnings = told(f"{MYSQL[:at]}{message}\n{MYSQL[at:]}")
    line = MYSQL[:at].count("\n") + 1
    assert rows == {"users": ROWS}
    assert len(warnings) == 1
    assert warnings[0].startswith(f"Line {line} is a message of ")
    assert "not SQL" in warnings[0]


def test_a_prompt_for_a_password_before_the_first_line_is_passed_over() -> None:
    assert told("Enter password: " + MYSQL)[0] == {"users": ROWS}


@pytest.mark.parametrize(
    "message",
    [
        "mysqldump: Error 2013: Lost connection to MySQL server during query when dumping table `users` at row: 7",
        "mysqldump: Got error: 1146: Table 'x.y' doesn't exist when using LOCK TABLES",
        "pg_dump: error: query failed: ERROR:  permission denied for table users",
    ],
)
def test_a_message_that_tells_of_a_failure_is_refused(message: str) -> None:
    with pytest.raises(DumpError, match=r"^test\.sql: line 8, byte \d+: a message of \w+ tells of a failure"):
        read(MYSQL.replace("DROP TABLE", f"{message}\nDROP TABLE").encode())


@pytest.mark.parametrize("line", ["hello", "(3,'x'),", "3\tx", "\\.", "<<<<<<< HEAD", "END", "`name` text,", "--x"])
def test_what_is_no_statement_and_no_known_message_is_refused(line: str) -> None:
    with pytest.raises(DumpError, match=r"test\.sql: line 8, byte \d+: this is no statement of MySQL"):
        read(MYSQL.replace("DROP TABLE", f"{line}\nDROP TABLE").encode())


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_within_rows_is_refused(message: str) -> None:
    rows = "INSERT INTO `users` VALUES\n(1,'a'),\n(2,'b');\n"
    dump = (TITLE + USERS + rows + END).encode()
    for place in (b"(1,", b"(2,"):
        broken = dump.replace(place, message.encode() + b"\n" + place)
        for only in (None, ["nothing"]):
            with pytest.raises(DumpError, match=r"test\.sql: (table users|line 10)"):
                read(broken, only=only)
    block = POSTGRESQL.replace("1\tit's", f"{message}\n1\tit's").encode()
    with pytest.raises(DumpError, match=r"row 1 .*( values where 2 columns|none of type)"):
        read(block)
    single = POSTGRESQL.replace("id integer NOT NULL,\n", "").replace("(id, name)", "(name)").replace("1\t", "")
    single = single.replace("2\t", "")
    assert len(rows_of(read(single.encode())["users"])) == 2
    with pytest.raises(DumpError, match=r"looks like a message|tells of|no statement"):
        read(single.replace("it's\n", f"it's\n{message if ': ' in message else 'pg_dump: x'}\n").encode())


TOOLS: dict[str, tuple[str, dict[str, list[tuple[object, ...]]], bool]] = {
    "mysqldump --skip-comments": (
        SAVE + USERS.replace("`id`", "-- pg_catalog.x\n  `id`", 1) + DATA + RESTORE,
        {"users": ROWS},
        True,
    ),
    "phpMyAdmin": (
        "-- phpMyAdmin SQL Dump\n-- version 5.2.1\n-- Server version: 10.4.28-MariaDB\n\n"
        'SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";\nSTART TRANSACTION;\nSET time_zone = "+00:00";\n\n'
        "/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!40101 SET NAMES utf8mb4 */;\n"
        "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  `b` bit(1) NOT NULL DEFAULT b'0',\n  `p` blob\n"
        ") ENGINE=InnoDB;\n"
        "INSERT INTO `t` (`id`, `b`, `p`) VALUES\n(1, b'1', 0x8950),\n(2, b'0', NULL);\n"
        "INSERT INTO `t` (`id`, `b`, `p`) VALUES\n(3, b'1', '');\n"
        "ALTER TABLE `t`\n  ADD PRIMARY KEY (`id`),\n  ADD KEY `k` (`b`);\n"
        "ALTER TABLE `t`\n  MODIFY `id` int(11) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=4;\nCOMMIT;\n"
        "/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\n",
        {"t": [(1, True, b"\x89P"), (2, False, None), (3, True, b"")]},
        True,
    ),
    "HeidiSQL": (
        "-- ------\n-- Host:       127.0.0.1\n-- Server version:               8.0.39\n-- HeidiSQL Version:   12.8.0\n"
        + SAVE
        + "CREATE DATABASE IF NOT EXISTS `shop` /*!40100 DEFAULT CHARACTER SET utf8mb3 */;\nUSE `shop`;\n"
        "CREATE TABLE IF NOT EXISTS `t` (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n"
        "-- Dumping data for table shop.t: ~2 rows (approximately)\nINSERT INTO `t` (`id`) VALUES\n\t(1),\n\t(2);\n"
        "/*!40111 SET SQL_NOTES=IFNULL(@OLD_SQL_NOTES, 1) */;\n",
        {"t": [(1,), (2,)]},
        True,
    ),
    "mysqlpump": (
        "-- Dump created by MySQL pump utility, version: 5.7.29, Linux (x86_64)\n-- Server version: 5.7.29\n"
        'SET @OLD_SQL_MODE=@@SQL_MODE;\nSET SQL_MODE="NO_AUTO_VALUE_ON_ZERO";\nSET NAMES utf8mb4;\n'
        "CREATE TABLE `s`.`t` (\n`id` int(11),\n`name` varchar(9)\n) DEFAULT CHARSET=utf8\n;\n"
        'INSERT INTO `s`.`t` VALUES (1,"it\'s"),(2,"a\\"b"),(3,NULL);\nSET SQL_MODE=@OLD_SQL_MODE;\n'
        "-- Dump end time: Thu Jan 01 00:00:00 2026\n",
        {"t": [(1, "it's"), (2, 'a"b'), (3, None)]},
        True,
    ),
    "mydumper": (
        "/*!40101 SET NAMES binary*/;\n/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n"
        "CREATE TABLE `t` (`id` int, `name` text);\n"
        'INSERT INTO `t` VALUES(1,"foo, bar);"),\n(2,"it\'s");\n',
        {"t": [(1, "foo, bar);"), (2, "it's")]},
        False,
    ),
    "Sequel Ace": (
        "# ************\n# Sequel Ace SQL dump\n# Version 20046\n# Host: localhost (MySQL 8.0.36)\n# *****\n\n"
        + SAVE
        + USERS.replace("LOCK", "/*!40000 ALTER TABLE `users` DISABLE KEYS */;\nLOCK")
        + "INSERT INTO `users` (`id`, `name`)\nVALUES\n\t(1,'it\\'s'),\n\t(2,'c\\\\d;e');\n\nUNLOCK TABLES;\n"
        + RESTORE,
        {"users": ROWS},
        True,
    ),
    "SQLyog": (
        "/*\nSQLyog Ultimate v13.1.1 (64 bit)\nMySQL - 8.0.36 : Database - shop\n*****\n*/\n\n"
        + SAVE
        + USERS.split("LOCK")[0]
        + "insert  into `users`(`id`,`name`) values (1,'it\\'s'),(2,'c\\\\d;e');\n"
        + RESTORE,
        {"users": ROWS},
        True,
    ),
    "Navicat of MySQL": (
        "/*\n Navicat Premium Data Transfer\n\n Source Server Type    : MySQL\n*/\n\nSET NAMES utf8mb4;\n"
        "SET FOREIGN_KEY_CHECKS = 0;\n\n-- ----\n-- Table structure for t\n-- ----\nDROP TABLE IF EXISTS `t`;\n"
        "CREATE TABLE `t`  (\n  `id` int(0) NOT NULL\n) ENGINE = InnoDB CHARACTER SET = utf8mb4;\n\nBEGIN;\n"
        "INSERT INTO `t` VALUES (1);\nINSERT INTO `t` VALUES (2);\nCOMMIT;\n\nSET FOREIGN_KEY_CHECKS = 1;\n",
        {"t": [(1,), (2,)]},
        True,
    ),
    "Navicat of PostgreSQL": (
        "/*\n Navicat Premium Data Transfer\n\n Source Server Type    : PostgreSQL\n*/\n\n"
        'DROP TABLE IF EXISTS "public"."t";\nCREATE TABLE "public"."t" (\n  "id" int4 NOT NULL,\n'
        '  "p" varchar(255) COLLATE "pg_catalog"."default",\n  "n" int8,\n  "ok" bool\n)\n;\nBEGIN;\n'
        "INSERT INTO \"public\".\"t\" VALUES (1, 'C:\\new', 5, 't');\n"
        "INSERT INTO \"public\".\"t\" VALUES (2, 'use `code`', 6, 'f');\nCOMMIT;\n",
        {"t": [(1, "C:\\new", 5, True), (2, "use `code`", 6, False)]},
        False,
    ),
    "DataGrip of PostgreSQL": (
        "create table public.t\n(\n    id   integer not null\n        constraint t_pkey\n            primary key,\n"
        "    path text\n);\n\nalter table public.t\n    owner to postgres;\n\n"
        "insert into public.t (id, path) values (1, 'C:\\new\\table');\n"
        "insert into public.t (id, path) values (2, 'it''s');\n",
        {"t": [(1, "C:\\new\\table"), (2, "it's")]},
        False,
    ),
    "Adminer": (
        "-- Adminer 4.8.1 MySQL 8.0.36 dump\n\nSET NAMES utf8;\nSET time_zone = '+00:00';\n"
        "SET foreign_key_checks = 0;\n\n"
        "DROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (\n  `id` int NOT NULL\n) ENGINE=InnoDB;\n\n"
        "INSERT INTO `t` (`id`) VALUES\n(1),\n(2)\nON DUPLICATE KEY UPDATE `id` = VALUES(`id`);\n\n"
        "-- 2026-01-01 00:00:00\n",
        {"t": [(1,), (2,)]},
        True,
    ),
    "mysqldump-php": (
        "-- mysqldump-php https://github.com/ifsnop/mysqldump-php\n--\n-- Host: localhost\tDatabase: shop\n"
        "-- Server version \t8.0.30\n"
        + SAVE
        + USERS
        + "SET autocommit=0;\n"
        + DATA
        + "COMMIT;\n\n-- Dumped table `users` with 2 row(s)\n--\n\n"
        + RESTORE
        + "-- Dump completed on: Thu, 01 Jan 2026 00:00:00 +0000\n",
        {"users": ROWS},
        True,
    ),
    "MySqlBackup.NET": (
        "-- MySqlBackup.NET 2.3.8.0\n-- Dump Time: 2026-01-01 00:00:00\n-- ------\n"
        "-- Server version 8.0.31 MySQL Community Server - GPL\n\n"
        + SAVE
        + USERS
        + DATA
        + "-- \n-- Dumping triggers\n-- \n\nDROP TRIGGER /*!50030 IF EXISTS */ `tr`;\nDELIMITER |\n"
        "CREATE TRIGGER `tr` AFTER INSERT ON `users` FOR EACH ROW\nINSERT INTO h VALUES (NEW.id) |\nDELIMITER ;\n"
        + RESTORE
        + "\n-- Dump completed on 2026-01-01 00:00:01\n-- Total time: 0:0:0:0:100 (d:h:m:s:ms)\n",
        {"users": ROWS},
        True,
    ),
    "TablePlus": (
        "-- ------\n-- TablePlus 6.3.2(586)\n--\n-- https://tableplus.com/\n--\n-- Database: shop\n-- ------\n\n"
        + SAVE
        + USERS.split("LOCK")[0]
        + "INSERT INTO `users` (`id`, `name`) VALUES\n(1, 'it\\'s'),\n(2, 'c\\\\d;e');\n\n"
        + RESTORE,
        {"users": ROWS},
        True,
    ),
    "TablePlus of PostgreSQL": (
        "-- ------\n-- TablePlus 5.3.8(500)\n--\n-- Database: shop\n-- ------\n\n-- Table Definition\n"
        'CREATE TABLE "public"."t" (\n    "id" int4 NOT NULL,\n    "path" text,\n    PRIMARY KEY ("id")\n);\n\n'
        'INSERT INTO "public"."t" ("id", "path") VALUES\n(1, \'C:\\new\'),\n(2, \'it\'\'s\');\n',
        {"t": [(1, "C:\\new"), (2, "it's")]},
        False,
    ),
    "UpdraftPlus": (
        "# WordPress MySQL database backup\n# Created by UpdraftPlus version 1.22.3\n# Database: `wp`\n# ------\n"
        "/*!40101 SET NAMES utf8mb4 */;\n/*!40101 SET foreign_key_checks = 0 */;\n\n# Table structure of `users`\n"
        + USERS.split("LOCK")[0]
        + "\n# Data contents of table `users`\n"
        + DATA.split("UNLOCK")[0]
        + "# End of data contents of table `users`\n",
        {"users": ROWS},
        False,
    ),
    "by hand, with comments": (
        "CREATE TABLE `t` (\n  -- the key, it's\n  `id` int NOT NULL, /* old, (legacy */\n"
        "  `name` varchar(20) # shown, x\n);\n"
        "INSERT INTO `t` VALUES (1,'x'), -- it's one\n(2,/* , */ 'y' -- two\n), # three, ;\n"
        "(3, UNHEX('41')) /* last */;\n",
        {"t": [(1, "x"), (2, "y"), (3, "A")]},
        False,
    ),
    "defaults as values": (
        "CREATE TABLE `t` (`id` int DEFAULT 7, `name` varchar(9) DEFAULT 'x, y', `n` int);\n"
        "INSERT INTO `t` VALUES (1,DEFAULT,2),(DEFAULT,'z',default);\n",
        {"t": [(1, "x, y", 2), (7, "z", None)]},
        False,
    ),
    "pg_dump up to 11, with OIDs": (
        POSTGRESQL.replace("(id, name) FROM", "(id, name) WITH OIDS FROM")
        .replace("1\tit", "77\t1\tit")
        .replace("2\tc", "78\t2\tc"),
        {"users": ROWS},
        True,
    ),
    "a comment of two dashes in a trigger": (
        TITLE
        + USERS
        + DATA
        + "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER tr BEFORE INSERT ON users\n"
        "FOR EACH ROW\nBEGIN\n  SET NEW.name = 'x';\n--  SET NEW.id = 1;\n--\nEND */;;\nDELIMITER ;\n"
        + USERS.replace("users", "other")
        + DATA.replace("users", "other")
        + "DELIMITER ;;\nCREATE DEFINER=`root`@`localhost` PROCEDURE `p`()\nbegin\nselect 1;\n--\nend ;;\nDELIMITER ;\n"
        + END,
        {"users": ROWS, "other": ROWS},
        True,
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_writes_is_read(tool: str) -> None:
    dump, expected, is_known = TOOLS[tool]
    for text in (dump, dump.replace("\n", "\r\n"), "\ufeff" + dump):
        rows, warnings = told(text)
        assert rows == expected
        assert any("completeness can't be known" in warning for warning in warnings) is not is_known


@pytest.mark.parametrize("tool", [tool for tool, (_, _, is_known) in TOOLS.items() if is_known])
def test_a_tools_dump_that_was_cut_behind_its_rows_is_refused_or_told(tool: str) -> None:
    dump = TOOLS[tool][0]
    last = max(dump.upper().rfind("INSERT"), dump.rfind("\\.\n"))
    cut = dump[: dump.find("\n", last) + 1]
    try:
        warnings = told(cut)[1]
    except DumpError as error:
        warnings = [str(error)]
    assert any("completeness can't be known" in text or text.startswith("test.sql: ") for text in warnings)


def test_without_create_table_the_dialect_is_asked_for_and_values_are_text() -> None:
    dump = "INSERT INTO shop.c (id,title,path) VALUES\n\t (1,'O''Neil','C:\\\\Files\\\\7-Zip'),\n\t (2,'two','a\nb');\n"
    with pytest.raises(DumpError, match=r"nothing in the dump tells which server's SQL it is.*--dialect"):
        read(dump.encode())
    rows, warnings = told(dump, Declared("mysql"))
    assert rows == {"c": [("1", "O'Neil", "C:\\Files\\7-Zip"), ("2", "two", "a\nb")]}
    assert warnings[-1] == "Read as text, for the dump doesn't define them: the columns of c."
    assert told(dump, Declared("postgresql"))[0]["shop.c"][0][2] == "C:\\\\Files\\\\7-Zip"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (id INTEGER);\n", "script of SQLite"),
        ("SET ANSI_NULLS ON\nGO\nCREATE TABLE [dbo].[t] ([id] [int])\nGO\n", "script of SQL Server"),
        ("REM INSERTING into T\nSET DEFINE OFF;\nInsert into T (ID) values (1);\n", "script of Oracle"),
        (MYSQL + POSTGRESQL.replace("public.", ""), "MySQL and PostgreSQL at once"),
        ("CREATE TABLE `t` (a timestamptz);\n", "MySQL and PostgreSQL at once"),
        ("SELECT 1;\n", "nothing in the dump tells"),
        ("x" + "\n" * (64 << 10), "isn't a SQL dump"),
    ],
)
def test_the_dialect_is_never_guessed(script: str, message: str) -> None:
    with pytest.raises(DumpError, match=rf"test\.sql: .*({message})"):
        read(script.encode())


CHANGES = {
    "LOAD DATA": "LOAD DATA LOCAL INFILE 'users.txt' INTO TABLE `users`",
    "UPDATE": "UPDATE `users` SET `name`='q' WHERE `id`=2",
    "DELETE FROM": "DELETE FROM `users` WHERE `id`=1",
    "REPLACE INTO": "REPLACE INTO `users` SET `id`=1",
    "INSERT ... SELECT": "INSERT INTO `users` SELECT * FROM `other`",
    "CALL": "CALL fill()",
    "SET": "SET STATEMENT max_statement_time=1 FOR INSERT INTO `users` VALUES (3,'x')",
    "ROLLBACK": "ROLLBACK",
    "RENAME TABLE": "RENAME TABLE `users` TO `old`",
    "ALTER TABLE": "ALTER TABLE `users` DROP COLUMN `name`",
    "SOURCE": "source other.sql",
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_changes_rows_and_isnt_read_is_refused(kind: str) -> None:
    dump = MYSQL.replace("UNLOCK TABLES;\n", f"UNLOCK TABLES;\n{CHANGES[kind]};\n")
    with pytest.raises(DumpError, match=rf"test\.sql: line \d+, byte \d+: the statement {kind} may change rows"):
        read(dump.encode())


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("COPY public.users (id, name) FROM '$$PATH$$/3355.dat';", "COPY FROM a file.*Give the archive"),
        ("\\copy public.users from users.csv", "a command of psql may read rows from elsewhere"),
        ("\\i other.sql", "a command of psql"),
        ("MERGE INTO users USING o ON true WHEN MATCHED THEN DELETE;", "the statement MERGE INTO may change"),
        ("TRUNCATE public.users;", "drops or empties the table after filling it"),
        ("DROP SCHEMA public CASCADE;", "DROP SCHEMA may change rows"),
        ("CREATE TABLE public.x AS SELECT 1;", "table public.x.*come from a query"),
        ("DO $$ begin delete from users; end $$;", "the statement DO may change"),
        ("SELECT fill();", "the statement SELECT may change"),
    ],
)
def test_what_changes_rows_of_postgresql_and_isnt_read_is_refused(statement: str, message: str) -> None:
    dump = POSTGRESQL.replace("\\.\n--", f"\\.\n{statement}\n--")
    with pytest.raises(DumpError, match=f"test.sql: .*{message}"):
        read(dump.encode())


@pytest.mark.parametrize("line", ["1\tit's", "2\tc\\\\d;e"])
def test_lines_of_a_block_that_end_differently_are_refused(line: str) -> None:
    assert line in POSTGRESQL
    with pytest.raises(DumpError, match=r"table public\.users, row \d: some lines end with a carriage return"):
        read(POSTGRESQL.replace(line, f"{line}\r").encode())


def test_the_encoding_may_be_declared() -> None:
    dump = POSTGRESQL.replace("UTF8", "SQL_ASCII").encode().replace(b"it's", b"Jos\xe9")
    with pytest.raises(DumpError, match=r"table users, column name, row 1 .*--encoding"):
        read(dump)
    assert rows_of(read(dump, declared=Declared(encoding="latin1"))["users"])[0] == (1, "José")
    with pytest.raises(DumpError, match="the encoding utf-16 isn't known, or isn't one"):
        read(dump, declared=Declared(encoding="utf-16"))


LATIN1 = MYSQL.replace("utf8mb4", "latin1").replace("it\\'s", "José")


def test_text_in_another_encoding_than_the_dump_says_is_refused_until_it_is_declared() -> None:
    assert told(LATIN1.encode("latin-1"))[0]["users"][0] == (1, "José")
    saved_anew = LATIN1.encode()
    with pytest.raises(DumpError, match=r"says that its text is in latin1, but all of it beyond ASCII is UTF-8"):
        read(saved_anew)
    assert told(saved_anew, Declared(encoding="utf8"))[0]["users"][0] == (1, "José")
    assert told(saved_anew, Declared(encoding="latin1"))[0]["users"][0] == (1, "JosÃ©")
    # One letter that can't be UTF-8 shows that the dump says the truth.
    mixed = saved_anew.replace(b"c\\\\d", "Ré, pâté".encode("latin-1"))
    assert told(mixed)[0]["users"][0] == (1, "JosÃ©")
    with pytest.raises(DumpError, match=r"column name, row 1 .*isn't in utf-8.*--encoding"):
        read(LATIN1.replace("latin1", "utf8mb4").encode("latin-1"))


@pytest.mark.parametrize("dump", [MYSQL, POSTGRESQL])
@pytest.mark.parametrize("text", ["José", "“a” \u2013 €", "ÀÉ ß 日本語", "😀"])
def test_text_that_was_encoded_twice_is_told(dump: str, text: str) -> None:
    twice = "".join(bytes([byte]).decode("cp1252", errors="replace") for byte in text.encode())
    twice = "".join(chr(byte) if c == "\ufffd" else c for c, byte in zip(twice, text.encode(), strict=True))
    rows, warnings = told(dump.replace("c\\\\d", twice))
    assert rows["users"][1] == (2, f"{twice};e")
    assert ["encoded twice" in warning for warning in warnings] == [True]
    for right in (text, f"{twice} é", f"é {twice}"):
        assert told(dump.replace("c\\\\d", right))[1] == []


@pytest.mark.parametrize(
    ("setting", "declared", "hour"),
    [("SET TIME_ZONE='+02:00';", None, 10), ("", "+05:00", 7), ("SET time_zone = 'SYSTEM';", "Europe/Rome", 11)],
)
def test_moments_of_a_known_time_zone_become_utc(setting: str, declared: str | None, hour: int) -> None:
    dump = f"{setting}\nCREATE TABLE `t` (`at` timestamp);\nINSERT INTO `t` VALUES ('2026-01-01 12:00:00'),(NULL);\n"
    rows, _ = told(dump, Declared(time_zone=declared))
    assert rows["t"][0][0].hour == hour
    assert rows["t"][0][0].utcoffset().total_seconds() == 0
    with pytest.raises(DumpError, match="the time zone Mars isn't known"):
        told(dump, Declared(time_zone="Mars"))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("CREATE TABLE `t` (`a` decimal(max));", "table t, column a .*has a length that no server knows"),
        (f"CREATE TABLE `t` (`a` bit({'9' * 5000}));", "column a .*has a length"),
        (f"/*!{'9' * 5000}", "nothing but comments|ends in a comment"),
        ("CREATE TABLE `t` (`a` int);\nCREATE TABLE `t` (`a` int);", "table t .*made twice"),
        ("CREATE TABLE `t` (`a` int);\nINSERT INTO `t` (`b`) VALUES (1);", "the rows name a column b"),
        ("CREATE VIEW `v` AS SELECT 1\nINSERT INTO `t` VALUES (1);", "the end of the statement CREATE is missing"),
    ],
)
def test_absurd_definitions_are_refused(sql: str, message: str) -> None:
    with pytest.raises(DumpError, match=f"test.sql: .*{message}"):
        read((TITLE + sql + "\n" + END).encode())


def test_tables_that_are_partitions_of_each_other_are_refused_at_once() -> None:
    dump = "-- PostgreSQL database dump\nCREATE TABLE a (x int);\nCREATE TABLE b (x int);\n"
    attach = "ALTER TABLE a ATTACH PARTITION b DEFAULT;\nALTER TABLE b ATTACH PARTITION a DEFAULT;\n"
    with pytest.raises(DumpError, match="a partition of itself"):
        read((dump + attach + "INSERT INTO a VALUES (1);\n").encode())


SECRET = "Jane Canary"


@pytest.mark.parametrize(
    "rows",
    [
        f"(1,'O'{SECRET}; pw secret9 lives here'),(2,'x')",
        f"(1,'{SECRET}\\\\\\\\')",
        f"('{SECRET}','x')",
        f"(1,'{SECRET}'",
        f"({SECRET},1)",
        f"(1,'x') {SECRET}",
        f"(1,'x');\n{SECRET} is here;\n",
        f"(1,'x');\nINSERT {SECRET} INTO `users` VALUES (1,'x')",
        f"(1,'x');\nSET NAMES '{SECRET}'",
    ],
)
def test_no_message_shows_a_value(rows: str) -> None:
    import pyarrow as pa

    dump = (TITLE + USERS + f"INSERT INTO `users` VALUES {rows};\n" + END).encode()
    for options in ({}, {"only": ["other"]}, {"schemas": {"users": pa.schema([("name", pa.int64())])}}):
        message = ""
        try:
            read(dump, **options)
        except DumpError as error:
            message = str(error)
        assert "Canary" not in message
        assert "secret9" not in message
        assert len(message) < 500


def test_time_grows_with_the_size_alone() -> None:
    def seconds(dump: bytes) -> float:
        began = time.process_time()
        with pytest.raises(DumpError):
            read(dump)
        return time.process_time() - began

    for line in (
        b"/* ",
        b"\n",
        b"$x$ ",
        b"-- \n",
        b"('",
        b"`",
        b'"',
        b"/*!9999999 ",
        b"INSERT INTO `t` VALUES ",
        b"\\\\",
    ):
        for head in (
            TITLE.encode(),
            b"CREATE TABLE `t` (",
            b"INSERT INTO `t` VALUES (",
            b"-- PostgreSQL database dump\n",
        ):
            assert seconds(head + line * (300_000 // len(line))) < 5, (head, line)
