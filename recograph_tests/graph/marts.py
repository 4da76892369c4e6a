"""Small marts, and the graph that they must give, computed straight from them."""

import datetime
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo4j
import pyarrow as pa
import pyarrow.parquet as pq

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.graph.cypher import LOCK, STATE

_INT, _TEXT, _TIME = pa.int64(), pa.string(), pa.timestamp("us")
SCHEMAS: dict[str, list[tuple[str, pa.DataType]]] = {
    "customers": [("id", _TEXT), ("name", _TEXT), ("region", _TEXT), ("size", _TEXT), ("category", _TEXT)],
    "users": [("id", _INT), ("can_manage_subordinates", pa.bool_()), ("valid", pa.bool_()), ("register_date", _TIME)],
    "languages": [("id", _TEXT), ("language_name", _TEXT)],
    "user_languages": [("user_id", _INT), ("language_id", _TEXT)],
    "courses": [
        ("id", _INT),
        ("name", _TEXT),
        ("category", _INT),
        ("course_type", _TEXT),
        ("difficulty", _TEXT),
        ("status", _INT),
        ("created_date", _TIME),
        ("status_name", _TEXT),
        ("language", _TEXT),
    ],
    "course_enrolments": [
        ("user_id", _INT),
        ("course_id", _INT),
        ("status", _INT),
        ("recency", _INT),
        ("status_name", _TEXT),
    ],
    "course_ratings": [("user_id", _INT), ("course_id", _INT), ("rating", pa.float64())],
    "assets": [
        ("id", _INT),
        ("title", _TEXT),
        ("content_type", _INT),
        ("creation_date", _TIME),
        ("content_type_name", _TEXT),
        ("language", _TEXT),
    ],
    "asset_views": [("user_id", _INT), ("asset_id", _INT), ("recency", _INT)],
    "asset_courses": [("asset_id", _INT), ("course_id", _INT)],
    "asset_ratings": [("user_id", _INT), ("asset_id", _INT), ("rating", pa.float64())],
    "course_similarity": [("course_id", _INT), ("similar_course_id", _INT), ("score", pa.float64())],
    "asset_similarity": [("asset_id", _INT), ("similar_asset_id", _INT), ("score", pa.float64())],
}

BESIDE_GRAPH = {"course_enrolments": [("active_at", _TIME)], "asset_views": [("viewed_at", _TIME)]}
"""Columns that aren't loaded."""

Rows = list[tuple[Any, ...]]


@dataclass
class Snapshot:
    """One customer's marts of one day; marts that aren't named are empty, and NULL is what rows lack at their end."""

    marts: dict[str, Rows] = field(default_factory=dict)

    def __getitem__(self, mart: str) -> Rows:
        width = len(SCHEMAS[mart])
        return [(*row, *[None] * (width - len(row))) for row in self.marts.get(mart, [])]

    def write(self, lake: Path, customer: str, date: str) -> None:
        for mart, loaded in SCHEMAS.items():
            columns = [*loaded, *BESIDE_GRAPH.get(mart, [])]
            rows = self[mart]
            if mart == "customers":
                rows = [(customer, f"{customer} Ltd", "eu-west-2", "mid", "pharma")]
            arrays = [
                pa.array([row[at] if at < len(row) else None for row in rows], type_)
                for at, (_, type_) in enumerate(columns)
            ]
            arrays += [pa.array([text] * len(rows), _TEXT) for text in (customer, date)]
            table = pa.table(arrays, names=[name for name, _ in columns] + ["customer", "snapshot_date"])
            folder = lake / "marts" / mart / f"customer={customer}" / f"snapshot_date={date}"
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, folder / f"{mart}.parquet")


@dataclass(frozen=True)
class BilledWarehouse(DuckDBWarehouse):
    """DuckDB as if each of its statements had a price."""

    streamed: list[str] = field(default_factory=list)
    """The statements whose rows came in batches."""

    @property
    def bills_statements(self) -> bool:
        return True

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        self.streamed.append(sql)
        return super().stream(sql)


def time(day: int) -> datetime.datetime:
    return datetime.datetime(2024, 1, 1, 12, 30, 15, 678000) + datetime.timedelta(days=day)  # noqa: DTZ001


Graph = tuple[dict[Any, Any], dict[Any, Any]]


