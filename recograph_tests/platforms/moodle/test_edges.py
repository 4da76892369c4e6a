"""What real installations hold that no tidy one does: one dump of it, and the marts that it gives."""

import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from recograph.adapters.environment import open_inbox, open_lake
from recograph.customers import load_customers
from recograph.errors import RecographError
from recograph.lake.landing import land
from recograph.settings import Settings
from recograph_tests.aws.marts import dbt, finish, rows
from recograph_tests.aws.stack import without_aws
from recograph_tests.platforms.moodle.install_xml import XmldbColumn, create, schemas

Row = dict[str, Any]
CUSTOMER, DAY = "academy", "2026-11-01"
LISTED = """customers:
  - {id: academy, name: A, region: eu, size: small, category: retail, platform: moodle}
"""
NOW = 1793500000  # on the day
LATER = NOW + 90 * 86400
GUEST, SITE = 3, 5

TABLES: dict[str, list[Row]] = {
    # A database that counts in steps has its guest elsewhere than at 1.
    "config": [{"id": 1, "name": "siteguest", "value": str(GUEST)}, {"id": 2, "name": "smtppass", "value": "s3cret"}],
    "user": [
        {"id": 1, "confirmed": 1, "lang": "en_us", "timecreated": 1},
        {"id": GUEST, "confirmed": 1, "lang": "en"},
        {"id": 4, "confirmed": 0, "lang": ""},
        {"id": 6, "confirmed": 1, "suspended": 1, "lang": "en_acme"},
        {"id": 7, "confirmed": 1, "lang": "zh_tw"},
        {"id": 8, "confirmed": 1, "lang": "xx_yy"},
        {"id": 9, "confirmed": 1, "deleted": 1, "lang": "de"},
    ],
    "role": [{"id": 1, "archetype": "manager"}, {"id": 2, "archetype": ""}],
    "role_assignments": [
        {"id": 1, "roleid": 1, "contextid": 1, "userid": 7},
        {"id": 2, "roleid": 1, "contextid": 999, "userid": 6},  # the place is gone
        {"id": 3, "roleid": 2, "contextid": 30, "userid": 8},  # looks after a colleague
        {"id": 4, "roleid": 99, "contextid": 30, "userid": 1},  # the role is gone
    ],
    "context": [
        {"id": 1, "contextlevel": 10, "instanceid": 0},
        {"id": 30, "contextlevel": 30, "instanceid": 4},
        {"id": 70, "contextlevel": 70, "instanceid": 100},
    ],
    "course": [
        {"id": SITE, "category": 0, "fullname": "Front page", "format": "site", "visible": 1},
        {"id": 1, "category": 99, "fullname": "Its category is gone 🎓", "format": "topics", "visible": 1},
        {"id": 2, "category": 0, "fullname": "In no category", "format": "weeks", "visible": 0, "timecreated": NOW},
    ],
    "enrol": [
        {"id": 1, "courseid": 1},
        {"id": 2, "courseid": 2, "status": 1},
        {"id": 3, "courseid": 404},  # the course is gone
        {"id": 4, "courseid": SITE},
        {"id": 5, "courseid": 2},
    ],
    "user_enrolments": [
        {"id": 1, "enrolid": 1, "userid": 1, "status": 0, "timecreated": 0},
        {"id": 2, "enrolid": 1, "userid": 4, "status": 1, "timeend": LATER},
        {"id": 3, "enrolid": 1, "userid": 6, "status": 0, "timeend": NOW - 86400, "timecreated": NOW},
        {"id": 4, "enrolid": 1, "userid": 7, "status": 0, "timeend": LATER, "timecreated": NOW},
        {"id": 5, "enrolid": 404, "userid": 7, "status": 0},  # the way in is gone
        {"id": 6, "enrolid": 3, "userid": 7, "status": 0},
        {"id": 7, "enrolid": 4, "userid": 7, "status": 0},
        {"id": 8, "enrolid": 1, "userid": GUEST, "status": 0},
        {"id": 9, "enrolid": 2, "userid": 8, "status": 0},  # closed, but open by another way
        {"id": 10, "enrolid": 5, "userid": 8, "status": 0},
        {"id": 11, "enrolid": 1, "userid": 777, "status": 0},  # the user is gone
    ],
    "user_lastaccess": [{"id": 1, "userid": 7, "courseid": 1, "timeaccess": NOW}],
    "course_completions": [{"id": 1, "userid": 6, "course": 1, "timecompleted": NOW}],
    "modules": [
        *({"id": 1, "name": "page"}, {"id": 2, "name": "customcert"}, {"id": 3, "name": "label"}),
        *({"id": 4, "name": "subsection"}, {"id": 5, "name": "resource"}),
    ],
    "course_modules": [
        {"id": 100, "course": 1, "module": 5, "instance": 1},
        {"id": 101, "course": 1, "module": 1, "instance": 1, "added": NOW},
        {"id": 102, "course": 1, "module": 1, "instance": 2},  # its page is gone
        {"id": 103, "course": 1, "module": 1, "instance": 1, "deletioninprogress": 1},
        {"id": 104, "course": 1, "module": 2, "instance": 1},
        {"id": 105, "course": 1, "module": 9, "instance": 1},  # the plugin was removed
        {"id": 106, "course": 1, "module": 3, "instance": 1},
        {"id": 107, "course": 1, "module": 4, "instance": 1},
        {"id": 108, "course": SITE, "module": 1, "instance": 1},
    ],
    "page": [{"id": 1, "name": "On the front page, too"}],
    "resource": [{"id": 1, "name": "No file yet"}],
    "files": [],
    # No log: this installation writes another, or deletes it.
    "course_modules_completion": [],
    "course_modules_viewed": [
        {"id": 1, "coursemoduleid": 101, "userid": 7, "timecreated": 0},
        {"id": 2, "coursemoduleid": 101, "userid": GUEST, "timecreated": NOW},
        {"id": 3, "coursemoduleid": 101, "userid": 0, "timecreated": NOW},
    ],
}
"""By table the rows, with what differs from the columns' defaults."""


