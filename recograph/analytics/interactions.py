"""Reads from the marts which courses or assets a customer's users had on a day, and what is known of both."""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from recograph.analytics.ease import Bools, Ints
from recograph.analytics.kinds import Kind
from recograph.errors import RecographError
from recograph.lake.interfaces import Warehouse

UNKNOWN = -1
"""Stands for a language or a time that isn't known."""


@dataclass(frozen=True)
class Interactions:
    """Users, items, and which user had which item: `user`, `item`, `recency` and `time` have one entry per pair.

    Users and items are numbered by their place in `users` and `items`, which are sorted.
    """

    users: Ints
    """Ids of users."""
    items: Ints
    """Ids of items."""
    asked: Bools
    """By user: whether the user is still there. What users who left had is learnt from, but they get no list."""
    speaks: Ints
    """By user: the number of the language, or `UNKNOWN`."""
    language: Ints
    """By item: the number of the language, or `UNKNOWN`."""
    open: Bools
    """By item: whether it may be recommended; what was withdrawn may not."""
    features: sparse.csr_matrix
    """Items by features, rows of length 1 or 0."""
    user: Ints
    item: Ints
    recency: Ints
    """1 to 9, 9 is the latest."""
    time: Ints
    """When the latest activity was, in microseconds since 1970, or `UNKNOWN`."""

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """Users by items, 1 where a user had an item."""
        ones = np.ones(len(self.user), np.float32)
        return sparse.csr_matrix((ones, (self.user, self.item)), shape=(len(self.users), len(self.items)))

    @cached_property
    def popularity(self) -> Ints:
        """By item: how many of the users who are still there had it."""
        return np.bincount(self.item[self.asked[self.user]], minlength=len(self.items))

    def only(self, kept: Bools) -> "Interactions":
        """The same with fewer interactions."""
        columns = {name: getattr(self, name)[kept] for name in ("user", "item", "recency", "time")}
        return replace(self, **columns)

    def most_used(self, limit: int) -> "Interactions":
        """The same with the most used items alone."""
        if len(self.items) <= limit:
            return self
        used = np.bincount(self.item, minlength=len(self.items))
        chosen = np.sort(np.lexsort((np.arange(len(used)), -used))[:limit])
        few = self.only(np.isin(self.item, chosen))
        by_item = {name: getattr(self, name)[chosen] for name in ("items", "language", "open", "features")}
        return replace(few, item=np.searchsorted(chosen, few.item), **by_item)


def fetch(warehouse: Warehouse, kind: Kind, customer: str, date: str, users: pa.Table | None = None) -> Interactions:
    """Read one kind of item from the marts.

    Args:
        warehouse: has the marts.
        kind: of item.
        customer: id of the customer.
        date: the snapshot date.
        users: what `fetch_users` gave, to read the users once for several kinds.

    Raises:
        RecographError: marts are missing.
    """
    relations = _relations(warehouse, (kind.items, kind.interactions), customer, date)
    traits = ", ".join((kind.title, *kind.traits))
    items = warehouse.query(
        f"select id, language, {kind.open} as open, {traits} from {relations[kind.items]} i"  # noqa: S608 - our own names
    )
    if users is None:
        users = fetch_users(warehouse, customer, date)
    had = read(
        warehouse,
        f"select user_id, {kind.item} as item_id, recency, {kind.time} as time from {relations[kind.interactions]} h",  # noqa: S608
        _HAD,
    )
    order = [("user_id", "ascending"), ("item_id", "ascending")]
    return interactions(items.sort_by("id"), users, had.sort_by(order))


def fetch_users(warehouse: Warehouse, customer: str, date: str) -> pa.Table:
    """Read the users, with their languages, from the marts; sorted by id.

    Raises:
        RecographError: marts are missing.
    """
    relations = _relations(warehouse, ("users", "user_languages"), customer, date)
    sql = (
        f"select u.id, l.language_id as language from {relations['users']} u "  # noqa: S608
        f"left join {relations['user_languages']} l on u.id = l.user_id"
    )
    return read(warehouse, sql, _USERS).sort_by("id")


def _relations(warehouse: Warehouse, marts: tuple[str, ...], customer: str, date: str) -> dict[str, str]:
    """What to put behind FROM, by mart."""
    relations = {mart: warehouse.partition(mart, customer, date) for mart in marts}
    if missing := [mart for mart, relation in relations.items() if relation is None]:
        listed = ", ".join(f"marts/{mart}" for mart in missing)
        raise RecographError(f"{customer} has no {listed} of {date}. Materialize them first.")
    return {mart: relation for mart, relation in relations.items() if relation is not None}


