"""Which days the partitions reach to, and that a run is about one of them."""

import datetime
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.customers import CustomerList, load_customers
from recograph.errors import RecographError
from recograph.settings import Settings
from recograph_tests.environment import set_up

TODAY = datetime.date(2026, 11, 20)
ENTRY = "\n  - {id: acme, name: A, region: r, size: s, category: c}\n"


@pytest.fixture(scope="module")
def partitions() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch)
        from recograph.defs import partitions

        return partitions


class Elsewhere(LocalInbox):
    """An inbox that isn't on this machine."""

    folder = None  # type: ignore[assignment]

    def __init__(self) -> None:
        pass

    def uri(self, customer: str = "", name: str = "") -> str:
        return "s3://lake/dumps/"


def customers(data: Path, start: str = "", *days: str) -> CustomerList:
    (data / "acme").mkdir()
    (data / "customers.yaml").write_text(f"{start and f'start_date: {start}'}\ncustomers:{ENTRY}")
    for day in days:
        (data / "acme" / f"{day}.sql").touch()
    return load_customers(data)


@pytest.mark.parametrize(
    ("start", "days", "first", "after_yesterday"),
    [
        ("", [], TODAY, 1),
        ("2026-11-03", [], datetime.date(2026, 11, 3), 1),
        ("2026-11-03", ["2026-11-01"], datetime.date(2026, 11, 1), 1),
        ("2026-11-03", ["2026-11-20", "2026-11-21"], datetime.date(2026, 11, 3), 2),
        ("", ["2026-11-19", "2026-11-22"], datetime.date(2026, 11, 19), 1),  # later than tomorrow is a mistake
        # As is a year that would make partitions of thousands of days for everybody.
        ("", ["0001-01-01", "1999-12-31", "2026-11-19"], datetime.date(2026, 11, 19), 1),
    ],
)
def test_they_reach_from_the_first_dump_or_the_start_to_tomorrow_at_most(
    partitions: ModuleType, tmp_path: Path, start: str, days: list[str], first: datetime.date, after_yesterday: int
) -> None:
    listed = customers(tmp_path, start, *days)
    settings = Settings.from_env({"RECOGRAPH_DATA": str(tmp_path)})
    window = partitions.date_window(settings, listed, LocalInbox(tmp_path), TODAY)
    assert window == (first, after_yesterday)


def test_without_dumps_here_the_start_must_be_told(partitions: ModuleType, tmp_path: Path) -> None:
    settings = Settings.from_env({"RECOGRAPH_DATA": str(tmp_path)})
    with pytest.raises(
        RecographError, match=r"customers\.yaml: add start_date, the first day with a dump in s3://lake"
    ):
        partitions.date_window(settings, customers(tmp_path), Elsewhere(), TODAY)


def test_a_folder_that_cannot_be_read_keeps_nobody_from_theirs(partitions: ModuleType, tmp_path: Path) -> None:
    listed = customers(tmp_path)
    (tmp_path / "acme").rmdir()
    (tmp_path / "acme").symlink_to(tmp_path / "acme")  # in a circle
    assert partitions.date_window(
        Settings.from_env({"RECOGRAPH_DATA": str(tmp_path)}), listed, LocalInbox(tmp_path), TODAY
    ) == (TODAY, 1)


def test_a_customer_who_was_taken_out_meanwhile_is_not_listed_any_more(
    partitions: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert partitions.is_listed("customer_1")
    assert not partitions.is_listed("acme")
    customers(tmp_path)
    monkeypatch.setattr(partitions, "SETTINGS", Settings.from_env({"RECOGRAPH_DATA": str(tmp_path)}))
    assert not partitions.is_listed("customer_1")
    (tmp_path / "customers.yaml").write_text("customers: [")  # as long as somebody writes it
    assert partitions.is_listed("customer_1")


def test_a_run_about_several_days_or_none_is_refused(partitions: ModuleType) -> None:
    @dg.asset(partitions_def=partitions.SNAPSHOTS, backfill_policy=dg.BackfillPolicy.single_run())
    def asks(context: dg.AssetExecutionContext) -> None:
        context.log.info(str(partitions.snapshot_of(context)))

    @dg.asset
    def asks_without(context: dg.AssetExecutionContext) -> None:
        partitions.snapshot_of(context)

    days = {"dagster/asset_partition_range_start": "customer_1|2026-11-01"}
    days["dagster/asset_partition_range_end"] = "customer_1|2026-11-02"
    with pytest.raises(dg.Failure, match="This run is about 2 partitions, but each is a run of its own"):
        dg.materialize([asks], tags=days)
    with pytest.raises(
        dg.Failure, match=r"This run names no customer and day.*press Materialize.*recograph run --cust"
    ):
        dg.materialize([asks_without])
    assert dg.materialize([asks], partition_key="customer_1|2026-11-01").success