def mysqldump(tables: dict[str, list[Row]]) -> str:
    """A dump of tables of Moodle 4.3."""
    text = ["-- MySQL dump 10.13  Distrib 8.0.36\n/*!40101 SET NAMES utf8mb4 */;\n"]
    for table, of_table in tables.items():
        columns = schemas()["4.3"][table]
        text.append(create(f"mdl_{table}", columns, "mysql"))
        for row in of_table:
            assert row.keys() <= {column.name for column in columns}, row
            text.append(
                f"INSERT INTO `mdl_{table}` VALUES ({','.join(_literal(row, column) for column in columns)});\n"
            )
    return "".join([*text, "-- Dump completed on 2026-11-01 23:55:07\n"])


def _literal(row: Row, column: XmldbColumn) -> str:
    empty = "0" if column.type in ("int", "number", "float") else ""
    value = row.get(column.name, column.default or (empty if column.required else None))
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation whose one customer's day was landed, and its marts built."""
    folder = tmp_path_factory.mktemp("edges")
    data = folder / "data"
    (data / CUSTOMER).mkdir(parents=True)
    (data / "customers.yaml").write_text(LISTED)
    (data / CUSTOMER / f"{DAY}.sql").write_text(mysqldump(TABLES), encoding="utf-8")
    environ = without_aws(os.environ) | {"RECOGRAPH_DATA": str(data), "RECOGRAPH_HOME": str(folder / "home")}
    settings = Settings.from_env(environ)
    inbox = open_inbox(settings)
    land(inbox, open_lake(settings), inbox.dumps(CUSTOMER)[DAY], load_customers(data)[CUSTOMER])
    finish(dbt(environ, CUSTOMER, DAY, "run"))
    return settings


