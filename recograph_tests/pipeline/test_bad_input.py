"""What a person reads when a dump, a setting or a server is wrong: one clear message, and nothing half done."""

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import neo4j as neo4j_driver
import pytest
import yaml

from recograph_tests.graph.marts import actual
from recograph_tests.pipeline.installation import Installation

DAY1, DAY2 = "2026-11-01", "2026-11-02"


def list_customers(data: Path, *ids: str) -> None:
    entries = [{"id": id_, "name": id_, "region": "eu-west-2", "size": "small", "category": "pharma"} for id_ in ids]
    (data / "customers.yaml").write_text(yaml.safe_dump({"customers": entries}))


def text_of(sample: Path, day: str = DAY1) -> str:
    return gzip.decompress((sample / "customer_1" / f"{day}.sql.gz").read_bytes()).decode()


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


BAD_DUMPS: dict[str, tuple[Callable[[str], str | bytes], str]] = {
    "empty": (lambda text: "", r"the file is empty"),
    "picture": (lambda text: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, r"binary file, not SQL text"),
    "broken_archive": (lambda text: b"PGDMP\x01\x0e\x00" + bytes(500), r"the table of contents is broken at byte 11"),
    "prose": (lambda text: "Dear all,\nthe dump comes tomorrow.\n" * 20, r"isn't a SQL dump"),
    "cut": (lambda text: text[: len(text) // 2], r"cut"),
    "without_table": (lambda text: text.replace("`learning_course`", "`old_course`"), r"learning_course is missing"),
    "without_column": (swap("  `valid` ", "  `vld` "), r"core_user.*valid"),
    "wrong_value": (
        lambda text: re.sub(r"(INSERT INTO `core_user` VALUES\s\()\d+", r"\1'abc'", text),
        r"core_user, column idst, row 1 \(byte \d+\): the value is none",
    ),
}


def test_a_bad_dump_fails_alone_and_lands_nothing(
    installation: Installation, sample: Path, neo4j: neo4j_driver.Driver
) -> None:
    list_customers(installation.data, "good", *BAD_DUMPS)
    text = text_of(sample)
    for customer, content in {"good": text, **{id_: change(text) for id_, (change, _) in BAD_DUMPS.items()}}.items():
        folder = installation.data / customer
        folder.mkdir()
        (folder / f"{DAY1}.sql").write_bytes(content if isinstance(content, bytes) else content.encode())
    stray = shutil.copytree(installation.data / "good", installation.data / "good_renamed")
    ran = installation.recograph("run")
    assert ran.returncode == 1
    failed = dict(re.findall(r"^failed: (\w+): (.*)$", ran.stdout, re.M))
    assert failed.keys() == BAD_DUMPS.keys()
    for customer, (_, message) in BAD_DUMPS.items():
        assert re.search(message, failed[customer]), failed[customer]
        assert f"{customer}/{DAY1}.sql" in failed[customer]
    assert "Traceback" not in ran.stdout + ran.stderr
    assert f"{stray} has dumps that aren't read, since customers.yaml names no such customer." in ran.stderr
    assert {key.split("/")[1] for key in installation.lake() if key.startswith("landing/")} == {"good"}
    assert neo4j.execute_query("MATCH (c:Customer) RETURN collect(c.id)").records[0][0] == ["good"]


def test_a_bad_day_keeps_no_other_day_from_the_graph(
    installation: Installation, sample: Path, neo4j: neo4j_driver.Driver
) -> None:
    list_customers(installation.data, "acme")
    folder = installation.data / "acme"
    folder.mkdir()
    shutil.copy(sample / "customer_1" / f"{DAY1}.sql.gz", folder)
    whole = (sample / "customer_1" / f"{DAY2}.sql.gz").read_bytes()
    (folder / f"{DAY2}.sql.gz").write_bytes(whole[: len(whole) // 2])
    ran = installation.recograph("run")
    assert ran.returncode == 1
    (message,) = re.findall(r"^failed: acme: (.*)$", ran.stdout, re.M)
    assert f"{DAY2}.sql.gz" in message
    assert "The file was cut on its way; fetch it again." in message
    held = actual(neo4j)
    dates = neo4j.execute_query("MATCH (s:LoadState) RETURN collect(DISTINCT s.snapshot_date)").records[0][0]
    assert dates == [DAY1]

    again = installation.recograph("run", "--date", DAY2)
    assert again.returncode == 1
    assert actual(neo4j) == held


def test_duplicates_and_dangling_rows_are_counted(
    installation: Installation, sample: Path, neo4j: neo4j_driver.Driver
) -> None:
    list_customers(installation.data, "acme")
    (installation.data / "acme").mkdir()
    text = text_of(sample)
    course = re.search(r"INSERT INTO `learning_course` VALUES\s*\((\d+),", text)
    user = re.search(r"INSERT INTO `core_user` VALUES\s*(\((?:[^']|'(?:[^'\\]|\\.)*')*?\))[,;]", text)
    assert course
    assert user
    twice = text.replace(user[0], user[0][:-1] + "," + user[1] + user[0][-1], 1)
    lost = re.sub(rf"(INSERT INTO `learning_course` VALUES\s*\(){course[1]},", r"\g<1>987654321,", twice)
    (installation.data / "acme" / f"{DAY1}.sql").write_text(lost)
    ran = installation.recograph("run")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(
        r"warning: acme 2026-11-01: .*IS_ENROLLED: no_dangling_rows: \d+ of \d+ rows point to a node that isn't there",
        ran.stdout,
    )
    ids = neo4j.execute_query("MATCH (u:User) RETURN collect(u.id)").records[0][0]
    assert len(ids) == len(set(ids))
    assert neo4j.execute_query("MATCH (c:Course {id: 987654321}) RETURN count(c)").records[0][0] == 1
    assert "keys_are_unique" in ran.stdout
    assert "1 row with the key of a later one, left out" in ran.stdout


@pytest.fixture
def ready(installation: Installation, sample: Path) -> Installation:
    shutil.copytree(sample, installation.data, dirs_exist_ok=True)
    return installation


def change_yaml(text: str) -> Callable[[Installation], None]:
    def change(installation: Installation) -> None:
        (installation.data / "customers.yaml").write_text(text)

    return change


def remove_dumps(installation: Installation) -> None:
    for dump in installation.data.glob("*/*.sql.gz"):
        dump.unlink()


def put_a_file_in_the_way(installation: Installation) -> None:
    shutil.rmtree(installation.home)
    installation.home.write_text("not a folder")


NOTHING: Callable[[Installation], None] = lambda installation: None  # noqa: E731


@pytest.mark.parametrize(
    ("prepare", "arguments", "environ", "message"),
    [
        (NOTHING, ["-c", "nobody"], {}, r"'nobody' isn't in customers.yaml, which lists: customer_1"),
        (
            NOTHING,
            ["-c", "customer_1", "-d", "2026-12-24"],
            {},
            r"There is no dump of customer_1 for 2026-12-24: expected .*customer_1/2026-12-24.sql .*"
            rf"Days that exist: {DAY1}, {DAY2}",
        ),
        (remove_dumps, [], {}, r"No dump in .*data: put each customer's at CUSTOMER/DATE.sql"),
        (change_yaml("customers: ["), [], {}, r"customers.yaml can't be read"),
        (change_yaml("customers: [{id: A B}]"), [], {}, r"entry 1: name, region, size, category is missing"),
        (put_a_file_in_the_way, [], {}, r"can't be written"),
        (NOTHING, [], {"NEO4J_URI": "bolt://127.0.0.1:9"}, r"Neo4j at bolt://127.0.0.1:9 can't be reached"),
        (NOTHING, [], {"NEO4J_URI": "http://127.0.0.1"}, r"NEO4J_URI is 'http://127.0.0.1', which isn't"),
        (NOTHING, [], {"NEO4J_PASSWORD": "wrong"}, r"refuses user 'neo4j': check NEO4J_USERNAME and NEO4J_PASSWORD"),
        (NOTHING, [], {"NEO4J_PASSWORD": ""}, r"NEO4J_URI is set, but NEO4J_PASSWORD isn't"),
        (NOTHING, [], {"RECOGRAPH_LAKE": "gs://bucket"}, r"RECOGRAPH_LAKE is 'gs://bucket'"),
        (NOTHING, [], {"RECOGRAPH_TIMEZONE": "Mars"}, r"RECOGRAPH_TIMEZONE is 'Mars'"),
    ],
)
def test_a_wrong_setting_is_said_before_any_work(
    ready: Installation,
    prepare: Callable[[Installation], None],
    arguments: list[str],
    environ: dict[str, str],
    message: str,
) -> None:
    prepare(ready)
    ran = ready.recograph("run", *arguments, **environ)
    assert ran.returncode == 1
    assert re.search(message, ran.stderr), ran.stdout + ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert "Traceback" not in ran.stdout + ran.stderr
    assert not ready.home.is_dir() or ready.lake() == {}
