"""Files that are being written: a full disk, a killed process, a file that is only half there."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.adapters.local.folder_lake import LocalLake
from recograph.errors import RecographError
from recograph.lake.days_before import DaysBefore, find_drop
from recograph.lake.layout import landing_key
from recograph.lake.staging import remove_abandoned, replaced, staging_folder
from recograph_tests.graph.marts import Snapshot
from recograph_tests.lake.test_landing import DUMP, landing


@pytest.fixture
def small_disk(disk: Callable[[int], Path]) -> Path:
    """A folder on a disk of its own that has room for 1 MB."""
    return disk(1)


def test_a_full_disk_is_one_sentence_with_the_place_and_publishes_nothing(tmp_path: Path, small_disk: Path) -> None:
    lake = LocalLake(root=str(small_disk / "lake"), home=str(tmp_path / "home"))
    files = {}
    for name, size in (("little", 1000), ("large", 2_000_000)):
        (tmp_path / name).write_bytes(b"x" * size)
        files[f"landing/customer_1/{name}/snapshot_date=2026-01-01/{name}.parquet"] = tmp_path / name
    with pytest.raises(
        RecographError, match=r"large\.parquet can't be written, because the disk is full: .*MB are free"
    ):
        lake.publish_all(files)
    assert not [path for path in small_disk.rglob("*") if path.is_file()]


def test_a_disk_that_gets_full_while_a_dump_is_read_says_so_and_leaves_nothing(
    tmp_path: Path, small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 1_040_000)
    (tmp_path / "home").symlink_to(small_disk, target_is_directory=True)
    with pytest.raises(RecographError, match=r"staging.* the disk is full: 0\.0 MB are free\. Make room"):
        landing(tmp_path, DUMP)
    assert not list(tmp_path.glob("lake/**/*.parquet"))
    assert not list((small_disk / "staging").iterdir())


def test_what_the_warehouse_spills_onto_a_full_disk_is_explained(small_disk: Path) -> None:
    warehouse = DuckDBWarehouse(lake=str(small_disk), home=str(small_disk))
    with (
        pytest.raises(RecographError, match=r"the disk is full"),
        warehouse._explained(),
        duckdb.connect(config={"memory_limit": "20MB", "temp_directory": str(small_disk / "spill")}) as connection,
    ):
        connection.execute("create table t as select random() as x from range(20000000)").fetchall()


KILLED = """
import os, signal, sys
from recograph.lake.staging import remove_abandoned, staging_folder
with staging_folder(sys.argv[1]) as folder:
    (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_goes_with_the_next_folder_and_what_is_in_use_stays(tmp_path: Path) -> None:
    for _ in range(3):
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
        assert len(list((tmp_path / "staging").iterdir())) == 1
    with staging_folder(tmp_path) as one, staging_folder(tmp_path) as other:
        assert sorted((tmp_path / "staging").iterdir()) == sorted([one, other])
    assert not list((tmp_path / "staging").iterdir())


HOLDING = """
import sys
from pathlib import Path
from recograph.lake.staging import hold
hold(Path(sys.argv[1]))
print(flush=True)
sys.stdin.read()
"""


def test_a_folder_stays_for_as_long_as_a_process_holds_it(tmp_path: Path) -> None:
    folder = tmp_path / "project-1"
    command = [sys.executable, "-c", HOLDING, str(folder)]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdin=pipe, stdout=pipe) as one,
        subprocess.Popen(command, stdin=pipe, stdout=pipe) as other,
    ):
        for process in (one, other):
            assert process.stdout
            process.stdout.readline()
            remove_abandoned(tmp_path, "project-")
            assert folder.exists()
        one.communicate()
        remove_abandoned(tmp_path, "project-")
        assert folder.exists()
        other.kill()
    remove_abandoned(tmp_path, "project-")
    assert not folder.exists()


def test_a_mart_that_is_half_written_is_not_read(tmp_path: Path) -> None:
    Snapshot({"users": [(1, True, True, None)]}).write(tmp_path, "customer_1", "2026-01-01")
    folder = tmp_path / "marts/users/customer=customer_1/snapshot_date=2026-01-01"
    (folder / "tmp_users.parquet").write_bytes(b"PAR1")
    warehouse = DuckDBWarehouse(lake=str(tmp_path))
    relation = warehouse.partition("users", "customer_1", "2026-01-01")
    assert warehouse.query(f"select id from {relation}").to_pylist() == [{"id": 1}]
    lake = LocalLake(root=str(tmp_path), home=str(tmp_path))
    assert [Path(key).name for key in lake.parquet("marts/users/")] == ["users.parquet"]
    (folder / "users.parquet").unlink()
    assert warehouse.partition("users", "customer_1", "2026-01-01") is None


def test_a_cut_file_is_named_with_the_command_that_makes_it_again(tmp_path: Path) -> None:
    told = r"recograph run --customer customer_1 --date 2026-01-01"
    Snapshot({"users": [(1, True, True, None)]}).write(tmp_path, "customer_1", "2026-01-01")
    mart = tmp_path / "marts/users/customer=customer_1/snapshot_date=2026-01-01/users.parquet"
    mart.write_bytes(mart.read_bytes()[:-10])
    warehouse = DuckDBWarehouse(lake=str(tmp_path))
    with pytest.raises(RecographError, match=rf"users\.parquet.* {told}"):
        warehouse.query(f"from {warehouse.partition('users', 'customer_1', '2026-01-01')}")
    lake = LocalLake(root=str(tmp_path), home=str(tmp_path))
    cut = tmp_path / landing_key("customer_1", "core_user", "2026-01-01")
    cut.parent.mkdir(parents=True)
    cut.write_bytes(b"PAR1")
    with pytest.raises(RecographError, match=rf"core_user\.parquet isn't a whole Parquet file .*{told}"):
        find_drop(DaysBefore(lake, "customer_1", "2026-01-02"), "core_user", 5, 0.3)


def test_a_file_is_replaced_where_it_lies_and_keeps_its_permissions(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file)
    with pytest.raises(UnicodeEncodeError), replaced(link) as draft:
        draft.write_text("half \udcff")
    assert file.read_text() == "before"
    with replaced(link) as draft:
        draft.write_text("after")
        assert file.read_text() == "before"
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("after", 0o640)
    assert link.readlink() == file
    assert set(tmp_path.iterdir()) == {file, link}


def test_what_is_no_file_is_written_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with replaced(pipe) as draft:
        draft.write_text("rows")
    assert os.read(reader, 10) == b"rows"
    os.close(reader)
    assert pipe.is_fifo()
