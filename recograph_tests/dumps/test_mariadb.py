"""Dumps of a real MariaDB server hold what the server held: value by value, types included."""

import pyarrow as pa
import pytest

from recograph_tests.dumps.hostile import LATIN1_TEXTS, TEXTS
from recograph_tests.dumps.reading import read, rows_of, value_of
from recograph_tests.dumps.servers import MariaDB

UTC = pa.timestamp("us", "UTC")
COLUMNS = {
    "id": ("bigint unsigned not null auto_increment primary key", pa.uint64()),
    "tiny": ("tinyint", pa.int8()),
    "tiny_u": ("tinyint unsigned", pa.uint8()),
    "flag": ("tinyint(1)", pa.int8()),
    "small": ("smallint(5) unsigned zerofill", pa.uint16()),
    "medium": ("mediumint", pa.int32()),
    "plain": ("int(11)", pa.int32()),
    "big": ("bigint", pa.int64()),
    "big_u": ("bigint(20) unsigned", pa.uint64()),
    "price": ("decimal(10,2)", pa.decimal128(10, 2)),
    "padded": ("decimal(8,3) unsigned zerofill", pa.decimal128(8, 3)),
    "huge": ("decimal(65,30)", pa.decimal256(65, 30)),
    "single": ("float", pa.float32()),
    "dbl": ("double", pa.float64()),
    "one_bit": ("bit(1)", pa.bool_()),
    "bits": ("bit(64)", pa.uint64()),
    "few_bits": ("bit(9)", pa.uint64()),
    "day": ("date", pa.date32()),
    "moment": ("datetime", pa.timestamp("us")),
    "moment6": ("datetime(6)", pa.timestamp("us")),
    "stamp": ("timestamp null", UTC),
    "stamp3": ("timestamp(3) null", UTC),
    "clock": ("time", pa.string()),
    "clock6": ("time(6)", pa.string()),
    "yr": ("year", pa.int16()),
    "fixed": ("char(10)", pa.string()),
    "name": ("varchar(255)", pa.string()),
    "latin": ("varchar(50) character set latin1", pa.string()),
    "body": ("longtext", pa.string()),
    "doc": ("json", pa.string()),
    "kind": ("enum('a','it''s','c,d','(e)')", pa.string()),
    "tags": ("set('x','y;','z')", pa.string()),
    "raw": ("varbinary(300)", pa.binary()),
    "pad": ("binary(4)", pa.binary()),
    "blb": ("longblob", pa.binary()),
    "shape": ("geometry", pa.binary()),
    "ip": ("inet6", pa.string()),
    "uid": ("uuid", pa.string()),
}
ROWS = """
(1,-128,255,1,7,-8388608,-2147483648,-9223372036854775808,18446744073709551615,-99999999.99,1.5,
 -12345678901234567890123456789012345.123456789012345678901234567890,-3.40282e38,-1.7976931348623157e308,b'1',
 b'1111111111111111111111111111111111111111111111111111111111111111',b'100100111','1000-01-01','1000-01-01 00:00:00',
 '9999-12-31 23:59:59.999999','2038-01-19 03:14:07','1970-01-02 05:00:00.001','-838:59:59','838:59:59.999999',1901,
 'a','x','é€',
 'b','{"a": [1, "\\\\"", null]}','it''s','x,y;,z',x'00ff27220a0d5c',x'0001',x'%(all)s',
 ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 4326),'2001:db8::ff00:42:8329','123e4567-e89b-12d3-a456-426655440000'),
(2,127,0,0,65535,8388607,2147483647,9223372036854775807,0,0,0,1e-30,1.17549e-38,5e-324,b'0',b'0',b'0','9999-12-31',
 '0000-00-00 00:00:00','0000-00-00 00:00:00.000000','0000-00-00 00:00:00','2024-02-29 12:00:00.5','00:00:00',
 '-00:00:00.000001',
 0,'','','','','[]','','','','','',ST_GeomFromText('POINT(1 -2.5)'),'::','00000000-0000-0000-0000-000000000000'),
(3,39,39,39,39,39,39,39,39,39.39,39.39,39,39,0.1,b'1',39,39,'0000-00-00','2024-06-30 12:34:56',
 '2024-06-30 12:34:56.000001',
 '2024-06-30 12:34:56','2024-06-30 12:34:56.999','24:00:00','100:00:00.5',2155,'(',''');(',',','\\\\','"\\\\\\\\"',
 'c,d','y;','''','''',
 '\\\\''',ST_GeomFromText('LINESTRING(39 39,92 92)'),'27::5c27','27272727-5c5c-2727-5c5c-272727272727'),
(4%(nulls)s)
"""
SHOWN = {
    pa.binary(): "{}",
    pa.string(): "convert({} using utf8mb4)",
    pa.bool_(): "cast(cast({} as unsigned) as char)",
    "bit": "cast(cast({} as unsigned) as char)",
}


