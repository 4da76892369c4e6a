"""The options of a load, and its report."""

import tempfile
from dataclasses import dataclass, field

from recograph.graph.difference import ADDED, CHANGED, REMOVED, STRAYED
from recograph.graph.set_plan import How, SetPlan


@dataclass(frozen=True)
class LoadOptions:
    """How a load may behave."""

    allow_older: bool = False
    """Whether the graph may go back to an earlier snapshot."""
    max_removed_share: float = 0.2
    """The greatest part of a set that may be removed at once."""
    repair: bool = False
    """Distrust what is recorded: compare every set with the graph, and set right whatever differs."""
    lock_timeout: float = 600.0
    """Seconds to wait for another load of the same customer."""
    lease: float = 30.0
    """Seconds after which a load that was killed no longer keeps others out."""
    batch_rows: int = 10_000
    """Rows that are sent at a time."""
    home: str = tempfile.gettempdir()
    """Folder for what doesn't fit into memory."""


@dataclass(frozen=True)
class SetReport:
    """What a load did to a set."""

    name: str
    how: str
    rows: int
    """Rows of the mart."""
    added: int
    changed: int
    removed: int
    unchanged: int
    dangling: int
    """Rows of the mart that were left out, because a node that they point to isn't there."""
    total: int
    """What the graph holds of the set for the customer now."""
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows of the mart that were compared or sent in a second; 0 where the set was known to be unchanged."""
        return self.rows / self.seconds if self.seconds and self.how != How.UNCHANGED else 0.0


@dataclass
class LoadReport:
    """What a load did."""

    customer: str
    date: str
    sets: dict[str, SetReport] = field(default_factory=dict)
    """By name, in the order in which the sets were finished."""
    seconds: float = 0.0

    @property
    def changes(self) -> int:
        """Nodes and relationships that were added, changed or removed."""
        return sum(set_report.added + set_report.changed + set_report.removed for set_report in self.sets.values())


@dataclass
class Tally:
    """How far a plan has been carried out."""

    plan: SetPlan
    created: int = 0
    """Rows sent so far of a set that is created; the plan of such a set doesn't know how many there are."""
    seconds: float = 0.0
    """How long it took so far, planning included."""

    @property
    def total(self) -> int:
        """What the graph holds of the set for the customer once the plan is carried out."""
        return self.created if self.plan.how is How.CREATED else self.plan.total


def report_of(tally: Tally) -> SetReport:
    """What was done to a set whose plan was carried out."""
    plan = tally.plan
    added, changed = plan.count(ADDED) + tally.created, plan.count(CHANGED)
    return SetReport(
        name=plan.set.name,
        how=plan.how.value,
        rows=plan.rows,
        added=added,
        changed=changed,
        removed=plan.count(REMOVED) + plan.count(STRAYED),
        unchanged=tally.total - added - changed,
        dangling=plan.rows - tally.total,
        total=tally.total,
        seconds=tally.seconds,
    )
