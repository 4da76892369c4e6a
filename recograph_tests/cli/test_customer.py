"""Requests to erase, from the sample dumps to the graph."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import neo4j as neo4j_driver
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.local.folder_lake import LocalLake
from recograph.adapters.neo4j import Connection
from recograph.analytics.kinds import RECOMMENDATIONS
from recograph.cli import customer as customer_commands
from recograph.cli.customer import app
from recograph.customers import load_customers
from recograph.defs.running import alone_with
from recograph.errors import RecographError
from recograph.graph.erase import Erased
from recograph.graph.load import load
from recograph.lake.erased import add_erased, erased_users
from recograph.lake.interfaces import DumpFile
from recograph.lake.landing import land
from recograph.lake.receipts import Receipt, write_receipt
from recograph.platforms.docebo.contracts import CONTRACTS
from recograph.settings import PROJECT_DIR
from recograph_tests.graph.marts import Snapshot, actual, expected

DAYS = ("2026-11-01", "2026-11-02")
CUSTOMERS = ("customer_1", "customer_2")


@pytest.fixture
def home(tmp_path: Path, neo4j_server: Connection, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with two customers and two days of each, landed from the sample dumps."""
    for name, value in {
        "RECOGRAPH_HOME": str(tmp_path / "home"),
        "RECOGRAPH_DATA": str(tmp_path / "data"),
        "NEO4J_URI": neo4j_server.uri,
        "NEO4J_USERNAME": neo4j_server.username,
        "NEO4J_PASSWORD": neo4j_server.password,
        "DAGSTER_HOME": str(tmp_path / "home" / "dagster"),
    }.items():
        monkeypatch.setenv(name, value)
    # Loading the assets in this process leaves their lake in the environment, for dbt.
    monkeypatch.delenv("RECOGRAPH_LAKE", raising=False)
    for customer in CUSTOMERS:
        (tmp_path / "data" / customer).mkdir(parents=True)
        for day in DAYS:
            name = f"{customer}/{day}.sql.gz"
            shutil.copy(PROJECT_DIR / "data" / name, tmp_path / "data" / name)
    shutil.copy(PROJECT_DIR / "data" / "customers.yaml", tmp_path / "data")
    for customer in CUSTOMERS:
        for dump in inbox_of(tmp_path).dumps(customer).values():
            land(inbox_of(tmp_path), lake_of(tmp_path), dump, load_customers(tmp_path / "data")[customer])
    return tmp_path


@pytest.fixture
def person(home: Path) -> int:
    """Somebody who is enrolled somewhere."""
    return int(
        rows(
            home, f"select any_value(idUser) from '{home}/home/lake/landing/customer_1/learning_courseuser/*/*.parquet'"
        )[0][0]
    )


def inbox_of(home: Path) -> LocalInbox:
    return LocalInbox(home / "data")


def lake_of(home: Path) -> LocalLake:
    return LocalLake(root=str(home / "home" / "lake"), home=str(home / "home"))


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.sql(sql).fetchall()


def load_small(home: Path, driver: neo4j_driver.Driver, person: int) -> dict[str, Snapshot]:
    """Give both customers small marts with the same person, and load them."""
    lake = home / "home" / "lake"
    snapshot = Snapshot(
        {
            "users": [(person, True, True, None), (person + 1, None, True, None)],
            "languages": [("english", "English")],
            "user_languages": [(person, "english")],
            "courses": [(1, "Law", 1, "elearning", None, 2, None)],
            "course_enrolments": [(person, 1, 0, 9), (person + 1, 1, 0, 9)],
        }
    )
    for customer in CUSTOMERS:
        for day in DAYS:
            snapshot.write(lake, customer, day)
        load(driver, DuckDBWarehouse(lake=str(lake)), customer, DAYS[1])
    return dict.fromkeys(CUSTOMERS, snapshot)


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=answer, catch_exceptions=False)


def contents(home: Path, customer: str) -> dict[str, bytes]:
    """All files of a customer in the lake."""
    lake = home / "home" / "lake"
    files = (path for path in lake.rglob("*") if path.is_file())
    return {str(path.relative_to(lake)): path.read_bytes() for path in files if customer in str(path.relative_to(lake))}


