"""Makes Dagster's SQLite files cheap to write and to ask: as they are, they take a third of all that a partition takes.

Its configuration can't say anything of this without naming the folder, which would forbid to move it. Where Dagster's
storage is PostgreSQL, nothing here matters.
"""

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from threading import Lock, local
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log import sql_event_log
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from recograph.defs.dagster_private import MaterializationTarget

_MOST_CONNECTIONS = 16
_LARGEST_BATCH = 1000
"""How many events of a batch Dagster hands over at once."""
_MIRRORED = ASSET_EVENTS | ASSET_CHECK_EVENTS
"""The events that Dagster writes into the log of the run, and again where it looks for those of all runs."""


@cache
def write_cheaply() -> None:
    """Let this process keep its connections, write in fewer transactions, ask less, and copy what is always the same.

    A commit then doesn't wait for the disk: SQLite's journal (Dagster asks for WAL) stays whole when the power goes,
    and the last events may be lost. What the lake and the graph hold doesn't depend on them.
    """
    _keep_connections()
    _write_batches(sqlite_event_log.SqliteEventLogStorage)
    _serialize_once()
    _ask_for_tags(sqlite_event_log.SqliteEventLogStorage)
    _copy_empty_logs(sqlite_event_log.SqliteEventLogStorage)


_WRITTEN: dict[tuple[dg.AssetKey, str], MaterializationTarget] = {}
"""By asset and partition, the latest materialization that this process wrote."""


def written(asset: dg.AssetKey, partition: str) -> MaterializationTarget | None:
    """The latest materialization that this process wrote of a partition of an asset.

    None if it wrote none, if it hasn't called `write_cheaply`, or if Dagster's storage isn't SQLite.
    """
    return _WRITTEN.get((asset, partition))


def _keep_connections() -> None:
    """Keep connections: Dagster makes a new one for each event, some 400 in a run, which takes longer than writing."""
    kept: OrderedDict[tuple[int, str], Engine] = OrderedDict()
    lock = Lock()  # Dagster's daemon has threads

    def kept_engine(address: str, **options: Any) -> Engine:
        # Connections can't be used in a process that was forked from theirs.
        key = os.getpid(), address
        with lock:
            if key not in kept:
                arguments = {"check_same_thread": False, **options.get("connect_args", {})}
                engine = sqlalchemy.create_engine(address, poolclass=QueuePool, pool_size=1, connect_args=arguments)
                sqlalchemy.event.listen(engine, "connect", _leave_to_the_journal)
                close = engine.dispose
                engine.dispose = lambda close=True: None  # type: ignore[method-assign] # noqa: ARG005
                engine.close_connections = close  # type: ignore[attr-defined]
                kept[key] = engine
            kept.move_to_end(key)
            while len(kept) > _MOST_CONNECTIONS:
                kept.popitem(last=False)[1].close_connections()  # type: ignore[attr-defined]
            return kept[key]

    for module in (sqlite_event_log, sqlite_run_storage):
        module.create_engine = kept_engine  # type: ignore[attr-defined]


def _leave_to_the_journal(connection: Any, record: Any) -> None:  # noqa: ARG001
    connection.execute("PRAGMA synchronous = NORMAL")


