"""Step 0, dumps: what the customers ship. Nothing is made here, only observed."""

from typing import Any

import dagster as dg

from recograph.defs.partitions import CUSTOMERS, SNAPSHOTS, Snapshot, partition_dates
from recograph.dumps import inspect
from recograph.errors import RecographError, UnavailableError
from recograph.lake.interfaces import DumpFile, Inbox

SQL_DUMP = dg.AssetKey(["dumps", "sql_dump"])


def seen_events(dump: DumpFile, **metadata: Any) -> list[dg.AssetObservation | dg.AssetMaterialization]:
    """What was seen of a dump, for the log of its asset.

    An observation, by which Dagster knows that what was made of an earlier dump is outdated; and a materialization,
    since the UI shows partitions that were only observed as missing.
    """
    facts: dict[str, Any] = {
        "partition": Snapshot(dump.customer, dump.date).key,
        "metadata": {"file": dg.MetadataValue.path(dump.uri), "size": dump.size, "version": dump.version, **metadata},
        "tags": {"dagster/data_version": dump.version},
    }
    return [dg.AssetObservation(SQL_DUMP, **facts), dg.AssetMaterialization(SQL_DUMP, **facts)]


@dg.observable_source_asset(
    key=SQL_DUMP,
    description="A customer's database as its tools dumped it that day: SQL text, an archive, or a folder.",
    group_name="dumps",
    partitions_def=SNAPSHOTS,
    tags={"dagster/kind/sql": ""},
)
def sql_dump(context: dg.OpExecutionContext, inbox: dg.ResourceParam[Inbox]) -> dg.DataVersionsByPartition:
    """Observe every dump that is new or was replaced since it was last observed.

    What can't be read of one customer or day is told at the end, when all others were observed.
    """
    observed, troubles = 0, []
    days = frozenset(partition_dates())
    for customer in CUSTOMERS.customers:
        try:
            dumps = inbox.dumps(customer)
        except UnavailableError as error:  # each customer would be waited for, and told, the same
            troubles.append(str(error))
            break
        except RecographError as error:
            troubles.append(str(error))
            continue
        for dump in dumps.values():
            key = Snapshot(customer, dump.date).key
            if dump.date not in days:
                context.log.warning(f"{dump.uri} is outside the partitions: its date is impossible, or new to them.")
                continue
            records = context.instance.fetch_observations(
                dg.AssetRecordsFilter(SQL_DUMP, asset_partitions=[key]), limit=1
            ).records
            last = records[0].asset_observation if records else None
            if last and "digest" in last.metadata and last.tags.get("dagster/data_version") == dump.version:
                continue
            try:
                with inbox.open_dump(dump) as source:
                    seen = inspect(source, name=dump.uri)
            except RecographError as error:
                troubles.append(str(error))
                continue
            for event in seen_events(
                dump,
                digest=seen.sha256,
                dialect=seen.dialect,
                form=seen.form,
                compression=seen.compression,
                server_version=seen.server_version or "unknown",
                tables=dg.MetadataValue.json({name: table.rows for name, table in seen.tables.items()}),
            ):
                context.log_event(event)
            observed += 1
    context.log.info(f"{observed} dumps are new or were replaced.")
    for trouble in troubles:
        context.log.error(trouble)
    if troubles:
        raise dg.Failure(description=f"{len(troubles)} of the dumps can't be read; the first: {troubles[0]}")
    return dg.DataVersionsByPartition({})
