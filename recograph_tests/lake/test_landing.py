"""Landing writes what the contracts let through, and all of it or nothing."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.local.folder_lake import LocalLake
from recograph.customers import Customer, DumpOptions
from recograph.errors import RecographError
from recograph.lake.days_before import DaysBefore, find_vanished
from recograph.lake.inbox import dump_for
from recograph.lake.landing import Landing, land
from recograph.platforms.docebo.contracts import CONTRACTS

CUSTOMER = Customer(id="customer_1", name="-", region="-", size="-", category="-")
TABLES = ["core_user", "core_setting_user"]
DUMP = """-- MySQL dump 10.13
CREATE TABLE `core_user` (`pass` text, `register_date` datetime, `valid` tinyint(1), `IDST` int, `email` text);
INSERT INTO `core_user` VALUES ('secret','0000-00-00 00:00:00',1,7,'a@b'),('s','2024-01-01 00:00:00',0,8,'c@d');
CREATE TABLE `core_setting_user` (`path_name` text, `id_user` int, `value` text);
INSERT INTO `core_setting_user` VALUES ('ui.language',7,'english'),('ui.language',7,'french');
CREATE TABLE `learning_unknown` (`a` int);
-- Dump completed
"""


def places(folder: Path) -> tuple[LocalInbox, LocalLake]:
    return LocalInbox(folder / "data"), LocalLake(root=str(folder / "lake"), home=str(folder / "home"))


def landing(folder: Path, dump: str) -> Landing:
    inbox, lake = places(folder)
    path = folder / "data" / "customer_1" / "2026-01-01.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump)
    return land(inbox, lake, dump_for(inbox, "customer_1", "2026-01-01"), CUSTOMER, TABLES)


def landed(folder: Path) -> list[Path]:
    return sorted(folder.glob("lake/**/*.parquet"))


def test_landing_reports_what_it_read_and_left_out(tmp_path: Path) -> None:
    report = landing(tmp_path, DUMP)
    assert (report.dialect, report.tables_in_dump) == ("mysql", 3)
    user, setting = (report.tables[table] for table in TABLES)
    assert (user.rows_read, user.rows, user.zero_dates, user.dropped_columns) == (2, 2, 1, ("pass", "email"))
    assert (setting.rows_read, setting.rows, setting.duplicates) == (2, 1, 1)
    tables = {path.parent.parent.name: pq.read_table(path, partitioning=None) for path in landed(tmp_path)}
    assert tables["core_user"].schema.equals(CONTRACTS["core_user"].schema)
    assert tables["core_user"]["idst"].to_pylist() == [7, 8]
    assert tables["core_user"]["register_date"].null_count == 1
    assert tables["core_setting_user"]["value"].to_pylist() == ["french"]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("1,7,'a@b'", "NULL,7,'a@b'", r"table core_user, column valid, row 1 \(byte \d+\): NULL isn't allowed"),
        ("1,7,'a@b'", "5,7,'a@b'", r"table core_user, column valid, row 1 .*: the value is none of type bool"),
        ("0,8,'c@d'", "0,'x','c@d'", r"table core_user, column idst, row 2 .*: the value is none of type int64"),
        ("`valid` tiny", "`valid_` tiny", "table core_user: the required column valid is missing; the table has pass"),
        ("'2024-01-01 00", "'2024-13-01 00", "table core_user, column register_date, row 2"),
        ("-- Dump completed", "", 'the closing comment "-- Dump completed" is missing'),
        ("`core_setting_user`", "`other`", "table core_setting_user is missing"),
    ],
)
def test_a_dump_that_breaks_a_contract_lands_nothing(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    landing(tmp_path, DUMP)
    before = {path: path.read_bytes() for path in landed(tmp_path)}
    with pytest.raises(RecographError, match=message) as error:
        landing(tmp_path, DUMP.replace(right, wrong))
    assert "2026-01-01.sql" in str(error.value)
    assert {path: path.read_bytes() for path in landed(tmp_path)} == before


def day(folder: Path, date: str, dump: str, customer: Customer = CUSTOMER) -> tuple[LocalLake, Landing]:
    inbox, lake = places(folder)
    path = folder / "data" / "customer_1" / f"{date}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump)
    return lake, land(inbox, lake, dump_for(inbox, "customer_1", date), customer, TABLES)


def test_a_column_that_the_day_before_had_and_this_one_lacks_is_told(tmp_path: Path) -> None:
    without = DUMP.replace("`register_date`", "`registered`")
    lake, before = day(tmp_path, "2026-01-01", DUMP)
    assert before.tables["core_user"].missing_columns == ("can_manage_subordinates",)
    _, after = day(tmp_path, "2026-01-02", without)
    missing = after.tables["core_user"].missing_columns
    told = find_vanished(DaysBefore(lake, "customer_1", "2026-01-02"), "core_user", missing)
    assert told is not None
    assert told.startswith("core_user of customer_1 lacks register_date on 2026-01-02, which it had on 2026-01-01.")
    _, same = day(tmp_path, "2026-01-03", without)
    missing = same.tables["core_user"].missing_columns
    assert find_vanished(DaysBefore(lake, "customer_1", "2026-01-03"), "core_user", missing) is None


@pytest.mark.parametrize("moment", ["10000-01-01 00:00:00", "294276-12-31 00:00:00"])
def test_a_moment_that_no_calendar_has_breaks_the_contract(tmp_path: Path, moment: str) -> None:
    with pytest.raises(
        RecographError, match=r"column register_date, row 2 \(byte \d+\): the (moment|value) is"
    ) as error:
        landing(tmp_path, DUMP.replace("2024-01-01 00:00:00", moment))
    assert moment not in str(error.value)
    assert landed(tmp_path) == []


def test_what_the_dump_warns_of_is_told_with_its_name(tmp_path: Path) -> None:
    report = landing(tmp_path, "mysqldump: [Warning] Using a password can be insecure.\n" + DUMP)
    (warning,) = report.warnings
    assert warning.endswith("2026-01-01.sql: Line 1 is a message of mysqldump, not SQL, and was passed over.")


def test_dialect_and_encoding_of_a_customer_are_those_of_customers_yaml(tmp_path: Path) -> None:
    declared = CUSTOMER.model_copy(update={"dump": DumpOptions(dialect="mysql", encoding="latin1")})
    bare = "INSERT INTO core_user (idst, valid) VALUES (7,1);\nINSERT INTO core_setting_user VALUES (1);\n"
    bare = bare.replace(
        "core_setting_user VALUES (1)", "core_setting_user (id_user, path_name, value) VALUES (7,'a','b')"
    )
    with pytest.raises(RecographError, match=r"Declare its dialect"):
        day(tmp_path, "2026-01-01", bare)
    assert day(tmp_path, "2026-01-01", bare, declared)[1].tables["core_user"].rows == 1


def test_a_database_of_several_is_chosen_in_customers_yaml(tmp_path: Path) -> None:
    tables, end = DUMP.removeprefix("-- MySQL dump 10.13\n").split("-- Dump completed")
    other = tables.replace("'s','2024-01-01 00:00:00',0,8,'c@d'", "'s','2024-01-01 00:00:00',0,9,'c@d'")
    both = f"-- MySQL dump 10.13\nUSE `old`;\n{tables}USE `shop`;\n{other}-- Dump completed{end}"
    with pytest.raises(RecographError, match=r"more than one table answers to core_user .*dump: database"):
        day(tmp_path, "2026-01-01", both)
    chosen = CUSTOMER.model_copy(update={"dump": DumpOptions(database="shop")})
    day(tmp_path, "2026-01-01", both, chosen)
    (users,) = (path for path in landed(tmp_path) if "core_user" in str(path))
    assert pq.read_table(users, partitioning=None)["idst"].to_pylist() == [7, 9]


def test_a_table_whose_rows_were_left_out_is_told(tmp_path: Path) -> None:
    rows = "-- Dumping data for table `core_user`\n"
    without = DUMP.replace(next(line for line in DUMP.splitlines() if line.startswith("INSERT INTO `core_setting")), "")
    report = landing(tmp_path, without.replace("INSERT INTO `core_user`", rows + "INSERT INTO `core_user`"))
    assert report.tables["core_setting_user"].rows == 0
    assert "the definition alone, and no rows, of core_setting_user:" in " ".join(report.warnings)
