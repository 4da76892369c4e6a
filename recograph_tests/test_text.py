import json

import pytest

from recograph.text import csv_cell, dump_json, markdown, printable

NASTY = "a\x1b]0;owned\x07b\x9b2Jc\rd\u202ee"


def test_a_terminal_obeys_nothing() -> None:
    assert printable(NASTY) == "a\ufffd]0;owned\ufffdb\ufffd2Jc\ufffdd\ufffde"
    assert printable("Étude\td'anglais\n") == "Étude\td'anglais\n"


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_a_spreadsheet_calculates_nothing(text: str) -> None:
    assert csv_cell(text).startswith("'")


def test_other_cells_stay_as_they_are() -> None:
    assert csv_cell("Étude = d'anglais") == "Étude = d'anglais"


def test_markdown_shows_and_does_nothing() -> None:
    text = "![x](http://h/graphql?query=mutation)\n\n# <img src=x> www.example.com `a` | b"
    shown = markdown(text)
    assert "\n" not in shown
    assert shown.replace("\\", "") == " ".join(text.split())
    assert shown.startswith(r"\!\[x\]\(http\:\/\/h\/graphql\?query\=mutation\) \# \<img")
    assert r"www\.example\.com" in shown


def test_json_can_be_printed_and_loses_nothing() -> None:
    printed = dump_json({"title": NASTY})
    assert printable(printed) == printed
    assert json.loads(printed) == {"title": NASTY}
    assert dump_json("Étude") == '"Étude"'
