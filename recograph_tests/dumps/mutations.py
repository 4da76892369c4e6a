"""What life does to dumps, with a seed; and good dumps of many tools with the rows that they were made from.

`python -m recograph_tests.dumps.mutations [COUNT] [SEED]` does it as often as asked and says what came of it.
"""

import collections
import io
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from recograph.dumps import DumpError, DumpReader
from recograph_tests.dumps.hostile import TEXTS

Rows = dict[str, list[tuple[object, ...]]]
_TEXTS = [text for text in TEXTS if len(text) < 200]
_TITLE = 40
"""How long the first line of a dump is at least."""
_MESSAGES = [
    "Warning: A partial dump includes GTIDs. If you don't want to, pass --set-gtid-purged=OFF.",
    "mysqldump: [Warning] Using a password on the command line interface can be insecure.",
    'mysqldump: Couldn\'t find table: "foo"',
    "mysqldump: Error 2013: Lost connection to server during query when dumping table `a` at row: 3",
    'pg_dump: dumping contents of table "public.a"',
    "pg_dump: warning: there are circular foreign-key constraints on this table:",
    "the input device is not a TTY",
    "/usr/local/bin/backup.sh: line 12: warning: setlocale: LC_ALL: cannot change locale",
    "Killed",
    "",
    "hello; world",
    "it's",
    "-- a comment",
    "*/",
    "\\.",
    "));",
]


@dataclass(frozen=True)
class Good:
    """A whole dump, and what it was made from."""

    text: str
    rows: Rows
    is_row: Callable[[str], bool]
    """Whether a line is a whole row, or a statement of one: a server too would lack it without the line."""
    has_line_ends: bool
    """Whether values hold line ends as they are, so that nobody can tell what is done to them."""


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


def _held(rows: dict[str, list[tuple[int, str]]]) -> Rows:
    return {table: [(number, text) for number, text in held] for table, held in rows.items()}


def mysqldump(rows: dict[str, list[tuple[int, str]]], *, one_each: bool, a_line_each: bool) -> Good:
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


def pg_dump(rows: dict[str, list[tuple[int, str]]], *, inserts: bool) -> Good:
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


def good_dumps(random_: random.Random) -> Iterator[Good]:
    """Dumps of all tools with rows that nobody chose."""
    while True:
        tables = random_.sample(["users", "courses", "enrol", "notes"], random_.randint(1, 3))
        rows = {table: [(at + 1, random_.choice(_TEXTS)) for at in range(random_.randint(1, 6))] for table in tables}
        yield mysqldump(rows, one_each=False, a_line_each=False)
        yield mysqldump(rows, one_each=False, a_line_each=True)
        yield mysqldump(rows, one_each=True, a_line_each=False)
        yield pg_dump(rows, inserts=False)
        rows = {table: [(n, t.replace("\r", "")) for n, t in held] for table, held in rows.items()}
        yield pg_dump(rows, inserts=True)


def _lines(text: str, good: Good, random_: random.Random) -> tuple[list[str], int]:
    """The lines, and one of them that isn't within a value."""
    lines = text.split("\n")
    while True:
        at = random_.randrange(len(lines))
        before = "\n".join(lines[:at])
        if not good.has_line_ends or re.sub(r"--.*|COMMENT.*", "", before).count("'") % 2 == 0:
            return lines, at


Mutated = tuple[bytes, list[Rows]]
"""A dump to which something was done, and the rows that may be read of it; refusing it is always right."""


def insert_line(good: Good, random_: random.Random) -> Mutated:
    """A program printed into the file, or somebody typed into it."""
    lines, at = _lines(good.text, good, random_)
    lines.insert(at, random_.choice(_MESSAGES))
    return "\n".join(lines).encode(), [good.rows]


def drop_line(good: Good, random_: random.Random) -> Mutated:
    """A line got lost; where it was a row, a server lacks it too."""
    lines, at = _lines(good.text, good, random_)
    lost = lines.pop(at)
    allowed = [good.rows]
    if good.is_row(lost):
        for table, rows in good.rows.items():
            fewer = [good.rows | {table: rows[:n] + rows[n + 1 :]} for n in range(len(rows))]
            allowed += [*fewer, good.rows | {table: []}]
    return "\n".join(lines).encode(), allowed


def cut(good: Good, random_: random.Random) -> Mutated:
    """The end is missing."""
    data = good.text.encode()
    return data[: random_.randrange(len(data))], [good.rows]


