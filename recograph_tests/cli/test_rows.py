"""Rows are given as they were asked for, or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recograph.cli.rows import Format, give
from recograph.errors import RecographError
from recograph.graph.reading import Answer

ANSWER = Answer(["name", "score"], [["=1+1", 0.5], [None, 1.0]])


@pytest.mark.parametrize("form", Format)
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, form: Format) -> None:
    with pytest.raises(
        RecographError, match=r"nowhere/rows can't be written: No such file.* Name another file with --out"
    ):
        give(ANSWER, form, tmp_path / "nowhere" / "rows")


@pytest.mark.parametrize("form", [Format.parquet, Format.xlsx])
def test_what_is_no_text_needs_a_file(form: Format) -> None:
    with pytest.raises(RecographError, match=f"--format {form} is no text: name the file to write with --out"):
        give(ANSWER, form)


def test_a_full_disk_leaves_the_file_that_was_there(disk: Callable[[int], Path]) -> None:
    out = disk(1) / "rows.csv"
    give(ANSWER, Format.csv, out)
    before = out.read_text()
    many = Answer(["number", "text"], [[number, "x" * 100] for number in range(20_000)])
    with pytest.raises(RecographError, match=r"rows\.csv can't be written: No space left on device\. Name another"):
        give(many, Format.csv, out)
    assert {path.name: path.read_text() for path in out.parent.iterdir()} == {"rows.csv": before}
