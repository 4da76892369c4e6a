"""The learning platforms whose dumps can be read: one folder per platform, and this list of them.

What may leave a dump is declared by platform, one contract per source table: an allow-list. A column that isn't
declared (a password, an e-mail address, a name) never reaches the lake, the warehouse or the graph. Every declared
table is landed for every customer of the platform and every day; an optional table that a customer doesn't have is
landed with no rows.
"""

from collections.abc import Iterable

from recograph.customers import Customer
from recograph.errors import RecographError
from recograph.platforms.contract import Column, Contract
from recograph.platforms.docebo import DOCEBO
from recograph.platforms.moodle import MOODLE
from recograph.platforms.platform import Platform

PLATFORMS: dict[str, Platform] = {platform.id: platform for platform in (DOCEBO, MOODLE)}
"""Every platform by its id."""


def platform_of(customer: Customer) -> Platform:
    """The platform whose schema a customer's dumps have.

    Raises:
        RecographError: customers.yaml names a platform that isn't known.
    """
    try:
        return PLATFORMS[customer.platform]
    except KeyError:
        raise RecographError(
            f"customers.yaml: {customer.id} has the platform {customer.platform!r}, which isn't known. "
            f"Name one of {', '.join(PLATFORMS)}, or leave it out for docebo."
        ) from None


def platforms_of(customers: Iterable[Customer]) -> list[Platform]:
    """The platforms that any of the customers has, in the order of `PLATFORMS`.

    Raises:
        RecographError: see `platform_of`.
    """
    used = {platform_of(customer).id for customer in customers}
    return [platform for platform in PLATFORMS.values() if platform.id in used]


__all__ = ["PLATFORMS", "Column", "Contract", "Platform", "platform_of", "platforms_of"]