def test_remove_erases_a_customer_from_graph_and_lake(home: Path, neo4j: neo4j_driver.Driver, person: int) -> None:
    snapshots = load_small(home, neo4j, person)
    others = contents(home, "customer_2")
    receipts = {customer: home / "home" / "receipts" / customer / DAYS[0] / "marts.json" for customer in CUSTOMERS}
    for customer in CUSTOMERS:
        write_receipt(home / "home", customer, DAYS[0], "marts", Receipt("of", {}, []))
    said = run("remove", "customer_1", "--yes").stdout
    assert "Graph: 4 nodes and 5 relationships of customer_1 erased." in said
    assert "still lists customer_1: remove the entry" in said
    assert str(home / "data" / "customer_1" / "2026-11-01.sql.gz") in said
    assert contents(home, "customer_1") == {}
    assert contents(home, "customer_2") == others
    assert {customer: path.exists() for customer, path in receipts.items()} == {"customer_1": False, "customer_2": True}
    assert actual(neo4j) == expected({"customer_2": snapshots["customer_2"]})


def test_remove_works_when_the_customer_is_no_longer_listed(
    home: Path, neo4j: neo4j_driver.Driver, person: int
) -> None:
    load_small(home, neo4j, person)
    listed = home / "data" / "customers.yaml"
    listed.write_text(listed.read_text().replace("customer_1", "somebody_else"))
    assert "still lists" not in run("remove", "customer_1", "--yes").stdout
    assert contents(home, "customer_1") == {}


