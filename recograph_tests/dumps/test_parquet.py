"""`recograph dump convert` writes every table as typed Parquet, and nothing outside of its folder."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from recograph.cli.dump import app
from recograph.dumps import DumpError
from recograph.dumps.parquet import convert, file_name

TABLES = {
    "t": "t.parquet",
    "größe 日本": "größe 日本.parquet",
    "../../x": "%2E.%2F..%2Fx.parquet",
    "/etc/passwd": "%2Fetc%2Fpasswd.parquet",
    "..": "%2E%2E.parquet",
    ".hidden": "%2Ehidden.parquet",
    "a\0b\n": "a%00b%0A.parquet",
    "a%2Fb": "a%252Fb.parquet",
    "-rf": "%2Drf.parquet",
    "C:\\x": "C%3A%5Cx.parquet",
}


def dump_of(folder: Path, *names: str, end: str = "-- Dump completed\n") -> Path:
    statements = [
        f"CREATE TABLE `{name}` (`a` int, `b` text);\nINSERT INTO `{name}` VALUES ({at},'x'),(NULL,NULL);\n"
        for at, name in enumerate(names)
    ]
    path = folder / "dump.sql"
    path.write_text("-- MySQL dump 10.13\n" + "".join(statements) + end)
    return path


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("table", TABLES)
def test_file_names_cannot_leave_the_folder(table: str) -> None:
    assert file_name(table) == TABLES[table]


def test_every_table_becomes_a_file_in_the_folder(tmp_path: Path) -> None:
    convert(dump_of(tmp_path, *TABLES), tmp_path / "out" / "deep")
    assert files(tmp_path) == sorted(["dump.sql", *(f"out/deep/{name}" for name in TABLES.values())])
    rows = [pq.read_table(tmp_path / "out" / "deep" / name).to_pylist() for name in TABLES.values()]
    assert rows == [[{"a": at, "b": "x"}, {"a": None, "b": None}] for at in range(len(TABLES))]


def test_a_dump_that_breaks_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(dump_of(tmp_path, "t"), out)
    before = (out / "t.parquet").read_bytes()
    for broken in (dump_of(tmp_path, "t", "u", end=""), dump_of(tmp_path, "t", "u", end="CREATE TABLE `v` (")):
        with pytest.raises(DumpError):
            convert(broken, out)
        assert files(out) == ["t.parquet"]
        assert (out / "t.parquet").read_bytes() == before
    with pytest.raises(DumpError, match="the dump has no table u"):
        convert(dump_of(tmp_path, "t"), out, tables=["t", "u"])
    with pytest.raises(DumpError, match="too long for a file name"):
        convert(dump_of(tmp_path, "x" * 300), out)
    assert files(out) == ["t.parquet"]


def test_a_dump_may_have_more_tables_than_files_may_be_open_and_fill_them_in_turns(tmp_path: Path) -> None:
    names = [f"t{at}" for at in range(100)]
    path = dump_of(tmp_path, *names, end="")
    with path.open("a") as file:
        file.writelines(f"INSERT INTO `{name}` VALUES ({at},'again');\n" for at, name in enumerate(names))
        file.write("CREATE TABLE nothing (a int);\n-- Dump completed\n")
    reports = convert(path, tmp_path / "out")
    assert len(files(tmp_path / "out")) == 101
    assert {report.rows for report in reports.values()} == {0, 3}
    for at, name in enumerate(names):
        assert pq.read_table(tmp_path / "out" / f"{name}.parquet")["a"].to_pylist() == [at, None, at]


def test_the_folder_must_be_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DumpError, match="can't be written"):
        convert(dump_of(tmp_path, "t"), tmp_path / "file")


def test_the_command_line_inspects_and_converts(tmp_path: Path) -> None:
    dump = str(dump_of(tmp_path, "t", "u"))
    shown = CliRunner().invoke(app, ["inspect", dump])
    assert shown.exit_code == 0
    assert "mysql" in shown.output
    report = json.loads(CliRunner().invoke(app, ["inspect", dump, "--json"]).output)
    assert report["compression"] == "none"
    assert {name: (table["columns"], table["rows"]) for name, table in report["tables"].items()} == {
        "t": (["a", "b"], 2),
        "u": (["a", "b"], 2),
    }
    ran = CliRunner().invoke(app, ["convert", dump, "--out", str(tmp_path / "o"), "--table", "u", "--text", "u.a"])
    assert ran.exit_code == 0, ran.output
    assert "1 tables with 2 rows" in ran.output
    assert pq.read_table(tmp_path / "o" / "u.parquet")["a"].to_pylist() == ["1", None]


def test_the_command_line_raises_limits(tmp_path: Path) -> None:
    dump = str(dump_of(tmp_path, "t", "u"))
    refused = CliRunner().invoke(app, ["inspect", dump, "--limit", "tables=1"])
    assert "more than 1 tables" in str(refused.exception)
    assert CliRunner().invoke(app, ["inspect", dump, "--limit", "tables=2", "--limit", "columns=2"]).exit_code == 0
    for wrong in ("tables", "tables=x", "rows=1"):
        assert CliRunner().invoke(app, ["inspect", dump, "--limit", wrong]).exit_code == 2
    too_much = CliRunner().invoke(app, ["inspect", dump, "--limit", "value_bytes=9999999999"])
    assert "can't be more than 536870912" in str(too_much.exception)
