"""Which steps have nothing to do for a snapshot: all that they would be made of is as it was when they succeeded.

What decides is written into a receipt when a step has succeeded as a whole. Whatever is touched, added or gone since
voids it: the dump, a contract, a model, code, an engine, the customer's entry in customers.yaml, the list of erased
people, the day before, the step's configuration, the files that the step made. The graph's step always looks.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg

import recograph
from recograph.adapters.dbt import project_digest
from recograph.adapters.dbt_models import mart_columns
from recograph.adapters.dbt_variables import dbt_environment
from recograph.adapters.environment import open_dbt, open_inbox
from recograph.analytics.kinds import KINDS
from recograph.defs.checks import Event
from recograph.defs.failures import clear_failures, tried_again
from recograph.defs.partitions import CUSTOMERS, SETTINGS, Snapshot
from recograph.lake.days_before import DaysBefore
from recograph.lake.erased import erased_users
from recograph.lake.inbox import dump_for
from recograph.lake.interfaces import Catalog, Lake
from recograph.lake.layout import date_of, mart_partition
from recograph.lake.receipts import CheckSaid, Receipt, digest, drop_receipt, read_receipt, write_receipt
from recograph.lake.staging import room_needed
from recograph.platforms import platform_of

_LIBRARIES = ("dagster", "dbt-core", "duckdb", "numpy", "pyarrow", "scipy")
"""What every installation works with, beside the packages of its dbt engine."""

STEPS = ("landing", "glue", "marts", "similarity")
"""The steps that can be unchanged, in their order."""
_READS = {"glue": "landing", "marts": "landing", "similarity": "marts"}
"""The step whose files a step reads."""


@cache
def code_digest() -> str:
    """A digest of this package and of what it works with, as it was when it was asked for first.

    A process that lives long asks when it has imported all, since the files may change later.
    """
    folder = Path(recograph.__file__).parent
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    versions = {name: version(name) for name in (*_LIBRARIES, *open_dbt(SETTINGS).packages)}
    return digest(content.hexdigest(), versions)


def remembered(
    step: str,
    context: dg.AssetExecutionContext,
    snapshot: Snapshot,
    lake: Lake,
    events: Iterator[Event],
    config: Mapping[str, Any] | None = None,
) -> Iterator[Event]:
    """Pass on what a step does, and write its receipt when all of the step was done and no check failed."""
    drop_receipt(SETTINGS.home, *_partition(snapshot), step)
    with clear_failures():
        # Before the step begins: what is replaced while it reads voids the receipt.
        made_of = tried_again(context.log, lambda: _made_of_now(step, snapshot, lake, config or {}))
    checks: list[CheckSaid] = []
    failed = False
    for event in events:
        if isinstance(event, dg.AssetCheckResult):
            failed = failed or (not event.passed and event.severity is dg.AssetCheckSeverity.ERROR)
            assert event.asset_key
            name = f"{event.asset_key.to_user_string()}: {event.check_name}"
            checks.append(CheckSaid(name, event.passed, event.description or ""))
        yield event
    if made_of and not failed and not context.assets_def.is_subset:
        with clear_failures(), room_needed(SETTINGS.home):
            files = tried_again(context.log, lambda: _files(step, snapshot, _days(snapshot, lake)))
            write_receipt(SETTINGS.home, *_partition(snapshot), step, Receipt(made_of, files, checks))


def unchanged_steps(
    snapshot: Snapshot, lake: Lake, catalog: Catalog, landing_config: Mapping[str, Any]
) -> dict[str, Receipt]:
    """The steps that needn't be run for a snapshot, with what their receipts say: a step only after those before it.

    Raises:
        RecographError: the lake or the catalog can't be asked.
    """
    unchanged: dict[str, Receipt] = {}
    days = _days(snapshot, lake)
    for step in STEPS:
        if step == "glue" and catalog.is_apart:
            continue  # others can change the catalog, so that is always looked at
        receipt = read_receipt(SETTINGS.home, *_partition(snapshot), step)
        config = landing_config if step == "landing" else {}
        files = unchanged[_READS[step]].files if step in _READS else None
        if (
            receipt is None
            or receipt.made_of != _made_of(step, snapshot, config, days, files)
            or receipt.files != _files(step, snapshot, days)
            or not _are_listed(receipt, snapshot, catalog)
        ):
            break
        unchanged[step] = receipt
    return unchanged


def _made_of_now(step: str, snapshot: Snapshot, lake: Lake, config: Mapping[str, Any]) -> str | None:
    """See `_made_of`; None where the step before has no receipt, without which this one's is never looked at."""
    read = read_receipt(SETTINGS.home, *_partition(snapshot), _READS[step]) if step in _READS else None
    if step in _READS and read is None:
        return None
    return _made_of(step, snapshot, config, _days(snapshot, lake), read.files if read else None)


def _made_of(
    step: str, snapshot: Snapshot, config: Mapping[str, Any], days: DaysBefore, read: Mapping[str, str] | None
) -> str:
    """The digest of all that a step's result depends on.

    Args:
        step: the step.
        snapshot: of which customer and day.
        config: the step's configuration.
        days: what is landed of the customer.
        read: the files that the step reads, as the receipt of the step has them that made them; were one of them
            touched since, that receipt wouldn't hold either. So nothing is listed twice.
    """
    customer = CUSTOMERS[snapshot.customer]
    facts: list[Any] = [code_digest(), customer.model_dump(), dict(config)]
    if step == "landing":
        inbox = open_inbox(SETTINGS)
        dump = dump_for(inbox, *_partition(snapshot))
        before = [key for table in platform_of(customer).contracts if (key := days.key(table))]
        facts += [dump.uri, dump.version, "" if dump.trouble else inbox.stamp(dump)]
        facts += [sorted(erased_users(days.lake, snapshot.customer)), {key: days.landed[key] for key in before}]
    else:
        facts += [] if step == "similarity" else [project_digest(), dbt_environment(SETTINGS)]
        facts += [read]
    return digest(*facts)


def _files(step: str, snapshot: Snapshot, days: DaysBefore) -> dict[str, str]:
    """The stamps of the files that a step makes, by key."""
    if step == "landing":
        return {key: stamp for key, stamp in days.landed.items() if date_of(key) == snapshot.date}
    marts = {"marts": mart_columns(), "similarity": [kind.similarity for kind in KINDS.values()]}
    prefixes = [mart_partition(mart, *_partition(snapshot)) for mart in marts.get(step, ())]
    return {key: stamp for prefix in prefixes for key, stamp in days.lake.stamps(prefix).items()}


def _days(snapshot: Snapshot, lake: Lake) -> DaysBefore:
    return DaysBefore(lake, *_partition(snapshot))


def _are_listed(receipt: Receipt, snapshot: Snapshot, catalog: Catalog) -> bool:
    """Whether the catalog has the marts' partitions that a step made."""
    marts = {key.split("/")[1] for key in receipt.files if key.startswith("marts/")}
    return all(catalog.lists_mart(mart, *_partition(snapshot)) for mart in sorted(marts))


def _partition(snapshot: Snapshot) -> tuple[str, str]:
    return snapshot.customer, snapshot.date
