"""What a platform is made of, shown by one that doesn't exist."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.local.folder_lake import LocalLake
from recograph.adapters.local.parquet_catalog import ParquetCatalog
from recograph.customers import Customer, DumpOptions
from recograph.errors import RecographError
from recograph.lake.erased import add_erased
from recograph.lake.inbox import dump_for
from recograph.lake.landing import land
from recograph.platforms import PLATFORMS, Column, Contract, Platform, platform_of, platforms_of

DAY = "2026-11-01"
DUMP = """-- MySQL dump 10.13
CREATE TABLE `x_learner` (`id` int, `secret` text);
INSERT INTO `x_learner` VALUES (7,'p'),(8,'q');
CREATE TABLE `learner` (`id` int);
INSERT INTO `learner` VALUES (1);
-- Dump completed
"""


def _no_sample(_world: Any) -> Any:
    raise AssertionError


TINY = Platform(
    "tiny",
    "Tiny",
    {
        "learner": Contract(
            "learner", "A learner", (Column("id", pa.int64(), "Id", required=True),), ("id",), person="id"
        ),
        "badge": Contract("badge", "A badge", (Column("id", pa.int64(), "Id"),), optional=True),
    },
    _no_sample,
    prefix="t_",
)


@pytest.fixture
def customer(monkeypatch: pytest.MonkeyPatch) -> Customer:
    monkeypatch.setitem(PLATFORMS, TINY.id, TINY)
    options = DumpOptions(prefix="x_")
    return Customer(id="acme", name="-", region="-", size="-", category="-", platform="tiny", dump=options)


@pytest.fixture
def inbox(tmp_path: Path) -> LocalInbox:
    path = tmp_path / "data" / "acme" / f"{DAY}.sql"
    path.parent.mkdir(parents=True)
    path.write_text(DUMP)
    return LocalInbox(tmp_path / "data")


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    return LocalLake(root=str(tmp_path / "lake"), home=str(tmp_path / "home"))


def test_landing_catalog_and_erasure_follow_from_the_contracts(
    customer: Customer, inbox: LocalInbox, lake: LocalLake
) -> None:
    landed = land(inbox, lake, dump_for(inbox, "acme", DAY), customer).tables
    assert {name: table.rows for name, table in landed.items()} == {"learner": 2, "badge": 0}
    assert pq.read_table(landed["learner"].uri, partitioning=None).to_pydict() == {"id": [7, 8]}
    tables = ParquetCatalog(lake).register("acme", DAY, TINY.contracts.values())
    assert {name: (table.rows, table.drift) for name, table in tables.items()} == {"learner": (2, ()), "badge": (0, ())}
    add_erased(lake, "acme", 8)
    assert land(inbox, lake, dump_for(inbox, "acme", DAY), customer).tables["learner"].rows == 1


def test_assets_of_other_platforms_are_in_a_folder_and_leave_customers_of_others_out(
    customer: Customer, inbox: LocalInbox, lake: LocalLake
) -> None:
    from recograph.defs.catalog import catalog_of
    from recograph.defs.landing import landing_of

    landing, catalog = landing_of(TINY), catalog_of(TINY)
    assert {key.to_user_string() for key in landing.keys} == {"landing/tiny/learner", "landing/tiny/badge"}
    assert {key.to_user_string() for key in catalog.keys} == {"glue/tiny/learner", "glue/tiny/badge"}
    run = dg.materialize(
        [landing, catalog],
        instance=dg.DagsterInstance.ephemeral(),
        resources={"inbox": inbox, "lake": lake, "catalog": ParquetCatalog(lake)},
        partition_key=dg.MultiPartitionKey({"customer": "customer_1", "date": DAY}),
    )
    assert run.success
    said = {text for event in run.get_asset_materialization_events() for text in _metadata(event)}
    assert said == {"customer_1 has the platform Docebo: there is nothing of Tiny to do."}
    assert not list(Path(lake.root).rglob("*.parquet"))


def _metadata(event: dg.DagsterEvent) -> list[Any]:
    metadata = event.step_materialization_data.materialization.metadata
    return [value.value for name, value in metadata.items() if name == "left_out"]


def test_platforms_are_those_that_are_named(customer: Customer) -> None:
    assert platforms_of([customer]) == [TINY]
    with pytest.raises(RecographError, match=r"acme has the platform 'none'.*docebo, moodle, tiny"):
        platform_of(customer.model_copy(update={"platform": "none"}))