_USERS = pa.schema([("id", pa.int64()), ("language", pa.string())])
_HAD = pa.schema(
    [("user_id", pa.int64()), ("item_id", pa.int64()), ("recency", pa.int64()), ("time", pa.timestamp("us"))]
)


def read(warehouse: Warehouse, sql: str, schema: pa.Schema) -> pa.Table:
    """All rows of a SELECT with these columns, in any order; they are fetched in batches, so there may be many."""
    batches = [batch.cast(schema) for batch in warehouse.stream(sql)]
    return pa.Table.from_batches(batches, schema)


def interactions(items: pa.Table, users: pa.Table, had: pa.Table) -> Interactions:
    """Number users, items, languages and features.

    Args:
        items: id, language and open, sorted by id; further columns are a title and traits.
        users: id and language, sorted by id.
        had: user_id, item_id, recency and time (in microseconds), sorted by the first two; each pair once. Rows of
            items that `items` doesn't have are left out.
    """
    ids = {
        name: np.asarray(table[column], np.int64)
        for name, table, column in (
            ("items", items, "id"),
            ("known", users, "id"),
            ("user", had, "user_id"),
            ("item", had, "item_id"),
        )
    }
    known_item = np.isin(ids["item"], ids["items"])
    everybody = np.union1d(ids["known"], ids["user"][known_item])
    place = np.searchsorted(everybody, ids["known"])
    codes: dict[Any, int] = {None: UNKNOWN}
    speaks = np.full(len(everybody), UNKNOWN)
    speaks[place] = [codes.setdefault(name, len(codes) - 1) for name in users["language"].to_pylist()]
    asked = np.zeros(len(everybody), bool)
    asked[place] = True
    user = np.searchsorted(everybody, ids["user"][known_item])
    item = np.searchsorted(ids["items"], ids["item"][known_item])
    time = had["time"].cast(pa.int64()).fill_null(UNKNOWN)
    return Interactions(
        users=everybody,
        items=ids["items"],
        asked=asked,
        speaks=speaks,
        language=np.array([codes.setdefault(name, len(codes) - 1) for name in items["language"].to_pylist()], np.int64),
        open=np.asarray(items["open"], bool),
        features=features(
            items.drop_columns(["id", "language", "open"]), _audiences(speaks[user], item, len(ids["items"]))
        ),
        user=user,
        item=item,
        recency=np.asarray(had["recency"], np.int64)[known_item],
        time=np.asarray(time, np.int64)[known_item],
    )


def features(items: pa.Table, audiences: Ints) -> sparse.csr_matrix:
    """What similar items have in common: words of the title (the first column), traits, the audience's language.

    The weight of a feature is its rarity, log(items / items that have it). A feature that only one item has, or more
    than a third of all, says nothing and is left out. Rows have length 1, or 0 where no feature is left.
    """
    titles, *traits = (column.to_pylist() for column in items.columns)
    numbers: dict[Any, int] = {}
    rows, columns = [], []
    for row, title in enumerate(titles):
        # Each feature once, in an order that doesn't depend on hashes: sums in another order differ in the last bits,
        # and the same marts must give the same graph.
        own: dict[Any, None] = dict.fromkeys(re.findall(r"\w{3,}", (title or "").lower()))
        own |= {(which, values[row]): None for which, values in enumerate(traits) if values[row] is not None}
        own |= {("audience", audiences[row]): None} if audiences[row] != UNKNOWN else {}
        rows += [row] * len(own)
        columns += [numbers.setdefault(feature, len(numbers)) for feature in own]
    matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(titles), len(numbers)))
    common = np.bincount(columns, minlength=len(numbers))
    tells = (common > 1) & (common <= max(2, len(titles) / 3))
    matrix = matrix @ sparse.diags(np.where(tells, np.log(len(titles) / np.maximum(common, 1)), 0))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.where(length > 0, length, 1)) @ matrix).tocsr().astype(np.float32)


def _audiences(language: Ints, item: Ints, items: int) -> Ints:
    """By item: the language that more than half of its users speak, or `UNKNOWN`."""
    languages = int(language.max(initial=UNKNOWN)) + 1
    known = language != UNKNOWN
    counts = np.zeros((items, max(languages, 1)), np.int64)
    np.add.at(counts, (item[known], language[known]), 1)
    first = counts.argmax(axis=1)
    return np.where(2 * counts.max(axis=1) > np.bincount(item, minlength=items), first, UNKNOWN)
