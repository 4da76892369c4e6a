import csv
import io
import json
import sys

import pytest
from typer.testing import CliRunner

from recograph.cli.main import app, main
from recograph.graph.queries import questions

pytestmark = pytest.mark.usefixtures("asked")


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
        (("search", ""), "no word to search for"),
        (("search", "x" * 2000), "2,000 characters"),
    ],
)
def test_errors_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert message in refused(monkeypatch, capsys, *arguments)
