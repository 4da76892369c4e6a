"""How good are the recommendations? Hide something that each user did last, and see whether the rest leads to it.

Of every user with at least two interactions one of the latest is hidden: recency is a bucket, so a digest of the ids
decides among those of the same. Similarity and popularity are computed anew from what is left, by the formula of the
marts, and scored as `graph/queries/recommendations.cypher` scores them. What is hidden is in neither.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from recograph.analytics.similarity import similarity_sql
from recograph.errors import RecographError
from recograph.lake.interfaces import Warehouse

K = 10
"""How long a list of recommendations is."""
KINDS = {
    "course": ("course_enrolments", "course_ratings", "courses", "course_id"),
    "asset": ("asset_views", "asset_ratings", "assets", "asset_id"),
}
"""The marts of interactions, ratings and items, and the item's column."""


@dataclass(frozen=True)
class Score:
    """How a way of recommending does."""

    hit_rate: float
    """Share of the users whose list has what was hidden."""
    mrr: float
    """Mean of 1 / its place in the list, 0 where it isn't in it."""
    coverage: float
    """Share of the items that are in anybody's list."""


@dataclass(frozen=True)
class Evaluation:
    """What came out for one kind of item of one customer."""

    users: int
    """Users of whom something was hidden."""
    items: int
    recommender: Score
    popularity: Score
    random: Score
    """What to expect of lists drawn blindly."""


@dataclass(frozen=True)
class Data:
    """What users did, and what there is to recommend."""

    history: pa.Table
    """user_id, item_id, recency, rating (NULL without one); a pair once."""
    items: pa.Table
    """id"""
    users: pa.Table
    """id; others may be in the history, but aren't asked for."""


def evaluate_customer(warehouse: Warehouse, customer: str, date: str) -> dict[str, Evaluation]:
    """Evaluate every kind of item of a customer on a day.

    Raises:
        RecographError: marts are missing.
    """
    return {kind: evaluate(fetch(warehouse, kind, customer, date)) for kind in KINDS}


def fetch(warehouse: Warehouse, kind: str, customer: str, date: str) -> Data:
    """Read one kind of item from the marts.

    Raises:
        RecographError: marts are missing.
    """
    *marts, item = KINDS[kind]
    relations = {mart: warehouse.partition(mart, customer, date) for mart in (*marts, "users")}
    if missing := [mart for mart, relation in relations.items() if relation is None]:
        listed = ", ".join(f"marts/{mart}" for mart in missing)
        raise RecographError(f"{customer} has no {listed} of {date}. Materialize them first.")
    interactions, ratings, items = (relations[mart] for mart in marts)
    history = warehouse.query(
        f"select i.user_id, i.{item} as item_id, i.recency, r.rating from {interactions} i "  # noqa: S608 - our own names
        f"left join {ratings} r on i.user_id = r.user_id and i.{item} = r.{item}"
    )
    ids = (warehouse.query(f"select id from {relation}") for relation in (items, relations["users"]))  # noqa: S608
    return Data(history, *ids)


def evaluate(data: Data, k: int = K) -> Evaluation:
    """Evaluate the recommendations of one kind of item, lists of k."""
    rest, hidden = hide_latest(data)
    asked = hidden.select(["user_id"])
    lists = {personal: recommend(rest, asked, k, personal=personal) for personal in (True, False)}
    with _tables(rest, hidden=hidden, personal=lists[True], popular=lists[False]) as database:
        had = database.sql(_HAD).fetchall()
        users, items = len(had), data.items.num_rows
        personal, popular = (
            Score(*database.sql(_SCORES.format(lists=name)).fetchall()[0]) for name in ("personal", "popular")
        )
    return Evaluation(users, items, personal, popular, _random([items - count for (count,) in had], items, k))


def hide_latest(data: Data) -> tuple[Data, pa.Table]:
    """What is left, and what is hidden of each user who has two interactions or more: user_id, item_id."""
    with _tables(data) as database:
        hidden = database.sql(_HIDDEN).to_arrow_table()
        database.register("hidden", hidden)
        rest = database.sql("select * from history anti join hidden using (user_id, item_id)").to_arrow_table()
    return replace(data, history=rest), hidden


