"""The interfaces behind which one machine and AWS differ: `Inbox`, `Lake`, `Catalog` and `Warehouse`.

The same SQL text runs on every warehouse; where warehouses need different SQL, it is a method of `Warehouse`. The text
(`graph.difference`, `analytics.interactions`) is what DuckDB and Trino share: standard SQL with `date_diff`. An engine
that has another function for it translates it in `query` and `stream`, as sqlglot does.
"""

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.fs as fs

from recograph.dumps import Openable
from recograph.platforms import Contract

BATCH_ROWS = 50_000
"""Rows of a batch that a warehouse streams."""


@dataclass(frozen=True)
class DumpFile:
    """A dump that a customer shipped."""

    customer: str
    date: str
    uri: str
    size: int
    version: str
    """Changes when the dump is replaced: times of modification and sizes, or S3's entity tags, of all its files."""
    trouble: str = ""
    """Why the dump can't be read, where looking at its files shows it: one sentence, with what to do."""
    is_folder: bool = False
    """Whether it is a folder of files."""
    changed: datetime.datetime | None = None
    """When the last file of a folder came, since a folder may still be arriving. None for a single file: its end shows
    whether it is whole."""


class Inbox(Protocol):
    """Where the customers' dumps lie. They are only read."""

    @property
    def folder(self) -> Path | None:
        """The folder on this machine that has one folder of dumps per customer; None where they are elsewhere."""

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        """The customer's dumps by snapshot date, oldest first."""

    def open_dump(self, dump: DumpFile) -> AbstractContextManager[Openable]:
        """Open a dump, a file or a folder; closed at the end of the block.

        Raises:
            RecographError: it can't be read, or was replaced since it was listed.
        """

    def stamp(self, dump: DumpFile) -> str:
        """What changes when a dump is written, replaced or touched; it notices more than `DumpFile.version`.

        Raises:
            RecographError: it can't be read.
        """

    def uri(self, customer: str = "", name: str = "") -> str:
        """The address of a dump by its name, of a customer's dumps or of all of them, for people."""


class Staged(Protocol):
    """Files that are being written, and that nobody sees before they are published."""

    @property
    def folder(self) -> Path:
        """A local folder for other temporary files."""

    def open(self, name: str) -> BinaryIO:
        """A new file; closing it finishes it. If the lake isn't on this machine, it may be sent while it is written."""

    def source(self, name: str) -> tuple[fs.FileSystem, str]:
        """Where Arrow reads a finished file: a file system, and the path in it."""

    def remove(self, name: str) -> None:
        """Take a finished file away."""

    def publish_all(self, names: Mapping[str, str]) -> dict[str, int]:
        """Put finished files at keys, each in one move; returns their sizes by key.

        No file is put at its key before there is room for all.

        Args:
            names: the names of the files, by key.
        """


class Lake(Protocol):
    """The store of Parquet files: landed tables and marts."""

    @property
    def folder(self) -> Path | None:
        """The folder on this machine that has the files; None where they are elsewhere."""

    def staging(self) -> AbstractContextManager[Path]:
        """A local folder for files that are being written, gone at the end of the block."""

    def staged(self) -> "AbstractContextManager[Staged]":
        """Files that are published together, or not at all; gone at the end of the block."""

    def locked(self, customer: str) -> AbstractContextManager[None]:
        """Keep all others of this installation from making or erasing the customer's tables during the block."""

    @property
    def deletion_advice(self) -> str:
        """What the store keeps of deleted files, and how to delete that too; empty where it keeps nothing."""

    def old_versions(self, prefix: str) -> int:
        """How many older versions of files below a prefix the store keeps after they were replaced or deleted."""

    def publish(self, file: Path, key: str) -> int:
        """Put a staged file at a key, replacing what was there in one move; returns its size in bytes."""

    def parquet(self, prefix: str) -> list[str]:
        """The keys of the Parquet files below a prefix, sorted."""

    def stamps(self, prefix: str) -> dict[str, str]:
        """By key what changes when a file below a prefix is written, replaced or touched."""

    def delete(self, prefix: str) -> int:
        """Delete a file, or everything below a prefix; returns the number of files."""

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """An Arrow file system, and the path to put before a key in it."""

    def uri(self, key: str) -> str:
        """The address of a key, for people and for other programs."""


@dataclass(frozen=True)
class CatalogTable:
    """A table as the catalog knows it."""

    table: str
    location: str
    columns: tuple[tuple[str, str], ...]
    """Names and types, as the catalog spells them."""
    rows: int | None
    """Rows of the partition asked for, where it was counted."""
    drift: tuple[str, ...] = ()
    """Where columns differ from the contract, one sentence each."""


class Catalog(Protocol):
    """What the pipeline needs of a catalog: a register of tables that engines query, such as Glue."""

    @property
    def kind(self) -> str:
        """The kind of its tables in Dagster's UI, which shows it with an icon."""

    @property
    def is_apart(self) -> bool:
        """Whether its entries can change while the files of the lake don't."""

    @property
    def removal_advice(self) -> str:
        """What is left to do in the catalog when a customer is gone for good; empty where nothing is."""

    def register(self, customer: str, date: str, contracts: Collection[Contract]) -> dict[str, CatalogTable]:
        """Make a landed partition queryable and compare its tables with their contracts.

        Raises:
            RecographError: a table wasn't landed, or the catalog can't be reached.
        """

    def prepare_marts(self, marts: Mapping[str, Mapping[str, str]]) -> bool:
        """Make the marts' tables as the models describe them; returns whether one was changed.

        Partitions that were built before keep their rows; where they lack a column, it is read as NULL.

        Args:
            marts: by mart the types of its columns, as dbt spells them; the last two name the partition.

        Raises:
            RecographError: the catalog can't be reached.
        """

    def register_mart(self, mart: str, customer: str, date: str, columns: Mapping[str, str]) -> None:
        """Make a partition queryable that wasn't written by dbt; no error where it is queryable already.

        Args:
            mart: name of the mart.
            customer: id of the customer.
            date: the snapshot date.
            columns: as in `prepare_marts`.

        Raises:
            RecographError: the catalog can't be reached, or refuses.
        """

    def lists_mart(self, mart: str, customer: str, date: str) -> bool:
        """Whether a partition of a mart is queryable whose files are there.

        Raises:
            RecographError: the catalog can't be reached.
        """

    def drop_days_without_files(self, before: str, customers: Collection[str] | None = None) -> int:
        """Forget partitions whose files were deleted; returns how many.

        Args:
            before: only older days are looked at, which no run is making.
            customers: whose; default: all.

        Raises:
            RecographError: the catalog can't be reached, or refuses.
        """


class Warehouse(Protocol):
    """What loading the graph needs of an engine that runs SQL over the marts."""

    @property
    def bills_statements(self) -> bool:
        """Whether each statement costs by itself, so that several small results are better asked for by one."""

    def partition(self, mart: str, customer: str, date: str) -> str | None:
        """SQL to put behind FROM for exactly that partition of a mart, or None where it isn't there.

        The relation has all columns of the mart, except that it may lack the columns of the partition.
        """

    def checksum(self, columns: Sequence[str]) -> str:
        """An aggregate SQL expression (varchar) over rows, independent of their order, that changes when a row does.

        Two checksums are comparable only when one engine and version made them.
        """

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return all of its rows: for small results."""

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run one SELECT and return its rows in batches with bounded memory: for large results."""

    def usage(self) -> dict[str, Any]:
        """What was run since the last call and what it cost, as metadata of an asset; empty where nothing is billed."""
