"""Docebo, or what has its schema."""

from typing import TYPE_CHECKING

from recograph.platforms.docebo.contracts import CONTRACTS
from recograph.platforms.platform import Platform

if TYPE_CHECKING:
    from recograph.sample_data.schema import SampleTables
    from recograph.sample_data.world import World


def _sample(world: "World") -> "SampleTables":
    from recograph.platforms.docebo.sample import Rows  # loads numpy, which only sample dumps need

    return Rows(world)


DOCEBO = Platform("docebo", "Docebo", CONTRACTS, _sample)
