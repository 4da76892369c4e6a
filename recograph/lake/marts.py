"""Publishes marts that Python computes: their files lie where dbt would have put them."""

import pyarrow as pa
import pyarrow.parquet as pq

from recograph.lake.interfaces import Catalog, Lake
from recograph.lake.layout import MART_PARTITION, mart_partition

_TYPES = {pa.int64(): "bigint", pa.float64(): "double", pa.string(): "varchar"}
"""How dbt spells the types that these marts have."""


def publish_mart(lake: Lake, catalog: Catalog, mart: str, customer: str, date: str, rows: pa.Table) -> int:
    """Replace a mart's partition in the lake, and make it queryable.

    Args:
        lake: where to write.
        catalog: where to register.
        mart: name of the mart.
        customer: id of the customer.
        date: the snapshot date.
        rows: the mart's rows, without the columns of the partition.

    Returns:
        The size of the file in bytes.

    Raises:
        RecographError: the lake or the catalog can't be written.
    """
    for column, value in zip(MART_PARTITION, (customer, date), strict=True):
        rows = rows.append_column(column, pa.repeat(pa.scalar(value), rows.num_rows))
    folder = mart_partition(mart, customer, date)
    key = f"{folder}{mart}.parquet"
    with lake.staging() as staging:
        pq.write_table(rows, staging / mart, compression="zstd")
        size = lake.publish(staging / mart, key)
    for other in set(lake.parquet(folder)) - {key}:
        lake.delete(other)
    columns = {field.name: _TYPES[field.type] for field in rows.schema}
    catalog.register_mart(mart, customer, date, columns)
    return size