def test_remove_waits_for_the_run_of_the_customer_that_is_under_way(
    home: Path, neo4j: neo4j_driver.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the run would bring back what was erased."""
    held: list[int] = []
    with ExitStack() as running:
        running.enter_context(alone_with("customer_1"))

        def end() -> None:
            held.append(len(contents(home, "customer_1")))
            running.close()

        monkeypatch.setattr(customer_commands, "_say_that_it_waits", end)
        run("remove", "customer_1", "--yes")
    assert len(held) == 1
    assert held[0]
    assert contents(home, "customer_1") == {}


def test_remove_asks_first_and_refuses_what_is_no_id(home: Path, neo4j: neo4j_driver.Driver, person: int) -> None:
    load_small(home, neo4j, person)
    before = contents(home, "customer_1")
    assert run("remove", "customer_1", answer="n\n").exit_code == 1
    for wrong in ("", "../customer_1", "customer_1/core_user", "*"):
        with pytest.raises(RecographError, match="can't be used"):
            run("remove", wrong, "--yes")
    assert contents(home, "customer_1") == before


def test_erase_user_erases_a_person_everywhere_and_for_good(
    home: Path, neo4j: neo4j_driver.Driver, person: int
) -> None:
    snapshots = load_small(home, neo4j, person)
    others = contents(home, "customer_2")
    lists = home / "home" / "lake" / f"marts/{RECOMMENDATIONS}/customer=customer_1/snapshot_date={DAYS[1]}/l.parquet"
    lists.parent.mkdir(parents=True)
    pq.write_table(pa.table({"user_id": [person, person + 1]}), lists)
    said = run("erase-user", "customer_1", str(person), "--yes").stdout
    assert pq.read_table(lists)["user_id"].to_pylist() == [person + 1]
    assert "Graph: 1 nodes and 3 relationships erased." in said
    assert f"These still have user {person} of customer_1, and are left to you:" in said
    assert str(home / "data" / "customer_1" / "2026-11-02.sql.gz") in said
    assert about(home, person) == {}
    assert contents(home, "customer_2") == others
    without = Snapshot(
        {mart: [row for row in rows if row[0] != person] for mart, rows in snapshots["customer_1"].marts.items()}
    )
    assert actual(neo4j) == expected(snapshots | {"customer_1": without})
    # Once more finds nothing; and the dumps don't bring the person back.
    assert "Lake: 0 rows" in run("erase-user", "customer_1", str(person), "--yes").stdout
    for dump in inbox_of(home).dumps("customer_1").values():
        land(inbox_of(home), lake_of(home), dump, load_customers(home / "data")["customer_1"])
    assert about(home, person) == {}
    assert erased_users(lake_of(home), "customer_1") == {person}


def test_a_graph_that_was_restored_from_before_an_erasure_is_set_right_by_the_next_load(
    home: Path, neo4j: neo4j_driver.Driver, person: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_small(home, neo4j, person)
    with monkeypatch.context() as patch:
        patch.setattr("recograph.graph.erase.erase_user", lambda *_: Erased())  # the graph stays as the backup has it
        run("erase-user", "customer_1", str(person), "--yes")
    assert ("User", "customer_1", person) in actual(neo4j)[0]
    load(neo4j, DuckDBWarehouse(lake=str(home / "home" / "lake")), "customer_1", DAYS[1])
    assert ("User", "customer_1", person) not in actual(neo4j)[0]
    assert ("User", "customer_2", person) in actual(neo4j)[0]


def about(home: Path, person: int) -> dict[str, int]:
    """Rows about the person by table or mart, in all dates of customer_1."""
    lake = home / "home" / "lake"
    places = {
        f"landing/customer_1/{contract.table}": contract.person for contract in CONTRACTS.values() if contract.person
    }
    places |= {"marts/users/customer=customer_1": "id"}
    places |= {
        f"marts/{mart}/customer=customer_1": "user_id"
        for mart in ("user_languages", "course_enrolments", "course_ratings", "asset_views", "asset_ratings")
    }
    counted = {
        place: rows(home, f"select count(*) from '{lake / place}/*/*.parquet' where {column} = {person}")[0][0]
        for place, column in places.items()
    }
    return {place: count for place, count in counted.items() if count}


def test_the_exit_code_says_whether_copies_remain(home: Path, neo4j: neo4j_driver.Driver, person: int) -> None:
    load_small(home, neo4j, person)
    backup = home / "graph.dump"
    backup.touch()
    (home / "home" / "neo4j").mkdir()
    (home / "home" / "neo4j" / "backups.txt").write_text(f"{backup}\n{home / 'gone.dump'}\n")
    erased = run("erase-user", "customer_1", str(person), "--yes")
    assert erased.exit_code == 3
    assert f"  the backup {backup}\n" in erased.stdout
    assert "gone.dump" not in erased.stdout
    backup.unlink()
    shutil.rmtree(home / "data" / "customer_1")
    assert run("erase-user", "customer_1", str(person), "--yes").exit_code == 0


def test_an_id_that_nobody_can_have_is_refused_before_anything_is_written(home: Path) -> None:
    for wrong in (2**63, 2**70):
        with pytest.raises(RecographError, match=r"can't be the id of a user.*Nothing was erased"):
            run("erase-user", "customer_1", str(wrong), "--yes")
    assert not (home / "home" / "lake" / "erased").exists()
    # One that an older version let through is no trouble.
    listed = home / "home" / "lake" / "erased" / "customer_1" / "users.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(f"[{2**70}, 5]")
    assert erased_users(lake_of(home), "customer_1") == {5}


def test_what_cant_be_erased_is_told_fails_the_command_and_leaves_nobody_in_the_graph(
    home: Path, neo4j: neo4j_driver.Driver, person: int
) -> None:
    snapshots = load_small(home, neo4j, person)
    lake = home / "home" / "lake"
    broken = lake / f"landing/customer_1/core_user/snapshot_date={DAYS[0]}/core_user.parquet"
    broken.write_bytes(broken.read_bytes()[:-9])
    (home / "data" / "customer_1" / f"{DAYS[1]}.sql.gz").write_bytes(b"no dump")
    erased = run("erase-user", "customer_1", str(person), "--yes")
    assert erased.exit_code == 1
    assert f"{broken} can't be read" in erased.stderr
    assert "recograph run --customer customer_1 --date 2026-11-01" in erased.stderr
    assert f"{DAYS[1]}.sql.gz" in erased.stderr
    assert str(home / "data" / "customer_1" / f"{DAYS[0]}.sql.gz") in erased.stdout
    assert ("User", "customer_1", person) not in actual(neo4j)[0]
    broken.unlink()
    assert about(home, person) == {}
    assert ("User", "customer_2", person) in expected(snapshots)[0]
    shutil.rmtree(home / "data" / "customer_1")
    (home / "data" / "customer_1").write_text("a file where a folder should be")
    unlisted = run("erase-user", "customer_1", str(person), "--yes")
    assert unlisted.exit_code == 1
    assert "customer_1 can't be read: Not a directory" in unlisted.stderr
    assert "Lake: 0 rows" in unlisted.stdout


def test_two_erasures_at_once_lose_nobody(home: Path) -> None:
    lake = lake_of(home)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda user: add_erased(lake, "customer_1", user), range(40)))
    assert erased_users(lake, "customer_1") == set(range(40))


@dataclass(frozen=True)
class ErasingInbox(LocalInbox):
    """An inbox of which a dump is being read while somebody is erased."""

    lake: LocalLake
    person: int

    def open_dump(self, dump: DumpFile) -> Any:
        add_erased(self.lake, dump.customer, self.person)
        return super().open_dump(dump)


def test_a_person_who_is_erased_while_a_dump_is_landed_stays_erased(home: Path, person: int) -> None:
    lake = lake_of(home)
    inbox = ErasingInbox(home / "data", lake, person)
    for dump in inbox.dumps("customer_1").values():
        land(inbox, lake, dump, load_customers(home / "data")["customer_1"])
    landed = f"{home}/home/lake/landing/customer_1/learning_courseuser/*/*.parquet"
    ((about, all_),) = rows(home, f"select count(*) filter (idUser = {person}), count(*) from '{landed}'")
    assert about == 0
    assert all_
