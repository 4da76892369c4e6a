"""The warehouse on Athena: results as Arrow, what they cost, and what is said when Athena says no."""

import dataclasses
import datetime
import signal
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa
import pyathena
import pytest
from botocore.config import Config
from dagster._core.errors import DagsterExecutionInterruptedError

from recograph.adapters.aws.athena import AthenaWarehouse
from recograph.adapters.environment import open_catalog, open_warehouse
from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.errors import RecographError
from recograph.graph.difference import SQL_NAMES, schema
from recograph.graph.model import SETS
from recograph.graph.scratch import Scratch
from recograph.graph.slots import Part, joined
from recograph.settings import Settings
from recograph_tests.aws.proxy import Proxy
from recograph_tests.aws.stack import Deployment, LocalAws

pytestmark = [pytest.mark.aws, pytest.mark.timeout(600)]

THREE = "(values (1, 'Ada'), (2, ''), (3, cast(null as varchar))) as t (id, name)"
NUMBERS = "unnest(sequence(1, 10000))"
LONG = f"select count(*) from {NUMBERS} a(x) cross join {NUMBERS} b(y) cross join {NUMBERS} c(z) where x * y % 7 = z"


@pytest.fixture
def deployment(athena: LocalAws, deploy: Callable[..., Deployment]) -> Deployment:
    return deploy("customer_1")


@pytest.fixture
def warehouse(deployment: Deployment) -> AthenaWarehouse:
    warehouse = open_warehouse(Settings.from_env(deployment.environ))
    assert isinstance(warehouse, AthenaWarehouse)
    return warehouse


def test_every_type_becomes_arrows(warehouse: AthenaWarehouse) -> None:
    columns = {
        "a": ("true", pa.bool_(), True),
        "b": ("cast(7 as integer)", pa.int32(), 7),
        "c": ("cast(1767225599999 as bigint)", pa.int64(), 1767225599999),
        "d": ("0.1e0", pa.float64(), 0.1),
        "e": ("cast(1.25 as decimal(10, 2))", pa.decimal128(10, 2), Decimal("1.25")),
        "f": ("'a \"b\", c'", pa.string(), 'a "b", c'),
        "g": ("date '2026-01-02'", pa.date32(), datetime.date(2026, 1, 2)),
        "h": (
            "timestamp '2026-01-02 03:04:05.678'",
            pa.timestamp("ms"),
            datetime.datetime(2026, 1, 2, 3, 4, 5, 678_000),  # noqa: DTZ001 - Athena's has no zone
        ),
        "i": ("cast(null as bigint)", pa.int64(), None),
    }
    selected = ", ".join(f"{sql} as {name}" for name, (sql, _, _) in columns.items())
    answer = warehouse.query(f"select {selected}")
    assert answer.schema == pa.schema([(name, type_) for name, (_, type_, _) in columns.items()])
    assert answer.to_pylist() == [{name: value for name, (_, _, value) in columns.items()}]
    assert warehouse.query(f"select {selected} where false").schema == answer.schema  # no rows, the same columns


def test_empty_text_is_kept_apart_from_null(warehouse: AthenaWarehouse) -> None:
    names = [("Ada",), ("",), (None,)]
    assert [(row["name"],) for row in warehouse.query(f"select name from {THREE} order by id").to_pylist()] == names
    (batch,) = warehouse.stream(f"select name from {THREE} order by id")
    assert [(name,) for name in batch["name"].to_pylist()] == names


def test_large_results_come_as_parquet_and_leave_nothing_behind(athena: LocalAws, warehouse: AthenaWarehouse) -> None:
    many = f"select a.x * 10000 + b.x as id from {NUMBERS} a(x) cross join unnest(sequence(1, 12)) b(x)"
    batches = list(warehouse.stream(many))
    assert sum(batch.num_rows for batch in batches) == 120_000
    assert len(batches) > 1
    bucket = warehouse.results.removeprefix("s3://").split("/")[0]
    assert "Contents" not in athena.client("s3").list_objects_v2(Bucket=bucket, Prefix="athena-results/unload/")


def test_a_workgroup_that_says_where_results_go_leaves_marts_and_large_results_where_they_are(
    athena: LocalAws, warehouse: AthenaWarehouse
) -> None:
    place = warehouse.results.replace("athena-results", "marts/kept")
    warehouse.query(f"create table kept with (external_location = '{place}') as select * from {THREE}")
    s3 = athena.client("s3")
    s3.create_bucket(Bucket="companys-results")
    company = {
        "ResultConfigurationUpdates": {"OutputLocation": "s3://companys-results/all/"},
        "EnforceWorkGroupConfiguration": True,
    }
    athena.client("athena").update_work_group(WorkGroup=warehouse.workgroup, ConfigurationUpdates=company)
    warehouse.query(f"insert into kept select * from {THREE}")
    (batch,) = warehouse.stream("select id from kept")
    assert sorted(batch["id"].to_pylist()) == [1, 1, 2, 2, 3, 3]
    bucket = warehouse.results.removeprefix("s3://").split("/")[0]
    assert s3.list_objects_v2(Bucket=bucket, Prefix="marts/kept/")["KeyCount"] == 2
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="athena-results/unload/")
    assert s3.list_objects_v2(Bucket="companys-results", Prefix="all/")["KeyCount"] > 0


