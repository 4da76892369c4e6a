"""Dumps of a real PostgreSQL server hold what the server held: value by value, types included."""

import pyarrow as pa
import pytest

from recograph.dumps import DumpError
from recograph_tests.dumps.hostile import TEXTS
from recograph_tests.dumps.reading import read, rows_of, value_of
from recograph_tests.dumps.servers import PostgreSQL

UTC = pa.timestamp("us", "UTC")
TEXT = pa.string()
COLUMNS = {
    "id": ("bigint generated always as identity primary key", pa.int64()),
    "small": ("smallint", pa.int16()),
    "plain": ("integer", pa.int32()),
    "big": ("bigint", pa.int64()),
    "key": ("oid", pa.uint32()),
    "index": ("boolean", pa.bool_()),
    "price": ("numeric(10,2)", pa.decimal128(10, 2)),
    "wide": ("numeric(60,20)", pa.decimal256(60, 20)),
    "free": ("numeric", TEXT),
    "single": ("real", pa.float32()),
    "dbl": ("double precision", pa.float64()),
    "day": ("date", pa.date32()),
    "moment": ("timestamp", pa.timestamp("us")),
    "moment3": ("timestamp(3) without time zone", pa.timestamp("us")),
    "stamp": ("timestamptz", UTC),
    "clock": ("time", pa.time64("us")),
    "zoned": ("timetz", TEXT),
    "span": ("interval day to second(3)", TEXT),
    "fixed": ("char(10)", TEXT),
    "name": ("varchar(300)", TEXT),
    "body": ("text default 'it''s, \\'", TEXT),
    "one": ('"char"', TEXT),
    "raw": ("bytea", pa.binary()),
    "doc": ("json", TEXT),
    "docb": ("jsonb", TEXT),
    "uid": ("uuid", TEXT),
    "cash": ("money", TEXT),
    "host": ("inet", TEXT),
    "numbers": ("integer[]", TEXT),
    "texts": ("text[]", TEXT),
    "prices": ("numeric(10,2)[]", TEXT),
    "stamps": ("timestamp with time zone[]", TEXT),
    "mood": ("mood", TEXT),
    "positive": ("positive", TEXT),
    "pair": ("pair", TEXT),
    "bits": ("bit(3)", TEXT),
    "varbits": ("bit varying(9)", TEXT),
    "place": ("point", TEXT),
    "during": ("tstzrange", TEXT),
    "words": ("tsvector", TEXT),
    "doubled": ("integer generated always as (plain / 2) stored", None),
}
ROWS = r"""
(-32768, -2147483648, -9223372036854775808, 4294967295, true, -99999999.99,
 -1234567890123456789012345678901234567890.12345678901234567890, 1e-50, -3.40282e38, -1.7976931348623157e308,
 '0001-01-01', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999', '2024-06-30 12:00:00.000001+05:45', '23:59:59.999999',
 '12:00:00+05:30', '-1 day 02:03:04.5', 'a', 'x', 'y', 'q', decode('%(all)s', 'hex'), '{"a":  [1, "\""]}',
 '{"a":  [1, "\""]}', '123e4567-e89b-12d3-a456-426655440000', -1234.5, '10.0.0.0/8', '{1,NULL,-3}',
 array['a,b', '', 'NULL', null, '"', '\', '{}', e'\n\t'], '{1.5,2}', array['2024-01-01'::timestamptz], 'o''k', 1,
 row(1, 'a,"b\'), '101', '01', '(1,-2.5)', '[2024-01-01,2024-02-01)', 'it''s a \\ word'),
(32767, 2147483647, 9223372036854775807, 0, false, 0, 0, 123456789012345678901234567890.0001, 'NaN', 'Infinity',
 '9999-12-31', '2024-02-29 12:34:56.5', '1970-01-01', '1970-01-01 00:00:00+00', '00:00', '00:00-12', '1 year',
 '', '', '', '', '', '[]', '[]', '00000000-0000-0000-0000-000000000000', 0, '::1', '{}', '{}', '{{1,2},{3,4}}',
 '{}', 'sad', 39, row(null, null), '000', '', '(0,0)', 'empty', ''),
(39, 39, 39, 39, true, 39, 39, 'NaN', '-Infinity', 'NaN', '2024-01-01', '1969-12-31 23:59:59.999999', '2024-01-01',
 '1900-01-01 00:00:00+00', '12:00', '12:00+00', '00:00:00.001', e'\\', e'\\N', e'\\.', e'\\', '\x5c270a09',
 '"\\\\"', '"\\\\"',
 '27272727-5c5c-2727-5c5c-272727272727', 39, '39.39.39.39', '{39}', array[e'\\'], '{}', '{}', 'tab	back\slash', 39,
 row(39, ''''), '111', '1', '(39,39)', '(,)', 'a:1 b:2')
"""


