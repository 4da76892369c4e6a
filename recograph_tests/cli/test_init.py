"""`recograph init` writes a folder, and nothing over what is there."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from recograph.cli import app
from recograph.errors import RecographError


def test_a_folder_that_has_customers_is_left_as_it_is(tmp_path: Path) -> None:
    customers = tmp_path / "data" / "customers.yaml"
    customers.parent.mkdir()
    customers.write_text("mine")
    with pytest.raises(RecographError, match=r"customers\.yaml is there already; nothing was written"):
        CliRunner().invoke(app, ["init", str(tmp_path)], catch_exceptions=False)
    assert customers.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [customers.parent]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecographError, match=r"file/data can't be written: Not a directory"):
        CliRunner().invoke(app, ["init", str(tmp_path / "file")], catch_exceptions=False)


def test_what_somebody_has_written_there_stays(tmp_path: Path) -> None:
    for name in ("README.md", ".gitignore"):
        (tmp_path / name).write_text("mine")
    ran = CliRunner().invoke(app, ["init", str(tmp_path), "--scale", "0.02", "--days", "1"], catch_exceptions=False)
    assert ran.exit_code == 0
    assert [(tmp_path / name).read_text() for name in ("README.md", ".gitignore")] == ["mine", "mine"]
    assert len(list((tmp_path / "data").glob("customer_*/*.sql.gz"))) == 3
