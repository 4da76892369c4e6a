"""Whatever days are loaded, in whatever order, and whatever happens between: the graph equals the last snapshot."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from neo4j.exceptions import ClientError

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.errors import RecographError
from recograph.graph.lease import Lease
from recograph.graph.load import load
from recograph.graph.report import LoadOptions
from recograph_tests.graph.marts import BilledWarehouse, Snapshot, actual, expected, time

CUSTOMERS = ("customer_1", "customer_2")
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")
OPTIONS = LoadOptions(allow_older=True, max_removed_share=1, lease=5, batch_rows=3)


@dataclass(frozen=True)
class Load:
    """Load a day, wholly, or only some sets, or stop at some transaction; all rows at once, or those of each set."""

    day: str
    sets: tuple[str, ...] | None = None
    dies_at: int | None = None
    billed: bool = False


@dataclass(frozen=True)
class Rebuild:
    """The day's marts get other rows."""

    day: str
    snapshot: Snapshot


@dataclass(frozen=True)
class Forget:
    """The day's marts are deleted."""

    day: str


def _rows(keys: dict[str, Any], **values: Any) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    row = st.tuples(*keys.values(), *values.values())
    return st.lists(row, max_size=5, unique_by=lambda drawn: drawn[: len(keys)])


_few = st.integers(1, 4)
_times = st.sampled_from([None, time(1), time(2)])
_languages = st.sampled_from(["english", "german", "italian"])
_flags = st.sampled_from([True, False, None])
_text = st.sampled_from(["", "A 'b' \"c\" \\ é", "Law"])
SNAPSHOTS = st.fixed_dictionaries(
    {
        "users": _rows({"id": _few}, manages=_flags, valid=_flags, registered=_times),
        "languages": st.sets(_languages).map(lambda ids: [(id_, id_.title()) for id_ in sorted(ids)]),
        "user_languages": _rows({"user": _few, "language": _languages}),
        "courses": _rows(
            {"id": _few}, name=_text, category=_few, kind=_text, hard=st.none(), status=_few, created=_times
        ),
        "course_enrolments": _rows({"user": _few, "course": _few}, status=st.sampled_from([0, None]), recency=_few),
        "course_ratings": _rows({"user": _few, "course": _few}, rating=st.sampled_from([1.0, 2.5, None])),
        "assets": _rows({"id": _few}, title=_text, kind=_few, created=_times),
        "asset_views": _rows({"user": _few, "asset": _few}, recency=_few),
        "course_similarity": _rows({"course": _few, "similar": _few}, score=st.sampled_from([0.5, 1.0])),
    }
).map(Snapshot)

_days = st.sampled_from(DAYS)
_sets = st.sampled_from(
    [("nodes/User", "relationships/WORKS_AT"), ("nodes/Course",), ("nodes/Language",), ("relationships/SPEAKS",)]
)
STEPS = st.one_of(
    st.builds(Load, _days, billed=st.booleans()),
    st.builds(Load, _days, billed=st.booleans()),
    st.builds(Load, _days, dies_at=st.integers(1, 30), billed=st.booleans()),
    st.builds(Load, _days, sets=_sets, billed=st.booleans()),
    st.builds(Rebuild, _days, SNAPSHOTS),
    st.builds(Forget, _days),
)
A, B = (
    Snapshot(
        {
            "users": [(1, True, True, None), (2, None, None, None)],
            "languages": [("english", "English")],
            "user_languages": [(1, "english")],
            "courses": [(1, "Law", 1, "", None, 1, None)],
            "course_enrolments": [(1, 1, 0, 9), (2, 1, 0, 9)],
        }
    ),
    Snapshot(
        {"users": [(2, None, True, None)], "languages": [("german", "German")], "user_languages": [(2, "german")]}
    ),
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    first=st.fixed_dictionaries({(customer, day): SNAPSHOTS for customer in CUSTOMERS for day in DAYS}),
    steps=st.lists(st.tuples(st.sampled_from(CUSTOMERS), STEPS), min_size=2, max_size=8),
)
@example(
    first={(customer, day): snapshot for customer in CUSTOMERS for day, snapshot in zip(DAYS, (A, B, A), strict=True)},
    steps=[
        ("customer_1", Load(DAYS[0])),
        ("customer_2", Load(DAYS[0])),
        ("customer_1", Load(DAYS[2], billed=True)),
        ("customer_1", Load(DAYS[1])),
        ("customer_1", Load(DAYS[1], billed=True)),
        ("customer_2", Load(DAYS[1], dies_at=9)),
        ("customer_2", Forget(DAYS[0])),
        ("customer_1", Load(DAYS[0])),
    ],
)
def test_any_sequence_of_days_gives_the_last_snapshot(
    neo4j: neo4j.Driver, first: dict[tuple[str, str], Snapshot], steps: list[tuple[str, Any]]
) -> None:
    neo4j.execute_query("MATCH (n) DETACH DELETE n")
    folder = Path(tempfile.mkdtemp())
    try:
        _check(neo4j, folder, first, steps)
    finally:
        shutil.rmtree(folder)


def _check(
    neo4j: neo4j.Driver, lake: Path, first: dict[tuple[str, str], Snapshot], steps: list[tuple[str, Any]]
) -> None:
    warehouses = {False: DuckDBWarehouse(lake=str(lake)), True: BilledWarehouse(lake=str(lake))}
    marts = dict(first)
    for (customer, day), snapshot in marts.items():
        snapshot.write(lake, customer, day)
    whole: dict[str, Snapshot | None] = {}
    for customer, step in steps:
        match step:
            case Rebuild(day, snapshot):
                marts[customer, day] = snapshot
                snapshot.write(lake, customer, day)
            case Forget(day):
                marts.pop((customer, day), None)
                for partition in lake.glob(f"marts/*/customer={customer}/snapshot_date={day}"):
                    shutil.rmtree(partition)
            case Load(day, sets, dies_at, billed):
                succeeded = _load(neo4j, warehouses[billed], customer, step)
                event(f"{'part of a ' if sets else ''}load {'succeeded' if succeeded else 'failed'}")
                if (customer, day) not in marts:
                    assert not succeeded
                elif succeeded and sets is None:
                    whole[customer] = marts[customer, day]
                elif sets or dies_at:
                    whole[customer] = None
        known = {name: snapshot for name, snapshot in whole.items() if snapshot}
        if len(known) == len(whole):
            assert actual(neo4j) == expected(known)
    # Those that were left in the middle of something are loaded once more.
    for customer in [customer for customer, snapshot in whole.items() if snapshot is None]:
        marts[customer, DAYS[0]] = A
        A.write(lake, customer, DAYS[0])
        assert _load(neo4j, warehouses[False], customer, Load(DAYS[0]))
        whole[customer] = A
    assert actual(neo4j) == expected({customer: snapshot for customer, snapshot in whole.items() if snapshot})


def _load(driver: neo4j.Driver, warehouse: DuckDBWarehouse, customer: str, step: Load) -> bool:
    transactions = 0
    write = Lease.write

    def dying(lease: Lease, work: Any, **how: Any) -> Any:
        nonlocal transactions
        transactions += 1
        if transactions == step.dies_at:
            raise ClientError("stopped by the test")
        return write(lease, work, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lease, "write", dying)
        try:
            load(driver, warehouse, customer, step.day, sets=step.sets, options=OPTIONS)
        except RecographError:
            return False
        return True
