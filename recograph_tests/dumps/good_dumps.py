"""Good dumps in SQL text as many tools write them, with the rows that they were made from."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from recograph.dumps import Declared
from recograph_tests.dumps.hostile import TEXTS

Rows = dict[str, list[tuple[object, ...]]]
Made = dict[str, list[tuple[int, str]]]
"""What a dump is made from: rows of a number and a text per table."""
_TEXTS = [text for text in TEXTS if len(text) < 200]


@dataclass(frozen=True)
class Good:
    """A whole dump, and what it was made from."""

    text: str
    rows: Rows
    is_row: Callable[[str], bool]
    """Whether a line is a whole row, or a statement of one: a server too would lack it without the line."""
    has_line_ends: bool
    """Whether values hold line ends as they are, so that nobody can tell what is done to them."""
    knows_end: bool = True
    """Whether something at its end says that it is whole."""
    declared: Declared | None = None
    """What must be declared, for nothing in it tells."""


def _mysql(text: str) -> str:
    table = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1a": "\\Z", '"': '\\"'})
    return f"'{text.translate(table)}'"


def _plain(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _copied(text: str) -> str:
    table = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
    return text.translate(table)


_HEAD = """-- {title}
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t{version}

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

"""
_TAIL = """/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-01-01  1:00:00
"""
_PG_HEAD = """--
-- PostgreSQL database dump
--

\\restrict x

-- Dumped from database version 15.18
-- Dumped by pg_dump version 15.18

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

"""
_PG_TAIL = """
--
-- PostgreSQL database dump complete
--

\\unrestrict x

"""


def _values(rows: list[tuple[int, str]], quoted: Callable[[str], str]) -> list[str]:
    return [f"({number},{quoted(text)})" for number, text in rows]


def _held(rows: Made) -> Rows:
    return {table: [(number, text) for number, text in held] for table, held in rows.items()}


def mysqldump(rows: Made, *, one_each: bool, a_line_each: bool) -> Good:
    """As mysqldump and mariadb-dump write it."""
    title = "MariaDB dump 10.19  Distrib 10.11.6" if a_line_each else "MySQL dump 10.13  Distrib 8.0.36"
    text = _HEAD.format(title=title, version="10.11.6-MariaDB" if a_line_each else "8.0.36")
    for table, held in rows.items():
        text += f"DROP TABLE IF EXISTS `{table}`;\nCREATE TABLE `{table}` (\n  `id` int NOT NULL,\n"
        text += "  `t` text,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n"
        text += f"LOCK TABLES `{table}` WRITE;\n/*!40000 ALTER TABLE `{table}` DISABLE KEYS */;\n"
        values = _values(held, _mysql)
        if one_each:
            text += "".join(f"INSERT INTO `{table}` VALUES {value};\n" for value in values)
        else:
            text += f"INSERT INTO `{table}` VALUES" + ("\n" if a_line_each else " ")
            text += (",\n" if a_line_each else ",").join(values) + ";\n"
        text += f"/*!40000 ALTER TABLE `{table}` ENABLE KEYS */;\nUNLOCK TABLES;\n\n"
        text += f"DELIMITER ;;\n/*!50003 CREATE*/ /*!50003 TRIGGER `{table}_t` BEFORE INSERT ON `{table}`\n"
        text += "FOR EACH ROW\nBEGIN\n  SET NEW.t = 'x';\n--\nEND */;;\nDELIMITER ;\n"
    return Good(text + _TAIL, _held(rows), lambda line: line.startswith(("(", "INSERT")), has_line_ends=False)


def pg_dump(rows: Made, *, inserts: bool) -> Good:
    """As pg_dump writes it."""
    text = _PG_HEAD
    for table in rows:
        text += f"--\n-- Name: {table}; Type: TABLE; Schema: public; Owner: lms\n--\n\n"
        text += f"CREATE TABLE public.{table} (\n    id integer NOT NULL,\n    t text\n);\n\n\n"
        text += f"ALTER TABLE public.{table} OWNER TO lms;\n\n"
    for table, held in rows.items():
        text += f"--\n-- Data for Name: {table}; Type: TABLE DATA; Schema: public; Owner: lms\n--\n\n"
        if inserts:
            text += "".join(f"INSERT INTO public.{table} VALUES ({n}, {_plain(t)});\n" for n, t in held)
        else:
            text += f"COPY public.{table} (id, t) FROM stdin;\n"
            text += "".join(f"{n}\t{_copied(t)}\n" for n, t in held) + "\\.\n"
        text += "\n\n"
    for table in rows:
        text += f"ALTER TABLE ONLY public.{table}\n    ADD CONSTRAINT {table}_pkey PRIMARY KEY (id);\n\n\n"

    def is_row(line: str) -> bool:
        return line.startswith("INSERT") if inserts else re.match(r"\d+\t", line) is not None

    return Good(text + _PG_TAIL, _held(rows), is_row, has_line_ends=inserts)


_SAVE = """/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