def _shown(name: str, sql_type: str, kind: pa.DataType) -> str:
    pattern = SHOWN["bit"] if sql_type.startswith("bit") else SHOWN.get(kind, "cast({} as char)")
    return pattern.format(f"`{name}`")


@pytest.fixture(scope="module")
def server(mariadb: MariaDB) -> MariaDB:
    """A server with a table of every type, one of hostile texts, an empty one, and things that aren't tables."""
    columns = ", ".join(f"`{name}` {sql_type}" for name, (sql_type, _) in COLUMNS.items())
    rows = ROWS % {"all": bytes(range(256)).hex(), "nulls": ",null" * (len(COLUMNS) - 1)}
    texts = ", ".join(
        f"({at}, convert(x'{text.encode().hex()}' using utf8mb4), x'{text.encode().hex()}')"
        for at, text in enumerate([*TEXTS, "\0", "a\0b\0"])
    )
    mariadb.create(
        f"create table typed ({columns}); insert into typed values {rows};"
        "create table texts (id int primary key, t longtext, b longblob);"
        f"insert into texts values {texts}; insert into texts values (1000, null, null);"
        "create table nothing (id int, c varchar(3));"
        "create view seen as select id, t from texts; create view aged as select id from typed;"
        "create sequence numbers;\ndelimiter //\n"
        "create trigger loud after insert on nothing for each row "
        "insert into texts values (new.id, 'it''s; \\\\', '')//\n"
        "create procedure p() begin /* it's; */ insert into texts values (1, ';', ''); -- it's\n end//\n"
        "create event e on schedule every 1 day do begin delete from texts; end//\ndelimiter ;\n"
    )
    return mariadb


