"""The Dagster code location: everything in ``defs``, with the resources that the environment chooses."""

import dagster as dg

from recograph import defs as steps
from recograph.defs.partitions import SETTINGS
from recograph.resources.environment import resources

defs = dg.Definitions.merge(
    dg.load_definitions_from_package_module(steps),
    # A run's steps form a chain, so a process a step would only cost start-ups; customers run beside each other.
    dg.Definitions(resources=resources(SETTINGS), executor=dg.in_process_executor),
)
