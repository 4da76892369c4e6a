"""What only MySQL's own mysqldump 5.7 and 8 writes, and other writers of its SQL; there is no such server here."""

import io

import pyarrow as pa
import pytest

from recograph.dumps import DumpError, DumpReader
from recograph_tests.dumps.reading import read, rows_of

HEAD = """-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t8.0.36

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,
4e11fa47-71ca-11e1-9e33-c80aa9429562:1-7';
CHANGE MASTER TO MASTER_LOG_FILE='bin.000001', MASTER_LOG_POS=154;
"""
TAIL = """
SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-01-01  0:00:00
"""


def rows(sql: str | bytes, table: str = "t", **options: object) -> list[tuple[object, ...]]:
    body = sql if isinstance(sql, bytes) else sql.encode()
    return rows_of(read(HEAD.encode() + body + TAIL.encode(), **options)[table])


def test_a_dump_of_mysql_8_is_read_with_its_header_lines() -> None:
    sql = """
DROP TABLE IF EXISTS `t`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `t` (
  `my_row_id` bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */,
  `id` int NOT NULL DEFAULT '0',
  `g` int GENERATED ALWAYS AS ((`id` + 1)) VIRTUAL,
  `j` json DEFAULT NULL,
  `p` point NOT NULL /*!80003 SRID 4326 */,
  `k` enum('a,b','c)','it''s') COLLATE utf8mb4_bin DEFAULT (_utf8mb4'c)'),
  `at` timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`my_row_id`), UNIQUE KEY `key` (`id`,`k`) USING BTREE, SPATIAL KEY `p` (`p`),
  CONSTRAINT `c` CHECK (json_valid(`j`) and (`k` <> _utf8mb4');')) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='a; ''(b'
/*!50100 PARTITION BY RANGE (`id`) (PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB) */;
/*!40101 SET character_set_client = @saved_cs_client */;
LOCK TABLES `t` WRITE;
/*!40000 ALTER TABLE `t` DISABLE KEYS */;
INSERT INTO `t` (`my_row_id`, `id`, `j`, `p`, `k`, `at`) VALUES (1,7,'{\\"a\\": \\"\\\\\\"\\"}',\
_binary '\\0\\0\\0\\0\\'','it\\'s','2024-01-01 00:00:00'),(2,8,NULL,0x00FF,'c)',NULL);
/*!40000 ALTER TABLE `t` ENABLE KEYS */;
UNLOCK TABLES;
/*!50106 SET @save_time_zone= @@TIME_ZONE */ ;
DELIMITER ;;
/*!50003 SET sql_mode              = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' */ ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW BEGIN
  INSERT INTO t VALUES (1, '\\'); -- it's;
END */;;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;;
DELIMITER ;
INSERT INTO `t` (`id`, `k`) VALUES (9,'\\'');
"""
    table = read((HEAD + sql + TAIL).encode())["t"]
    assert table.schema.names == ["my_row_id", "id", "j", "p", "k", "at"]
    assert table.schema.field("at").type == pa.timestamp("us", "UTC")
    assert table.drop_columns(["at"]).to_pylist() == [
        {"my_row_id": 1, "id": 7, "j": '{"a": "\\""}', "p": b"\0\0\0\0'", "k": "it's"},
        {"my_row_id": 2, "id": 8, "j": None, "p": b"\x00\xff", "k": "c)"},
        {"my_row_id": None, "id": 9, "j": None, "p": None, "k": "'"},
    ]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r"'\0\'\"\b\n\r\t\Z\\'", "\0'\"\b\n\r\t\x1a\\"),
        (r"'\%\_\x\q'", r"\%\_xq"),
        ("'a''b'", "a'b"),
        ("''", ""),
        ("_utf8mb4'é'", "é"),
        ("_utf8mb4 'é'", "é"),
        ("_latin1 0xE9", "é"),
        ("_latin1 x'e9'", "é"),
        ("_utf8mb3 X'C3A9'", "é"),
        ("N'é'", "é"),
        ("0xC3A9", "é"),
        ("X'C3A9'", "é"),
        ("b'01000001'", "A"),
        ("0b01000001", "A"),
        ("12", "12"),
        ("-1.50", "-1.50"),
        ("NULL", None),
        ("null", None),
        ("'NULL'", "NULL"),
    ],
)
def test_literals_have_the_value_that_mysql_gives_them(literal: str, value: str | None) -> None:
    sql = "CREATE TABLE t (a text, b int); INSERT INTO t VALUES (%s,1), ( %s , 2 ),\n\t(%s,3) ;" % ((literal,) * 3)
    assert rows(sql) == [(value, 1), (value, 2), (value, 3)]


@pytest.mark.parametrize(
    ("kind", "literal", "value"),
    [
        ("int", "+5", 5),
        ("int", "'12'", 12),
        ("int", "1.0", 1),
        ("int", "1e3", 1000),
        ("int unsigned zerofill", "0000000042", 42),
        ("bigint unsigned", "18446744073709551615", 18446744073709551615),
        ("double", "-1.5E+10", -1.5e10),
        ("bit(8)", "b'101'", 5),
        ("bit(8)", r"'\0'", 0),
        ("bit(16)", "0x0102", 258),
        ("bit(1)", r"_binary '\x01'".replace(r"\x01", "\x01"), True),
        ("year", "0000", 0),
        ("date", "'0000-00-00'", None),
        ("varbinary(3)", "0xFF00", b"\xff\x00"),
        ("varbinary(3)", "''", b""),
    ],
)
def test_values_have_the_types_of_their_columns(kind: str, literal: str, value: object) -> None:
    assert rows(f"CREATE TABLE t (a {kind}); INSERT INTO t VALUES ({literal}),(NULL);") == [(value,), (None,)]


