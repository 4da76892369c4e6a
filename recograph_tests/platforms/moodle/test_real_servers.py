"""Dumps that the real tools write of Moodle's tables, as several of its versions have them, on real servers."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recograph.adapters.local.folder_lake import LocalLake
from recograph.customers import Customer, DumpOptions
from recograph.errors import RecographError
from recograph.lake.inbox import dump_for
from recograph.lake.landing import Landing, land
from recograph.platforms.moodle.contracts import CONTRACTS
from recograph.platforms.sample_dumps import generate, prepare
from recograph_tests.dumps.servers import MariaDB, PostgreSQL
from recograph_tests.platforms.moodle.versions import VERSIONS

DAY = "2026-11-01"
MYSQL, POSTGRES = "academy_1", "academy_2"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dump in each of the two forms."""
    out = tmp_path_factory.mktemp("samples")
    prepare(out, "moodle")
    generate(out, scale=0.05, days=1, compress=False)
    return out


def land_text(folder: Path, customer: Customer, dump: bytes) -> tuple[Landing, dict[str, list[dict[str, object]]]]:
    """Land a dump; gives what landing said and the rows of each table."""
    lake = LocalLake(root=str(folder / "lake"), data=str(folder / "data"), home=str(folder / "home"))
    path = folder / "data" / customer.id / f"{DAY}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dump)
    landing = land(lake, dump_for(lake, customer.id, DAY), customer)
    tables = {name: pq.read_table(table.uri, partitioning=None) for name, table in landing.tables.items()}
    return landing, {name: sorted(table.to_pylist(), key=str) for name, table in tables.items()}


def compare(
    version: str, prefix: str, before: dict[str, list[dict[str, object]]], after: Landing, rows: object
) -> None:
    """Every row is what the generator made, but for what the version hasn't, and what it has instead."""
    there = VERSIONS[version]
    assert not any(table.missing_columns for table in after.tables.values())
    expected = {name: [dict(row) for row in table] for name, table in before.items()}
    for name in {*there.without_tables} & {*CONTRACTS}:
        assert not after.tables[name].in_dump
        expected[name] = []
    for name, columns in there.without.items():
        for row in expected[name]:
            row |= {column: None for column in columns if column in row}
    if "course_modules_completion" in there.added:
        for row in expected["course_modules_completion"]:
            row["viewed"] = 1
    assert rows == {name: sorted(table, key=str) for name, table in expected.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_mariadb(mariadb: MariaDB, samples: Path, tmp_path: Path, version: str) -> None:
    customer = prepare(samples)[MYSQL]
    dump = samples / MYSQL / f"{DAY}.sql"
    _, made = land_text(tmp_path / "made", customer, dump.read_bytes())
    mariadb.create("", "moodle")
    mariadb.load(dump, "moodle")
    mariadb.run(";".join(VERSIONS[version].statements("mdl_")), "moodle")
    landing, rows = land_text(tmp_path / "dumped", customer, mariadb.dump("--single-transaction", database="moodle"))
    assert landing.dialect == "mariadb"
    compare(version, "mdl_", made, landing, rows)


@pytest.mark.parametrize("version", VERSIONS)
def test_postgresql(postgresql: PostgreSQL, samples: Path, tmp_path: Path, version: str) -> None:
    customer = prepare(samples)[POSTGRES]
    text = (samples / POSTGRES / f"{DAY}.sql").read_text()
    _, made = land_text(tmp_path / "made", customer, text.encode())
    postgresql.create("", "moodle")
    if not postgresql.run("select 1 from pg_roles where rolname = 'lms'"):
        postgresql.run("create role lms")
    postgresql.load(samples / POSTGRES / f"{DAY}.sql", "moodle")
    absent = [statement for statement in VERSIONS[version].statements("m_") if "tool_courserating" not in statement]
    postgresql.run(";".join(absent), "moodle")
    landing, rows = land_text(tmp_path / "dumped", customer, postgresql.dump(database="moodle"))
    assert landing.dialect == "postgresql"
    compare(version, "m_", made, landing, rows)


def test_another_prefix_is_asked_for(samples: Path, tmp_path: Path) -> None:
    customer = prepare(samples)[MYSQL].model_copy(update={"dump": DumpOptions(prefix="m_")})
    with pytest.raises(RecographError, match=r"table m_user is missing, .*dump\.prefix of academy_1"):
        land_text(tmp_path, customer, (samples / MYSQL / f"{DAY}.sql").read_bytes())
    assert not list((tmp_path / "lake").rglob("*.parquet"))
