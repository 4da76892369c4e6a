"""What loads record of themselves in the graph, looked at several times a second.

Whatever is kept of the graph is kept under a version of each set that it was read from. A version goes up as soon as a
load is seen that changed the set; what was kept under the old one is void then, and nothing else is.

A load is seen within a second: what is void may be given for the rest of it, so that all that a load voids needn't be
made anew in the same moment.
"""

import asyncio
import logging
import time
from collections.abc import Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import neo4j

from recograph.graph.cypher import LOCK, STATE
from recograph.graph.model import CUSTOMER, SETS, NodeSet, Scope
from recograph.graph.reading import read

EVERYBODY = "*"
"""Stands for all customers where a set is shared, or a question is about all of them."""
Source = tuple[str, str]
"""A customer's part of a set: the customer's id, or `EVERYBODY`, and the set's name, `DAY` or `FACTS`."""
DAY = "day"
"""Instead of a set: the customer's name and snapshot date, which every page shows."""
FACTS = "facts"
"""Instead of a set: all that is in `Loaded`."""
Stamp = tuple[tuple[Source, int], ...]
"""Sources with the versions that they had."""

SEEN_SECONDS = 1.0
"""So long after a load's end an answer may be without it, at most."""
_SECONDS = 0.25
"""Seconds between two looks."""
_PATIENCE = 10.0
"""Seconds after which nobody waits for a look any more; where the server stands still, the driver waits for minutes."""
_LOOKS = 16
"""Threads for looks: more than can be left waiting while the driver waits."""
_LOOK = (
    f"MATCH (c:{CUSTOMER.label}) OPTIONAL MATCH (s:{STATE}) WHERE s.customer_id = c.id AND s.set IS NOT NULL "
    "RETURN c.id, properties(c), collect([s.set, s.status, toString(s.changed_at), s.fingerprint, s.total, "
    "s.snapshot_date, toString(s.loaded_at), COLLECT { "
    # What is dirty has no fingerprint; every transaction that changes it sets this.
    f"MATCH (l:{LOCK}) WHERE s.status <> 'clean' AND l.customer_id = c.id RETURN l.asked_at }}])"
)
_log = logging.getLogger("recograph.serve")


@dataclass(frozen=True)
class Loaded:
    """What the graph holds of a customer."""

    id: str
    name: str
    properties: dict[str, Any]
    snapshot_date: str | None
    """The oldest of the snapshots that its sets hold completely; None where a set holds none."""
    loaded_at: str | None
    """When the latest load of a set ended, in ISO's form."""
    totals: dict[str, int]
    """Nodes or relationships by set."""

    @property
    def nodes(self) -> int:
        """Nodes of the customer, shared ones too."""
        return sum(total for name, total in self.totals.items() if isinstance(SETS.get(name), NodeSet))

    @property
    def relationships(self) -> int:
        """Relationships of the customer."""
        return sum(self.totals.values()) - self.nodes


class Loads:
    """Versions of the customers' sets, and whether the server answers."""

    def __init__(self, driver: neo4j.Driver) -> None:
        """Nothing is known before the first look."""
        self.customers: dict[str, Loaded] = {}
        self.down_since: float | None = time.monotonic()
        """When the server was first found not to answer (seconds of the monotonic clock); None while it does."""
        self._driver = driver
        self._threads = ThreadPoolExecutor(_LOOKS, thread_name_prefix="look")
        self._marks: dict[Source, Hashable] = {}
        self._versions: dict[Source, int] = {}
        self._looked = -SEEN_SECONDS
        """When the last look that the server answered began (seconds of the monotonic clock)."""
        self._until: dict[tuple[Source, int], float] = {}
        """Until when what was read from a version that has just become void may be given."""

    @property
    def is_blind(self) -> bool:
        """Whether the server has never answered yet, so that nobody knows which customers there are."""
        return self.down_since is not None and not self._marks

    def stamp(self, sources: Iterable[Source]) -> Stamp:
        """The sources with their versions of now."""
        return tuple((source, self._versions.get(source, 0)) for source in sources)

    def holds(self, stamp: Stamp) -> bool:
        """Whether no load has changed anything since."""
        return all(self._versions.get(source, 0) == version for source, version in stamp)

    def may_be_given(self, stamp: Stamp) -> bool:
        """Whether what has this stamp holds, or no load that changed it can have ended a second ago."""
        now = time.monotonic()
        return all(
            self._versions.get(source, 0) == version or self._until.get((source, version), now) > now
            for source, version in stamp
        )

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_SECONDS)

    async def look(self) -> None:
        """Ask the server once what loads have recorded; a server that doesn't answer is `down`, and asked again."""
        began = time.monotonic()
        try:
            looking = asyncio.get_running_loop().run_in_executor(
                self._threads, partial(read, self._driver, _LOOK, timeout=5)
            )
            rows = (await asyncio.wait_for(looking, _PATIENCE)).rows
            # What the look before didn't see ended after that began.
            self._see(rows, self._looked + SEEN_SECONDS)
            self._looked = began
        except Exception as error:  # if looking stopped, pages would be out of date for ever
            self.fail(error)
            return
        if self.down_since is not None:
            _log.info("Neo4j answers.")
        self.down_since = None

    def fail(self, error: Exception) -> None:
        """Take the server for down, until a look succeeds."""
        if self.down_since is None:
            _log.warning("Neo4j doesn't answer: %s", type(error).__name__)
            self.down_since = time.monotonic()

    def _see(self, rows: list[list[Any]], until: float) -> None:
        customers = {}
        marks: dict[Source, Hashable] = {}
        everybody: dict[str, list[Hashable]] = {}
        for customer, properties, sets in rows:
            known = [state for state in sets if state[0] is not None]
            for name, status, changed_at, fingerprint, total, *_, asked_at in known:
                mark = (status, changed_at, fingerprint, total, *asked_at)
                marks[customer, name] = mark
                everybody.setdefault(name, []).append((customer, mark))
            dates = [state[5] for state in known]
            customers[customer] = Loaded(
                customer,
                str(properties.get("name") or customer),
                properties,
                min(dates) if dates and None not in dates else None,
                max((state[6] for state in known if state[6]), default=None),
                {state[0]: state[4] or 0 for state in known},
            )
        marks |= {(EVERYBODY, name): frozenset(every) for name, every in everybody.items()}
        for customer, loaded in customers.items():
            marks[customer, DAY] = (loaded.name, loaded.snapshot_date)
            marks[customer, FACTS] = (loaded.name, loaded.snapshot_date, loaded.loaded_at, *loaded.totals.items())
        marks[EVERYBODY, FACTS] = frozenset((customer, marks[customer, FACTS]) for customer in customers)
        now = time.monotonic()
        self._until = {ended: limit for ended, limit in self._until.items() if limit > now}
        for source in self._marks.keys() | marks.keys():
            if self._marks.get(source) != marks.get(source):
                version = self._versions.get(source, 0)
                self._until[source, version] = until
                self._versions[source] = version + 1
        self._marks = marks
        self.customers = dict(sorted(customers.items()))


def sources(customer: str | None, sets: Iterable[str]) -> list[Source]:
    """What a customer's answer from these sets depends on; shared sets are changed by others' loads too."""
    named = []
    for name in sorted(sets):
        graph_set = SETS[name]
        shared = customer is None or (isinstance(graph_set, NodeSet) and graph_set.scope is Scope.SHARED)
        named.append((EVERYBODY if shared or customer is None else customer, name))
    return named
