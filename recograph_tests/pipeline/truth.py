"""The graph that dumps must give, computed from their text alone: slow, plain, sharing nothing with the pipeline."""

import datetime
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from recograph.customers import Customer
from recograph_tests.graph.marts import Graph
from recograph_tests.sample_data.sample_dumps import Row, read_table

STATUS_NAMES = {
    -2: "waiting list",
    -1: "to confirm",
    0: "subscribed",
    1: "in progress",
    2: "completed",
    3: "suspended",
    4: "overbooking",
}
CONTENT_TYPES = {"1": "video", "2": "document", "3": "spreadsheet", "5": "pdf", "6": "text", "10": "file", "15": "link"}
"""Names of the codes that sample dumps have."""
WEEK_MS = 7 * 24 * 3600 * 1000


def graph_of(dumps: dict[Customer, Path]) -> Graph:
    """Nodes and relationships with their properties, in the form of `marts.actual`, but for the similarities."""
    nodes: dict[Any, Any] = {}
    edges: dict[Any, Any] = {}
    for customer, dump in dumps.items():
        _Truth(customer, dump, nodes, edges).add()
    return nodes, {key: properties for key, properties in edges.items() if key[1] in nodes and key[2] in nodes}


class _Truth:
    def __init__(self, customer: Customer, dump: Path, nodes: dict[Any, Any], edges: dict[Any, Any]) -> None:
        self.customer, self.dump, self.nodes, self.edges = customer, dump, nodes, edges
        day = datetime.datetime.fromisoformat(dump.name[:10]).replace(tzinfo=datetime.UTC)
        self.end_ms = int((day + datetime.timedelta(days=1)).timestamp() * 1000)

    def rows(self, table: str) -> list[Row]:
        if self.customer.id == "customer_1" and table.startswith("app7020"):
            return []
        return read_table(self.dump, table)

    def add(self) -> None:
        one = self.customer
        here = ("Customer", None, one.id)
        self.node(here, name=one.name, region=one.region, size=one.size, category=one.category)
        for row in self.rows("core_user"):
            user = self.key("User", row["idst"])
            registered = row["register_date"] and datetime.datetime.fromisoformat(row["register_date"])
            manages = _boolean(row["can_manage_subordinates"])
            self.node(user, valid=_boolean(row["valid"]), can_manage_subordinates=manages, register_date=registered)
            self.edge("WORKS_AT", user, here)
        for row in self.rows("core_setting_user"):
            user = self.key("User", row["id_user"])
            if row["path_name"] == "ui.language" and row["value"] and user in self.nodes:
                language = ("Language", None, row["value"].strip().lower())
                self.node(language, language_name=language[2].capitalize())
                self.edge("SPEAKS", user, language)
        for row in self.rows("learning_course"):
            self.node(
                self.key("Course", row["idCourse"]),
                name=row["name"],
                category=_integer(row["idCategory"]),
                course_type=row["course_type"],
                difficulty=row["difficult"],
                status=_integer(row["status"]),
                status_name={"0": "under maintenance", "2": "published"}.get(row["status"] or ""),
                created_date=_moment(row["create_date"]),
            )
        for row in self.rows("app7020_content"):
            self.node(
                self.key("Asset", row["id"]),
                title=row["title"],
                content_type=_integer(row["contentType"]),
                content_type_name=CONTENT_TYPES.get(row["contentType"] or ""),
                creation_date=_moment(row["created"]),
            )
        self.interactions()

    def interactions(self) -> None:
        for row in _latest(self.rows("learning_courseuser"), ("idUser", "idCourse"), _activity):
            ends = self.key("User", row["idUser"]), self.key("Course", row["idCourse"])
            status = _integer(row["status"])
            name = None if status is None else STATUS_NAMES[status]
            self.edge("IS_ENROLLED", *ends, status=status, status_name=name, recency=self.recency(_activity(row)))
        for row in _latest(self.rows("learning_course_rating_vote"), ("idUser", "idCourse"), _time("timestamp")):
            ends = self.key("User", row["idUser"]), self.key("Course", row["idCourse"])
            self.edge("HAS_RATED", *ends, rating=_number(row["rating"]))
        for row in _latest(self.rows("app7020_content_history"), ("idUser", "idContent"), _time("viewed")):
            ends = self.key("User", row["idUser"]), self.key("Asset", row["idContent"])
            self.edge("HAS_WATCHED", *ends, recency=self.recency(_time("viewed")(row)))
        for row in self.rows("app7020_content_rating"):
            ends = self.key("User", row["idUser"]), self.key("Asset", row["idContent"])
            self.edge("HAS_RATED", *ends, rating=_number(row["rating"]))

    def key(self, label: str, value: str | None) -> tuple[str, str, int]:
        return (label, self.customer.id, int(value or 0))

    def node(self, key: Any, **properties: Any) -> None:
        self.nodes[key] = [_exact(properties)]

    def edge(self, type_: str, start: Any, end: Any, **properties: Any) -> None:
        self.edges[type_, start, end] = [_exact(properties)]

    def recency(self, moment_ms: int) -> int:
        """9 less than a week before the end of the day, 8 less than 2 weeks, doubling; 1 older or unknown."""
        weeks = (self.end_ms - moment_ms) / WEEK_MS
        return next((bucket for bucket in range(9, 1, -1) if moment_ms and weeks < 2 ** (9 - bucket)), 1)


def _exact(properties: dict[str, Any]) -> dict[str, tuple[type, Any]]:
    return {name: (type(value), value) for name, value in properties.items() if value is not None}


def _latest(rows: Iterable[Row], key: tuple[str, str], when: Callable[[Row], int]) -> list[Row]:
    by_key: dict[Any, Row] = {}
    for row in rows:
        pair = (row[key[0]], row[key[1]])
        if pair not in by_key or when(row) > when(by_key[pair]):
            by_key[pair] = row
    return list(by_key.values())


def _activity(row: Row) -> int:
    return max(int(row[name] or 0) for name in ("date_inscr", "date_first_access", "date_last_access", "date_complete"))


def _time(column: str) -> Callable[[Row], int]:
    return lambda row: int(row[column] or 0)


def _boolean(text: str | None) -> bool | None:
    return None if text is None else text in ("1", "t")


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _moment(milliseconds: str | None) -> datetime.datetime | None:
    if milliseconds is None:
        return None
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=int(milliseconds))  # noqa: DTZ001
