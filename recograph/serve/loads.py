"""What loads record of themselves in the graph, looked at several times a second.

Whatever is kept of the graph is kept under a version of each set that it was read from. A version goes up as soon as a
load is seen that changed the set; what was kept under the old one is void then, and nothing else is.

A load is seen within a second of its end: what is void may be given for the rest of it, so that all that a load voids
needn't be made anew in the same moment. While it is under way, each of its transactions would void the same again: so
nobody looks at what it has changed, unless it takes long.

Every load, and every erasure, leaves a trace on its customer's lock. So a look reads the locks, and the rest of those
customers only whose lock isn't as it was.
"""

import asyncio
import logging
import time
from collections.abc import Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import neo4j

from recograph.graph.cypher import LOCK, STATE
from recograph.graph.model import CUSTOMER, KEY, SETS, NodeSet, Scope
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
_UNDER_WAY_SECONDS = 10.0
"""So long nothing that a load changes is looked at before its end."""
_ALL_SECONDS = 60.0
"""Seconds after which all customers are looked at, in case somebody changed the graph without a lock."""
_LOCKS = (
    f"RETURN COLLECT {{ MATCH (l:{LOCK}) WHERE l.customer_id <> '{EVERYBODY}' RETURN [l.customer_id, l.asked_at, "
    "l.owner, coalesce(l.lease_until, 0) > datetime.realtime().epochMillis] }, "
    f"COUNT {{ (:{CUSTOMER.label}) }}"
)
_LOOK = (
    f"OPTIONAL MATCH (s:{STATE}) WHERE s.customer_id = c.id AND s.set IS NOT NULL "
    "RETURN c.id, properties(c), collect([s.set, s.status, toString(s.changed_at), s.fingerprint, s.total, "
    "s.snapshot_date, toString(s.loaded_at), COLLECT { "
    # What is dirty has no fingerprint; every transaction that changes it sets this.
    f"MATCH (l:{LOCK}) WHERE s.status <> 'clean' AND l.customer_id = c.id RETURN l.asked_at }}])"
)
_EVERY = f"MATCH (c:{CUSTOMER.label}) {_LOOK}"
_SOME = f"UNWIND $about.customers AS id MATCH (c:{CUSTOMER.label} {{{KEY}: id}}) {_LOOK}"
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


@dataclass(frozen=True)
class _Lock:
    """What a customer's lock says."""

    asked_at: int | None
    """Goes on with each transaction that writes."""
    owner: str | None
    """Who writes."""
    is_held: bool
    """Whether the owner is still at it, as far as anybody knows."""


