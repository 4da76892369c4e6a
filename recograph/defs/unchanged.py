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
from recograph.defs.failures import clear_failures, tried_again
from recograph.defs.partitions import CUSTOMERS, SETTINGS, Snapshot
from recograph.lake.erased import erased_users
from recograph.lake.inbox import dump_for
from recograph.lake.interfaces import Catalog, Lake
from recograph.lake.landing import key_landed_before
from recograph.lake.layout import landing_partition, mart_partition
from recograph.lake.receipts import CheckSaid, Receipt, digest, drop_receipt, read_receipt, write_receipt
from recograph.platforms import platform_of

_LIBRARIES = ("dagster", "dbt-core", "duckdb", "numpy", "pyarrow", "scipy")
"""What every installation works with, beside the packages of its dbt engine."""

STEPS = ("landing", "glue", "marts", "similarity")
"""The steps that can be unchanged, in their order."""
_Event = dg.MaterializeResult[Any] | dg.AssetCheckResult


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
    events: Iterator[_Event],
    config: Mapping[str, Any] | None = None,
) -> Iterator[_Event]:
    """Pass on what a step does, and write its receipt when all of the step was done and no check failed."""
    drop_receipt(SETTINGS.home, *_partition(snapshot), step)
    with clear_failures():
        # Before the step begins: what is replaced while it reads voids the receipt.
        made_of = tried_again(context.log, lambda: _made_of(step, snapshot, lake, config or {}))
    checks: list[CheckSaid] = []
    failed = False
    for event in events:
        if isinstance(event, dg.AssetCheckResult):
            failed = failed or (not event.passed and event.severity is dg.AssetCheckSeverity.ERROR)
            assert event.asset_key
            name = f"{event.asset_key.to_user_string()}: {event.check_name}"
            checks.append(CheckSaid(name, event.passed, event.description or ""))
        yield event
    if not failed and not context.assets_def.is_subset:
        with clear_failures():
            files = tried_again(context.log, lambda: _files(step, snapshot, lake))
        write_receipt(SETTINGS.home, *_partition(snapshot), step, Receipt(made_of, files, checks))


def unchanged_steps(
    snapshot: Snapshot, lake: Lake, catalog: Catalog, landing_config: Mapping[str, Any]
) -> dict[str, Receipt]:
    """The steps that needn't be run for a snapshot, with what their receipts say: a step only after those before it.

    Raises:
        RecographError: the lake or the catalog can't be asked.
    """
    unchanged: dict[str, Receipt] = {}
    for step in STEPS:
        if step == "glue" and catalog.is_apart:
            continue  # others can change the catalog, so that is always looked at
        receipt = read_receipt(SETTINGS.home, *_partition(snapshot), step)
        config = landing_config if step == "landing" else {}
        if (
            receipt is None
            or receipt.made_of != _made_of(step, snapshot, lake, config)
            or receipt.files != _files(step, snapshot, lake)
            or not _are_listed(receipt, snapshot, catalog)
        ):
            break
        unchanged[step] = receipt
    return unchanged


def _made_of(step: str, snapshot: Snapshot, lake: Lake, config: Mapping[str, Any]) -> str:
    customer = CUSTOMERS[snapshot.customer]
    facts: list[Any] = [code_digest(), customer.model_dump(), dict(config)]
    if step == "landing":
        inbox = open_inbox(SETTINGS)
        dump = dump_for(inbox, *_partition(snapshot))
        tables = platform_of(customer).contracts
        before = [key_landed_before(lake, snapshot.customer, table, snapshot.date) for table in tables]
        facts += [dump.uri, dump.version, "" if dump.trouble else inbox.stamp(dump)]
        facts += [sorted(erased_users(lake, snapshot.customer)), [lake.stamps(_folder(key)) for key in before if key]]
    elif step == "similarity":
        facts += [_marts(snapshot, lake)]
    else:
        facts += [project_digest(), dbt_environment(SETTINGS), _landed(snapshot, lake)]
    return digest(*facts)


def _files(step: str, snapshot: Snapshot, lake: Lake) -> dict[str, str]:
    """The stamps of the files that a step makes, by key."""
    if step == "landing":
        return _landed(snapshot, lake)
    if step == "marts":
        return _marts(snapshot, lake)
    if step == "similarity":
        return _stamps(lake, [mart_partition(kind.similarity, *_partition(snapshot)) for kind in KINDS.values()])
    return {}


def _landed(snapshot: Snapshot, lake: Lake) -> dict[str, str]:
    tables = platform_of(CUSTOMERS[snapshot.customer]).contracts
    return _stamps(lake, [landing_partition(snapshot.customer, table, snapshot.date) for table in tables])


def _marts(snapshot: Snapshot, lake: Lake) -> dict[str, str]:
    return _stamps(lake, [mart_partition(mart, *_partition(snapshot)) for mart in mart_columns()])


def _stamps(lake: Lake, prefixes: list[str]) -> dict[str, str]:
    return {key: stamp for prefix in prefixes for key, stamp in lake.stamps(prefix).items()}


def _folder(key: str) -> str:
    return key.rsplit("/", 1)[0] + "/"


def _are_listed(receipt: Receipt, snapshot: Snapshot, catalog: Catalog) -> bool:
    """Whether the catalog has the marts' partitions that a step made."""
    marts = {key.split("/")[1] for key in receipt.files if key.startswith("marts/")}
    return all(catalog.lists_mart(mart, *_partition(snapshot)) for mart in sorted(marts))


def _partition(snapshot: Snapshot) -> tuple[str, str]:
    return snapshot.customer, snapshot.date