def test_a_day_whose_files_were_cleaned_away_has_no_rows(warehouse: AthenaWarehouse, deployment: Deployment) -> None:
    columns = {"id": "bigint", "customer": "varchar", "snapshot_date": "varchar"}
    # Files go by `recograph clean` and when the bucket's rules expire them; the catalog still has their day.
    open_catalog(Settings.from_env(deployment.environ)).register_mart("cleaned", "customer_1", "2026-11-01", columns)
    assert warehouse.query("select id from cleaned where snapshot_date = '2026-11-01'").num_rows == 0
    assert warehouse.query("select count(*) as days from cleaned").to_pylist() == [{"days": 0}]


def test_a_mart_whose_file_is_broken_is_named_with_the_command_that_makes_it_again(
    athena: LocalAws, warehouse: AthenaWarehouse, deployment: Deployment
) -> None:
    columns = {"id": "bigint", "customer": "varchar", "snapshot_date": "varchar"}
    open_catalog(Settings.from_env(deployment.environ)).register_mart("users", "customer_1", "2026-11-01", columns)
    key = "marts/users/customer=customer_1/snapshot_date=2026-11-01/0_part"
    athena.client("s3").put_object(Bucket=deployment.bucket, Key=key, Body=b"no Parquet at all")
    message = rf"refused a query: .*{key}.* Make it again: recograph run --customer customer_1 --date 2026-11-01"
    with pytest.raises(RecographError, match=message):
        warehouse.query(f"select sum(id) as sum from {warehouse.partition('users', 'customer_1', '2026-11-01')}")


def test_a_result_without_rows_is_no_batch(warehouse: AthenaWarehouse) -> None:
    assert list(warehouse.stream(f"select id from {THREE} where id > 3")) == []


def test_several_sets_come_by_one_statement_and_one_file_each_as_it_is_alone(
    athena: LocalAws, warehouse: AthenaWarehouse, tmp_path: Path
) -> None:
    rows = {
        "nodes/Customer": "('acme', '', cast(null as varchar), 'a ''b'' é', 'x')",
        "nodes/User": "(1, true, cast(null as boolean), 1767225599999), (2, false, true, cast(null as bigint))",
        "relationships/HAS_RATED/Course": "(1, 7, 0.1e0), (9007199254740993, 8, cast(null as double))",
        "nodes/Language": "('en', 'English')",
    }
    parts = {}
    for name, values in rows.items():
        wanted = schema(SETS[name])
        typed = ", ".join(f"cast({column} as {SQL_NAMES[type_]}) as {column}" for column, type_ in _typed(wanted))
        parts[name] = Part(f"select {typed} from (values {values}) as t ({', '.join(wanted.names)})", wanted)
    parts["nodes/Language"] = Part(f"{parts['nodes/Language'].sql} where k <> 'en'", parts["nodes/Language"].schema)
    kept = {}
    for engine in (DuckDBWarehouse(str(tmp_path)), warehouse):
        before = athena.engines_requests["PUT"]
        with Scratch(str(tmp_path)) as scratch:
            scratch.store_together(
                {(SETS[name], "new"): part for name, part in parts.items()}, engine.stream(joined(parts))
            )
            tables = [scratch._connection.sql(f'from "new_{name}" order by all').to_arrow_table() for name in rows]
        kept[type(engine)] = [(table.schema, table.to_pylist()) for table in tables]
    assert athena.engines_requests["PUT"] == before + 1
    assert kept[AthenaWarehouse] == kept[DuckDBWarehouse]
    assert [len(table) for _, table in kept[AthenaWarehouse]] == [1, 2, 2, 0]
    (customer,) = kept[AthenaWarehouse][0][1]
    assert (customer["p0"], customer["p1"], customer["p2"]) == ("", None, "a 'b' é")


def _typed(wanted: pa.Schema) -> Iterator[tuple[str, pa.DataType]]:
    return zip(wanted.names, wanted.types, strict=True)


