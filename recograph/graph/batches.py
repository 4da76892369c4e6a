"""Arrow rows on their way to the server: cut into batches, made into query parameters."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from recograph.graph.difference import columns, key_columns
from recograph.graph.model import GraphSet, NodeSet


def rebatch(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of that many (the last may have fewer)."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        waiting.append(batch)
        size += batch.num_rows
        if size < rows:
            continue
        joined = pa.concat_batches(waiting)
        whole = size - size % rows
        yield from (joined.slice(at, rows) for at in range(0, whole, rows))
        waiting, size = [joined.slice(whole)], size - whole
    if size:
        yield pa.concat_batches(waiting)


def parameters(graph_set: GraphSet, batch: pa.RecordBatch, *, keys_only: bool = False) -> dict[str, list[Any]]:
    """The `$batch` that `cypher.add`, `change` and `remove` take, of rows in the columns of `difference.columns`."""
    if isinstance(graph_set, NodeSet):
        values = {"keys": _list(batch.column("k"))}
    else:
        starts, ends = batch.column("s").dictionary_encode(), batch.column("e").dictionary_encode()
        values = {
            "starts": _list(starts.dictionary),
            "ends": _list(ends.dictionary),
            "s": _list(starts.indices),
            "e": _list(ends.indices),
        }
    if not keys_only:
        values |= {name: _list(batch.column(name)) for name in columns(graph_set)[len(key_columns(graph_set)) :]}
    return values


def _list(column: pa.Array) -> list[Any]:
    if column.null_count == 0 and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        values: list[Any] = column.to_numpy().tolist()
    else:
        values = column.to_pylist()
    return values
