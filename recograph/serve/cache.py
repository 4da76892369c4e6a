"""Keeps answers until a load changes the sets that they were read from.

An entry knows the versions of the sets that it, and the entries that it was made from, were read from. If several
requests ask for the same entry at the same time, it is made once. For as long as a load needn't have been seen yet, the
old entry is given, while the new one is made.
"""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from recograph.serve.loads import Loads, Source, Stamp


@dataclass
class Basis:
    """What an entry is made from; filled while the entry is being made."""

    loads: Loads
    stamps: dict[Source, int] = field(default_factory=dict)

    def rests_on(self, sources: list[Source]) -> None:
        """Say, before reading them, which sources are read."""
        self.add(self.loads.stamp(sources))

    def add(self, stamp: Stamp) -> None:
        """Take over what another entry is made from; of two versions the older counts."""
        for source, version in stamp:
            self.stamps[source] = min(version, self.stamps.get(source, version))


@dataclass(frozen=True)
class Entry:
    """A value with what it was made from."""

    value: Any
    stamp: Stamp
    bytes: int


NEVER = sys.maxsize
"""The size to give for a value that isn't to be kept."""
Make = Callable[[Basis], Awaitable[tuple[Any, int]]]
"""Makes a value, and says about how many bytes it takes."""


class Cache:
    """Entries by key, the least recently used of which go where there are too many bytes."""

    def __init__(self, loads: Loads, capacity: int) -> None:
        """Nothing is kept yet.

        Args:
            loads: tells which entries hold.
            capacity: bytes of values.
        """
        self._loads = loads
        self._capacity = capacity
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[Hashable, asyncio.Task[Entry]] = {}

    def find(self, key: Hashable) -> Entry | None:
        """The entry, if there is one that may be given."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not self._loads.may_be_given(entry.stamp):
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def awaits(self, key: Hashable) -> bool:
        """Whether whoever asks has to wait for all of the entry to be made, and is the first to ask."""
        return self.find(key) is None and key not in self._under_way

    async def get(self, key: Hashable, make: Make, basis: Basis | None = None) -> Entry:
        """The entry, made if there is none that may be given.

        Args:
            key: of the entry.
            make: makes its value.
            basis: of the other entry for which this one is asked for, which is never made from what is void; what this
                one is made from is added to it.
        """
        entry = self.find(key)
        if entry is None or not self._loads.holds(entry.stamp):
            joined = key in self._under_way
            task = self._under_way.get(key) or self._begin(key, make)
            if entry is None or basis is not None:
                # Shielded, so that a request that is cancelled doesn't end the work for the others.
                entry = await asyncio.shield(task)
                if joined and not self._loads.holds(entry.stamp):  # it was begun before a load, and asked for after it
                    entry = await asyncio.shield(self._under_way.get(key) or self._begin(key, make))
        if basis is not None:
            basis.add(entry.stamp)
        return entry

    def _begin(self, key: Hashable, make: Make) -> asyncio.Task[Entry]:
        task = self._under_way[key] = asyncio.create_task(self._make(key, make))
        task.add_done_callback(lambda task: self._ended(key, task))
        return task

    async def _make(self, key: Hashable, make: Make) -> Entry:
        basis = Basis(self._loads)
        value, size = await make(basis)
        entry = Entry(value, tuple(basis.stamps.items()), size)
        if size <= self._capacity // 8:
            self._drop(key)
            self._entries[key] = entry
            self._bytes += size
            while self._bytes > self._capacity:
                self._drop(next(iter(self._entries)))
        return entry

    def _ended(self, key: Hashable, task: "asyncio.Task[Entry]") -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            task.exception()  # those who waited have it; nobody is left to be told otherwise

    def _drop(self, key: Hashable) -> None:
        if entry := self._entries.pop(key, None):
            self._bytes -= entry.bytes
