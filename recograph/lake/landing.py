"""Landing: one pass over a dump writes every contracted table as typed Parquet into the lake.

All tables are drafts first. They are published only when the whole dump was read and every contract holds, so a bad
dump leaves the lake as it was.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from recograph.ahead import ahead
from recograph.customers import Customer
from recograph.dumps import Declared, DumpReader
from recograph.dumps.source import Openable
from recograph.errors import RecographError
from recograph.lake.days_before import MISSING_COLUMNS
from recograph.lake.drafts import Drafts
from recograph.lake.erased import erased_users, without_erased
from recograph.lake.interfaces import DumpFile, Inbox, Lake
from recograph.lake.layout import landing_key
from recograph.platforms import platform_of


@dataclass(frozen=True)
class LandedTable:
    """What landing one table came to."""

    table: str
    uri: str
    rows: int
    bytes: int
    in_dump: bool
    rows_read: int = 0
    """Rows of the table in the dump. None of them is rejected: a row that breaks the contract stops the landing."""
    duplicates: int = 0
    """Rows left out because a later row has the same key."""
    zero_dates: int = 0
    """Zero dates (0000-00-00) that became NULL."""
    out_of_bounds: int = 0
    """Moments and numbers out of bounds that became NULL, where the contract says so."""
    dropped_columns: tuple[str, ...] = ()
    """Columns of the dump that no contract lets through."""
    missing_columns: tuple[str, ...] = ()
    """Columns of the contract that the table in the dump lacks; they are NULL."""


@dataclass(frozen=True)
class Landing:
    """What landing one dump came to."""

    dump: DumpFile
    dialect: str
    server_version: str | None
    compression: str
    tables_in_dump: int
    tables: dict[str, LandedTable] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    """What people should know about the dump, in sentences: messages in it, or that nothing shows it to be complete."""


def land(
    inbox: Inbox,
    lake: Lake,
    dump: DumpFile,
    customer: Customer,
    tables: Collection[str] | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Landing:
    """Read a dump once and publish the contracted tables of its partition.

    Args:
        inbox: where the dump is.
        lake: where to land.
        dump: the dump to read.
        customer: whose dump it is; its platform says what is taken of it.
        tables: the contracted tables to land; by default all.
        on_progress: called with the bytes read so far and the dump's size.

    Raises:
        RecographError: the dump breaks a contract or can't be read; nothing is published then.
    """
    platform = platform_of(customer)
    prefix = platform.prefix_of(customer)
    contracts = [contract for name, contract in platform.contracts.items() if tables is None or name in tables]
    erased = erased_users(lake, dump.customer)
    with lake.staged() as staged, inbox.open_dump(dump) as source:
        schemas = {prefix + contract.table: contract.schema for contract in contracts}
        drafts = Drafts(staged, contracts)
        with drafts.written() as writers:
            with reader_of(source, dump, customer, schemas, on_progress) as reader:
                for name, batch in ahead(reader):
                    contract = platform.contracts[name.removeprefix(prefix)]
                    admitted = contract.admitted(batch)
                    writers[contract.table].write_batch(without_erased(admitted, contract.about, erased))
            for contract in contracts:
                report = reader.tables.get(prefix + contract.table)
                missing = json.dumps(contract.lacked(report.missing_columns) if report else None)
                writers[contract.table].add_key_value_metadata({MISSING_COLUMNS: missing})
        for contract in contracts:
            if prefix + contract.table not in reader.tables and not contract.optional:
                raise RecographError(
                    f"{dump.uri}: table {prefix + contract.table} is missing, but every dump of {platform.name} must "
                    f"have it. Ask for a whole dump, or mend platform and dump.prefix of {customer.id} in "
                    "customers.yaml."
                )
        duplicates = drafts.keep_last(contracts)
        keys = {contract.table: landing_key(dump.customer, contract.table, dump.date) for contract in contracts}
        with lake.locked(dump.customer):
            if late := erased_users(lake, dump.customer) - erased:
                for contract in contracts:
                    if contract.about:
                        drafts.leave_out(contract, late)
            sizes = drafts.publish(keys)
        landed = {}
        for contract in contracts:
            report = reader.tables.get(prefix + contract.table)
            landed[contract.table] = LandedTable(
                table=contract.table,
                uri=lake.uri(keys[contract.table]),
                rows=drafts.rows[contract.table],
                bytes=sizes[contract.table],
                in_dump=report is not None,
                rows_read=report.rows if report else 0,
                duplicates=duplicates.get(contract.table, 0),
                zero_dates=report.zero_dates if report else 0,
                out_of_bounds=report.out_of_bounds if report else 0,
                dropped_columns=tuple(report.dropped_columns) if report else (),
                missing_columns=contract.lacked(report.missing_columns) if report else (),
            )
    return Landing(
        dump,
        reader.dialect,
        reader.server_version,
        reader.compression,
        reader.tables_in_dump,
        landed,
        [f"{dump.uri}: {warning}" for warning in reader.warnings],
    )


def reader_of(
    source: Openable,
    dump: DumpFile,
    customer: Customer,
    schemas: Mapping[str, pa.Schema],
    on_progress: Callable[[int, int | None], None] | None = None,
) -> DumpReader:
    """Open a customer's dump as the customer's options say.

    Args:
        source: the dump, open.
        dump: which dump it is, for messages.
        customer: whose it is.
        schemas: the tables and columns to read.
        on_progress: called with the bytes read so far and the dump's size.

    Raises:
        RecographError: it isn't a dump that can be read.
    """
    options = customer.dump
    return DumpReader(
        source,
        name=dump.uri,
        schemas=schemas,
        database=options.database,
        declared=Declared(options.dialect, options.encoding, options.time_zone),
        on_progress=on_progress,
    )
