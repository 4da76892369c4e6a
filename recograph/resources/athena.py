"""The warehouse on AWS: Athena through pyathena; large results come by UNLOAD as Parquet."""

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.dataset as ds
import pyathena
from botocore.exceptions import BotoCoreError, ClientError
from pyathena.error import DatabaseError, OperationalError

from recograph.errors import RecographError
from recograph.resources.lake import Lake
from recograph.resources.warehouse import BATCH_ROWS

DOLLARS_A_TERABYTE = 5.0
"""Athena's list price for scanned data in most regions; queries are billed for 10 MB at least."""

_ARROW_TYPES = {
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
}

_HINTS = {
    "WorkGroup": "Does the workgroup exist? Run `make deploy`, or correct RECOGRAPH_ATHENA_WORKGROUP.",
    "AccessDenied": "Run with the pipeline's role (terraform output).",
    "Bytes scanned limit": "The workgroup's limit of bytes scanned was reached: raise it in Terraform.",
}

_PARTITION = re.compile(r"where customer = '(\w+)' and snapshot_date = '([0-9-]+)'")


class AthenaWarehouse(dg.ConfigurableResource["AthenaWarehouse"]):
    """Athena over the marts' database."""

    lake: dg.ResourceDependency[Lake]
    region: str
    workgroup: str
    results: str
    """Where Athena puts results, s3://BUCKET/PREFIX/."""
    database: str

    def partition(self, mart: str, customer: str, date: str) -> str | None:
        """See `Warehouse.partition`. A partition without rows and one that isn't there look alike to Athena."""
        return (
            f'(select * from "{self.database}"."{mart}" '  # noqa: S608 - names of ours and checked ids
            f"where customer = '{customer}' and snapshot_date = '{date}')"
        )

    def checksum(self, columns: Sequence[str]) -> str:
        """See `Warehouse.checksum`."""
        return f"to_hex(checksum(row({', '.join(columns)})))"

    def query(self, sql: str) -> pa.Table:
        """See `Warehouse.query`."""
        with self._execute(sql) as cursor:
            names = [column[0] for column in cursor.description]
            types = [_ARROW_TYPES.get(column[1].split("(")[0], pa.string()) for column in cursor.description]
            rows = cursor.fetchall()
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        arrays = [pa.array(list(column), type_) for column, type_ in zip(columns, types, strict=True)]
        return pa.table(dict(zip(names, arrays, strict=True)))

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """See `Warehouse.stream`. No rows leave no file, and so no batch."""
        prefix = f"athena-results/unload/{uuid.uuid4().hex}/"
        unload = f"UNLOAD ({sql}) TO '{self.lake.uri(prefix)}' WITH (format = 'PARQUET', compression = 'SNAPPY')"
        try:
            with self._execute(unload):
                pass
            filesystem, root = self.lake.filesystem()
            selector = pa.fs.FileSelector(f"{root}{prefix}", recursive=True, allow_not_found=True)
            files = [file.path for file in filesystem.get_file_info(selector) if file.is_file]
            if files:
                yield from ds.dataset(files, filesystem=filesystem, format="parquet").to_batches(batch_size=BATCH_ROWS)
        finally:
            self.lake.delete(prefix)

    @contextmanager
    def _execute(self, sql: str) -> Iterator[Any]:
        """Run a statement to its end; it is cancelled when the run is interrupted."""
        try:
            connection = pyathena.connect(
                region_name=self.region,
                work_group=self.workgroup,
                s3_staging_dir=self.results,
                schema_name=self.database,
                kill_on_interrupt=True,
                poll_interval=0.5,
            )
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                self._log_cost(cursor, sql)
                yield cursor
        except (OperationalError, DatabaseError, ClientError, BotoCoreError) as error:
            text = " ".join(str(error).split())
            hint = next((hint for part, hint in _HINTS.items() if part in text), "")
            raise RecographError(
                f"Athena (workgroup {self.workgroup}) refused a query: {text}. {hint}".strip()
            ) from error

    def _log_cost(self, cursor: Any, sql: str) -> None:
        # The partitions that it reads, as `partition` names them: several queries run at a time.
        read = sorted({f"{customer} {date}" for customer, date in _PARTITION.findall(sql)})
        scanned = cursor.data_scanned_in_bytes or 0
        dollars = max(scanned, 10_000_000) / 1e12 * DOLLARS_A_TERABYTE
        dg.get_dagster_logger().info(
            f"{', '.join(read) or self.database}: Athena query {cursor.query_id}, {scanned / 1e6:.1f} MB scanned, "
            f"about ${dollars:.5f}"
        )