OPTIONS = [
    [],
    ["--skip-extended-insert"],
    ["--complete-insert"],
    ["--complete-insert", "--skip-extended-insert", "--hex-blob"],
    ["--hex-blob"],
    ["--replace"],
    ["--insert-ignore"],
    ["--skip-opt"],
    ["--compact"],
    ["--skip-comments", "--skip-set-charset"],
    ["--skip-quote-names"],
    ["--no-autocommit", "--single-transaction", "--skip-add-locks", "--skip-dump-date"],
    ["--order-by-primary", "--net-buffer-length=4096"],
    ["--databases", "hostile", "--add-drop-database"],
    ["--default-character-set=binary"],
    ["--routines", "--events", "--triggers", "--skip-disable-keys"],
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_every_value_equals_what_the_server_held(server: MariaDB, options: list[str]) -> None:
    tables = read(server.dump(*options))
    assert list(tables) == ["nothing", "texts", "typed"]

    # A compact dump doesn't say that its timestamps are in UTC.
    types = {name: kind for name, (_, kind) in COLUMNS.items()}
    if "--compact" in options:
        types |= dict.fromkeys(["stamp", "stamp3"], pa.timestamp("us"))
    assert dict(zip(tables["typed"].schema.names, tables["typed"].schema.types, strict=True)) == types
    shown = {name: _shown(name, sql_type, kind) for name, (sql_type, kind) in COLUMNS.items()}
    held = server.rows("typed order by id", shown)
    assert len(held) == 4
    for name, column, values in zip(types, tables["typed"].columns, zip(*held, strict=True), strict=True):
        assert column.to_pylist() == [value_of(value, types[name]) for value in values], name

    held = server.rows("texts order by id", {"id": "cast(id as char)", "t": "t", "b": "b"})
    assert rows_of(tables["texts"]) == [(int(i or b""), value_of(t, pa.string()), b) for i, t, b in held]
    assert tables["texts"]["t"].to_pylist() == [*TEXTS, "\0", "a\0b\0", None]

    assert tables["nothing"].schema == pa.schema({"id": pa.int32(), "c": pa.string()})
    assert tables["nothing"].num_rows == 0


def test_texts_of_a_latin1_dump_are_decoded(mariadb: MariaDB) -> None:
    texts = ", ".join(f"(convert(x'{text.encode().hex()}' using utf8mb4))" for text in LATIN1_TEXTS)
    mariadb.create(f"create table `größe` (`naïve` text character set latin1); insert into `größe` values {texts};")
    tables = read(mariadb.dump("--default-character-set=latin1"))
    assert tables["größe"]["naïve"].to_pylist() == LATIN1_TEXTS


def test_texts_of_a_binary_dump_are_in_the_character_sets_of_their_columns(mariadb: MariaDB) -> None:
    mariadb.create(
        "create table t (a text, b text character set latin1, c text character set utf8mb4, d text character set sjis, "
        "e text character set ucs2) charset koi8r; insert into t values ('да', 'é€', 'да é', '表', '表é')"
    )
    tables = read(mariadb.dump("--default-character-set=binary"))
    assert rows_of(tables["t"]) == [("да", "é€", "да é", "表", "表é")]


def test_generated_and_invisible_columns_have_the_values_of_the_server(mariadb: MariaDB) -> None:
    mariadb.create(
        "create table t (a int, g int generated always as (a + 1) virtual, s int as (a * 2) stored);"
        "insert into t (a) values (1), (null); create table h (a int, i int invisible default 7, b int);"
        "insert into h values (1, 2); create table v (a int) with system versioning; insert into v values (1);"
        "update v set a = 2"
    )
    tables = read(mariadb.dump())
    assert tables["t"].to_pylist() == [{"a": 1, "g": 2, "s": 2}, {"a": None, "g": None, "s": None}]
    assert tables["h"].to_pylist() == [{"a": 1, "i": 7, "b": 2}]
    assert tables["v"].to_pylist() == [{"a": 2}]
    assert read(mariadb.dump("--dump-history"))["v"].schema.names == ["a", "row_start", "row_end"]


def test_names_are_read_as_they_are(mariadb: MariaDB) -> None:
    names = ["a``b", "it's", "x, y", "(z)", "a;b", "*/", "/*!50001 x", "-- c", '"d"', "è", "null", "key", "e.f", " g"]
    columns = ", ".join(f"`{name}` int comment '/*!50001 */ it''s, (x'" for name in names)
    values = ", ".join(str(at) for at in range(len(names)))
    mariadb.create(
        f"create table `t``;'x, (` ({columns}); insert into `t``;'x, (` values ({values}), ({values});"
        "create table `../../x` (a int); insert into `../../x` values (1)"
    )
    expected = {name.replace("``", "`"): at for at, name in enumerate(names)}
    for options in ([], ["--complete-insert"], ["--skip-extended-insert", "--complete-insert"]):
        tables = read(mariadb.dump(*options))
        assert tables["t`;'x, ("].to_pylist() == [expected, expected]
        assert tables["../../x"].to_pylist() == [{"a": 1}]


def test_of_several_databases_one_is_chosen_by_name(mariadb: MariaDB) -> None:
    for at, database in enumerate(["hostile", "other"]):
        mariadb.create(f"create table t (a int); insert into t values ({at})", database)
    dump = mariadb.dump("--databases", "hostile", "other")
    assert {name: rows_of(table) for name, table in read(dump).items()} == {"t": [(0,)], "other.t": [(1,)]}
    assert rows_of(read(dump, database="other")["t"]) == [(1,)]
    assert read(dump, database="third") == {}
    assert rows_of(read(mariadb.dump(database="other"), database="other")["t"]) == [(1,)]
    every = read(mariadb.dump("--all-databases"))
    assert rows_of(every["hostile.t"] if "hostile.t" in every else every["t"]) == [(0,)]
    assert rows_of(every["other.t"]) == [(1,)]
