"""Wherever chunks and windows of a dump end, what is read is the same; wherever a dump ends too early is noticed."""

import pytest

from recograph.dumps import DumpError, copy, escapes, insert, scan
from recograph.dumps import rows as slow_rows
from recograph_tests.dumps.reading import read, rows_of

MYSQL = r"""-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
-- Host: localhost    Database: shop
-- Server version	8.0.36
/*!50503 SET NAMES utf8mb4 */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
CREATE TABLE `a,(b` (`i;d` int, `it's` text COMMENT 'a;''b\'', `blob` blob) ENGINE=InnoDB;
INSERT INTO `a,(b` VALUES (1,'','x'),(-2,'it\'s \\',_binary '\0\\'),
(3,'\'),(4,\'',NULL) , (4,'''','é😀');
INSERT INTO `a,(b` (`it's`, `i;d`) VALUES (');\n\\',5);
INSERT INTO `a,(b` (`it's`, `i;d`) VALUES (NULL,6);
INSERT INTO `skipped` VALUES (1,'\';'),(2,'\\');
DELIMITER ;;
/*!50003 CREATE*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a = ';;'; /* it's ;; */ -- it's ;;
END */;;
DELIMITER ;
INSERT IGNORE INTO `a,(b` VALUES (7,'--',0x00FF);
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;
-- Dump completed on 2026-01-01  0:00:00
""".encode()
MYSQL_ROWS = [
    (1, "", b"x"),
    (-2, "it's \\", b"\0\\"),
    (3, "'),(4,'", None),
    (4, "'", "é😀".encode()),
    (5, ");\n\\", None),
    (6, None, None),
    (7, "--", b"\x00\xff"),
]
POSTGRESQL = rb"""--
-- PostgreSQL database dump
--
\restrict abc
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $_$ select '$$;' /* ' */ $_$;
CREATE TABLE public."a,(b" (id integer DEFAULT 1, "it's" text DEFAULT '\', key bytea);
COPY public."a,(b" (id, "it's", key) FROM stdin;
1		\\x
-2	it's \\\\\\.\t\n\b	\\x005c
3	\N	\N
\.
COPY public.skipped (a) FROM stdin;
\\.
;'
\.
INSERT INTO public."a,(b" VALUES (4, 'it''s \', '\x00ff');
INSERT INTO public."a,(b" VALUES (5, ');
', NULL);
CREATE RULE r AS ON INSERT TO public.a DO (INSERT INTO public."a,(b" VALUES (6, ';', NULL); DELETE FROM b;);
--
-- PostgreSQL database dump complete
--
\unrestrict abc
"""
POSTGRESQL_ROWS = [
    (1, "", b""),
    (-2, "it's \\\\\\.\t\n\b", b"\0\\"),
    (3, None, None),
    (4, "it's \\", b"\x00\xff"),
    (5, ");\n", None),
]
DUMPS = pytest.mark.parametrize(
    ("dump", "rows"), [(MYSQL, MYSQL_ROWS), (POSTGRESQL, POSTGRESQL_ROWS)], ids=["mysql", "postgresql"]
)


@DUMPS
def test_chunks_may_end_anywhere(dump: bytes, rows: list[tuple[object, ...]]) -> None:
    for size in (*range(1, 40), *range(40, len(dump) + 1, 23)):
        assert rows_of(read(dump, only=["a,(b"], chunk_bytes=size)["a,(b"]) == rows, size


