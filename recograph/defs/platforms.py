"""What the assets of landing and catalog need to know of platforms: their keys, and which of them a run is about."""

from collections.abc import Iterator

import dagster as dg

from recograph.defs.checks import Event, Told, check_result, evaluated
from recograph.defs.partitions import CUSTOMERS, Snapshot
from recograph.platforms import PLATFORMS, Platform, platform_of, platforms_of

USED = platforms_of(CUSTOMERS.customers.values())
"""The platforms that customers.yaml names: others have no assets."""
_FIRST = next(iter(PLATFORMS.values()))


def key_path(platform: Platform, table: str) -> list[str]:
    """The end of a table's asset key; Docebo's tables, which were there before other platforms, have no folder."""
    return [table] if platform is _FIRST else [platform.id, table]


def step_name(step: str, platform: Platform) -> str:
    """The name of a step that there is once per platform."""
    return "_".join([step, *key_path(platform, "")[:-1]])


def left_out(platform: Platform, snapshot: Snapshot) -> str | None:
    """Why a platform's step has nothing to do for a snapshot; None where it has.

    A run of everything, such as a backfill from the UI, reaches the steps of all platforms for all customers.
    """
    own = platform_of(CUSTOMERS[snapshot.customer])
    if own is platform:
        return None
    return f"{snapshot.customer} has the platform {own.name}: there is nothing of {platform.name} to do."


def nothing_to_do(context: dg.AssetExecutionContext, snapshot: Snapshot, reason: str) -> Iterator[Told]:
    """Say that a snapshot was left out; the assets count as made, or the marts would be skipped."""
    context.log.info(reason)
    yield from evaluated(context, _left_out(context, snapshot, reason))


def _left_out(context: dg.AssetExecutionContext, snapshot: Snapshot, reason: str) -> Iterator[Event]:
    for asset in context.selected_asset_keys:
        yield dg.MaterializeResult(asset, metadata={"left_out": reason})
    for key in context.selected_asset_check_keys:
        yield check_result(snapshot, key, passed=True, text=reason)
