"""Moodle, 2.8 to 5.x."""

from typing import TYPE_CHECKING

from recograph.platforms.moodle.contracts import CONTRACTS
from recograph.platforms.platform import Platform

if TYPE_CHECKING:
    from recograph.sample_data.schema import SampleTables
    from recograph.sample_data.world import World


def _sample(world: "World") -> "SampleTables":
    from recograph.platforms.moodle.sample import Rows  # loads numpy, which only sample dumps need

    return Rows(world)


MOODLE = Platform("moodle", "Moodle", CONTRACTS, _sample, prefix="mdl_")