@DUMPS
def test_windows_and_pieces_of_them_may_end_anywhere(
    dump: bytes, rows: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (*range(2, 20), *range(20, 200, 7)):
        for module in (insert, copy, slow_rows):
            monkeypatch.setattr(module, "WINDOW_BYTES", size)
        monkeypatch.setattr(scan, "PIECE_BYTES", size // 2 + 3)
        monkeypatch.setattr(escapes, "PIECE_BYTES", size // 2 + 3)
        assert rows_of(read(dump, only=["a,(b"], chunk_bytes=size)["a,(b"]) == rows, size


@DUMPS
def test_lines_may_end_as_on_windows(dump: bytes, rows: list[tuple[object, ...]]) -> None:
    converted = dump.replace(b"\n", b"\r\n")
    expected = [tuple(");\r\n" if v == ");\n" else v for v in row) for row in rows]
    assert rows_of(read(converted, only=["a,(b"])["a,(b"]) == (expected if b"PostgreSQL" in dump else rows)


@DUMPS
def test_a_cut_is_noticed_at_every_byte(dump: bytes, rows: list[tuple[object, ...]]) -> None:
    whole = dump.index(b"Dump completed" if b"MySQL" in dump else b"dump complete\n") + len("Dump completed") - 1
    for size in range(whole):
        with pytest.raises(DumpError) as error:
            read(dump[:size], only=["a,(b"])
        assert "test.sql" in str(error.value), size
        assert len(str(error.value)) < 400, size


@DUMPS
def test_a_cut_of_a_dump_without_comments_is_noticed_within_statements(
    dump: bytes, rows: list[tuple[object, ...]]
) -> None:
    settings = (b"--", b"/*!40111")
    bare = b"".join(line for line in dump.splitlines(keepends=True) if not line.startswith(settings))
    assert rows_of(read(bare, only=["a,(b"])["a,(b"]) == rows
    unnoticed = 0
    for size in range(bare.index(b"CREATE TABLE"), len(bare)):
        try:
            tables = read(bare[:size], only=["a,(b"])
        except DumpError:
            continue
        # Only an end between two statements isn't noticed, and then every row before it is there.
        unnoticed += 1
        last = bare[:size].rstrip().rsplit(b"\n", 1)[-1]
        assert last.endswith((b";", b"\\.")) or b"DELIMITER ;".startswith(last) or last.startswith(b"\\"), size
        if "a,(b" in tables:
            assert rows_of(tables["a,(b"]) == rows[: tables["a,(b"].num_rows]
    assert unnoticed < 60


@pytest.mark.parametrize("separator", [",", ";\nINSERT INTO `big` VALUES ", ";\nINSERT INTO `big` (`a`, `b`) VALUES "])
def test_a_table_that_nobody_asked_for_may_be_of_any_size(separator: str) -> None:
    start = "INSERT INTO `big` VALUES " if "(`a`" not in separator else "INSERT INTO `big` (`a`, `b`) VALUES "
    rows = separator.join(f"({at},'it\\\\ \\'s; {'x' * (at % 900)}')" for at in range(9000))
    dump = f"CREATE TABLE `t` (`a` int);\nCREATE TABLE `big` (`a` int, `b` text);\n{start}{rows};\n"
    dump += "INSERT INTO `t` VALUES (1);\n" + f"{start}{rows};\n"
    for chunk_bytes in (100_000, 4 << 20):
        assert rows_of(read(dump.encode(), only=["t"], chunk_bytes=chunk_bytes)["t"]) == [(1,)]
    assert read(dump.encode(), only=["big"])["big"].num_rows == 18000


@pytest.mark.parametrize("chunk_bytes", [16, 4 << 20])
@pytest.mark.parametrize("before", [b"/*", b"/* a comment\n", b"/* " + b"x" * 100])
def test_a_dump_that_was_cut_within_a_comment_doesnt_pass_for_the_one_behind_it(
    before: bytes, chunk_bytes: int
) -> None:
    cut = MYSQL[: MYSQL.index(b"CREATE TABLE")]
    with pytest.raises(DumpError, match=r"Dump completed.* is missing"):
        read(cut + before + MYSQL, only=["a,(b"], chunk_bytes=chunk_bytes)
    harmless = cut + before + b" -- Dump completed */" + MYSQL[len(cut) :]
    assert rows_of(read(harmless, only=["a,(b"], chunk_bytes=chunk_bytes)["a,(b"]) == MYSQL_ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-32-le"], ids=["bytes", "characters"])
def test_lines_that_were_wrapped_by_bytes_or_by_characters_are_refused(encoding: str) -> None:
    start = "-- MySQL dump 10.13\nCREATE TABLE `t` (`t` text);\n"
    dump = f"{start}INSERT INTO `t` VALUES ('{'😀' * 10}'),\n('{'x' * 100}');\n-- Dump completed\n"
    assert len(read(dump.encode())["t"]) == 2
    width = 61 * len("x".encode(encoding))
    encoded = [line.encode(encoding) for line in dump.split("\n")]
    parts = [line[at : at + width].decode(encoding) for line in encoded for at in range(0, max(len(line), 1), width)]
    with pytest.raises(DumpError, match="wrapped"):
        read("\n".join(parts).encode())


def test_a_line_within_the_definition_of_a_table_is_refused() -> None:
    damaged = POSTGRESQL.replace(b'(id integer DEFAULT 1, "it', b'(\nhello; world\nid integer DEFAULT 1, "it')
    assert damaged != POSTGRESQL
    with pytest.raises(DumpError, match="the end of the statement CREATE TABLE is missing"):
        read(damaged, only=["a,(b"])
