"""Where the catalog's tables differ from what the contracts say."""

from collections.abc import Collection

from recograph.errors import RecographError
from recograph.lake.interfaces import Lake
from recograph.lake.layout import landing_key
from recograph.platforms import Contract


def not_landed(lake: Lake, customer: str, table: str, date: str) -> RecographError:
    """The error for a partition that the catalog is asked for before it was landed."""
    return RecographError(
        f"{lake.uri(landing_key(customer, table, date))} isn't there. "
        f"Materialize the landing of {table} for {customer}|{date} first."
    )


def drift(
    contract: Contract, found: Collection[tuple[str, str]], wanted: Collection[tuple[str, str]]
) -> tuple[str, ...]:
    """Where the found columns differ from the wanted ones; names are compared without case, as engines do."""
    there = {name.lower(): type_ for name, type_ in found}
    expected = {name.lower(): (name, type_) for name, type_ in wanted}
    missing = [f"{contract.table}.{name} is missing." for low, (name, _) in expected.items() if low not in there]
    changed = [
        f"{contract.table}.{name} is {there[low]}, but the contract says {type_}."
        for low, (name, type_) in expected.items()
        if low in there and there[low] != type_
    ]
    extra = [f"{contract.table}.{name} is in no contract." for name in there if name not in expected]
    return tuple(missing + changed + extra)