@pytest.mark.parametrize(
    "literal",
    [
        *("NOW()", "now()", "1+1", "'a' 'b'", "CONCAT('a')", "ST_GeomFromText('POINT(1 1)')", "@a", "`a`"),
        # A server's text would hold 1, 7, 1000 and -0.0015.
        *("TRUE", "007", "1e3", "-1.50e-3"),
    ],
)
def test_what_is_no_literal_is_refused(literal: str) -> None:
    with pytest.raises(DumpError, match=r"test\.sql: table t.* row 2 .*byte \d+\).*(holds|unbalanced)"):
        rows(f"CREATE TABLE t (a text, b int); INSERT INTO t VALUES ('x',1),({literal},2);")


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO t SELECT 1, 2", "INSERT INTO t SET a = 1", "REPLACE t VALUES ROW(1, 2)"],
)
def test_a_statement_that_fills_a_table_in_another_form_is_refused(statement: str) -> None:
    with pytest.raises(
        DumpError, match=r"line \d+, byte \d+: the statement (INSERT|REPLACE).* may change rows in a way"
    ):
        rows(f"CREATE TABLE t (a int, b int); {statement};")


@pytest.mark.parametrize("values", ["(1,2),(3)", "(1,2),(3,4,5)", "(1,2),(3,f(4,5))", "(1,2) ON UPDATE a=1"])
def test_rows_of_another_shape_are_refused(values: str) -> None:
    with pytest.raises(DumpError, match=r"table t, (row \d \(after byte \d+\)|column b, row \d)"):
        rows(f"CREATE TABLE t (a int, b int); INSERT INTO t VALUES {values};")


def test_backslashes_are_themselves_where_the_dump_says_so() -> None:
    sql = r"""SET SQL_MODE='NO_BACKSLASH_ESCAPES'; CREATE TABLE t (a text, b text);
INSERT INTO t VALUES ('\','\n'),('it''s \''','),(');"""
    assert rows(sql) == [("\\", "\\n"), ("it's \\'", "),(")]


def test_a_view_of_an_old_dump_is_no_table() -> None:
    sql = """
CREATE TABLE `t` (`a` int); INSERT INTO `t` VALUES (1);
/*!50001 CREATE TABLE `v` (
 `a` tinyint NOT NULL
) ENGINE=MyISAM */;
/*!50001 DROP TABLE IF EXISTS `v`*/;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `v` AS select 'INSERT INTO `t` VALUES (2);' AS `a` */;"""
    assert list(read((HEAD + sql + TAIL).encode())) == ["t"]
    assert rows(sql) == [(1,)]


def test_columns_may_be_listed_in_any_order_and_differ_between_statements() -> None:
    sql = """CREATE TABLE t (a int, b text, c int);
INSERT INTO t (c, a) VALUES (3,1); INSERT INTO t VALUES (4,'x',5); REPLACE INTO t (`B`, `c`) VALUES ('y',6);"""
    assert rows(sql) == [(1, None, 3), (4, "x", 5), (None, "y", 6)]


def test_a_dump_of_data_alone_is_text_where_its_rows_name_the_columns() -> None:
    assert rows("INSERT INTO t (a, b) VALUES (1,'x'),(NULL,0x41);") == [("1", "x"), (None, "A")]
    with pytest.raises(
        DumpError, match=r"table t: neither CREATE TABLE nor the rows name the columns.*complete-insert"
    ):
        rows("INSERT INTO t VALUES (1,'x');")


def test_zero_dates_are_null_and_counted_but_half_dates_are_refused() -> None:
    sql = """CREATE TABLE t (a date, b datetime(6));
INSERT INTO t VALUES ('0000-00-00','0000-00-00 00:00:00.000000'),('2024-01-01','2024-01-01 00:00:00.000001');"""
    with DumpReader(io.BytesIO((HEAD + sql + TAIL).encode())) as reader:
        assert sum(batch.num_rows for _, batch in reader) == 2
    assert reader.tables["t"].zero_dates == 2
    with pytest.raises(DumpError, match=r"column a, row 1 \(byte \d+\): the value is none of type date32"):
        rows("CREATE TABLE t (a date); INSERT INTO t VALUES ('2024-00-10');")


def test_a_table_that_is_dropped_after_it_was_filled_is_refused() -> None:
    sql = "CREATE TABLE t (a int); INSERT INTO t VALUES (1); {} t; CREATE TABLE t (a int); INSERT INTO t VALUES (2);"
    for drop in ("DROP TABLE", "DROP TABLE IF EXISTS", "TRUNCATE TABLE", "TRUNCATE"):
        with pytest.raises(DumpError, match="table t: the dump drops or empties the table after filling it"):
            rows(sql.format(drop))
    assert rows("CREATE TABLE t (a int); TRUNCATE t; INSERT INTO t VALUES (2);") == [(2,)]


def test_a_byte_order_mark_says_nothing() -> None:
    dump = b"\xef\xbb\xbf" + HEAD.encode() + b"CREATE TABLE t (a int); INSERT INTO t VALUES (1);"
    assert rows_of(read(dump + TAIL.encode())["t"]) == [(1,)]
    with pytest.raises(DumpError, match='closing comment "-- Dump completed" is missing'):
        read(dump)


def test_what_stands_in_strings_does_not_tell_the_dialect() -> None:
    sql = "CREATE TABLE t (a text); INSERT INTO t VALUES ('\n-- PostgreSQL database dump\nCOPY t FROM stdin;\n');"
    assert len(rows(sql)) == 1