def _shown(name: str, kind: pa.DataType) -> str:
    # A cast to text would take the spaces at the end of a char(n) away.
    text = f"""case when num_nulls("{name}") = 0 then convert_to(format('%s', "{name}"), 'UTF8') end"""
    return f'"{name}"' if kind == pa.binary() else text


@pytest.fixture(scope="module")
def server(postgresql: PostgreSQL) -> PostgreSQL:
    """A server with a table of every type, one of hostile texts, an empty one, and things that aren't tables."""
    columns = ", ".join(f'"{name}" {sql_type}' for name, (sql_type, _) in COLUMNS.items())
    listed = ", ".join(f'"{name}"' for name in list(COLUMNS)[1:-1])
    texts = ", ".join(
        f"({at}, convert_from('\\x{text.encode().hex()}', 'UTF8'), '\\x{text.encode().hex()}')"
        for at, text in enumerate(TEXTS)
    )
    postgresql.create(
        r"create type mood as enum ('sad', 'o''k', 'tab	back\slash'); create type pair as (a integer, b text);"
        "create domain positive as integer check (value > 0);"
        f"create table typed ({columns});"
        f"insert into typed ({listed}) values {ROWS % {'all': bytes(range(256)).hex()}};"
        "insert into typed default values; update typed set body = null where id = 4;"
        "create table texts (id integer, t text, b bytea);"
        f"insert into texts values {texts}, (1000, null, null);"
        "create table nothing (id integer, c varchar(3)); create table no_columns ();"
        "insert into no_columns default values; insert into no_columns default values;"
        "create view seen as select * from texts; create materialized view kept as select id from texts;"
        "create rule loud as on insert to nothing do also (insert into texts values (new.id, ';', null);"
        "  insert into texts values (-1, 'it''s', null); delete from texts where id = -1);"
        "create function atomic(a integer) returns integer language sql "
        "  begin atomic select case when a > 0 then 1 else 0 end; select 2; end;"
        "create function quoted() returns text language sql as $x$ select ';'';' /* it's $$ */ $x$;"
        "create sequence numbers; comment on table texts is 'it''s; a ''comment''';"
    )
    return postgresql


