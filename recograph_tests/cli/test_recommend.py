import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import neo4j
import pytest
from typer.testing import CliRunner

from recograph.cli.main import app
from recograph.errors import RecographError
from recograph.serve.view import view

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


pytestmark = pytest.mark.usefixtures("asked")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--customer", "customer_1"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_recommendations_have_reasons() -> None:
    rows = json.loads(run("recommend", "--user", "1", "--format", "json"))
    assert [(row["kind"], row["id"], row["reason"]) for row in rows] == [
        ("Course", 12, "because you took Étude d'anglais"),
        ("Course", 13, "nobody has had it yet"),
        ("Asset", 21, "because you watched Data Science in 5 minutes"),
    ]


def test_a_new_user_gets_what_is_popular() -> None:
    rows = json.loads(run("recommend", "--user", "6", "--k", "1", "--format", "json"))
    assert [(row["title"], row["score"], row["reason"]) for row in rows] == [
        ("Étude d'anglais", 0, "popular: taken by 3"),
        ("Data Science in 5 minutes", 0, "popular: watched by 3"),
    ]


@pytest.mark.parametrize("command", ["recommend", "view"])
def test_an_unknown_user_is_said(command: str) -> None:
    with pytest.raises(RecographError, match="customer_1 has no user 7 in the graph"):
        run(command, "--user", "7")


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecographError, match=r"can't be written: No such file or directory\. Name another file"):
        run("view", "--user", "1", "--out", str(tmp_path / "no" / "user.html"))


def test_a_full_disk_leaves_the_picture_that_was_there(disk: Callable[[int], Path]) -> None:
    page = disk(1) / "user.html"
    page.write_text("earlier " * 130_000)
    with pytest.raises(RecographError, match=r"user\.html can't be written: No space left on device"):
        run("view", "--user", "1", "--out", str(page))
    assert page.read_text().endswith("earlier ")
    assert list(page.parent.iterdir()) == [page]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to look at the page with")
def test_the_picture_shows_in_a_browser_without_a_network(tmp_path: Path) -> None:
    page = tmp_path / "user.html"
    assert str(page) in run("view", "--user", "1", "--out", str(page))
    shown = rendered(page, tmp_path)
    drawn = set(re.findall(r'<g class="node (\w+)"[^>]* aria-label="([^"]*)"', shown))
    assert drawn == {
        ("User", "User User 1"),
        ("Customer", "Customer customer_1 Ltd"),
        ("Language", "Language English"),
        ("Course", "Course Étude d'anglais"),
        ("Course", "Course Data Science Basics"),
        ("Asset", "Asset Data Science in 5 minutes"),
    }
    lines = re.findall(r'<line class="(\w+)', shown)
    assert {"IS_ENROLLED", "HAS_WATCHED", "HAS_RATED", "SIMILAR_TO", "SPEAKS", "WORKS_AT"} == set(lines)


def test_the_picture_can_reach_no_network_and_has_its_facts_as_tables(tmp_path: Path) -> None:
    page = tmp_path / "user.html"
    run("view", "--user", "1", "--out", str(page))
    source = page.read_text(encoding="utf-8")
    assert source.count('<html lang="en">') == source.count('<main id="main">') == 1
    assert "default-src 'none'" in source
    for word in ("connect-src", "https:", 'src="', 'href="', "upload", "plotly"):
        assert word not in source
    assert source.replace("http://www.w3.org/2000/svg", "").count("http:") == 0
    assert '<td>User 1</td><td class="type">IS_ENROLLED</td><td>Étude d&#x27;anglais</td>' in source


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to look at the page with")
def test_titles_are_only_text_in_the_picture(small: neo4j.Driver, tmp_path: Path) -> None:
    title = "</script><script>document.title = 'hijacked'</script><b>x"
    (before,) = small.execute_query("MATCH (c:Course {customer_id: 'customer_1', id: 10}) RETURN c.name").records[0]
    rename = "MATCH (c:Course {customer_id: 'customer_1', id: 10}) SET c.name = $name"
    small.execute_query(rename, name=title)
    try:
        page = tmp_path / "user.html"
        page.write_text(view(small, "customer_1", 1), encoding="utf-8")
    finally:
        small.execute_query(rename, name=before)
    shown = rendered(page, tmp_path)
    assert "<title>User 1 of customer_1</title>" in shown
    assert "<script>document.title" not in shown
    assert "<b>x" not in shown
    assert 'class="node Course"' in shown


def rendered(page: Path, folder: Path) -> str:
    """The document after its scripts have run, in a browser that finds no host."""
    assert CHROMIUM
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]
    flags += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=10000", "--dump-dom"]
    command = [CHROMIUM, *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
