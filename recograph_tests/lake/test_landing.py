"""Landing writes what the contracts let through, and all of it or nothing."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recograph.adapters.local.folder_lake import LocalLake
from recograph.customers import Customer
from recograph.errors import RecographError
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


def landing(folder: Path, dump: str) -> Landing:
    lake = LocalLake(root=str(folder / "lake"), data=str(folder / "data"), home=str(folder / "home"))
    path = folder / "data" / "customer_1" / "2026-01-01.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump)
    return land(lake, dump_for(lake, "customer_1", "2026-01-01"), CUSTOMER, TABLES)


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
