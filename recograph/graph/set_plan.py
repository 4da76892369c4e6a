"""What a load will do to one set, settled before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from recograph.graph.model import GraphSet


class How(StrEnum):
    """How a set gets equal to the snapshot."""

    CREATED = "created"
    DIFFERENCE = "difference"
    COMPARED = "compared with graph"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class SetPlan:
    """What a load will do to a set."""

    set: GraphSet
    how: How
    rows: int
    """Rows of the mart."""
    fingerprint: str
    held: int = 0
    """Rows that the graph holds now."""
    total: int = 0
    """Rows that it will hold; of a set that is created this is known only when it is written."""
    operations: Mapping[str, int] = field(default_factory=dict)
    """How many rows each operation has; empty for a set that is created, because its rows aren't counted before."""
    members: tuple[str, ...] = ()
    """Ids of the shared nodes that the customer will need."""
    seconds: float = 0.0
    """How long planning took."""

    def count(self, operation: str) -> int:
        """How many rows an operation has."""
        return self.operations.get(operation, 0)
