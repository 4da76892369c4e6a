import re
import tracemalloc
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from recograph.cli.sample_data import sample_data
from recograph.customers import Customer, load_customers
from recograph.errors import RecographError
from recograph.platforms.docebo.contracts import CONTRACTS
from recograph.platforms.docebo.sample import Rows
from recograph.platforms.sample_dumps import generate, prepare
from recograph.sample_data.profiles import profile_of
from recograph.sample_data.world import World
from recograph_tests.sample_data.sample_dumps import read_table, text_of

CUSTOMERS = ("customer_1", "customer_2", "customer_3")
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the default seed gives."""
    out = tmp_path_factory.mktemp("sample")
    generate(out)
    return out


def dump(folder: Path, customer: str, day: str = DAYS[0]) -> Path:
    return folder / customer / f"{day}.sql.gz"


def pairs(rows: list[dict[str, str | None]], *names: str) -> set[tuple[str | None, ...]]:
    return {tuple(row[name] for name in names) for row in rows}


def test_the_committed_dumps_are_what_the_default_seed_gives(sample: Path) -> None:
    for customer in CUSTOMERS:
        for day in DAYS:
            assert text_of(dump(sample, customer, day)) == text_of(dump(DATA, customer, day)), (customer, day)


def test_the_committed_dumps_are_small() -> None:
    dumps = list(DATA.glob("*/*.sql.gz"))
    assert len(dumps) >= 9
    assert sum(path.stat().st_size for path in dumps) < 5_000_000


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(sample: Path, tmp_path: Path) -> None:
    customers = [prepare(sample)["customer_3"]]
    generate(tmp_path / "again", customers=customers, days=1)
    generate(tmp_path / "other", customers=customers, days=1, seed=1)
    first = dump(sample, "customer_3").read_bytes()
    # Not only the same bytes: the first of three days is the same as one day alone.
    assert dump(tmp_path / "again", "customer_3").read_bytes() == first
    assert dump(tmp_path / "other", "customer_3").read_bytes() != first


def test_each_dialect_has_its_head_and_tail(sample: Path) -> None:
    mysql, mariadb, postgres = (text_of(dump(sample, customer)) for customer in CUSTOMERS)
    assert mysql.startswith("-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: ")
    assert mariadb.startswith("/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump ")
    assert postgres.startswith("--\n-- PostgreSQL database dump\n--\n\n\\restrict ")
    for text in (mysql, mariadb):
        assert text.endswith("\n\n-- Dump completed on 2026-11-01 23:55:07\n")
        assert text.count("LOCK TABLES `") == text.count("\nUNLOCK TABLES;\n") == text.count("CREATE TABLE `")
    assert "-- PostgreSQL database dump complete" in postgres[-200:]
    assert postgres.count("\nCOPY public.") == postgres.count("\n\\.\n") == 10
    assert "COPY public.core_user (idst, " in postgres
    assert "),(" in mysql
    assert "),\n(" in mariadb
    assert "),\n(" not in mysql.replace("),\\n(", "")


@pytest.mark.parametrize("customer", CUSTOMERS)
@pytest.mark.parametrize("table", ["learning_course", "core_user", "core_group"])
def test_the_text_says_what_was_meant(sample: Path, customer: str, table: str) -> None:
    """Read back by a reader of the tests' own, every value is the one that was made."""
    listed = load_customers(sample)[customer]
    rows = Rows(World.build(listed, profile_of(listed, 1), date(2026, 11, 1), 3, 7020))
    read = read_table(dump(sample, customer), table)
    moments = {"lastenter", "register_date", "password_changed_at"}
    flags = {"1": "t", "0": "f"} if customer == "customer_3" else {}
    (chunk,) = rows.of(table, 0)
    for name in read[0].keys() & chunk.keys():
        values = chunk[name]
        made = values if isinstance(values, list) else [None if v < -(2**62) else str(v) for v in values.tolist()]
        if name in moments:
            made = [v and f"{datetime.fromtimestamp(int(v) // 1000, UTC):%Y-%m-%d %H:%M:%S}" for v in made]
        if name in ("valid", "can_manage_subordinates"):
            made = [v and flags.get(v, v) for v in made]
        assert [row[name] for row in read] == made, name


def test_hard_texts_are_in_the_dumps(sample: Path) -> None:
    for customer in CUSTOMERS:
        texts = "".join(row["description"] or "" for row in read_table(dump(sample, customer), "learning_course"))
        for hard in ("'", '"', "\\", "\n", "\t", "\r\n", ");\n", "--", "INSERT INTO `notes`", "🎓", "%"):
            assert hard in texts, (customer, hard)