def expected(snapshots: Mapping[str, Snapshot]) -> Graph:
    """All nodes and relationships, with their properties, by what identifies them."""
    nodes: dict[Any, Any] = {}
    relationships: dict[Any, Any] = {}
    for customer, snapshot in snapshots.items():
        own: dict[Any, Any] = {}
        _add(
            own,
            ("Customer", None, customer),
            ("name", "region", "size", "category"),
            (f"{customer} Ltd", "eu-west-2", "mid", "pharma"),
        )
        for label, mart in (("User", "users"), ("Course", "courses"), ("Asset", "assets")):
            for row in snapshot[mart]:
                _add(own, (label, customer, row[0]), [name for name, _ in SCHEMAS[mart]][1:], row[1:])
        for row in snapshot["languages"]:
            _add(own, ("Language", None, row[0]), ["language_name"], row[1:])
        for user in snapshot["users"]:
            _add(relationships, ("WORKS_AT", ("User", customer, user[0]), ("Customer", None, customer)), [], ())
        for type_, mart, start, end in (
            ("SPEAKS", "user_languages", "User", "Language"),
            ("IS_ENROLLED", "course_enrolments", "User", "Course"),
            ("HAS_WATCHED", "asset_views", "User", "Asset"),
            ("HAS_RATED", "course_ratings", "User", "Course"),
            ("HAS_RATED", "asset_ratings", "User", "Asset"),
            ("PART_OF", "asset_courses", "Asset", "Course"),
            ("SIMILAR_TO", "course_similarity", "Course", "Course"),
            ("SIMILAR_TO", "asset_similarity", "Asset", "Asset"),
        ):
            for row in snapshot[mart]:
                ends = (start, customer, row[0]), (end, None if end == "Language" else customer, row[1])
                # A language counts if it is in the customer's own mart, whatever other customers speak.
                if ends[0] in own and ends[1] in own:
                    _add(relationships, (type_, *ends), [name for name, _ in SCHEMAS[mart]][2:], row[2:])
        nodes |= own
    return nodes, relationships


def _add(into: dict[Any, Any], key: Any, names: Iterable[str], values: Iterable[Any]) -> None:
    properties = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    into[key] = [_exact(properties)]


def _exact(properties: Mapping[str, Any]) -> dict[str, tuple[type, Any]]:
    """Values with their types, so that 1, 1.0 and True are three."""
    return {name: (type(value), value) for name, value in properties.items()}


def actual(driver: neo4j.Driver) -> Graph:
    """The same of the whole graph, but for what loads record of themselves."""
    nodes: dict[Any, Any] = {}
    keys: dict[str, Any] = {}
    query = f"MATCH (n) WHERE NOT n:{STATE} AND NOT n:{LOCK} RETURN elementId(n), labels(n), properties(n)"
    for element, labels, properties in driver.execute_query(query).records:
        key = ("+".join(labels), properties.pop("customer_id", None), properties.pop("id"))
        keys[element] = key
        nodes.setdefault(key, []).append(_exact(_native(properties)))
    relationships: dict[Any, Any] = {}
    query = "MATCH (a)-[r]->(b) RETURN type(r), elementId(a), elementId(b), properties(r)"
    for type_, start, end, properties in driver.execute_query(query).records:
        relationships.setdefault((type_, keys[start], keys[end]), []).append(_exact(properties))
    return nodes, relationships


def _native(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.to_native().replace(tzinfo=None) if hasattr(value, "to_native") else value
        for name, value in properties.items()
    }


def random_snapshot(random: random.Random, size: int) -> Snapshot:
    """A snapshot of about `size` users with some of everything, dangling rows included."""

    def some(most: int) -> list[int]:
        return sorted(random.sample(range(1, most + 1), random.randint(most // 2, most)))

    def pairs(starts: Sequence[Any], ends: Sequence[Any], share: float) -> list[tuple[Any, Any]]:
        return [(start, end) for start in starts for end in ends if random.random() < share]

    users, courses, assets = some(size), some(max(size // 5, 2)), some(max(size // 8, 2))
    languages = random.sample(["english", "german", "italian", "french"], 2)
    return Snapshot(
        {
            "users": [(id_, random.choice([True, False, None]), True, time(random.randint(1, 3))) for id_ in users],
            "languages": [(id_, id_.title()) for id_ in languages],
            "user_languages": [(id_, random.choice(languages)) for id_ in users],
            "courses": [(id_, random.choice(["Law", "Art"]), 1, "elearning", None, 2, time(id_)) for id_ in courses],
            "course_enrolments": [
                (*pair, random.choice([0, 2, None]), random.randint(1, 9))
                for pair in pairs([*users, size + 1], [*courses, size + 1], 0.4)
            ],
            "course_ratings": [(*pair, random.randint(1, 5) / 2) for pair in pairs(users, courses, 0.1)],
            "assets": [(id_, "Clip", random.choice([1, 2]), None) for id_ in assets],
            "asset_views": [(*pair, random.randint(1, 9)) for pair in pairs(users, assets, 0.2)],
            "asset_ratings": [(*pair, random.choice([1.0, None])) for pair in pairs(users, assets, 0.1)],
            "asset_courses": [(asset, random.choice(courses)) for asset in assets],
            "course_similarity": [
                (*pair, random.random()) for pair in pairs(courses, courses, 0.3) if pair[0] != pair[1]
            ],
        }
    )
