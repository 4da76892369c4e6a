"""Collects rows until the batch of a table is full, or until all waiting rows take as much memory as a batch may."""

from collections.abc import Iterator

import pyarrow as pa

from recograph.dumps.tables import Table

_MOST_WAITING = 64
"""How many tables may wait at once."""


class Batches:
    """Joins decoded rows to batches of some size."""

    def __init__(self, rows: int, size: int):
        """Nothing waits yet.

        Args:
            rows: most rows of a batch.
            size: batches are given when they hold about so many bytes together.
        """
        self._rows, self._size = rows, size
        self._waiting: dict[str, Table] = {}
        self._waiting_bytes = 0

    def add(self, table: Table, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Add rows of a table to those that wait, and give the batches that are full now."""
        for at in range(0, batch.num_rows, self._rows):
            part = batch.slice(at, self._rows)
            if table.waiting and table.waiting_rows + part.num_rows > self._rows:
                yield from self._flush(table)
            table.waiting.append(part)
            table.waiting_rows += part.num_rows
            self._waiting[table.report.name] = table
            self._waiting_bytes += part.nbytes
            if self._waiting_bytes >= self._size or len(self._waiting) > _MOST_WAITING:
                yield from self.rest()

    def rest(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """All rows that wait."""
        yield from self._flush(*self._waiting.values())

    def _flush(self, *tables: Table) -> Iterator[tuple[str, pa.RecordBatch]]:
        for table in tables:
            del self._waiting[table.report.name]
            self._waiting_bytes -= sum(part.nbytes for part in table.waiting)
            yield from ((table.report.name, batch) for batch in table.flush())