def mart(settings: Settings, name: str, *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of a mart, sorted."""
    return sorted((tuple(row[column] for column in columns) for row in rows(settings, name, CUSTOMER, DAY)), key=str)


def test_the_guest_is_whom_the_settings_name(settings: Settings) -> None:
    assert mart(settings, "users", "id", "valid", "can_manage_subordinates") == [
        *((1, True, False), (4, False, False), (6, False, False)),
        *((7, True, True), (8, True, True), (9, False, False)),
    ]
    landed = Path(settings.lake, "landing", CUSTOMER, "config")
    assert pq.read_table(landed, partitioning=None).to_pylist() == [{"name": "siteguest", "value": str(GUEST)}]


def test_a_time_of_0_is_none(settings: Settings) -> None:
    assert [row[0] for row in mart(settings, "users", "id", "register_date") if row[1] is not None] == [1]
    assert (1, 1) in mart(settings, "course_enrolments", "user_id", "recency")
    assert mart(settings, "asset_views", "user_id", "asset_id", "recency") == [(7, 101, 1)]


def test_languages_are_known_by_pack_and_by_what_a_pack_is_derived_from(settings: Settings) -> None:
    assert mart(settings, "user_languages", "user_id", "language_id") == [
        *((1, "english"), (6, "english"), (7, "traditional_chinese"), (8, "xx_yy")),
    ]


def test_the_site_is_no_course_and_a_course_needs_no_category(settings: Settings) -> None:
    assert mart(settings, "courses", "id", "name", "category", "status_name") == [
        (1, "Its category is gone 🎓", 99, "published"),
        (2, "In no category", 0, "hidden"),
    ]


def test_enrolments_end_are_suspended_and_stay_open_by_one_way(settings: Settings) -> None:
    assert mart(settings, "course_enrolments", "user_id", "course_id", "status_name") == [
        (1, 1, "subscribed"),
        (4, 1, "suspended"),
        (6, 1, "completed"),
        # Whose course or user is gone: they are counted as dangling when the graph is loaded.
        (7, 1, "in progress"),
        (7, 404, "subscribed"),
        (777, 1, "subscribed"),
        (8, 2, "subscribed"),
    ]


def test_assets_are_what_is_there(settings: Settings) -> None:
    assert mart(settings, "assets", "id", "title", "content_type_name") == [
        (100, "No file yet", "file"),
        (101, "On the front page, too", "page"),
        (108, "On the front page, too", "page"),
    ]
    assert mart(settings, "asset_courses", "asset_id", "course_id") == [(100, 1), (101, 1)]


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("user", r"table mdl_user is missing, but every dump of Moodle must have it\. Ask for a whole dump"),
        ("course_modules", r"table mdl_course_modules is missing"),
    ],
)
def test_a_dump_of_some_tables_is_refused(settings: Settings, tmp_path: Path, gone: str, said: str) -> None:
    with pytest.raises(RecographError, match=said):
        _land(tmp_path, mysqldump({table: of_table for table, of_table in TABLES.items() if table != gone}))


def test_users_without_a_column_that_every_version_has_are_refused(settings: Settings, tmp_path: Path) -> None:
    text = mysqldump(TABLES).replace("`confirmed`", "`approved`")
    with pytest.raises(RecographError, match=r"mdl_user.*confirmed"):
        _land(tmp_path, text)


def _land(folder: Path, dump: str) -> None:
    data = folder / "data"
    (data / CUSTOMER).mkdir(parents=True)
    (data / "customers.yaml").write_text(LISTED)
    (data / CUSTOMER / f"{DAY}.sql").write_text(dump, encoding="utf-8")
    environ = without_aws(os.environ) | {"RECOGRAPH_DATA": str(data), "RECOGRAPH_HOME": str(folder / "home")}
    settings = Settings.from_env(environ)
    inbox = open_inbox(settings)
    land(inbox, open_lake(settings), inbox.dumps(CUSTOMER)[DAY], load_customers(data)[CUSTOMER])
