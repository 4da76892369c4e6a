"""What docs/extending.md and CONTRIBUTING say that a change touches, done in a copy of the project."""

import json
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

CUSTOMER, DAY, NEXT_DAY = "customer_3", "2026-11-01", "2026-11-02"


class Copy:
    """A copy of the project, whose own code is run."""

    def __init__(self, folder: Path, server: Connection) -> None:
        self.folder = folder
        for name in ("recograph", "dbt_project"):
            shutil.copytree(
                PROJECT_DIR / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
            )
        (folder / "data" / CUSTOMER).mkdir(parents=True)
        for file in ("workspace.yaml", "data/customers.yaml"):
            shutil.copy(PROJECT_DIR / file, folder / file)
        self.receive(DAY)
        self._environ = bare_environment() | {
            "PYTHONPATH": str(folder),
            "NEO4J_URI": server.uri,
            "NEO4J_PASSWORD": server.password,
            "COLUMNS": "400",
        }

    def receive(self, day: str) -> None:
        """Let the customer's dump of a day be there."""
        file = f"data/{CUSTOMER}/{day}.sql.gz"
        shutil.copy(PROJECT_DIR / file, self.folder / file)

    def recograph(self, *arguments: str) -> str:
        """Run `recograph ARGUMENTS` of the copy, and give what it says."""
        return self.python("-m", "recograph", *arguments)

    def python(self, *arguments: str) -> str:
        """Run Python with the copy's package, and give what it prints."""
        command = [sys.executable, *arguments]
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


_COLOURS = """
import sys
from recograph.adapters.environment import open_warehouse
from recograph.settings import Settings
warehouse = open_warehouse(Settings())
for day in sys.argv[1:]:
    users = warehouse.partition("users", "customer_3", day)
    print(*warehouse.query(f"select count(*), count(profile_color) from {users}").to_pylist()[0].values())
"""
"""Of each day, how many users the mart has, and how many of them with the new column."""


def test_a_column_becomes_a_property_by_a_contract_a_mart_and_the_model(
    tmp_path: Path, neo4j: neo4j_driver.Driver, neo4j_server: Connection
) -> None:
    """A column that keeps its name; the day before and the other platform have none."""
    copy = Copy(tmp_path / "copy", neo4j_server)
    with (copy.folder / "data" / "customers.yaml").open("a") as file:
        file.write("\n  - {id: academy, name: A, region: eu-west-2, size: small, category: retail, platform: moodle}\n")
    copy.recograph("run", "--customer", CUSTOMER)

    copy.edit(
        "recograph/platforms/docebo/contracts.py",
        '            Column("register_date"',
        '            Column("profile_color", TEXT, "Colour of the user\'s page"),\n            Column("register_date"',
    )
    marts = "dbt_project/models/marts"
    copy.edit(
        f"{marts}/users.sql",
        "    register_date,\n",
        "    register_date,\n    {{ only_of('docebo', 'profile_color', 'varchar') }},\n",
    )
    copy.edit(
        f"{marts}/marts.yml",
        "      - name: register_date\n",
        "      - {name: profile_color, description: Colour of the user's page, data_type: varchar}\n"
        "      - name: register_date\n",
    )
    copy.edit(
        "recograph/graph/model.py",
        '        Property("register_date"',
        '        Property("profile_color", "profile_color", Type.STRING, "Colour of the user\'s page"),\n'
        '        Property("register_date"',
    )
    copy.receive(NEXT_DAY)
    copy.recograph("run", "--customer", CUSTOMER, "--date", NEXT_DAY)

    users = "MATCH (user:User {customer_id: $customer})"
    counted = neo4j.execute_query(
        f"{users} RETURN count(user), sum(toInteger(user.profile_color =~ '#[0-9a-f]{{6}}'))", customer=CUSTOMER
    )
    total, coloured = counted.records[0].values()
    assert total == coloured > 0
    before, after = copy.python("-c", _COLOURS, DAY, NEXT_DAY).splitlines()
    assert before.split()[1] == "0" != before.split()[0]
    assert after.split() == [str(total)] * 2

    (lineage,) = (copy.folder / ".recograph" / "dbt").glob("project-*/lineage-docebo.json")
    assert json.loads(lineage.read_text())["users"]["profile_color"] == [["glue", "core_user", "profile_color"]]
    assert json.loads(lineage.with_name("lineage-moodle.json").read_text())["users"]["profile_color"] == []
