"""The example of docs/extending.md, done by its words in a copy of the project: a label, and a relationship to it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import neo4j as neo4j_driver
import pytest

from recograph.adapters.neo4j import Connection
from recograph.settings import PROJECT_DIR
from recograph_tests.pipeline.installation import bare_environment

pytestmark = pytest.mark.docs

CUSTOMER, DAY = "customer_3", "2026-11-01"


class Copy:
    """A copy of the project, whose own code is run."""

    def __init__(self, folder: Path, server: Connection) -> None:
        self.folder = folder
        for name in ("recograph", "dbt_project"):
            shutil.copytree(
                PROJECT_DIR / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
            )
        (folder / "data" / CUSTOMER).mkdir(parents=True)
        for file in ("workspace.yaml", "data/customers.yaml", f"data/{CUSTOMER}/{DAY}.sql.gz"):
            shutil.copy(PROJECT_DIR / file, folder / file)
        self._environ = bare_environment() | {
            "PYTHONPATH": str(folder),
            "NEO4J_URI": server.uri,
            "NEO4J_PASSWORD": server.password,
            "COLUMNS": "400",
        }

    def recograph(self, *arguments: str) -> str:
        """Run `recograph ARGUMENTS` of the copy, and give what it says."""
        command = [sys.executable, "-m", "recograph", *arguments]
        ran = subprocess.run(command, cwd=self.folder, env=self._environ, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace what is in a file once."""
        file = self.folder / path
        assert file.read_text().count(old) == 1
        file.write_text(file.read_text().replace(old, new))


def test_a_label_and_a_relationship_are_added_by_the_words_of_the_docs(
    tmp_path: Path, neo4j: neo4j_driver.Driver, neo4j_server: Connection
) -> None:
    page = (PROJECT_DIR / "docs" / "extending.md").read_text()
    section = page[page.index("## A label or a relationship") :]
    blocks = [dedent(block) for block in re.findall(r"^ *```(?:sql|yaml|python)\n(.*?)^ *```", section, re.M | re.S)]
    badges, user_badges, descriptions, declarations = blocks
    copy = Copy(tmp_path / "copy", neo4j_server)
    marts = copy.folder / "dbt_project" / "models" / "marts"
    (marts / "badges.sql").write_text(badges)
    (marts / "user_badges.sql").write_text(user_badges)
    with (marts / "marts.yml").open("a") as file:
        file.writelines(f"  {line}" for line in descriptions.splitlines(keepends=True))
    model = "recograph/graph/model.py"
    copy.edit(model, "\nNODE_SETS: ", f"\n{declarations}\n\nNODE_SETS: ")
    copy.edit(model, "LANGUAGE, COURSE, ASSET)\n", "LANGUAGE, COURSE, ASSET, BADGE)\n")
    copy.edit(
        model,
        "RELATIONSHIP_SETS: tuple[RelationshipSet, ...] = (\n",
        "RELATIONSHIP_SETS: tuple[RelationshipSet, ...] = (\n    HAS_EARNED,\n",
    )

    copy.recograph("run", "--customer", CUSTOMER, "--date", DAY)
    earned, courses = (
        neo4j.execute_query(query, customer=CUSTOMER).records[0].values()
        for query in (
            "MATCH (u:User {customer_id: $customer})-[e:HAS_EARNED]->(b:Badge) "
            "WHERE b.title =~ '[A-Za-z ]+' RETURN u.id, b.title, e.earned_at IS NOT NULL ORDER BY u.id LIMIT 1",
            "MATCH (u:User {customer_id: $customer})-[e:IS_ENROLLED {status_name: 'completed'}]->() "
            "RETURN count(e), COUNT { (:User {customer_id: $customer})-[:HAS_EARNED]->(:Badge) } LIMIT 1",
        )
    )
    user, title, is_dated = earned
    assert is_dated
    assert courses[0] == courses[1] > 0

    searched = copy.recograph("search", title, "--customer", CUSTOMER)
    assert re.search(rf"\bBadge\b.*{re.escape(title)}", searched)
    assert re.search(rf"\bCourse\b.*{re.escape(title)}", searched)
    copy.recograph("view", "--customer", CUSTOMER, "--user", str(user), "--out", str(tmp_path / "view.html"))
    view = (tmp_path / "view.html").read_text()
    for word in ("Badge", "HAS_EARNED", title):
        assert word in view
