"""Folders of mydumper, of MySQL Shell and of mariadb-dump --tab give what the plain dump of the same database gives."""

import base64
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

from recograph.dumps import DumpError, DumpReader, inspect
from recograph_tests.dumps.archives.test_postgresql import Pipe, read_from
from recograph_tests.dumps.reading import rows_of
from recograph_tests.dumps.servers import MariaDB

SQL = """create table t
    (a int primary key, b text, c blob, at timestamp null, z datetime null, bt bit(3), e enum('x','y'));
insert into t (a, b, c, at, z, bt, e) values
    (1, concat('it''s\\ttab\\nline\\\\ "q"\\r', char(26), char(8)), x'00ff0a09', now(), '2020-01-01', b'101', 'y'),
    (2, null, null, null, null, null, null), (3, 'é€', x'', null, null, b'0', 'x'),
    (4, '\\\\N', 'N', null, null, null, 'x');
create table `we.ird t` (q int); insert into `we.ird t` values (7);
create table empty (z int); create view v as select * from t;
create table lat (x varchar(10)) charset latin1; insert into lat values ('é');
create table big (i int primary key, s varchar(50)); insert into big select seq, concat('row ', seq) from seq_1_to_3000;
create trigger tr before insert on t for each row set new.b = 'x';"""


@pytest.fixture(scope="module")
def plain(mariadb: MariaDB) -> dict[str, pa.Table]:
    """What the plain dump of the server gives."""
    mariadb.create(SQL, database="folders")
    return _read(mariadb.dump(database="folders"))


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that the server's own user can write below."""
    folder = Path(tempfile.mkdtemp(prefix="recograph-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def _read(source: Path | bytes, **options: object) -> dict[str, pa.Table]:
    tables = read_from(Pipe(source) if isinstance(source, bytes) else source, **options)
    return {name: table.sort_by("i") if name == "big" else table for name, table in tables.items()}


LAYOUTS = {
    "a file per table": (),
    "compressed": ("-c",),
    "by rows": ("-r", "1000"),
    "by size": ("-F", "1", "-s", "2000"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_of_mydumper_gives_what_the_plain_dump_gives(
    layout: str, plain: dict[str, pa.Table], mariadb: MariaDB, tmp_path: Path
) -> None:
    folder = tmp_path / "dump"
    mariadb.mydumper(folder, *LAYOUTS[layout], database="folders")
    assert _read(folder) == plain
    assert _read(folder, only=["lat"]) == {"lat": plain["lat"]}
    seen = inspect(folder)
    assert (seen.form, seen.compression) == ("mydumper", "gzip" if layout == "compressed" else "none")
    with tarfile.open(tmp_path / "dump.tar.gz", "w:gz") as archive:
        archive.add(folder, "2026-11-01")
    assert _read(tmp_path / "dump.tar.gz") == plain


def test_a_folder_of_tab_gives_what_the_plain_dump_gives(
    plain: dict[str, pa.Table], mariadb: MariaDB, reachable: Path
) -> None:
    folder = reachable / "dump"
    mariadb.tab(folder, database="folders")
    assert _read(folder) == plain
    assert inspect(folder).form == "mariadb-dump --tab"
    # mariadb-dump --dir makes a folder for each database.
    (reachable / "dir").mkdir()
    folder.rename(reachable / "dir" / "folders")
    assert _read(reachable / "dir") == plain
    (reachable / "dir" / "folders" / "lat.txt").unlink()
    with pytest.raises(DumpError, match=r"folders/lat\.txt, with the rows of table lat, is missing"):
        _read(reachable / "dir")


def tab(folder: Path, rows: bytes, columns: str = "`i` int, `s` text, `b` blob") -> Path:
    """A folder of --tab of one table."""
    definition = f"-- MySQL dump 10.13\nCREATE TABLE `t` (\n{columns}\n);\n-- Dump completed\n".encode()
    return written(folder, {"t.sql": definition, "t.txt": rows})


def test_what_a_folder_of_tab_cannot_tell_is_told(tmp_path: Path) -> None:
    folder = tab(tmp_path / "dump", b'1\t"a"\tNULL\n2\tb\\\tc\t\\N\n')
    with DumpReader(folder) as reader:
        rows = [row for _, batch in reader for row in batch.to_pylist()]
    assert [tuple(row.values()) for row in rows] == [(1, '"a"', b"NULL"), (2, "b\tc", None)]
    assert reader.is_complete is False
    completeness, assumption = reader.warnings
    assert "completeness can't be known: nothing in the folder says how many rows" in completeness
    assert "which --fields-... and --lines-... options were given" in assumption
    assert inspect(folder).warnings == reader.warnings


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (b'1\t"a"\t"b"\n2\t"c"\t\\N\n', "every text in its rows stands between the same marks"),
        (b"'1'\t'a'\t'b'\n", "every text in its rows stands between the same marks"),
        (b'1\ta \\"q\\"\tb\n', "a backslash stands where --tab doesn't put one"),
        (b"1\tC:\\new\tb\n", "a backslash stands where --tab doesn't put one"),
        (b"1\tC:\\New\tb\n", "a backslash stands where --tab doesn't put one"),
        (b"1\ta\tb\r\n2\tc\td\r\n", "every one of its lines ends with a carriage return"),
        (b"1\ta\tNULL\n2\tb\tc\n", "look like NULL in another notation"),
        (b"1\ta\t|N\n2\tb\tc\n", "look like NULL in another notation"),
        (b"1,a,b\n", "has 1 values where 3 columns are expected"),
        (b"1\ta\tb;2\tc\td;", "ends within a row"),
    ],
)
@pytest.mark.parametrize("decode", [True, False])
def test_a_folder_of_tab_whose_rows_show_other_options_is_refused(
    rows: bytes, message: str, decode: bool, tmp_path: Path
) -> None:
    folder = tab(tmp_path / "dump", rows)
    with pytest.raises(DumpError, match=f"{message}|none of type int32" if decode else message):
        read_from(folder) if decode else inspect(folder)


def test_a_folder_of_mydumper_without_counts_is_told_to_be_perhaps_incomplete(tmp_path: Path) -> None:
    assert inspect(written(tmp_path / "new", NEW)).warnings == []
    old = NEW | {"metadata": b"Started dump at: 2020-01-01 00:00:00\nFinished dump at: 2020-01-01 00:00:00\n"}
    seen = inspect(written(tmp_path / "old", old))
    assert not seen.is_complete
    assert ["completeness can't be known" in warning for warning in seen.warnings] == [True]
    # Versions between wrote the number of rows beside each table.
    between = old | {"shop.users-metadata": b"3", "shop.mydumper_0-metadata": b"1"}
    assert inspect(written(tmp_path / "between", between)).warnings == []
    with pytest.raises(DumpError, match="has 3 rows where the dump tells of 4"):
        inspect(written(tmp_path / "lost", between | {"shop.users-metadata": b"4"}))


def test_a_folder_of_dumpling_is_read_and_told_to_be_perhaps_incomplete(tmp_path: Path) -> None:
    head = b"/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n/*!40101 SET NAMES binary*/;\n"
    files = {
        "metadata": b"Started dump at: 2026-01-01 10:00:00\nSHOW MASTER STATUS:\n\tLog: tidb-binlog\n\tPos: 4\n\n"
        b"Finished dump at: 2026-01-01 10:00:01\n",
        "shop-schema-create.sql": head + b"CREATE DATABASE `shop` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\n",
        "shop.users-schema.sql": head + b"CREATE TABLE `users` (\n  `id` bigint /*T![auto_rand] AUTO_RANDOM(5) */,\n"
        b"  `name` varchar(9)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n",
        "shop.users.0000000010000.sql": head + "INSERT INTO `users` VALUES\n(1,'é'),\n(2,NULL);\n".encode(),
        "shop.v-schema-view.sql": head + b"CREATE VIEW `v` AS SELECT 1;\n",
        "shop.v-schema.sql": head + b"CREATE TABLE `v`(\n`a` int\n)ENGINE=MyISAM;\n",
    }
    folder = written(tmp_path / "dump", files)
    assert {name: rows_of(table) for name, table in read_from(folder).items()} == {"users": [(1, "é"), (2, None)]}
    assert ["completeness can't be known" in warning for warning in inspect(folder).warnings] == [True]


def test_an_empty_file_of_rows_is_read_where_the_rows_are_counted(tmp_path: Path) -> None:
    empty = NEW | {"shop.mydumper_0.00000.sql": b""}
    with pytest.raises(DumpError, match="or is an empty one of --build-empty-files"):
        inspect(written(tmp_path / "counted", empty))
    empty["metadata"] = NEW["metadata"].replace(b"rows = 1\n", b"rows = 0\n")
    assert inspect(written(tmp_path / "empty", empty)).tables["odd.name"].rows == 0


def test_json_that_mydumper_converts_is_read(tmp_path: Path) -> None:
    files = dict(NEW)
    files["shop.users-schema.sql"] = NEW["shop.users-schema.sql"].replace(b"text", b"json")
    files["shop.users.00001.sql"] = (
        b"/*!40101 SET NAMES binary*/;\nINSERT INTO `users` VALUES"
        b'(3,CONVERT("{\\"k\\": \\"a, (\xc3\xa9)\\"}" USING UTF8MB4),\'\');\n'
    )
    assert sorted(rows_of(read_from(written(tmp_path / "dump", files))["users"]))[-1] == (3, '{"k": "a, (é)"}', b"")


# What newer versions of mydumper write, after its documentation; only that of Debian can be had.
NEW = {
    "metadata": b"# Started dump at: 2026-01-31 05:00:00\n[config]\nquote-character = BACKTICK\n\n[`shop`.`users`]\n"
    b"real_table_name=users\nrows = 3\n\n[`shop`.`mydumper_0`]\nreal_table_name=odd.name\nrows = 1\n"
    b"# Finished dump at: 2026-01-31 05:00:01\n",
    "shop-schema-create.sql": b"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop` /*!40100 CHARACTER SET utf8mb4 */;\n",
    "shop.users-schema.sql": b"/*!40101 SET NAMES utf8mb4*/;\n/*!40103 SET TIME_ZONE='+00:00' */;\n"
    b"CREATE TABLE IF NOT EXISTS `users` (\n`id` int NOT NULL,\n`name` text,\n`face` blob\n);\n",
    "shop.mydumper_0-schema.sql": b"/*!40101 SET NAMES utf8mb4*/;\nCREATE TABLE `odd.name` (\n`q` int\n);\n",
    "shop.mydumper_0.00000.sql": b"INSERT INTO `odd.name` VALUES(7)\n;\n",
    "shop.users.00000.00001.sql": b"/*!40101 SET NAMES utf8mb4*/;\n"
    b"INSERT INTO `users` VALUES(1,'a\\'b',0x00ff)\n,(2,NULL,NULL)\n;\n",
    "shop.users.00001.sql": b"/*!40101 SET NAMES utf8mb4*/;\nINSERT INTO `users` VALUES(3,'c','')\n;\n",
}
LOADED = {
    **{name: content for name, content in NEW.items() if not name.startswith("shop.users.0")},
    "shop.users.00000.sql": b"LOAD DATA LOCAL INFILE 'shop.users.00000.dat' REPLACE INTO TABLE `users` "
    b"CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' "
    b"LINES STARTING BY '' TERMINATED BY '\\n' (`id`,`name`,@`face`) SET `face`=UNHEX(@`face`);\n",
    "shop.users.00000.dat": b"1\ta'b\t00FF\n2\t\\N\t\\N\n3\tc\t\n",
}
USERS = [(1, "a'b", b"\x00\xff"), (2, None, None), (3, "c", b"")]


def written(folder: Path, files: dict[str, bytes], compress: bool = False) -> Path:
    """A folder with files, those that tools compress as zstd does it."""
    folder.mkdir()
    for name, content in files.items():
        packed = compress and not name.startswith(("metadata", "@")) and not name.endswith((".json", ".idx"))
        ending = ".zst" if packed and not name.endswith(".zst") else ""
        (folder / (name + ending)).write_bytes(zstandard.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("files", [NEW, LOADED])
@pytest.mark.parametrize("compress", [False, True])
def test_the_layouts_of_newer_mydumpers_are_read(files: dict[str, bytes], compress: bool, tmp_path: Path) -> None:
    tables = read_from(written(tmp_path / "dump", files, compress))
    assert sorted(rows_of(tables["users"])) == USERS
    assert rows_of(tables["odd.name"]) == [(7,)]


def _change(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new))

    return change


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("files", "damage", "message"),
    [
        (NEW, _remove("shop.users.00001.sql"), "table users has 2 rows where the dump tells of 3"),
        (NEW, _remove("shop.users-schema.sql"), r"the definition of the table in shop\.users\.0000.* is missing"),
        (NEW, _change("metadata", b"Finished", b"F"), "doesn't say that the dump was finished"),
        (NEW, lambda folder: (folder / "metadata").rename(folder / "metadata.partial"), "hasn't finished this dump"),
        (NEW, _change("shop.users.00001.sql", b"\n;\n", b""), "00001.sql: the file has no end"),
        (LOADED, _remove("shop.users.00000.dat"), r"shop\.users\.00000\.dat, with the rows of table users, is missing"),
        (LOADED, _change("shop.users.00000.dat", b"3\tc\t\n", b"3\tc\t"), "ends within a row"),
        (LOADED, _change("shop.users.00000.dat", b"3\tc\t\n", b""), "2 rows where the dump tells of 3"),
        (LOADED, _change("shop.users.00000.sql", b"ENCLOSED BY ''", b"ENCLOSED BY '\"'"), "rows in another form"),
    ],
)
def test_a_folder_of_mydumper_that_is_not_whole_is_refused(
    files: dict[str, bytes], damage: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    folder = written(tmp_path / "dump", files)
    damage(folder)
    with pytest.raises(DumpError, match=message):
        read_from(folder)


CHUNKS = (b"1\ta\\tb\\\\\t" + base64.b64encode(b"\x00\xff") + b"\n2\t\\N\t\\N\n", b"3\tc\t\n")
OPTIONS = {
    "schema": "shop", "table": "users", "columns": ["id", "name", "face"], "decodeColumns": {"face": "FROM_BASE64"},
    "defaultCharacterSet": "utf8mb4", "fieldsTerminatedBy": "\t", "fieldsEnclosedBy": "", "fieldsEscapedBy": "\\",
    "fieldsOptionallyEnclosed": False, "linesTerminatedBy": "\n",
}  # fmt: skip
SHELL = {
    "@.json": json.dumps(
        {"dumper": "mysqlsh Ver 8.4.0", "version": "2.0.1", "schemas": ["shop"], "basenames": {"shop": "shop"},
         "defaultCharacterSet": "utf8mb4", "tzUtc": True, "serverVersion": "8.4.0"}
    ).encode(),
    "@.sql": b"-- MySQLShell dump 2.0.1\n", "@.post.sql": b"", "shop.sql": b"CREATE DATABASE `shop`;\n",
    "shop.json": json.dumps(
        {"schema": "shop", "includesDdl": True, "includesData": True, "tables": ["users", "odd@name"], "views": ["v"],
         "basenames": {"users": "shop@users", "odd@name": "shop@odd%40name", "v": "shop@v"}}
    ).encode(),
    "shop@users.json": json.dumps(
        {"options": OPTIONS, "includesData": True, "includesDdl": True, "extension": "tsv.zst", "chunking": True,
         "compression": "zstd", "basenames": {}}
    ).encode(),
    "shop@users.sql": b"-- MySQLShell dump 2.0.1  Distrib Ver 8.4.0\nCREATE TABLE IF NOT EXISTS `users` (\n`id` int,\n"
    b"`name` varchar(20),\n`face` blob\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n",
    "shop@users@0.tsv.zst": zstandard.compress(CHUNKS[0]), "shop@users@@1.tsv.zst": zstandard.compress(CHUNKS[1]),
    "shop@users@0.tsv.zst.idx": len(CHUNKS[0]).to_bytes(8, "big"),
    "shop@users@@1.tsv.zst.idx": len(CHUNKS[1]).to_bytes(8, "big"),
    "shop@odd%40name.json": json.dumps(
        {"options": OPTIONS | {"table": "odd@name", "columns": ["q"], "decodeColumns": {}}, "includesData": True,
         "extension": "tsv", "chunking": False, "compression": "none"}
    ).encode(),
    "shop@odd%40name.sql": b"CREATE TABLE IF NOT EXISTS `odd@name` (\n`q` int\n);\n",
    "shop@odd%40name.tsv": b"7\n",
    "shop@v.sql": b"CREATE VIEW v AS SELECT 1;\n",
    "@.done.json": json.dumps(
        {"end": "2026-01-31 05:00:01", "dataBytes": 30, "tableDataBytes": {"shop": {"users": 28, "odd@name": 2}},
         "tableRows": {"shop": {"users": 3, "odd@name": 1}},
         "chunkFileBytes": {"shop@users@0.tsv.zst": len(CHUNKS[0]), "shop@users@@1.tsv.zst": len(CHUNKS[1])}}
    ).encode(),
}  # fmt: skip
"""A dump of util.dumpSchemas, after MySQL Shell's documentation: it can't be had here."""


def test_a_folder_of_mysql_shell_is_read(tmp_path: Path) -> None:
    folder = written(tmp_path / "dump", SHELL)
    tables = read_from(folder)
    assert rows_of(tables["users"]) == [(1, "a\tb\\", b"\x00\xff"), (2, None, None), (3, "c", b"")]
    assert rows_of(tables["odd@name"]) == [(7,)]
    seen = inspect(folder)
    assert (seen.form, seen.dialect, seen.server_version, seen.compression) == ("MySQL Shell", "mysql", "8.4.0", "zstd")
    with DumpReader(folder, only=["odd@name"]) as reader:
        assert sum(batch.num_rows for _, batch in reader) == 1
    assert reader.read_bytes < sum(len(content) for content in SHELL.values()) - 100


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove("@.done.json"), "hasn't finished this dump"),
        (_remove("@.json"), r"@\.json is missing"),
        (_remove("shop@users@0.tsv.zst"), "chunk 0 of shop@users is missing"),
        (_remove("shop@users@@1.tsv.zst"), "chunk 1 of shop@users is missing"),
        (_remove("shop@users.sql"), r"shop@users\.sql is missing"),
        (_change("shop@users.json", b'"fieldsEnclosedBy": ""', b'"fieldsEnclosedBy": "x"'), "rows are in another form"),
        (_change("@.done.json", b'"users": 3', b'"users": 4'), "has 3 rows where the dump tells of 4"),
        (_change("shop@users.json", b"FROM_BASE64", b"MYSTERY"), "MYSTERY, which isn't known"),
        (lambda f: (f / "shop.json").write_bytes(SHELL["shop.json"][:-1]), r"shop\.json isn't JSON"),
        (
            lambda f: (f / "shop@users@@1.tsv.zst").write_bytes(zstandard.compress(b"")),
            "holds 0 bytes where 5 are expected",
        ),
    ],
)
def test_a_folder_of_mysql_shell_that_is_not_whole_is_refused(
    damage: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    folder = written(tmp_path / "dump", SHELL)
    damage(folder)
    with pytest.raises(DumpError, match=message):
        read_from(folder)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    for files, message in (
        ({}, "no file of a dump"),
        ({".hidden": b"x", "a.md5": b"x"}, "no file of a dump"),
        ({"a.sql": b"x", "b.sql": b"y"}, "2 files that together are no dump.*a.sql, b.sql"),
        (
            {"metadata": b"Finished dump at: 1", "shop.users.00000.sql.gz": b""},
            "definition of the table in .* --no-schemas",
        ),
        ({"dump": b"\n-- metadata.header 3\nabc\n-- shop.t-schema.sql 4\n"}, "stream of mydumper"),
        ({"metadata": b"x", "notes.md": b"y"}, "2 files that together are no dump"),
    ):
        with pytest.raises(DumpError, match=message):
            read_from(written(tmp_path / str(len(message)), files))
        shutil.rmtree(tmp_path / str(len(message)))


def test_a_folder_with_one_dump_in_it_is_that_dump(tmp_path: Path) -> None:
    dump = b"-- MySQL dump 10.13\nCREATE TABLE `t` (`a` int);\nINSERT INTO `t` VALUES (1);\n-- Dump completed\n"
    folder = written(tmp_path / "dump", {"dump.sql": dump, "dump.sql.md5": b"x", ".DS_Store": b"x"})
    assert rows_of(read_from(folder)["t"]) == [(1,)]


def test_tables_of_one_name_in_two_databases_are_two_tables(tmp_path: Path) -> None:
    files = dict(NEW)
    for name, content in NEW.items():
        if name.startswith("shop"):
            files[name.replace("shop", "mall", 1)] = content.replace(b"`shop`", b"`mall`").replace(b"'c'", b"'d'")
    folder = written(tmp_path / "dump", files | {"shop.users-metadata": b"3"})
    tables = read_from(folder, only=["users", "shop.users", "mall.users"])
    assert sorted(len(table) for table in tables.values()) == [3, 3]
    assert rows_of(read_from(folder, database="mall", only=["users"])["users"])[-1] == (3, "d", b"")