def test_what_was_run_and_scanned_is_told_once(warehouse: AthenaWarehouse) -> None:
    assert warehouse.usage() == {}
    warehouse.query("select 1 as one")
    list(warehouse.stream(f"select id from {THREE}"))
    usage = warehouse.usage()
    assert len(set(usage["athena_queries"])) == 2
    assert usage["athena_bytes_scanned"] >= 0
    assert usage["athena_cost_estimate_usd"] == pytest.approx(2 * 10e6 / 1e12 * 5)  # each is billed for 10 MB at least
    assert warehouse.usage() == {}


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "select nope from (select 1 as a) t",
            r"Athena \(workgroup test\d+\) refused a query: COLUMN_NOT_FOUND.*'nope'",
        ),
        ("select * from users", r"TABLE_NOT_FOUND: .*Materialize the marts first\."),
        ("select * from nobody.users", r"SCHEMA_NOT_FOUND: .*Run `make deploy`"),
    ],
)
def test_what_athena_refuses_is_one_sentence(warehouse: AthenaWarehouse, sql: str, message: str) -> None:
    with pytest.raises(RecographError, match=message) as caught:
        warehouse.query(sql)
    assert "\n" not in str(caught.value)


def test_a_missing_workgroup_says_how_to_make_it(warehouse: AthenaWarehouse) -> None:
    nobodys = dataclasses.replace(warehouse, workgroup="nobodys")
    message = (
        r"\(workgroup nobodys\).*WorkGroup is not found\. Run `make deploy`, or correct RECOGRAPH_ATHENA_WORKGROUP\."
    )
    with pytest.raises(RecographError, match=message):
        nobodys.query("select 1 as one")


def test_the_limit_of_the_workgroup_says_where_it_is_raised(athena: LocalAws, warehouse: AthenaWarehouse) -> None:
    place = warehouse.results.replace("athena-results", "marts/scanned")
    warehouse.query(f"create table scanned with (external_location = '{place}') as select * from {THREE}")
    tiny = Config(parameter_validation=False)  # AWS takes 10 MB at least
    limit = {"BytesScannedCutoffPerQuery": 10}
    athena.client("athena", config=tiny).update_work_group(WorkGroup=warehouse.workgroup, ConfigurationUpdates=limit)
    with pytest.raises(RecographError, match=r"Bytes scanned limit.*raise query_limit_gib in Terraform"):
        warehouse.query("select * from scanned")


def test_denied_access_names_the_role(
    athena: LocalAws, warehouse: AthenaWarehouse, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy(deployment.environ["AWS_ENDPOINT_URL_ATHENA"])
    proxy.refuse = lambda method, path: True
    monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", proxy.endpoint)
    try:
        with pytest.raises(RecographError, match=r"AccessDenied.*not authorized.*pipeline's role"):
            warehouse.query("select 1 as one")
    finally:
        proxy.stop()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """An alarm interrupts this process as Dagster interrupts a run."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise DagsterExecutionInterruptedError

    before = signal.signal(signal.SIGALRM, interrupt)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_an_interrupted_run_cancels_its_query(
    athena: LocalAws, warehouse: AthenaWarehouse, interruptible: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    connect: Any = pyathena.connect

    def on_start(query: str) -> None:
        started.append(query)
        signal.alarm(1)

    monkeypatch.setattr(pyathena, "connect", lambda **options: connect(**options, on_start_query_execution=on_start))
    with pytest.raises(DagsterExecutionInterruptedError):
        warehouse.query(LONG)
    client, deadline = athena.client("athena"), time.monotonic() + 300
    while (state := _state(client, started[0])) in ("QUEUED", "RUNNING") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert state == "CANCELLED"


def _state(client: Any, query: str) -> str:
    execution = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]
    return str(execution["Status"]["State"])


def test_days_before_and_after_a_mart_changed_are_read_as_it_is_now(
    deployment: Deployment, warehouse: AthenaWarehouse
) -> None:
    catalog = open_catalog(Settings.from_env(deployment.environ))
    partition = {"customer": "varchar", "snapshot_date": "varchar"}
    before = {"id": "bigint", "score": "bigint", "gone": "varchar", "valid": "bigint", **partition}
    after = {"new": "boolean", "id": "varchar", "score": "double", "valid": "boolean", **partition}
    for day, columns, row in (
        ("2026-11-01", before, "1, 2, 'x', 1"),
        ("2026-11-02", after, "true, 'one', 0.5e0, true"),
    ):
        assert catalog.prepare_marts({"changing": columns})
        with warehouse._execute(f"insert into changing select {row}, 'customer_1', '{day}'"):
            pass
    relations = [warehouse.partition("changing", "customer_1", day) for day in ("2026-11-01", "2026-11-02")]
    rows = warehouse.query(
        f"select new, id, score from {relations[0]} union all select new, id, score from {relations[1]}"
    )
    assert sorted(rows.to_pylist(), key=str) == [
        {"new": None, "id": "1", "score": 2.0},
        {"new": True, "id": "one", "score": 0.5},
    ]
    assert warehouse.query(f"select valid from {relations[1]}").to_pylist() == [{"valid": True}]
    with pytest.raises(RecographError, match=r"Build such days again: `recograph run"):  # this column alone
        warehouse.query(f"select valid from {relations[0]}")
