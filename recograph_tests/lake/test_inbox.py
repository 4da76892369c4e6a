"""Which files are dumps of which day, and that one day's trouble is that day's alone."""

import os
from pathlib import Path

import pytest

from recograph.adapters.local.folder_lake import LocalLake
from recograph.dumps import LocalFolder
from recograph.errors import RecographError
from recograph.lake.inbox import date_of_dump

DAY = "2026-11-01"


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    (tmp_path / "data" / "acme").mkdir(parents=True)
    return LocalLake(root=str(tmp_path / "lake"), data=str(tmp_path / "data"), home=str(tmp_path))


@pytest.fixture
def inbox(lake: LocalLake) -> Path:
    return Path(lake.data) / "acme"


# fmt: off
ENDINGS = [
    ".sql", ".sql.gz", ".SQL.GZ", ".sql.zst", ".sql.xz", ".sql.bz2", ".sql.lz4", ".sql.zip", ".dump", ".dump.gz",
    ".backup", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip", ".gz", ".zst", ".sql.7z", ".sql.gpg", ".sql.tar.gz",
]
OTHERS = [
    "DAY.sql.md5", "DAY.sql.sha256", "DAY.sql.part", "DAY.sql.tmp", "DAY.sql.bak", "DAY.sql~", "DAY.sql.old",
    "DAY.sql.log", "DAY.sql.swp", "DAY.sql.sig", ".DAY.sql", "DAY.md5", "DAY.txt", "DAY.sql.gz.md5", "DAY.sql.gz.part2",
    "DAY.", "DAY", "archive", "2026-13-01.sql", "dump.sql", "xDAY.sql", "DAY-old.sql", "DAY.sql.filepart", "DAY.sql.",
    "DAY..sql", "DAY .sql",
]
# fmt: on


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_can_be_a_dump_is_one(ending: str) -> None:
    assert date_of_dump(f"{DAY}{ending}") == DAY
    assert date_of_dump(f"{DAY}{ending}", is_folder=True) is None


@pytest.mark.parametrize("name", OTHERS)
def test_what_cannot_be_a_dump_is_none(name: str) -> None:
    assert date_of_dump(name.replace("DAY", DAY)) is None


def test_a_folder_called_by_its_date_is_a_dump_and_no_other_is(lake: LocalLake, inbox: Path) -> None:
    for folder in (DAY, "archive", "2026-11-02.sql", "2026-13-01"):
        (inbox / folder).mkdir()
        (inbox / folder / "2026-11-09.sql").write_text("x")
    (inbox / f"{DAY}.md5").write_text("x")
    (inbox / f"{DAY}.sql.part").write_text("x")
    dumps = lake.dumps("acme")
    assert list(dumps) == [DAY]
    assert dumps[DAY].size == 1
    with lake.open_dump(dumps[DAY]) as source:
        assert isinstance(source, LocalFolder)
        assert source.files() == {"2026-11-09.sql": 1}


def test_the_version_of_a_folder_covers_all_its_files(lake: LocalLake, inbox: Path) -> None:
    folder = inbox / DAY / "below"
    folder.mkdir(parents=True)
    (folder / "a").write_text("1")
    versions = [lake.dumps("acme")[DAY].version]
    (folder / "a").write_text("2")
    os.utime(folder / "a", ns=(1, 1))
    versions.append(lake.dumps("acme")[DAY].version)
    assert lake.dumps("acme")[DAY].version == versions[-1]
    (folder / "b").touch()
    versions.append(lake.dumps("acme")[DAY].version)
    (folder / "b").rename(folder / "c")
    versions.append(lake.dumps("acme")[DAY].version)
    assert len(set(versions)) == 4


def test_two_dumps_of_a_day_are_trouble_of_that_day(lake: LocalLake, inbox: Path) -> None:
    for name in (f"{DAY}.sql", f"{DAY}.dump", "2026-11-02.sql"):
        (inbox / name).write_text("x")
    dumps = lake.dumps("acme")
    assert list(dumps) == [DAY, "2026-11-02"]
    with pytest.raises(RecographError, match=rf"^Two dumps of acme for {DAY}: .*{DAY}.dump and .*{DAY}.sql. Keep one"):
        lake.open_dump(dumps[DAY])
    with lake.open_dump(dumps["2026-11-02"]):
        pass
    version = dumps[DAY].version
    (inbox / f"{DAY}.sql").unlink()
    assert lake.dumps("acme")[DAY].version != version


def test_what_cannot_be_read_is_trouble_of_that_day(lake: LocalLake, inbox: Path) -> None:
    (inbox / f"{DAY}.sql").symlink_to(inbox / "nowhere")
    (inbox / "2026-11-02.sql").symlink_to(inbox / "2026-11-02.sql")
    (inbox / "2026-11-03").mkdir()
    (inbox / "2026-11-03" / "metadata").symlink_to(inbox / "nowhere")
    (inbox / "2026-11-04.sql").write_text("x")
    dumps = lake.dumps("acme")
    assert [date for date, dump in dumps.items() if dump.trouble] == [DAY, "2026-11-02", "2026-11-03"]
    for date, message in ((DAY, "No such file"), ("2026-11-02", "symbolic links"), ("2026-11-03", "No such file")):
        with pytest.raises(RecographError, match=rf"acme/{date}.* can't be read: .*{message}"):
            lake.open_dump(dumps[date])


def test_a_customer_whose_folder_cannot_be_read_is_one_sentence(lake: LocalLake, inbox: Path) -> None:
    inbox.rmdir()
    assert lake.dumps("acme") == {}
    for target, message in ((inbox, "symbolic links"), (inbox.with_name("nowhere"), "No such file")):
        inbox.symlink_to(target)
        with pytest.raises(RecographError, match=rf"acme can't be read: .*{message}.*Let the user that runs"):
            lake.dumps("acme")
        inbox.unlink()
    inbox.write_text("a file")
    with pytest.raises(RecographError, match="acme can't be read: Not a directory"):
        lake.dumps("acme")
