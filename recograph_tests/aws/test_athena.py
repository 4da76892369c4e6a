"""The stand-in itself: what the pipeline relies on Athena and Glue for, asked through the clients that it uses."""

import io
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pyathena
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pyathena.async_cursor import AsyncCursor

from recograph_tests.aws.stack import Deployment, LocalAws

pytestmark = [pytest.mark.aws, pytest.mark.timeout(600)]

COLUMNS = [{"Name": "id", "Type": "bigint"}, {"Name": "name", "Type": "string"}, {"Name": "at", "Type": "timestamp"}]
PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


def storage(location: str) -> dict[str, Any]:
    return {
        "Columns": COLUMNS,
        "Location": location,
        "InputFormat": f"{PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{PARQUET}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{PARQUET}.serde.ParquetHiveSerDe"},
    }


@pytest.fixture
def lake(athena: LocalAws, deploy: Callable[..., Deployment]) -> Deployment:
    """A deployment with one landed table of two days."""
    deployment = deploy("customer_1")
    database = deployment.environ["RECOGRAPH_LANDING_DATABASE_PREFIX"] + "customer_1"
    place = f"s3://{deployment.bucket}/landing/customer_1/core_user/"
    table = {"Name": "core_user", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage(place)}
    keys = [{"Name": "snapshot_date", "Type": "string"}]
    glue = athena.client("glue")
    glue.create_table(DatabaseName=database, TableInput={**table, "PartitionKeys": keys})
    days: dict[str, list[str | None]] = {"2026-11-01": ["Ada", ""], "2026-11-02": ["Ada", None, 'a "b", c']}
    for day, names in days.items():
        moments = [datetime(2026, 1, 2, 3, 4, number) for number in range(len(names))]  # noqa: DTZ001 - no zone in it
        rows = pa.table({"id": range(len(names)), "name": names, "at": pa.array(moments, pa.timestamp("us"))})
        file = io.BytesIO()
        pq.write_table(rows, file)
        key = f"landing/customer_1/core_user/snapshot_date={day}/core_user.parquet"
        athena.client("s3").put_object(Bucket=deployment.bucket, Key=key, Body=file.getvalue())
        partition = {"Values": [day], "StorageDescriptor": storage(f"{place}snapshot_date={day}/")}
        glue.create_partition(DatabaseName=database, TableName="core_user", PartitionInput=partition)
    return deployment


@pytest.fixture
def cursor(lake: Deployment) -> Iterator[Any]:
    with connect(lake) as connection:
        yield connection.cursor()


def connect(lake: Deployment, **options: Any) -> Any:
    return pyathena.connect(
        work_group=lake.environ["RECOGRAPH_ATHENA_WORKGROUP"],
        schema_name=lake.environ["RECOGRAPH_LANDING_DATABASE_PREFIX"] + "customer_1",
        poll_interval=0.05,
        **options,
    )


def test_select_keeps_empty_text_apart_from_null(cursor: Any) -> None:
    rows = cursor.execute(
        "select id, name, at from core_user where snapshot_date = '2026-11-02' order by id"
    ).fetchall()
    assert rows == [
        (0, "Ada", datetime(2026, 1, 2, 3, 4, 0)),  # noqa: DTZ001
        (1, None, datetime(2026, 1, 2, 3, 4, 1)),  # noqa: DTZ001
        (2, 'a "b", c', datetime(2026, 1, 2, 3, 4, 2)),  # noqa: DTZ001
    ]
    assert cursor.execute("select name from core_user where name = ''").fetchall() == [("",)]
    assert cursor.data_scanned_in_bytes > 0


def test_every_type_is_written_as_athena_writes_it(cursor: Any) -> None:
    row = cursor.execute(
        "select 7 / 2, 1e10, 0.5e0, cast(1.25 as decimal(10, 2)), true, date '2026-01-02', "
        "timestamp '2026-01-02 03:04:05', cast(null as integer), array[1, 2], "
        "cast(row(1, 'z') as row(p integer, q varchar)), X'00ff', from_unixtime(0)"
    ).fetchone()
    assert row[:3] == (3, 1e10, 0.5)
    assert row[3] == Decimal("1.25")
    assert row[4] is True
    assert str(row[6]) == "2026-01-02 03:04:05"
    assert row[7] is None
    assert [column[1] for column in cursor.description][:5] == ["integer", "double", "double", "decimal", "boolean"]


def test_more_rows_than_a_page(cursor: Any) -> None:
    rows = cursor.execute("select x from unnest(sequence(1, 2500)) as t (x) order by 1").fetchall()
    assert rows == [(number,) for number in range(1, 2501)]


def test_parameters(cursor: Any) -> None:
    sql = "select count(*) from core_user where name = ? and snapshot_date = ?"
    assert cursor.execute(sql, ["'Ada'", "'2026-11-01'"], paramstyle="qmark").fetchall() == [(1,)]


def test_unload_is_read_as_parquet_and_wants_an_empty_target(lake: Deployment, cursor: Any) -> None:
    target = f"s3://{lake.bucket}/athena-results/unload/"
    unload = f"unload (select id, name from core_user) to '{target}' with (format = 'PARQUET', compression = 'SNAPPY')"
    cursor.execute(unload)
    assert sorted(ds.dataset(target).to_table()["id"].to_pylist()) == [0, 0, 1, 1, 2]
    with pytest.raises(pyathena.OperationalError, match="HIVE_PATH_ALREADY_EXISTS"):
        cursor.execute(unload)