def join(good: Good, random_: random.Random) -> Mutated:
    """Two dumps in one file, the first perhaps without its end."""
    other = next(good_dumps(random_))
    first = good.text if random_.random() < 0.5 else good.text[: random_.randrange(len(good.text))]
    both = {} if good.rows.keys() & other.rows.keys() else good.rows | other.rows
    if len(first) < _TITLE:
        # Nothing of the first is left that could tell of it.
        return (first + other.text).encode(), [other.rows]
    return (first + other.text).encode(), [both] if both else []


def wrap(good: Good, random_: random.Random) -> Mutated:
    """A mail program or an editor broke long lines; where values hold line ends as they are, nobody can tell."""
    if good.has_line_ends:
        return insert_line(good, random_)
    width = random_.choice([40, 72, 76, 80, 120])
    parts = [line[at : at + width] for line in good.text.split("\n") for at in range(0, max(len(line), 1), width)]
    return "\n".join(parts).encode(), [good.rows]


def encode(good: Good, random_: random.Random) -> Mutated:
    """Somebody saved it in another encoding."""
    encoding = random_.choice(["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8-sig"])
    try:
        return good.text.encode(encoding), [good.rows]
    except UnicodeEncodeError:
        return good.text.encode("utf-16"), [good.rows]


def with_carriage_returns(good: Good, _: random.Random) -> Mutated:
    """Lines end as on Windows; values that hold line ends as they are get them too, as in a server that loads it."""

    def loaded(value: object) -> object:
        return value.replace("\n", "\r\n") if good.has_line_ends and isinstance(value, str) else value

    rows = {table: [tuple(map(loaded, row)) for row in held] for table, held in good.rows.items()}
    return good.text.replace("\n", "\r\n").encode(), [rows]


def with_mark(good: Good, _: random.Random) -> Mutated:
    """An editor put a byte order mark before it."""
    return b"\xef\xbb\xbf" + good.text.encode(), [good.rows]


MUTATIONS = [insert_line, drop_line, cut, join, wrap, encode, with_carriage_returns, with_mark]


@dataclass
class Outcome:
    """What came of one mutated dump."""

    name: str
    was_read: bool
    wrong: str = ""
    seconds: float = 0.0


def outcome(name: str, data: bytes, allowed: list[Rows]) -> Outcome:
    """Read a mutated dump, and hold what was read against what is allowed."""
    began = time.process_time()
    rows: Rows = {}
    try:
        with DumpReader(io.BytesIO(data), name="test.sql") as reader:
            for table, batch in reader:
                held = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                rows.setdefault(table, []).extend(held)
            for table in reader.tables:
                rows.setdefault(table, [])
            told = bool(reader.warnings)
    except DumpError as error:
        wrong = "" if len(str(error)) < 700 else "a message of unbounded length"
        return Outcome(name, was_read=False, wrong=wrong, seconds=time.process_time() - began)
    except Exception as error:
        return Outcome(name, was_read=False, wrong=f"{type(error).__name__}: {error}")
    seconds = time.process_time() - began
    kept = {table: held for table, held in rows.items() if held}
    if any(kept == {table: held for table, held in each.items() if held} for each in allowed):
        return Outcome(name, was_read=True, seconds=seconds)
    return Outcome(name, was_read=True, wrong=f"other rows{' (told)' * told}: {rows} of {allowed[:1]}", seconds=seconds)


def outcomes(count: int, seed: int) -> Iterator[tuple[bytes, Outcome]]:
    """What comes of so many mutated dumps."""
    random_ = random.Random(seed)
    dumps = good_dumps(random_)
    for at in range(count):
        mutate = MUTATIONS[at // 5 % len(MUTATIONS)]
        data, allowed = mutate(next(dumps), random_)
        yield data, outcome(mutate.__name__, data, allowed)


def main() -> int:
    """Do it, and say how many were read, refused, and wrong."""
    count, seed = (int(given) for given in (sys.argv[1:] + ["10000", "1"][len(sys.argv) - 1 :])[:2])
    read, refused = collections.Counter[str](), collections.Counter[str]()
    wrong, slowest = 0, 0.0
    for data, found in outcomes(count, seed):
        (read if found.was_read else refused)[found.name] += 1
        slowest = max(slowest, found.seconds)
        if found.wrong:
            wrong += 1
            print(f"WRONG {found.name}: {found.wrong[:1000]}\n{data.decode(errors='replace')}\n")  # noqa: T201
    for mutate in MUTATIONS:
        print(f"{mutate.__name__:24}{read[mutate.__name__]:7} read{refused[mutate.__name__]:7} refused")  # noqa: T201
    totals = f"{read.total()} read, {refused.total()} refused, {wrong} wrong; slowest {slowest:.2f} s"
    print(f"{count} in all: {totals}")  # noqa: T201
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