def recommend(data: Data, asked: pa.Table, k: int = K, *, personal: bool = True) -> pa.Table:
    """Lists of what users haven't had, from all that is known: user_id, place, item_id, score, popularity.

    Args:
        data: what is known.
        asked: the users who get a list, as user_id.
        k: length of a list.
        personal: by similarity to the user's history; otherwise by popularity alone.
    """
    with _tables(data, asked=asked) as database:
        database.execute(f"set variable k = {int(k)}")
        similar = "select 0 as item_id, 0 as similar_item_id, 0 as score limit 0"
        if personal:
            database.execute(_FOR_MACRO)
            similar = similarity_sql("interactions", "catalogue", "item_id")
        database.execute(f"create table similar_items as {similar}")
        return database.sql(_LISTS).to_arrow_table()


@contextmanager
def _tables(data: Data, **others: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with these tables and no others."""
    with duckdb.connect(":memory:") as database:
        for name, table in (("history", data.history), ("items", data.items), ("users", data.users), *others.items()):
            database.register(name, table)
        yield database


_HIDDEN = """
select user_id, item_id
from (
    select
        user_id,
        item_id,
        count(*) over (partition by user_id) as had,
        row_number() over (partition by user_id order by recency desc, md5(user_id || '/' || item_id)) as place
    from history
    where user_id in (select id from users) and item_id in (select id from items)
)
where place = 1 and had >= 2
order by user_id
"""
_FOR_MACRO = """
create view interactions as select *, '' as customer, '' as snapshot_date from history;
create view catalogue as select *, '' as customer, '' as snapshot_date from items
"""
_LISTS = """
with popular as (
    select id as item_id, count(user_id) as popularity, row_number() over (order by count(user_id) desc, id) as rank
    from items
    left join history on id = item_id and user_id in (select id from users)
    group by 1
),

scored as (
    select user_id, similar_item_id as item_id, round(sum(score * recency / 9 * coalesce(rating, 3) / 3), 6) as score
    from history
    inner join similar_items using (item_id)
    semi join asked using (user_id)
    group by 1, 2
),

-- however many of the most popular the user had, k of so many are new
filling as (
    select user_id, popular.item_id, 0 as score
    from (select user_id, count(item_id) as had from asked left join history using (user_id) group by 1)
    inner join popular on rank <= getvariable('k') + had
),

candidates as (
    select user_id, item_id, max(score) as score, any_value(popularity) as popularity
    from (select * from scored union all select * from filling)
    inner join popular using (item_id)
    anti join history using (user_id, item_id)
    group by 1, 2
)

select user_id, place, item_id, score, popularity
from (
    select *, row_number() over (partition by user_id order by score desc, popularity desc, item_id) as place
    from candidates
)
where place <= getvariable('k')
order by user_id, place
"""
_HAD = """
select count(history.item_id)
from hidden
left join history on hidden.user_id = history.user_id and history.item_id in (select id from items)
group by hidden.user_id
"""
_SCORES = """
with hits as (select * from {lists} semi join hidden using (user_id, item_id))

select
    coalesce((select count(*) from hits) / nullif((select count(*) from hidden), 0), 0),
    coalesce((select sum(1 / place) from hits) / nullif((select count(*) from hidden), 0), 0),
    coalesce((select count(distinct item_id) from {lists}) / nullif((select count(*) from items), 0), 0)
"""


def _random(unseen: list[int], items: int, k: int) -> Score:
    """The means over all draws of k from what each user hasn't had."""
    if not unseen:
        return Score(0, 0, 0)
    listed = [min(k, left) for left in unseen]
    hits = [drawn / left for drawn, left in zip(listed, unseen, strict=True)]
    ranks = [sum(1 / place for place in range(1, drawn + 1)) / left for drawn, left in zip(listed, unseen, strict=True)]
    missed = math.prod(1 - drawn / items for drawn in listed)
    return Score(sum(hits) / len(hits), sum(ranks) / len(ranks), 1 - missed)