"""
_RESTORE = """/*!40111 SET SQL_NOTES=IFNULL(@OLD_SQL_NOTES, 1) */;
/*!40014 SET FOREIGN_KEY_CHECKS=IFNULL(@OLD_FOREIGN_KEY_CHECKS, 1) */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
"""


def _created(table: str, engine: str = ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;") -> str:
    return f"CREATE TABLE `{table}` (\n  `id` int NOT NULL,\n  `t` text DEFAULT NULL\n{engine}\n\n"


def _is_value(line: str) -> bool:
    return line.lstrip("\t ").startswith(("(", "INSERT"))


def phpmyadmin(rows: Made) -> Good:
    """As phpMyAdmin 5 exports it."""
    text = "-- phpMyAdmin SQL Dump\n-- version 5.2.1\n-- https://www.phpmyadmin.net/\n--\n-- Host: localhost\n"
    text += "-- Server version: 10.4.28-MariaDB\n\n"
    text += 'SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";\nSTART TRANSACTION;\nSET time_zone = "+00:00";\n\n'
    text += _SAVE.split("/*!40014")[0] + "--\n-- Database: `shop`\n--\n\n"
    for table, held in rows.items():
        text += f"-- ------\n\n--\n-- Table structure for table `{table}`\n--\n\n{_created(table)}"
        text += f"--\n-- Dumping data for table `{table}`\n--\n\nINSERT INTO `{table}` (`id`, `t`) VALUES\n"
        text += ",\n".join(f"({number}, {_mysql(value)})" for number, value in held) + ";\n\n"
    for table in rows:
        text += f"--\n-- Indexes for table `{table}`\n--\nALTER TABLE `{table}`\n  ADD PRIMARY KEY (`id`);\n"
    text += "COMMIT;\n\n/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\n"
    return Good(text, _held(rows), _is_value, has_line_ends=False)


def heidisql(rows: Made) -> Good:
    """As HeidiSQL 12 exports it."""
    text = "-- ------\n-- Host:                         127.0.0.1\n-- Server version:               8.0.39\n"
    text += f"-- HeidiSQL Version:             12.8.0.6908\n-- ------\n\n{_SAVE}"
    text += "CREATE DATABASE IF NOT EXISTS `shop` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\nUSE `shop`;\n\n"
    for table, held in rows.items():
        text += f"-- Dumping structure for table shop.{table}\nDROP TABLE IF EXISTS `{table}`;\n{_created(table)}"
        text += f"-- Dumping data for table shop.{table}: ~{len(held)} rows (approximately)\n"
        text += f"INSERT INTO `{table}` (`id`, `t`) VALUES\n\t"
        text += ",\n\t".join(f"({number}, {_mysql(value)})" for number, value in held) + ";\n\n"
    return Good(text + _RESTORE, _held(rows), _is_value, has_line_ends=False)


def adminer(rows: Made) -> Good:
    """As Adminer 4 exports it."""
    text = "-- Adminer 4.8.1 MySQL 8.0.36 dump\n\nSET NAMES utf8;\nSET time_zone = '+00:00';\n"
    text += "SET foreign_key_checks = 0;\nSET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\n\n"
    for table, held in rows.items():
        text += f"DROP TABLE IF EXISTS `{table}`;\n{_created(table)}"
        text += f"INSERT INTO `{table}` (`id`, `t`) VALUES\n"
        text += ",\n".join(f"({number},\t{_mysql(value)})" for number, value in held)
        text += "\nON DUPLICATE KEY UPDATE `id` = VALUES(`id`), `t` = VALUES(`t`);\n\n"
    return Good(text + "-- 2026-01-01 00:00:00\n", _held(rows), _is_value, has_line_ends=False)


def workbench(rows: Made) -> Good:
    """As MySQL Workbench writes a script of a model with its inserts."""
    text = "-- MySQL Script generated by MySQL Workbench\n-- Thu Jan  1 00:00:00 2026\n-- Model: New Model\n"
    text += "SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0;\n"
    text += "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES';\n\n"
    text += "CREATE SCHEMA IF NOT EXISTS `shop` DEFAULT CHARACTER SET utf8 ;\nUSE `shop` ;\n\n"
    for table in rows:
        text += f"-- -----\n-- Table `shop`.`{table}`\n-- -----\n"
        text += f"CREATE TABLE IF NOT EXISTS `shop`.`{table}` (\n  `id` INT NOT NULL,\n  `t` TEXT NULL,\n"
        text += "  PRIMARY KEY (`id`))\nENGINE = InnoDB;\n\n"
    text += "SET SQL_MODE=@OLD_SQL_MODE;\nSET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS;\n\n"
    for table, held in rows.items():
        text += f"-- -----\n-- Data for table `shop`.`{table}`\n-- -----\nSTART TRANSACTION;\nUSE `shop`;\n"
        for number, value in held:
            text += f"INSERT INTO `shop`.`{table}` (`id`, `t`) VALUES ({number}, {_mysql(value)});\n"
        text += "\nCOMMIT;\n\n"
    return Good(text, _held(rows), _is_value, has_line_ends=False, knows_end=False)


def dbeaver(rows: Made) -> Good:
    """As DBeaver exports rows of MySQL: nothing else, and line ends as they are."""
    text = ""
    for table, held in rows.items():
        values = ",\n\t ".join(f"({number},{_plain(value)})".replace("\\", "\\\\") for number, value in held)
        text += f"INSERT INTO shop.{table} (id,t) VALUES\n\t {values};\n"
    declared = Declared("mysql")
    return Good(text, _held(rows), _is_value, has_line_ends=True, knows_end=False, declared=declared)


def datagrip(rows: Made) -> Good:
    """As DataGrip exports tables of PostgreSQL."""
    text = ""
    for table, held in rows.items():
        text += f"create table public.{table}\n(\n    id integer not null\n        primary key,\n    t  text\n);\n\n"
        text += f"alter table public.{table}\n    owner to postgres;\n\n"
        text += "".join(f"insert into public.{table} (id, t) values ({n}, {_plain(t)});\n" for n, t in held) + "\n"

    def is_row(line: str) -> bool:
        return line.startswith("insert")

    return Good(text, _held(rows), is_row, has_line_ends=True, knows_end=False)


def made_rows(random_: random.Random) -> Made:
    """Tables with rows that nobody chose."""
    tables = random_.sample(["users", "courses", "enrol", "notes"], random_.randint(1, 3))
    return {table: [(at + 1, random_.choice(_TEXTS)) for at in range(random_.randint(1, 6))] for table in tables}


def good_dumps(random_: random.Random) -> Iterator[Good]:
    """Dumps of all tools."""
    while True:
        rows = made_rows(random_)
        yield mysqldump(rows, one_each=False, a_line_each=False)
        yield mysqldump(rows, one_each=False, a_line_each=True)
        yield mysqldump(rows, one_each=True, a_line_each=False)
        yield pg_dump(rows, inserts=False)
        yield phpmyadmin(rows)
        yield heidisql(rows)
        yield adminer(rows)
        yield workbench(rows)
        # Where line ends stand in values as they are, lone carriage returns can't be told from ends of lines.
        rows = {table: [(n, t.replace("\r", "")) for n, t in held] for table, held in rows.items()}
        yield pg_dump(rows, inserts=True)
        yield dbeaver(rows)
        yield datagrip(rows)