OPTIONS = [
    [],
    ["--inserts"],
    ["--column-inserts"],
    ["--rows-per-insert=2"],
    ["--rows-per-insert=100", "--column-inserts", "--on-conflict-do-nothing"],
    ["--quote-all-identifiers"],
    ["--clean", "--if-exists", "--create"],
    ["--no-owner", "--no-privileges", "--no-comments", "--disable-dollar-quoting"],
    ["--inserts", "--disable-dollar-quoting", "--disable-triggers"],
    ["--section=pre-data", "--section=data"],
    ["--serializable-deferrable", "--enable-row-security", "--verbose"],
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_every_value_equals_what_the_server_held(server: PostgreSQL, options: list[str]) -> None:
    tables = read(server.dump(*options))
    assert sorted(tables) == ["no_columns", "nothing", "texts", "typed"]

    # pg_dump leaves the values of generated columns away.
    types = {name: kind for name, (_, kind) in COLUMNS.items() if kind}
    assert dict(zip(tables["typed"].schema.names, tables["typed"].schema.types, strict=True)) == types
    held = server.rows("typed order by id", {name: _shown(name, kind) for name, kind in types.items()})
    assert len(held) == 4
    for name, column, values in zip(types, tables["typed"].columns, zip(*held, strict=True), strict=True):
        # NaN differs from itself.
        assert repr(column.to_pylist()) == repr([value_of(value, types[name]) for value in values]), name

    held = server.rows("texts order by id", {"id": _shown("id", TEXT), "t": _shown("t", TEXT), "b": "b"})
    assert rows_of(tables["texts"]) == [(int(i or b""), value_of(t, TEXT), b) for i, t, b in held]
    assert tables["texts"]["t"].to_pylist() == [*TEXTS, None]

    assert tables["nothing"].schema == pa.schema({"id": pa.int32(), "c": TEXT})
    assert tables["nothing"].num_rows == 0
    assert tables["no_columns"].num_rows == 2


INSERTS = [[], ["--inserts"], ["--column-inserts", "--rows-per-insert=3"]]


@pytest.mark.parametrize("options", INSERTS, ids=" ".join)
def test_strings_may_have_escapes_by_backslash(server: PostgreSQL, options: list[str]) -> None:
    dump = server.dump(*options, settings="-c standard_conforming_strings=off -c bytea_output=escape")
    assert read(dump)["texts"]["t"].to_pylist() == [*TEXTS, None]
    assert read(dump)["texts"]["b"].to_pylist() == [*(text.encode() for text in TEXTS), None]


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1251", "EUC_JP", "SQL_ASCII"])
def test_texts_are_decoded_from_the_encoding_of_the_dump(postgresql: PostgreSQL, encoding: str) -> None:
    text = {"LATIN1": "é\xa0ÿ", "WIN1251": "да, №", "EUC_JP": "日本語の表", "SQL_ASCII": "é"}[encoding]
    postgresql.create(f"""create table t ("{text}" text); insert into t values ('{text}\\')""", encoding, encoding)
    assert read(postgresql.dump(database=encoding))["t"].to_pylist() == [{text: f"{text}\\"}]


@pytest.mark.parametrize("options", [*INSERTS, ["--load-via-partition-root"]], ids=" ".join)
def test_rows_of_partitions_belong_to_their_table(postgresql: PostgreSQL, options: list[str]) -> None:
    postgresql.create(
        "create table t (a integer, b text, c integer) partition by range (a);"
        "create table odd (c integer, b text, a integer);"
        "alter table t attach partition odd for values from (0) to (9);"
        "create table sub partition of t for values from (9) to (19) partition by list (b);"
        "create table leaf partition of sub default; insert into t values (1, 'x', 2), (11, 'y', 12), (12, 'z', 13)"
    )
    tables = read(postgresql.dump(*options))
    assert {name: sorted(rows_of(table)) for name, table in tables.items()} == {
        "t": [(1, "x", 2), (11, "y", 12), (12, "z", 13)]
    }


@pytest.mark.parametrize("options", INSERTS, ids=" ".join)
def test_tables_have_the_columns_that_they_inherit(postgresql: PostgreSQL, options: list[str]) -> None:
    postgresql.create(
        "create table mother (a integer, b text); create table child (c integer, b text) inherits (mother);"
        "create table grandchild (d integer) inherits (child); insert into child values (1, 'x', 2);"
        "insert into grandchild values (3, 'y', 4, 5)"
    )
    tables = read(postgresql.dump(*options))
    assert tables["mother"].num_rows == 0
    assert tables["child"].to_pylist() == [{"a": 1, "b": "x", "c": 2}]
    assert tables["grandchild"].to_pylist() == [{"a": 3, "b": "y", "c": 4, "d": 5}]


@pytest.mark.parametrize("options", INSERTS, ids=" ".join)
def test_names_are_read_as_they_are(postgresql: PostgreSQL, options: list[str]) -> None:
    names = ["a`b", "it's", "x, y", "(z)", "a;b", "*/", "-- c", 'q""q', "è", "null", "key", "exclude", "period", "$$"]
    columns = ", ".join(f'"{name}" integer' for name in names)
    postgresql.create(
        f"""create table "t"";'x, (" ({columns}, "Check" text default E'\\\\, b', check ("(z)" <> 99));"""
        f"""insert into "t"";'x, (" values ({", ".join(map(str, range(len(names))))});"""
        'create table "../../x" (a integer); insert into "../../x" values (1)'
    )
    tables = read(postgresql.dump(*options))
    expected = {name.replace('""', '"'): at for at, name in enumerate(names)} | {"Check": "\\, b"}
    assert tables["t\";'x, ("].to_pylist() == [expected]
    assert tables["../../x"].to_pylist() == [{"a": 1}]


def test_tables_of_other_schemas_have_their_schema_in_their_name(postgresql: PostgreSQL) -> None:
    postgresql.create(
        'create schema "S.x"; create schema sales; create table t (a integer); create table "S.x".t (a integer);'
        'create table sales.u (a integer); insert into t values (0); insert into "S.x".t values (1)',
        "schemas",
    )
    dump = postgresql.dump(database="schemas")
    assert {name: rows_of(table) for name, table in read(dump).items()} == {"t": [(0,)], "S.x.t": [(1,)], "sales.u": []}
    assert rows_of(read(dump, database="S.x")["t"]) == [(1,)]
    assert list(read(dump, database="sales")) == ["u"]


def test_of_several_databases_one_is_chosen_by_name(postgresql: PostgreSQL) -> None:
    for at, database in enumerate(["one", "other one"]):
        sql = f"create table t (a integer); create schema s; create table s.t (a integer); insert into t values ({at})"
        postgresql.create(sql, database)
    dump = postgresql.dump_all("--exclude-database=[^o]*")
    tables = {name: rows_of(table) for name, table in read(dump).items()}
    assert tables == {"t": [(0,)], "s.t": [], "other one.public.t": [(1,)], "other one.s.t": []}
    assert {name: rows_of(table) for name, table in read(dump, database="other one").items()} == {
        "t": [(1,)],
        "s.t": [],
    }


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("timestamp", "infinity"),
        ("timestamp", "294276-12-31 00:00:00"),
        ("date", "-infinity"),
        ("numeric(5,2)", "NaN"),
        ("time", "24:00:00"),
    ],
)
def test_what_arrow_cannot_hold_is_refused_and_readable_as_text(postgresql: PostgreSQL, kind: str, value: str) -> None:
    postgresql.create(f"create table t (a integer, v {kind}); insert into t values (1, null), (2, '{value}')")
    dump = postgresql.dump()
    with pytest.raises(DumpError, match=r"table t, column v, row 2 \(byte \d+\): the value is none .*--text t\.v"):
        read(dump)
    assert rows_of(read(dump, as_text=["t.v"])["t"]) == [(1, None), (2, value)]


def test_dates_beyond_four_digits_and_before_christ_are_exact(postgresql: PostgreSQL) -> None:
    dates = "'0044-03-15 BC', '0001-12-31 BC', '10000-01-01', '294000-12-31'"
    postgresql.create(f"create table t as select d, d::timestamp m from unnest(array[{dates}]::date[]) d")
    days = postgresql.run("select d - '1970-01-01'::date from t", "hostile").decode().split()
    table = read(postgresql.dump())["t"]
    assert table["d"].cast(pa.int32()).to_pylist() == [int(day) for day in days]
    assert table["m"].cast(pa.int64()).to_pylist() == [int(day) * 86_400_000_000 for day in days]