def test_unload_of_nothing_writes_no_file(athena: LocalAws, lake: Deployment, cursor: Any) -> None:
    cursor.execute(
        f"unload (select id from core_user where id < 0) to 's3://{lake.bucket}/none/' with (format = 'PARQUET')"
    )
    assert "Contents" not in athena.client("s3").list_objects_v2(Bucket=lake.bucket, Prefix="none/")


def test_a_partitioned_table_is_made_filled_and_pruned(athena: LocalAws, lake: Deployment, cursor: Any) -> None:
    place = f"s3://{lake.bucket}/marts/users/"
    properties = f"external_location = '{place}', partitioned_by = array['day'], write_compression = 'SNAPPY'"
    cursor.execute(f"create table users with ({properties}) as select id, snapshot_date as day from core_user")
    cursor.execute("insert into users select 9, '2026-11-03'")
    cursor.execute("alter table `users` set tblproperties ('classification' = 'parquet')")
    assert sorted(cursor.execute("show partitions users").fetchall()) == [(f"day=2026-11-0{n}",) for n in (1, 2, 3)]
    assert cursor.execute("select day, count(*) from users group by day order by day").fetchall() == [
        ("2026-11-01", 2),
        ("2026-11-02", 3),
        ("2026-11-03", 1),
    ]
    cursor.execute("alter table users drop if exists partition (day = '2026-11-01')")
    assert cursor.execute("select count(*) from users").fetchone() == (4,)
    database = lake.environ["RECOGRAPH_LANDING_DATABASE_PREFIX"] + "customer_1"
    table = athena.client("glue").get_table(DatabaseName=database, Name="users")["Table"]
    assert table["Parameters"]["classification"] == "parquet"
    with pytest.raises(pyathena.OperationalError, match="HIVE_PATH_ALREADY_EXISTS"):
        cursor.execute(f"create table users_2 with (external_location = '{place}') as select 1 as id")


def test_a_view_is_made_and_read(cursor: Any) -> None:
    cursor.execute("create or replace view ids as select id from core_user")
    assert cursor.execute("select count(*) from ids").fetchone() == (5,)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select nope from core_user", "COLUMN_NOT_FOUND"),
        ("select * from nobody", "TABLE_NOT_FOUND"),
        ("select `id` from core_user", "backquoted"),
        ("delete from core_user", "mismatched input 'delete'"),
        ("set session a.b = 1", "mismatched input 'set'"),
        ("create table t (id bigint)", "ParseException"),
        ("create table t with (nope = 1) as select 1 as a", "'nope' does not exist"),
        ("create table t as select cast(now() as timestamp(6)) as a", "timestamp"),
        ("create table t as select from_unixtime(0) as a", "with time zone"),
        ("create table t as select 1", "Column name not specified"),
        ("unload (select 1 as a) to 's3://b/c/' with (compression = 'SNAPPY')", "'format'"),
        ("select '7' = 7", "TYPE_MISMATCH"),
        ("truncate table core_user", "mismatched input 'truncate'"),
        ("alter table core_user rename to users", "not supported"),
    ],
)
def test_what_athena_refuses_is_refused(cursor: Any, sql: str, reason: str) -> None:
    with pytest.raises(pyathena.OperationalError, match=reason):
        cursor.execute(sql)


def test_an_unknown_workgroup_is_refused(lake: Deployment) -> None:
    lake.environ["RECOGRAPH_ATHENA_WORKGROUP"] = "nobody"
    with connect(lake) as connection, pytest.raises(pyathena.DatabaseError, match="WorkGroup is not found"):
        connection.cursor().execute("select 1")


def test_a_query_over_the_limit_is_cancelled(athena: LocalAws, lake: Deployment, cursor: Any) -> None:
    limit = {"BytesScannedCutoffPerQuery": 10}
    workgroup = lake.environ["RECOGRAPH_ATHENA_WORKGROUP"]
    tiny = Config(parameter_validation=False)  # AWS takes 10 MB at least
    athena.client("athena", config=tiny).update_work_group(WorkGroup=workgroup, ConfigurationUpdates=limit)
    with pytest.raises(pyathena.OperationalError, match="Bytes scanned limit"):
        cursor.execute("select * from core_user")


def test_a_running_query_is_stopped(lake: Deployment) -> None:
    numbers = "unnest(sequence(1, 10000))"
    sql = f"select count(*) from {numbers} a(x) cross join {numbers} b(y) cross join {numbers} c(z) where x * y % 7 = z"
    with connect(lake, cursor_class=AsyncCursor) as connection:
        cursor = connection.cursor()
        query_id, result = cursor.execute(sql)
        time.sleep(1)
        cursor.cancel(query_id).result()
        assert result.result().state == "CANCELLED"


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("snapshot_date = '2026-11-01'", ["2026-11-01"]),
        ("(snapshot_date >= '2026-11-01') and snapshot_date in ('2026-11-02', 'x')", ["2026-11-02"]),
        ("snapshot_date like '2025%'", []),
    ],
)
def test_glue_filters_partitions(athena: LocalAws, lake: Deployment, expression: str, days: list[str]) -> None:
    database = lake.environ["RECOGRAPH_LANDING_DATABASE_PREFIX"] + "customer_1"
    table = {"DatabaseName": database, "TableName": "core_user"}
    partitions = athena.client("glue").get_partitions(**table, Expression=expression)["Partitions"]
    assert [partition["Values"] for partition in partitions] == [[day] for day in days]


def test_glue_refuses_a_filter_that_it_cannot_read(athena: LocalAws, lake: Deployment) -> None:
    database = lake.environ["RECOGRAPH_LANDING_DATABASE_PREFIX"] + "customer_1"
    with pytest.raises(ClientError, match="InvalidInputException"):
        athena.client("glue").get_partitions(DatabaseName=database, TableName="core_user", Expression="nope = 1")
