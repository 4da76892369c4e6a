"""The lists of all users of a customer on a day, as a mart for those who show them on a learning platform."""

import duckdb
import numpy as np
import pyarrow as pa
from scipy import sparse

from recograph.analytics.ease import Ints
from recograph.analytics.interactions import Interactions, fetch, read
from recograph.analytics.kinds import KINDS, RECOMMENDATIONS, Kind
from recograph.analytics.lists import Lists, lists
from recograph.errors import RecographError
from recograph.lake.interfaces import Warehouse

K = 20
"""How many items of each kind a user gets."""
SCHEMA = pa.schema(
    [
        ("user_id", pa.int64()),
        ("kind", pa.string()),
        ("place", pa.int64()),
        ("item_id", pa.int64()),
        ("score", pa.float64()),
        ("because_of", pa.int64()),
        ("since", pa.string()),
    ]
)
COLUMNS = {
    "user_id": "The user",
    "kind": "course or asset",
    "place": "Place in the user's list of the kind, from 1",
    "item_id": "What is recommended",
    "score": "Sum of the scores with which the user's items lead to it; 0 where it is only popular",
    "because_of": "The user's item that counts most in the score; empty where it is only popular",
    "since": "The snapshot date since which the user's list of the kind has the same items in the same places",
}


def recommend_all(warehouse: Warehouse, customer: str, date: str, before: str | None, k: int = K) -> pa.Table:
    """The lists of every user who is there, by the similarity that the marts hold.

    Args:
        warehouse: has the day's marts.
        customer: id of the customer.
        date: the snapshot date.
        before: the date of the snapshot whose lists these are compared with; None: all are new.
        k: length of a list.

    Raises:
        RecographError: marts are missing.
    """
    parts = [_of_kind(warehouse, kind, customer, date, k) for kind in KINDS.values()]
    earlier = warehouse.partition(RECOMMENDATIONS, customer, before) if before else None
    had = SCHEMA.empty_table()
    if earlier:
        had = read(warehouse, f"select {', '.join(SCHEMA.names)} from {earlier} t", SCHEMA)  # noqa: S608 - our own
    with duckdb.connect(":memory:") as database:
        database.register("listed", pa.concat_tables(parts))
        database.register("had", had)
        rows: pa.Table = database.sql(_SINCE, params={"date": date}).to_arrow_table()
        return rows.cast(SCHEMA)


def _of_kind(warehouse: Warehouse, kind: Kind, customer: str, date: str, k: int) -> pa.Table:
    data = fetch(warehouse, kind, customer, date)
    relation = warehouse.partition(kind.similarity, customer, date)
    if relation is None:
        raise RecographError(f"{customer} has no marts/{kind.similarity} of {date}. Materialize it first.")
    schema = pa.schema([("source", pa.int64()), ("target", pa.int64()), ("score", pa.float64())])
    columns = f"{kind.item} as source, similar_{kind.item} as target, score"
    rows = read(warehouse, f"select {columns} from {relation} t", schema)  # noqa: S608
    source, target = (np.searchsorted(data.items, np.asarray(rows[name])) for name in ("source", "target"))
    shape = (len(data.items), len(data.items))
    weights = sparse.csr_matrix((np.asarray(rows["score"]), (source, target)), shape=shape)
    return _table(data, kind, weights, lists(data, weights, np.flatnonzero(data.asked), k))


def _table(data: Interactions, kind: Kind, weights: sparse.csr_matrix, recommended: Lists) -> pa.Table:
    row, place = np.nonzero(recommended.item >= 0)
    item, score = recommended.item[row, place], recommended.score[row, place]
    reason = _reasons(data, weights, recommended)[row, place]
    because_of = pa.array(data.items[np.maximum(reason, 0)], mask=(reason < 0) | (score <= 0))
    columns = {
        "user_id": data.users[recommended.user[row]],
        "kind": pa.repeat(pa.scalar(kind.name), len(row)),
        "place": place + 1,
        "item_id": data.items[item],
        "score": score,
        "because_of": because_of,
    }
    return pa.table(columns)


def _reasons(data: Interactions, weights: sparse.csr_matrix, recommended: Lists) -> Ints:
    """By user and place: the item of the user that speaks most for the recommended one; -1 where none does."""
    reasons = np.full(recommended.item.shape, -1)
    items = len(data.items)
    size = max(1, 5_000_000 // max(1, items))
    for start in range(0, len(recommended.user), size):
        listed = recommended.item[start : start + size]
        had = data.matrix[recommended.user[start : start + size]]
        at = np.full((len(listed), items), -1, np.int16)
        rows, places = np.nonzero(listed >= 0)
        at[rows, listed[rows, places]] = places
        # All pairs of an item that a user had and an item that it leads to; then only those in the user's list.
        owner = np.repeat(np.arange(len(listed)), np.diff(had.indptr))
        leads = weights[had.indices]
        length = np.diff(leads.indptr)
        owner, source = np.repeat(owner, length), np.repeat(had.indices, length)
        place = at[owner, leads.indices]
        kept = place >= 0
        owner, place, source, weight = owner[kept], place[kept], source[kept], leads.data[kept]
        order = np.lexsort((-source, weight))  # what is written last stays: the greatest weight, then the lowest number
        reasons[start + owner[order], place[order]] = source[order]
    return reasons


_SINCE = """
with now as (select user_id, kind, list(item_id order by place) as items from listed group by all),

earlier as (
    select user_id, kind, list(item_id order by place) as items, any_value(since) as since from had group by all
)

select listed.user_id, listed.kind, place, item_id, score, because_of, coalesce(earlier.since, $date) as since
from listed
inner join now on listed.user_id = now.user_id and listed.kind = now.kind
left join earlier on listed.user_id = earlier.user_id and listed.kind = earlier.kind and now.items = earlier.items
order by listed.user_id, listed.kind desc, place
"""
