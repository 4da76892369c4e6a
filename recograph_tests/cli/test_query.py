import csv
import io
import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import neo4j
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from recograph.cli.main import app, main
from recograph.errors import RecographError
from recograph.graph.queries import questions

pytestmark = pytest.mark.usefixtures("asked")

READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "parquet": pd.read_parquet,
    "xlsx": pd.read_excel,
    "csv": pd.read_csv,
    "json": pd.read_json,
}


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["recograph", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


def test_the_same_rows_as_table_csv_and_json() -> None:
    asking = ("query", "popular_courses", "--param", "customer=customer_1", "-p", "limit=2")
    rows = json.loads(run(*asking, "--format", "json"))
    assert [(row["name"], row["learners"], row["rating"]) for row in rows] == [
        ("Étude d'anglais", 3, 4.5),
        ("Data Science Basics", 2, 3.0),
    ]
    read = list(csv.DictReader(io.StringIO(run(*asking, "--format", "csv"))))
    assert read == [{key: str(value) for key, value in row.items()} for row in rows]
    table = run(*asking)
    assert "Étude d'anglais" in table
    assert "Negotiation" not in table


@pytest.mark.parametrize("output", ["parquet", "xlsx", "csv", "json", "table"])
def test_an_answer_goes_into_a_file(tmp_path: Path, output: str) -> None:
    file = tmp_path / f"answer.{output}"
    asking = ("query", "popular_courses", "-p", "customer=customer_1", "--format", output, "--out", str(file))
    assert "4 rows are in" in run(*asking)
    if output == "table":
        assert "Étude d'anglais" in file.read_text(encoding="utf-8")
        return
    rows = READERS[output](file)
    assert rows.name.tolist()[0] == "Étude d'anglais"
    assert rows.learners.tolist() == [3, 2, 1, 0]


def test_a_workbook_calculates_nothing(small: neo4j.Driver, tmp_path: Path) -> None:
    file = tmp_path / "answer.xlsx"
    run(
        "neo4j",
        "cypher",
        "RETURN '=1+1' AS a, '\u001b[2J' AS b, datetime('2026-01-02T03:04:05Z') AS c",
        "-f",
        "xlsx",
        "-o",
        str(file),
    )
    _, row = openpyxl.load_workbook(file).active.iter_rows()
    assert [(cell.value, cell.data_type) for cell in row[:2]] == [("=1+1", "s"), ("\ufffd[2J", "s")]
    assert row[2].value == datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_a_title_cannot_command_the_terminal_or_the_spreadsheet(small: neo4j.Driver, output: str) -> None:
    title = "=cmd\x1b]0;x\x07 \x9b2J Étude\r"
    rename = "MATCH (c:Course {customer_id: 'customer_1', id: 10}) WITH c, c.name AS was SET c.name = $name RETURN was"
    ((before,),) = small.execute_query(rename, name=title).records
    try:
        small.execute_query("CALL db.awaitIndexes()")
        shown = run("search", "Étude", "--format", output)
        shown += run("query", "popular_courses", "-p", "customer=customer_1", "--format", output)
        shown += run(
            "neo4j", "cypher", "MATCH (c:Course {customer_id: 'customer_1'}) RETURN c.name, c", "--format", output
        )
    finally:
        small.execute_query(rename, name=before)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)
    assert "tude" in shown
    if output == "csv":
        assert {cell[0] for line in csv.reader(io.StringIO(shown)) for cell in line if "cmd" in cell} <= {"'", "{"}


def test_forms_that_are_no_text_need_a_file() -> None:
    with pytest.raises(RecographError, match=r"--format xlsx is no text: name the file to write with --out\."):
        run("query", "--list", "--format", "xlsx")


def test_times_are_in_iso_format() -> None:
    (row,) = json.loads(run("query", "unused_courses", "-p", "customer=customer_1", "-f", "json"))
    assert row["created_date"] == "2024-01-05T12:30:15.678000000+00:00"


def test_the_list_has_every_question() -> None:
    listed = json.loads(run("query", "--list", "-f", "json"))
    assert [row["name"] for row in listed] == list(questions())
    assert listed[0] == {
        "name": "activity",
        "question": "How long ago were the users active last?",
        "parameters": "customer",
        "columns": "recency, users",
    }
    assert run("query") == run("query", "--list")


def test_the_cypher_of_a_question_is_shown() -> None:
    assert run("query", "languages", "--cypher").startswith("MATCH (user:User)")


def test_search() -> None:
    rows = json.loads(run("search", "science", "--customer", "customer_1", "--label", "Course", "-f", "json"))
    assert [(row["kind"], row["customer"], row["title"]) for row in rows] == [
        ("Course", "customer_1", "Data Science Basics")
    ]
    assert run("search", "zebra", "--format", "csv") == "kind,customer,id,title,score\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("query", "[/bold]"), "There is no query '[/bold]'"),
        (("query", "languages", "-p", "customer"), "--param 'customer' must be NAME=VALUE"),
        (("query", "languages", "-p", "customer=customer_3"), "has no customer 'customer_3'"),
        (("query", "languages", "-p", "customer=customer_1", "-p", "x=1"), "languages has no parameter 'x'"),
        (("query", "user_history", "-p", "customer=customer_1", "-p", "user=me"), "must be of type integer"),
        (
            ("query", "user_history", "-p", "customer=customer_1"),
            "user_history needs user (id of the user). Give --param user=VALUE.",
        ),
        (("search", ""), "no word to search for"),
        (("search", "x" * 2000), "2,000 characters"),
    ],
)
def test_errors_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert message in refused(monkeypatch, capsys, *arguments)
