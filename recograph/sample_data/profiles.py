"""How large a sample customer is and what wrote its dumps."""

from dataclasses import dataclass

import numpy as np

from recograph.customers import Customer
from recograph.errors import RecographError
from recograph.sample_data.draws import Draws


@dataclass(frozen=True)
class Profile:
    """The traits of a sample customer, at a given scale."""

    dialect: str
    """mysqldump, mariadb-dump or pg_dump."""
    users: int
    courses: int
    assets: int
    """0: the customer has no asset tables."""
    enrolments_per_user: float
    views_per_user: float


@dataclass(frozen=True)
class _Size:
    users: int
    courses: int
    assets: int
    enrolments_per_user: float
    views_per_user: float


_SIZES = {
    "small": _Size(400, 70, 110, 5.4, 3.8),
    "mid": _Size(950, 110, 150, 5.4, 3.4),
    "large": _Size(4000, 180, 300, 5.5, 5),
}
_DIALECTS = ("mysqldump", "mariadb-dump", "pg_dump")
_KNOWN_DIALECTS = {"customer_1": "mysqldump", "customer_2": "mariadb-dump", "customer_3": "pg_dump"}
_DECLARED = {"mysql": "mysqldump", "postgresql": "pg_dump"}
_WITHOUT_ASSETS = {"customer_1"}


def profile_of(customer: Customer, scale: float) -> Profile:
    """The traits of a customer: from its size, and for a customer that isn't in the sample list from its id.

    Users, and with them enrolments and views, grow with the scale; courses and assets with its square root, as the
    catalogue of a larger company does.

    Raises:
        RecographError: the customer's size is none that the generator knows.
    """
    size = _SIZES.get(customer.size)
    if size is None:
        raise RecographError(
            f"Customer {customer.id!r} has size {customer.size!r}. Sample data can be made for {', '.join(_SIZES)}."
        )
    drawn = Draws(customer.id).pick("dialect", np.zeros(1, np.int64), _DIALECTS)[0]
    assets = 0 if customer.id in _WITHOUT_ASSETS else size.assets
    return Profile(
        dialect=_DECLARED.get(customer.dump.dialect or "") or _KNOWN_DIALECTS.get(customer.id, drawn),
        users=max(10, round(size.users * scale)),
        courses=max(10, round(size.courses * scale**0.5)),
        assets=max(10, round(assets * scale**0.5)) if assets else 0,
        enrolments_per_user=size.enrolments_per_user,
        views_per_user=size.views_per_user,
    )
