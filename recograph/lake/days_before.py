"""Compares a landed day with the last day before it: are many rows gone, or a column?"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq

from recograph.errors import RecographError
from recograph.lake.interfaces import Lake
from recograph.lake.layout import customer_folder, date_of, landing_folder, landing_key, remaking

MISSING_COLUMNS = "recograph.missing_columns"
"""Metadata of a landed file: the contract's columns that the table in the dump lacked, as JSON."""
SMALL_TABLE = 20
"""A table with fewer rows than this may lose any number of them: a share of so few rows says nothing."""


class DaysBefore:
    """What was landed of a customer before a day; the lake is listed once for all tables, and each file read once."""

    def __init__(self, lake: Lake, customer: str, date: str) -> None:
        """Nothing is asked yet."""
        self.lake = lake
        self.customer = customer
        self.date = date
        self._read: dict[str, pq.FileMetaData] = {}

    @cached_property
    def landed(self) -> dict[str, str]:
        """`Lake.stamps` of all that is landed of the customer, of that day and of later ones too."""
        return self.lake.stamps(customer_folder(self.customer))

    def key(self, table: str) -> str | None:
        """The key of the table's file of the last landed day before; None where there is no such day."""
        folder = landing_folder(self.customer, table)
        dates = {date_of(key) for key in self.landed if key.startswith(folder)} - {""}
        keys = {landing_key(self.customer, table, date) for date in dates if date < self.date}
        return max(keys & self.landed.keys(), default=None)

    def metadata(self, table: str) -> tuple[str, pq.FileMetaData] | None:
        """The last landed day before, and the metadata of the table's file.

        Raises:
            RecographError: it isn't a whole file.
        """
        key = self.key(table)
        if key is None:
            return None
        if key not in self._read:
            filesystem, root = self.lake.filesystem()
            try:
                self._read[key] = pq.read_metadata(f"{root}{key}", filesystem=filesystem)
            except (OSError, pa.ArrowInvalid) as error:
                uri = self.lake.uri(key)
                raise RecographError(f"{uri} isn't a whole Parquet file ({error}). {remaking(key)}") from error
        return date_of(key), self._read[key]


@dataclass(frozen=True)
class Drop:
    """A table that has lost more rows since the last landed day than is allowed."""

    customer: str
    table: str
    date: str
    rows: int
    date_before: str
    rows_before: int

    def __str__(self) -> str:
        """One sentence with the numbers and what to do."""
        return (
            f"{self.table} of {self.customer} has {self.rows} rows on {self.date} after {self.rows_before} on "
            f"{self.date_before}. If the dump is cut, replace it."
        )


def find_drop(before: DaysBefore, table: str, rows: int, max_row_drop: float) -> Drop | None:
    """Compare a table's rows with those of the last landed day before; None where no more are gone than is allowed."""
    landed = before.metadata(table)
    if landed is None or landed[1].num_rows < SMALL_TABLE or rows >= landed[1].num_rows * (1 - max_row_drop):
        return None
    return Drop(before.customer, table, before.date, rows, landed[0], landed[1].num_rows)


def find_vanished(before: DaysBefore, table: str, missing: Collection[str]) -> str | None:
    """A sentence about columns of the contract that the last landed day had and this day lacks; None where none is."""
    landed = before.metadata(table) if missing else None
    lacked = json.loads(_missing_columns(landed[1])) if landed else None
    gone = [column for column in missing if column not in lacked] if lacked is not None else []
    if landed is None or not gone:
        return None
    return (
        f"{table} of {before.customer} lacks {', '.join(gone)} on {before.date}, which it had on {landed[0]}. "
        "If a column was renamed or dropped by mistake, replace the dump."
    )


def _missing_columns(landed: pq.FileMetaData) -> bytes:
    """The contract's columns that the dump lacked, as a landed file's metadata lists them in JSON; null without it."""
    metadata: dict[bytes, bytes] = landed.metadata or {}
    return metadata.get(MISSING_COLUMNS.encode(), b"null")
