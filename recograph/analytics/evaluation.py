"""How good are the recommendations? Hide something that each user did last, and see whether the rest leads to it.

Of every user with at least two interactions one of the latest is hidden: recency is a bucket, so a digest of the ids
decides among those of the same. Similarity and popularity are computed anew from what is left, by the formula of the
marts, and scored as `graph/queries/recommendations.cypher` scores them. What is hidden is in neither.
"""

import math
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from recograph.analytics.similarity import similarity_sql
from recograph.errors import RecographError
from recograph.resources.warehouse import Warehouse

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
    with duckdb.connect(":memory:") as database:
        _prepare(database, data, k, hide=True)
        users, items = _row(database, "select (select count(*) from asked), (select count(*) from catalogue)")
        unseen = [items - had for (had,) in database.sql("select had from asked").fetchall()]
        recommender, popularity = (
            Score(*_row(database, _SCORES.format(lists=_LISTS.format(order=order))))
            for order in ("score desc, ", "")
        )
        return Evaluation(users, items, recommender, popularity, _random(unseen, items, k))


def recommend(data: Data, k: int = K) -> pa.Table:
    """What all users are recommended when nothing is hidden: user_id, place, item_id, score, popularity."""
    with duckdb.connect(":memory:") as database:
        _prepare(database, data, k, hide=False)
        lists = f"{_LISTS.format(order='score desc, ')} order by user_id, place"
        return database.execute(lists).to_arrow_table()


def _prepare(database: duckdb.DuckDBPyConnection, data: Data, k: int, *, hide: bool) -> None:
    """Make the tables `hidden` and `candidates`; only the former sees what is hidden."""
    for name, table in (("given", data.history), ("given_items", data.items), ("given_users", data.users)):
        database.register(name, table)
    database.execute(f"set variable k = {int(k)}; set variable hide = {hide}")
    database.execute(_SPLIT)
    # From here on nothing can look at what is hidden.
    database.execute("drop table history")
    database.unregister("given")
    database.execute(f"create table similar_items as {similarity_sql('train', 'catalogue', 'item_id')}")
    database.execute(_CANDIDATES)


_SPLIT = """
create table catalogue as select id, '' as customer, '' as snapshot_date from given_items;

create table history as
select user_id, item_id, recency, coalesce(rating, 3) as rating, '' as customer, '' as snapshot_date from given;

create table hidden as
select user_id, item_id
from (
    select
        user_id,
        item_id,
        count(*) over (partition by user_id) as had,
        row_number() over (partition by user_id order by recency desc, md5(user_id || '/' || item_id)) as place
    from history
    where user_id in (select id from given_users) and item_id in (select id from catalogue)
)
where getvariable('hide') and place = 1 and had >= 2;

create table train as select * from history anti join hidden using (user_id, item_id);

create table asked as
select id as user_id, count(train.item_id) as had
from given_users
left join train on id = user_id and item_id in (select id from catalogue)
where not getvariable('hide') or id in (select user_id from hidden)
group by 1;
"""
_CANDIDATES = """
create table popular as
select id as item_id, count(user_id) as popularity, row_number() over (order by count(user_id) desc, id) as place
from catalogue
left join train on id = item_id and user_id in (select id from given_users)
group by 1;

create table candidates as
with scored as (
    select user_id, similar_item_id as item_id, round(sum(score * recency / 9 * rating / 3), 6) as score
    from train
    inner join similar_items using (item_id)
    group by 1, 2
),

-- of the first k + had at least k are new to the user
filling as (
    select user_id, item_id, 0 as score from asked inner join popular on place <= getvariable('k') + had
)

select user_id, item_id, max(score) as score, any_value(popularity) as popularity
from (select * from scored union all select * from filling)
inner join popular using (item_id)
semi join asked using (user_id)
anti join train using (user_id, item_id)
group by 1, 2;
"""
_LISTS = """
select user_id, place, item_id, score, popularity
from (
    select *, row_number() over (partition by user_id order by {order}popularity desc, item_id) as place from candidates
)
where place <= getvariable('k')
"""
_SCORES = """
with lists as ({lists}), hits as (select * from lists semi join hidden using (user_id, item_id))

select
    (select count(*) from hits) / nullif((select count(*) from asked), 0),
    (select coalesce(sum(1 / place), 0) from hits) / nullif((select count(*) from asked), 0),
    (select count(distinct item_id) from lists) / nullif((select count(*) from catalogue), 0)
"""


def _row(database: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    (row,) = database.execute(sql).fetchall()
    return tuple(0 if value is None else value for value in row)


def _random(unseen: list[int], items: int, k: int) -> Score:
    """The means over all draws of k from what each user hasn't had."""
    if not unseen:
        return Score(0, 0, 0)
    listed = [min(k, left) for left in unseen]
    hits = [drawn / left for drawn, left in zip(listed, unseen, strict=True)]
    ranks = [sum(1 / place for place in range(1, drawn + 1)) / left for drawn, left in zip(listed, unseen, strict=True)]
    missed = math.prod(1 - drawn / items for drawn in listed)
    return Score(sum(hits) / len(hits), sum(ranks) / len(ranks), 1 - missed)