def test_tables_are_wide_and_their_columns_differ(sample: Path) -> None:
    columns = {
        c: {t: list(read_table(dump(sample, c), t)[0]) for t in ("core_user", "learning_course")} for c in CUSTOMERS
    }
    for tables in columns.values():
        assert 30 <= len(tables["core_user"]) <= 37
        assert 113 <= len(tables["learning_course"]) <= 123
        assert {"pass", "email", "firstname", "lastname", "userid", "uuid"} <= set(tables["core_user"])
    for table in ("core_user", "learning_course"):
        orders = [columns[customer][table] for customer in CUSTOMERS]
        common = set(orders[0]) & set(orders[1]) & set(orders[2])
        assert len({tuple(name for name in order if name in common) for order in orders}) == 3
        assert len({frozenset(order) for order in orders}) > 1


def test_people_are_invented(sample: Path) -> None:
    for customer in CUSTOMERS:
        for row in read_table(dump(sample, customer), "core_user"):
            assert re.fullmatch(r"[a-z0-9.]+@example\.(com|org)", row["email"] or ""), row["email"]
            assert re.fullmatch(r"\$2y\$10\$[./A-Za-z0-9]{53}", row["pass"] or ""), row["pass"]


def test_every_contracted_column_is_there_and_only_customer_1_lacks_assets(sample: Path) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for customer in CUSTOMERS:
        text = text_of(dump(sample, customer))
        for contract in CONTRACTS.values():
            if contract.optional and customer == "customer_1":
                assert contract.table not in text
                continue
            rows = read_table(dump(sample, customer), contract.table)
            seen[contract.table] |= set(rows[0])
            required = [column.name for column in contract.columns if column.required]
            assert all(row[name] is not None for row in rows for name in required)
            if contract.key:
                assert len(pairs(rows, *contract.key)) == len(rows)
    for contract in CONTRACTS.values():
        assert {column.name for column in contract.columns} <= seen[contract.table]


def test_the_same_ids_are_in_several_customers(sample: Path) -> None:
    for table, key in (("core_user", "idst"), ("learning_course", "idCourse")):
        ids = [pairs(read_table(dump(sample, customer), table), key) for customer in CUSTOMERS]
        assert len(set.intersection(*ids)) > 0.8 * len(ids[2])


def test_a_day_changes_little_but_something_everywhere(sample: Path) -> None:
    keys = {"core_user": "idst", "learning_course": "idCourse", "app7020_content": "id"}
    for customer in CUSTOMERS:
        for before, after in pairwise(DAYS):
            for contract in CONTRACTS.values():
                if contract.optional and customer == "customer_1":
                    continue
                names = [column.name for column in contract.columns]
                old, new = (
                    Counter(
                        tuple(row.get(name) for name in names)
                        for row in read_table(dump(sample, customer, d), contract.table)
                    )
                    for d in (before, after)
                )
                changed = (new - old).total()
                assert 0 < changed < 0.05 * new.total(), (customer, after, contract.table, changed)
                if key := keys.get(contract.table):
                    earlier, later = (
                        {row[key]: row for row in read_table(dump(sample, customer, d), contract.table)}
                        for d in (before, after)
                    )
                    assert later.keys() - earlier.keys(), "nothing was added"
                    assert earlier.keys() - later.keys(), "nothing was removed"
            titles = [
                {r["idCourse"]: r["name"] for r in read_table(dump(sample, customer, d), "learning_course")}
                for d in (before, after)
            ]
            assert any(titles[0][course] != title for course, title in titles[1].items() if course in titles[0])


