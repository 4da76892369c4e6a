"""Makes landed files of an earlier contract conform to today's contract.

A file that was landed before a column was added or removed, or changed its type, is written anew with the columns that
the contract has now: NULL where a column is new. So every engine reads all days in the same way.
"""

import pyarrow as pa
import pyarrow.parquet as pq

from recograph.errors import RecographError
from recograph.lake.interfaces import Lake
from recograph.lake.layout import landing_key, remaking
from recograph.platforms import Contract


def conform(lake: Lake, customer: str, date: str, contract: Contract) -> tuple[int, tuple[str, ...]]:
    """Make a landed file conform to its contract; returns how many rows it has, and what kept it from conforming.

    Raises:
        RecographError: it wasn't landed, or isn't a whole file.
    """
    filesystem, root = lake.filesystem()
    key = landing_key(customer, contract.table, date)
    try:
        with pq.ParquetFile(f"{root}{key}", filesystem=filesystem) as file:
            rows = int(file.metadata.num_rows)
            wanted = contract.schema.remove_metadata()
            if [(f.name, f.type) for f in file.schema_arrow] == [(f.name, f.type) for f in wanted]:
                return rows, ()
            missing = tuple(
                f"{contract.table}.{column.name} is missing, and may not be NULL. Land the day again from its dump."
                for column in contract.columns
                if column.required and column.name not in file.schema_arrow.names
            )
            return rows, missing or _rewrite(lake, file, key, contract)
    except FileNotFoundError:
        raise RecographError(
            f"{lake.uri(key)} isn't there. Materialize the landing of {contract.table} for {customer}|{date} first."
        ) from None
    except (OSError, pa.ArrowInvalid) as error:
        raise RecographError(f"{lake.uri(key)} isn't a whole Parquet file ({error}). {remaking(key)}") from error


def _rewrite(lake: Lake, file: pq.ParquetFile, key: str, contract: Contract) -> tuple[str, ...]:
    """Write the file anew with the contract's columns, unless a column can't be cast to its type; then say which."""
    kept = [column.name for column in contract.columns if column.name in file.schema_arrow.names]
    with lake.staging() as folder:
        with pq.ParquetWriter(folder / "conforming", contract.schema, compression="zstd") as writer:
            for batch in file.iter_batches(columns=kept):
                arrays = []
                for column in contract.columns:
                    try:
                        is_kept = column.name in kept
                        arrays.append(
                            _cast(batch[column.name], column.type) if is_kept else pa.nulls(len(batch), column.type)
                        )
                    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                        return (
                            f"{contract.table}.{column.name} is {batch[column.name].type}, and the contract says "
                            f"{column.type}. Land the day again from its dump.",
                        )
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=contract.schema))
        lake.publish(folder / "conforming", key)
    return ()


def _cast(values: pa.Array, type_: pa.DataType) -> pa.Array:
    """Values as another type.

    Raises:
        pa.ArrowInvalid: they can't be cast. Also raised where Arrow would cast but the meaning would be a guess, such
            as a number as a time or as true or false.
    """
    told_apart = (pa.types.is_timestamp, pa.types.is_boolean)
    if not pa.types.is_string(type_) and not pa.types.is_string(values.type):
        for is_kind in told_apart:
            if is_kind(type_) != is_kind(values.type):
                raise pa.ArrowInvalid(f"{values.type} as {type_}")
    return values.cast(type_)