class Loads:
    """Versions of the customers' sets, and whether the server answers."""

    def __init__(self, driver: neo4j.Driver) -> None:
        """Nothing is known before the first look."""
        self.customers: dict[str, Loaded] = {}
        self.down_since: float | None = time.monotonic()
        """When the server was first found not to answer (seconds of the monotonic clock); None while it does."""
        self._driver = driver
        self._threads = ThreadPoolExecutor(_LOOKS, thread_name_prefix="look")
        self._marks: dict[str, dict[str, Hashable]] = {}
        """By customer, and by set, `DAY` or `FACTS`."""
        self._versions: dict[Source, int] = {}
        self._locks: dict[str, tuple[_Lock, float]] = {}
        """Each customer's lock as it was when the rest was looked at, and when (seconds of the monotonic clock)."""
        self._looked = -SEEN_SECONDS
        """When the last look that the server answered began (seconds of the monotonic clock)."""
        self._looked_at_all: tuple[float, int] | None = None
        """The last time that all customers were looked at, and how many there were; None after a look that failed."""
        self._until: dict[tuple[Source, int], float] = {}
        """Until when what was read from a version that has just become void may be given."""
        self.stands_still = False
        """Whether the last look had no answer, not even that there is none."""
        self.is_blind = True
        """Whether the server has never answered yet, so that nobody knows which customers there are."""

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
            ((locks, total),) = await self._ask(_LOCKS)
            known = {customer: _Lock(*lock) for customer, *lock in locks}
            at_work = {customer for customer, lock in known.items() if self._is_at_work(customer, lock, began)}
            every = self._looked_at_all
            if every is None or every[1] != total or began - every[0] >= _ALL_SECONDS:
                looked_at = (self.customers.keys() | known.keys()) - at_work
                rows = await self._ask(_EVERY)
                self._looked_at_all = began, total
            else:
                looked_at = {one for one in self._locks.keys() | known.keys() if self._is_news(one, known.get(one))}
                looked_at -= at_work
                rows = await self._ask(_SOME, sorted(looked_at)) if looked_at else []
            # What the look before didn't see ended after that began.
            self._see([row for row in rows if row[0] not in at_work], looked_at, self._looked + SEEN_SECONDS)
            self._locks = {
                customer: (lock, began) if customer in looked_at else self._locks[customer]
                for customer, lock in known.items()
            }
            self._looked = began
        except Exception as error:  # if looking stopped, pages would be out of date for ever
            self._looked_at_all = None
            self.stands_still = isinstance(error, TimeoutError)
            self.fail(error)
            return
        if self.down_since is not None:
            _log.info("Neo4j answers.")
        self.down_since = None
        self.stands_still = self.is_blind = False

    async def _ask(self, statement: str, customers: Sequence[str] = ()) -> list[list[Any]]:
        # In a map, because Neo4j plans a statement anew for a longer list that is itself a parameter (see `cypher`).
        about = {"about": {"customers": list(customers)}}
        looking = asyncio.get_running_loop().run_in_executor(
            self._threads, partial(read, self._driver, statement, about, timeout=5)
        )
        async with asyncio.timeout(_PATIENCE):
            return (await looking).rows

    def _is_news(self, customer: str, lock: _Lock | None) -> bool:
        """Whether somebody may have written since the customer was looked at."""
        before, _ = self._locks.get(customer, (None, 0.0))
        return lock != before

    def _is_at_work(self, customer: str, lock: _Lock, now: float) -> bool:
        """Whether a load is under way that was seen to begin, and not long ago."""
        if customer not in self._locks:
            return False
        before, looked = self._locks[customer]
        return lock.is_held and lock.owner == before.owner and now - looked < _UNDER_WAY_SECONDS

    def fail(self, error: Exception) -> None:
        """Take the server for down, until a look succeeds."""
        if self.down_since is None:
            _log.warning("Neo4j doesn't answer: %s", type(error).__name__)
            self.down_since = time.monotonic()

    def _see(self, rows: list[list[Any]], customers: Iterable[str], until: float) -> None:
        """Take over what was seen of these customers; those that have no row are gone."""
        seen = {row[0]: _read(*row) for row in rows}
        changed: set[Source] = set()
        for customer in {*customers, *seen}:
            before = self._marks.pop(customer, {})
            self.customers.pop(customer, None)
            if customer in seen:
                self.customers[customer], self._marks[customer] = seen[customer]
            after = self._marks.get(customer, {})
            for name in before.keys() | after.keys():
                if before.get(name) != after.get(name):
                    changed |= {(customer, name), (EVERYBODY, name)}
        if seen:
            self.customers = dict(sorted(self.customers.items()))
        now = time.monotonic()
        self._until = {ended: limit for ended, limit in self._until.items() if limit > now}
        for source in changed:
            version = self._versions.get(source, 0)
            self._until[source, version] = until
            self._versions[source] = version + 1


def _read(customer: str, properties: dict[str, Any], sets: list[list[Any]]) -> tuple[Loaded, dict[str, Hashable]]:
    """A customer as it was seen, and what must be the same for what is kept of it to hold."""
    known = [state for state in sets if state[0] is not None]
    dates = [state[5] for state in known]
    loaded = Loaded(
        customer,
        str(properties.get("name") or customer),
        properties,
        min(dates) if dates and None not in dates else None,
        max((state[6] for state in known if state[6]), default=None),
        {state[0]: state[4] or 0 for state in known},
    )
    marks: dict[str, Hashable] = {
        name: (status, changed_at, fingerprint, total, *asked_at)
        for name, status, changed_at, fingerprint, total, *_, asked_at in known
    }
    marks[DAY] = (loaded.name, loaded.snapshot_date)
    marks[FACTS] = (loaded.name, loaded.snapshot_date, loaded.loaded_at, *loaded.totals.items())
    return loaded, marks


def sources(customer: str | None, sets: Iterable[str]) -> list[Source]:
    """What a customer's answer from these sets depends on; shared sets are changed by others' loads too."""
    named = []
    for name in sorted(sets):
        graph_set = SETS[name]
        shared = customer is None or (isinstance(graph_set, NodeSet) and graph_set.scope is Scope.SHARED)
        named.append((EVERYBODY if shared or customer is None else customer, name))
    return named
