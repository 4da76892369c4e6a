"""The form of a platform: what the pipeline needs to know about a learning platform."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recograph.customers import Customer
from recograph.platforms.contract import Contract

if TYPE_CHECKING:
    from recograph.sample_data.schema import SampleTables
    from recograph.sample_data.world import World


@dataclass(frozen=True, eq=False)
class Platform:
    """A learning platform's schema, and how sample dumps of it are made.

    Its dbt models are in `models/staging/ID/`: a source named ID with the contracted tables, and a model `ID_NAME` for
    each common model `stg_NAME`.
    """

    id: str
    """Its name in the field `platform` of customers.yaml."""
    name: str
    """Its name in messages for people."""
    contracts: Mapping[str, Contract]
    """What may leave its dumps, by table, in the order in which the UI lists them."""
    sample: "Callable[[World], SampleTables]"
    """Makes the tables that the dump of an invented company has."""
    prefix: str = ""
    """What the names of its tables begin with, unless customers.yaml gives a customer another prefix."""

    def prefix_of(self, customer: Customer) -> str:
        """What the names of a customer's tables begin with."""
        return customer.dump.prefix if "prefix" in customer.dump.model_fields_set else self.prefix
