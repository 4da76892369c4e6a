"""Which files are dumps of which day, and that one day's trouble is that day's alone."""

import os
import shutil
from pathlib import Path

import pytest

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.dumps import LocalFolder
from recograph.errors import RecographError
from recograph.lake.inbox import date_of_dump

DAY = "2026-11-01"


@pytest.fixture
def inbox(tmp_path: Path) -> LocalInbox:
    (tmp_path / "acme").mkdir()
    return LocalInbox(tmp_path)


@pytest.fixture
def folder(inbox: LocalInbox) -> Path:
    """A customer's."""
    return inbox.folder / "acme"


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


def test_a_folder_called_by_its_date_is_a_dump_and_no_other_is(inbox: LocalInbox, folder: Path) -> None:
    for name in (DAY, "archive", "2026-11-02.sql", "2026-13-01"):
        (folder / name).mkdir()
        (folder / name / "2026-11-09.sql").write_text("x")
    (folder / f"{DAY}.md5").write_text("x")
    (folder / f"{DAY}.sql.part").write_text("x")
    dumps = inbox.dumps("acme")
    assert list(dumps) == [DAY]
    assert dumps[DAY].size == 1
    with inbox.open_dump(dumps[DAY]) as source:
        assert isinstance(source, LocalFolder)
        assert source.files() == {"2026-11-09.sql": 1}


def test_the_version_of_a_folder_covers_all_its_files(inbox: LocalInbox, folder: Path) -> None:
    folder = folder / DAY / "below"
    folder.mkdir(parents=True)
    (folder / "a").write_text("1")
    versions = [inbox.dumps("acme")[DAY].version]
    (folder / "a").write_text("2")
    os.utime(folder / "a", ns=(1, 1))
    versions.append(inbox.dumps("acme")[DAY].version)
    assert inbox.dumps("acme")[DAY].version == versions[-1]
    (folder / "b").touch()
    versions.append(inbox.dumps("acme")[DAY].version)
    (folder / "b").rename(folder / "c")
    versions.append(inbox.dumps("acme")[DAY].version)
    assert len(set(versions)) == 4


def test_two_dumps_of_a_day_are_trouble_of_that_day(inbox: LocalInbox, folder: Path) -> None:
    for name in (f"{DAY}.sql", f"{DAY}.dump", "2026-11-02.sql"):
        (folder / name).write_text("x")
    dumps = inbox.dumps("acme")
    assert list(dumps) == [DAY, "2026-11-02"]
    with pytest.raises(RecographError, match=rf"^Two dumps of acme for {DAY}: .*{DAY}.dump and .*{DAY}.sql. Keep one"):
        inbox.open_dump(dumps[DAY])
    with inbox.open_dump(dumps["2026-11-02"]):
        pass
    version = dumps[DAY].version
    (folder / f"{DAY}.sql").unlink()
    assert inbox.dumps("acme")[DAY].version != version


def test_what_cannot_be_read_is_trouble_of_that_day(inbox: LocalInbox, folder: Path) -> None:
    (folder / f"{DAY}.sql").symlink_to(folder / "nowhere")
    (folder / "2026-11-02.sql").symlink_to(folder / "2026-11-02.sql")
    (folder / "2026-11-03").mkdir()
    (folder / "2026-11-03" / "metadata").symlink_to(folder / "nowhere")
    (folder / "2026-11-04.sql").write_text("x")
    dumps = inbox.dumps("acme")
    assert [date for date, dump in dumps.items() if dump.trouble] == [DAY, "2026-11-02", "2026-11-03"]
    for date, message in ((DAY, "No such file"), ("2026-11-02", "symbolic links"), ("2026-11-03", "No such file")):
        with pytest.raises(RecographError, match=rf"acme/{date}.* can't be read: .*{message}"):
            inbox.open_dump(dumps[date])


def test_what_is_no_file_is_trouble_of_that_day_and_is_never_read(inbox: LocalInbox, folder: Path) -> None:
    """Reading a pipe waits until somebody writes to it, and so holds back whoever comes after it."""
    os.mkfifo(folder / f"{DAY}.sql")
    (folder / "2026-11-02.sql").symlink_to("/dev/zero")
    (folder / "2026-11-03").mkdir()
    os.mkfifo(folder / "2026-11-03" / "metadata")
    (folder / "2026-11-04.sql").write_text("x")
    dumps = inbox.dumps("acme")
    assert [date for date, dump in dumps.items() if dump.trouble] == [DAY, "2026-11-02", "2026-11-03"]
    for date in (DAY, "2026-11-02", "2026-11-03"):
        with pytest.raises(RecographError, match=rf"acme/{date}.* is no file, but a pipe, a socket or a device"):
            inbox.open_dump(dumps[date])


def test_a_dump_that_goes_before_it_is_read_is_one_sentence(inbox: LocalInbox, folder: Path) -> None:
    (folder / f"{DAY}.sql").write_text("x")
    (folder / "2026-11-02").mkdir()
    (folder / "2026-11-02" / "metadata").write_text("x")
    dumps = inbox.dumps("acme")
    stamps = {date: inbox.stamp(dump) for date, dump in dumps.items()}
    assert len(set(stamps.values())) == 2
    (folder / f"{DAY}.sql").unlink()
    shutil.rmtree(folder / "2026-11-02")
    for dump in dumps.values():
        with pytest.raises(RecographError, match=rf"acme/{dump.date}.* can't be read: No such file"):
            inbox.stamp(dump)
    with pytest.raises(RecographError, match=rf"acme/{DAY}.sql can't be read: No such file"):
        inbox.open_dump(dumps[DAY])


def test_a_customer_whose_folder_cannot_be_read_is_one_sentence(inbox: LocalInbox, folder: Path) -> None:
    folder.rmdir()
    assert inbox.dumps("acme") == {}
    for target, message in ((folder, "symbolic links"), (folder.with_name("nowhere"), "No such file")):
        folder.symlink_to(target)
        with pytest.raises(RecographError, match=rf"acme can't be read: .*{message}.*Let the user that runs"):
            inbox.dumps("acme")
        folder.unlink()
    folder.write_text("a file")
    with pytest.raises(RecographError, match="acme can't be read: Not a directory"):
        inbox.dumps("acme")