def _write_batches(storage: Any) -> None:
    """Let what Dagster hands over as a batch be one transaction per SQLite file, and so each event about an asset.

    A batch is a run's planned events, a third of all of them, or the materializations of a run of several partitions.
    Before each event Dagster also asks whether some tables and columns exist. Every Dagster that we work with has made
    them, so it is told yes.
    """
    connect, store_other = storage._connect, storage.store_event
    batch = local()

    @contextmanager
    def connected(self: Any, shard: str) -> Iterator[Any]:
        # Dagster's lock can't be taken twice, so what is called for an event of a batch goes on with its connection.
        if (connection := getattr(batch, "connection", None)) is not None:
            yield connection
            return
        with connect(self, shard) as connection:
            yield connection

    def store_batch(self: Any, events: Sequence[dg.EventLogEntry]) -> None:
        (run_id,) = {event.run_id for event in events}
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(run_id) as connection:
            connection.execute(Events.insert(), rows)
        with self.index_connection() as connection:
            ids = connection.scalars(Events.insert().returning(Events.c.id, sort_by_parameter_order=True), rows).all()
            batch.connection = connection
            try:
                self._store_asset_event_tags(connection, events, ids)
                for event, id_ in zip(events, ids, strict=True):
                    self._store_asset_event(connection, event, id_)
                    self.store_asset_check_event(event, id_)
            finally:
                batch.connection = None
        for event, id_ in zip(events, ids, strict=True):
            said = event.get_dagster_event()
            if said.is_step_materialization and said.asset_key and said.partition:
                _WRITTEN[said.asset_key, said.partition] = MaterializationTarget(
                    storage_id=id_, run_id=run_id, timestamp=event.timestamp
                )

    def store(self: Any, event: dg.EventLogEntry) -> None:
        if event.is_dagster_event and event.dagster_event_type in _MIRRORED:
            store_batch(self, [event])
        else:
            store_other(self, event)

    storage._connect = connected
    storage.store_event = store
    storage.store_event_batch = store_batch
    storage.has_table = cache(storage.has_table)
    storage.has_asset_key_col = lambda self, column_name: True  # noqa: ARG005
    storage._has_asset_key_col_on_connection = lambda self, connection, column_name: True  # noqa: ARG005
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(_LARGEST_BATCH)


def _serialize_once() -> None:
    """Let the text of an event be made once: it goes into two files, that of a check's result into one table more."""
    module: Any = sql_event_log
    serialize = module.serialize_value
    last = local()

    def serialized(value: Any, *arguments: Any, **options: Any) -> Any:
        if arguments or options:
            return serialize(value, *arguments, **options)
        if getattr(last, "value", None) is not value:  # an event doesn't change
            last.text, last.value = serialize(value), value
        return last.text

    module.serialize_value = serialized


# Of an asset that was wiped there is nothing to leave out: in SQLite, Dagster then deletes its older events here.
_TAG = sqlalchemy.text(
    "select value from asset_event_tags where key = :tag and event_id = (select max(id) from event_logs"
    " where asset_key = :asset and dagster_event_type = :type and partition = :partition)"
)


def _ask_for_tags(storage: Any) -> None:
    """Let a step ask cheaply for the data version of each asset that it reads.

    Dagster's own statement takes far longer to make than to answer.
    """
    ask = storage.get_latest_tags_by_partition

    def latest_tags(
        self: Any,
        asset_key: dg.AssetKey,
        event_type: dg.DagsterEventType,
        tag_keys: Sequence[str],
        asset_partitions: Sequence[str] | None = None,
        **cursors: int | None,
    ) -> Any:
        if asset_partitions and len(asset_partitions) == len(tag_keys) == 1 and not cursors:
            (partition,), (tag,) = asset_partitions, tag_keys
            asked = {"asset": asset_key.to_string(), "type": event_type.value, "partition": partition, "tag": tag}
            with self.index_connection() as connection:
                value = connection.scalar(_TAG, asked)
            return {} if value is None else {partition: {tag: value}}
        return ask(self, asset_key, event_type, tag_keys, asset_partitions, **cursors)

    storage.get_latest_tags_by_partition = latest_tags


def _copy_empty_logs(storage: Any) -> None:
    """Let the log of a new run be a copy of one that Dagster has just made: making each takes as long as filling it."""
    make = storage._initdb
    empty: list[bytes] = []

    def made(self: Any, engine: Engine, for_index_shard: bool = False) -> None:
        path = Path(str(engine.url.database))
        is_new = not for_index_shard and not path.exists()
        if is_new and empty and _is_copied(empty[0], path):
            return
        # What can't be copied Dagster makes, and says what is wrong.
        make(self, engine, for_index_shard)
        if is_new:
            with closing(sqlite3.connect(path)) as connection:
                log = connection.serialize()
                # Another process may have written to it meanwhile.
                if not connection.execute("select 1 from event_logs limit 1").fetchone():
                    empty[:] = [log]

    storage._initdb = made


def _is_copied(log: bytes, path: Path) -> bool:
    """Make a new file with this content; says whether that was possible. Nobody ever sees a part of it."""
    whole = path.with_suffix(f".{os.getpid()}.new")
    try:
        whole.write_bytes(log)
        path.hardlink_to(whole)
    except OSError:  # another process has just made it, the disk is full, or there are no links in this file system
        return False
    finally:
        whole.unlink(missing_ok=True)
    return True