def test_it_is_as_uneven_as_life(sample: Path) -> None:
    for customer in CUSTOMERS:
        path = dump(sample, customer)
        enrolments = read_table(path, "learning_courseuser")
        users = {row["idst"] for row in read_table(path, "core_user")}
        courses = {row["idCourse"] for row in read_table(path, "learning_course")}
        dangling = [row for row in enrolments if row["idUser"] not in users or row["idCourse"] not in courses]
        assert 0 < len(dangling) < 0.01 * len(enrolments)
        editions = Counter((row["idUser"], row["idCourse"]) for row in enrolments)
        assert 0.01 < sum(count > 1 for count in editions.values()) / len(editions) < 0.06
        per_course = sorted(Counter(row["idCourse"] for row in enrolments).values(), reverse=True)
        assert sum(per_course[: len(per_course) // 10]) > 0.2 * len(enrolments)
        per_user = sorted(Counter(row["idUser"] for row in enrolments).values())
        assert per_user[len(per_user) // 2] <= 4 < 15 < per_user[-1]
        votes = Counter((row["idUser"], row["idCourse"]) for row in read_table(path, "learning_course_rating_vote"))
        assert max(votes.values()) == 2
        languages = {r["value"] for r in read_table(path, "core_setting_user") if r["path_name"] == "ui.language"}
        assert {"english", "English", "portuguese-br", "french ", ""} <= languages


def test_no_time_is_after_the_dump(sample: Path) -> None:
    columns = ("date_inscr", "date_first_access", "date_last_access", "date_complete", "last_update")
    for customer in CUSTOMERS:
        for number, day in enumerate(DAYS):
            end = datetime(2026, 11, 2 + number, tzinfo=UTC).timestamp() * 1000
            rows = read_table(dump(sample, customer, day), "learning_courseuser")
            newest = max(int(row[name] or 0) for row in rows for name in columns)
            assert end - 86_400_000 < newest < end
            assert any(row[name] is None for row in rows for name in columns)


def test_the_scale_multiplies_users_and_what_they_do(sample: Path, tmp_path: Path) -> None:
    generate(tmp_path, scale=2, days=1, customers=[prepare(sample)["customer_3"]])
    for table, least, most in (
        ("core_user", 1.9, 2.1),
        ("learning_courseuser", 1.6, 2.4),
        ("learning_course", 1.2, 1.6),
    ):
        once, twice = (len(read_table(dump(folder, "customer_3"), table)) for folder in (sample, tmp_path))
        assert least < twice / once < most, table


def test_memory_does_not_grow_with_the_scale(tmp_path: Path) -> None:
    customers = [prepare(tmp_path)["customer_1"]]

    def peak(scale: float) -> tuple[int, int]:
        tracemalloc.start()
        (written,) = generate(tmp_path, scale=scale, days=1, customers=customers, compress=False)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used, written.path.stat().st_size

    (small, small_size), (large, large_size) = peak(2.2), peak(9)
    assert large_size > 3.8 * small_size
    assert large < 1.7 * small
    statements = (
        line for line in (tmp_path / "customer_1" / f"{DAYS[0]}.sql").open("rb") if line.startswith(b"INSERT")
    )
    assert 1_000_000 < max(map(len, statements)) < 1_048_576


def test_a_fourth_customer_needs_no_code(tmp_path: Path) -> None:
    fourth = Customer(id="customer_4", name="Pine & Sons", region="eu-central-1", size="large", category="forestry")
    (written,) = generate(tmp_path, scale=0.05, days=1, customers=[fourth], compress=False)
    assert written.path == tmp_path / "customer_4" / f"{DAYS[0]}.sql"
    assert len(read_table(written.path, "app7020_content")) > 10


def _command(*arguments: object) -> tuple[int, str, BaseException | None]:
    app = typer.Typer()
    app.command()(sample_data)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output, result.exception


def test_the_command_writes_what_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, output, _ = _command(
        "--out", out, "--scale", 0.1, "--days", 2, "--start", "2030-02-28", "--customer", "customer_2", "--plain"
    )
    assert code == 0, output
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert files == ["customer_2/2030-02-28.sql", "customer_2/2030-03-01.sql", "customers.yaml"]
    assert list(load_customers(out).customers) == list(CUSTOMERS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scale", 0), "The scale is 0"),
        (("--scale", "inf"), "The scale is inf"),
        (("--days", 0), "The number of days is 0"),
        (("--start", "1 May"), "--start is '1 May', but must be a day such as 2026-11-01"),
        (("--customer", "nobody"), "which has customer_1, customer_2, customer_3"),
    ],
)
def test_a_wrong_option_is_said_in_one_line(tmp_path: Path, arguments: tuple[object, ...], message: str) -> None:
    code, _, error = _command("--out", tmp_path, *arguments)
    assert code == 1
    assert isinstance(error, RecographError)
    assert message in str(error)
    assert not list(tmp_path.rglob("*.sql*"))


def test_an_unknown_size_and_an_unwritable_folder_are_said_in_one_line(tmp_path: Path) -> None:
    odd = Customer(id="customer_5", name="Odd", region="eu-west-1", size="colossal", category="forestry")
    with pytest.raises(RecographError, match=r"has size 'colossal'.*small, mid, large"):
        generate(tmp_path, customers=[odd])
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecographError, match="can't be written"):
        generate(tmp_path / "file")
