"""The warehouse on AWS: Athena through pyathena; large results come by UNLOAD as Parquet.

pyathena's cursors for Arrow and pandas aren't used: they read Athena's CSV, in which an empty text and NULL look alike.
"""

import logging
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyathena
from botocore.exceptions import BotoCoreError, ClientError
from pyathena.error import DatabaseError

from recograph.adapters.aws import clients
from recograph.adapters.aws.athena_cost import dollars, usage
from recograph.adapters.aws.messages import aws_explained, sentence
from recograph.adapters.aws.s3_lake import S3Lake
from recograph.errors import RecographError
from recograph.lake.interfaces import BATCH_ROWS
from recograph.lake.layout import UNLOADED, date_of, remaking

_ARROW_TYPES = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "char": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
}

_HINTS = {
    "WorkGroup": "Run `make deploy`, or correct RECOGRAPH_ATHENA_WORKGROUP.",
    "Bytes scanned limit": "It is the workgroup's limit for one query: raise query_limit_gib in Terraform.",
    "SCHEMA_NOT_FOUND": "Run `make deploy`, or correct RECOGRAPH_MARTS_DATABASE.",
    "incompatible and cannot be coerced": "A column got another type, and that day was built before: "
    "Athena reads no number as a boolean or a time. Build such days again: `recograph run --customer ... --date ...`.",
    "TABLE_NOT_FOUND": "Materialize the marts first.",
}

_PARTITION = re.compile(r"where customer = '(\w+)' and snapshot_date = '([0-9-]+)'")


@dataclass(frozen=True)
class AthenaWarehouse:
    """Athena over the marts' database."""

    lake: S3Lake
    region: str
    workgroup: str
    results: str
    """Where Athena puts results, s3://BUCKET/PREFIX/."""
    database: str
    log: logging.Logger = field(default=logging.getLogger(__name__), compare=False)
    """Where each query and its cost are told."""
    _scanned: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Bytes by query since `usage` was last asked."""

    @property
    def bills_statements(self) -> bool:
        """See `Warehouse.bills_statements`: 10 MB at least, and requests to S3 for each mart and for the result."""
        return True

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
            schema = pa.schema([(column[0], _arrow_type(column)) for column in cursor.description])
            rows = cursor.fetchall()
        columns = zip(*rows, strict=True) if rows else [()] * len(schema)
        arrays = [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """See `Warehouse.stream`. No rows leave no file, and so no batch."""
        prefix = f"{UNLOADED}{uuid.uuid4().hex}/"
        unload = f"UNLOAD ({sql}) TO '{self.lake.uri(prefix)}' WITH (format = 'PARQUET', compression = 'SNAPPY')"
        keys: list[str] | None = None
        try:
            with self._execute(unload):
                pass
            keys = self.lake.parquet(prefix)
            filesystem, root = self.lake.filesystem()
            for key in keys:
                with aws_explained(self.lake.uri(key)), pq.ParquetFile(f"{root}{key}", filesystem=filesystem) as file:
                    yield from file.iter_batches(batch_size=BATCH_ROWS)
        finally:
            if keys is None:  # it failed half way
                self.lake.delete(prefix)
            else:
                self.lake.delete_keys(keys)

    def usage(self) -> dict[str, Any]:
        """See `Warehouse.usage`."""
        scanned = dict(self._scanned)
        self._scanned.clear()
        return {"athena_queries": list(scanned), **usage(scanned.values())} if scanned else {}

    @contextmanager
    def _execute(self, sql: str) -> Iterator[Any]:
        """Run a statement to its end; it is cancelled when the run is interrupted."""
        try:
            connection = pyathena.connect(
                session=clients.session(self.region),
                region_name=self.region,
                work_group=self.workgroup,
                s3_staging_dir=self.results,
                schema_name=self.database,
                poll_interval=0.5,
                config=clients.RETRIES,
            )
            with connection, connection.cursor() as cursor:
                try:
                    cursor.execute(sql)
                except DatabaseError:
                    raise
                except BaseException:  # Dagster's interrupt is no Exception, and pyathena doesn't know it
                    if cursor.query_id:
                        cursor.cancel()
                    raise
                self._note_cost(cursor, sql)
                yield cursor
        except (DatabaseError, ClientError, BotoCoreError) as error:
            text = " ".join(str(error).split())
            hint = next((hint for part, hint in _HINTS.items() if part in text), None)
            if hint is None and date_of(text):  # a file that is broken, or went while it was read
                hint = remaking(text)
            raise RecographError(
                sentence(f"Athena (workgroup {self.workgroup}) refused a query", text, hint)
            ) from error

    def _note_cost(self, cursor: Any, sql: str) -> None:
        # The partitions that it reads, as `partition` names them: several queries run at a time.
        read = sorted({f"{customer} {date}" for customer, date in _PARTITION.findall(sql)})
        scanned = self._scanned[cursor.query_id] = cursor.data_scanned_in_bytes or 0
        self.log.info(
            f"{', '.join(read) or self.database}: Athena query {cursor.query_id}, {scanned / 1e6:.1f} MB scanned, "
            f"about ${dollars(scanned):.5f}"
        )


def _arrow_type(column: Sequence[Any]) -> pa.DataType:
    """The Arrow type of a column as the driver describes it; what has none of its own is text."""
    _, kind, _, _, precision, scale, _ = column
    return pa.decimal128(precision, scale) if kind == "decimal" else _ARROW_TYPES.get(kind, pa.string())
