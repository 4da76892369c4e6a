"""The graph that a Moodle dump must give, computed from its text alone and sharing nothing with the pipeline."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recograph.customers import Customer
from recograph_tests.sample_data.sample_dumps import Row, read_table, text_of

LANGUAGES = {
    "en": "english",
    "en_us": "english",
    "it": "italian",
    "pt_br": "portuguese-br",
    "fr": "french",
    "de": "german",
    "de_du": "german",
    "es": "spanish",
    "es_mx": "spanish",
    "ja": "japanese",
    "pl": "polish",
}
KINDS = {"h5pactivity": "h5p", "assign": "assignment", "url": "link"}
FILES = {
    "video/mp4": "video",
    "application/pdf": "pdf",
    "audio/mp3": "audio",
    "image/png": "image",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "spreadsheet",
    "application/vnd.ms-excel": "spreadsheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "presentation",
    "application/zip": "file",
}
STATUS_NAMES = {0: "subscribed", 1: "in progress", 2: "completed", 3: "suspended"}
WEEK = 7 * 24 * 3600
SITE, GUEST = "1", "1"


class MoodleTruth:
    """One customer's dump."""

    def __init__(self, customer: Customer, dump: Path) -> None:
        self.customer, self.dump = customer, dump
        self.prefix = customer.dump.prefix or "mdl_"
        day = datetime.datetime.fromisoformat(dump.name[:10]).replace(tzinfo=datetime.UTC)
        self.end = int((day + datetime.timedelta(days=1)).timestamp())
        self.nodes: dict[Any, Any] = {}
        self.edges: dict[Any, Any] = {}

    def rows(self, table: str) -> list[Row]:
        """The rows of a table."""
        return read_table(self.dump, self.prefix + table)

    def has(self, table: str) -> bool:
        """Whether the dump has the table."""
        text = text_of(self.dump)
        return any(f"CREATE TABLE {before}{self.prefix}{table}" in text for before in ("`", "public."))

    def add(self) -> None:
        """Compute nodes and relationships."""
        one = self.customer
        here = ("Customer", None, one.id)
        self.node(here, name=one.name, region=one.region, size=one.size, category=one.category)
        managers = self.managers()
        for row in self.rows("user"):
            if row["id"] == GUEST:
                continue
            user = self.key("User", row["id"])
            valid = (row["deleted"], row["suspended"], row["confirmed"]) == ("0", "0", "1")
            self.node(
                user,
                valid=valid,
                can_manage_subordinates=row["id"] in managers,
                register_date=_moment(row["timecreated"]),
            )
            self.edge("WORKS_AT", user, here)
            if row["deleted"] == "0":
                name = LANGUAGES[row["lang"] or ""]
                self.node(("Language", None, name), language_name=name.capitalize())
                self.edge("SPEAKS", user, ("Language", None, name))
        for row in self.rows("course"):
            if row["id"] != SITE:
                self.node(
                    self.key("Course", row["id"]),
                    name=row["fullname"],
                    category=int(row["category"] or 0),
                    course_type=row["format"],
                    status=2 if row["visible"] == "1" else 0,
                    status_name="published" if row["visible"] == "1" else "hidden",
                    created_date=_moment(row["timecreated"]),
                )
        self.assets()
        self.enrolments()

    def managers(self) -> set[str | None]:
        """Who has a role of managers at the site or a category, or any at a user."""
        levels = {row["id"]: row["contextlevel"] for row in self.rows("context")}
        archetypes = {row["id"]: row["archetype"] for row in self.rows("role")}
        return {
            row["userid"]
            for row in self.rows("role_assignments")
            if levels.get(row["contextid"]) == "30"
            or (levels.get(row["contextid"]) in ("10", "40") and archetypes[row["roleid"]] == "manager")
        }

    def assets(self) -> None:
        """Activities, where they are, and who viewed them."""
        modules = {row["id"]: row["name"] or "" for row in self.rows("modules")}
        activity = {row["id"]: row["instanceid"] for row in self.rows("context") if row["contextlevel"] == "70"}
        main = {
            activity[row["contextid"]]: row["mimetype"]
            for row in self.rows("files")
            if row["sortorder"] == "1" and row["contextid"] in activity
        }
        for row in self.rows("course_modules"):
            kind = modules[row["module"]]
            if row["deletioninprogress"] == "1" or kind in ("label", "customcert"):
                continue
            (own,) = [other for other in self.rows(kind) if other["id"] == row["instance"]]
            asset = self.key("Asset", row["id"])
            type_ = FILES[main[row["id"]] or ""] if kind == "resource" else KINDS.get(kind, kind)
            self.node(asset, title=own["name"], content_type_name=type_, creation_date=_moment(row["added"]))
            self.edge("PART_OF", asset, self.key("Course", row["course"]))
        latest: dict[Any, int] = {}
        for user, of, when in self.views():
            if user != GUEST:
                pair = self.key("User", user), self.key("Asset", of)
                latest[pair] = max(latest.get(pair, 0), when)
        for pair, when in latest.items():
            self.edge("HAS_WATCHED", *pair, recency=self.recency(when))

    def views(self) -> Iterator[tuple[str | None, str | None, int]]:
        """User, activity and moment of every view."""
        for row in self.rows("logstore_standard_log"):
            if row["target"] == "course_module" and row["action"] == "viewed":
                yield row["userid"], row["contextinstanceid"], int(row["timecreated"] or 0)
        for row in self.rows("course_modules_viewed"):
            yield row["userid"], row["coursemoduleid"], int(row["timecreated"] or 0)

    def enrolments(self) -> None:
        """Enrolments, and ratings of courses."""
        ways = {row["id"]: row for row in self.rows("enrol")}
        accesses = {
            (row["userid"], row["courseid"]): int(row["timeaccess"] or 0) for row in self.rows("user_lastaccess")
        }
        completions = {(row["userid"], row["course"]): row for row in self.rows("course_completions")}
        of_pair: dict[Any, list[Row]] = {}
        for row in self.rows("user_enrolments"):
            if row["enrolid"] in ways:
                of_pair.setdefault((row["userid"], ways[row["enrolid"]]["courseid"]), []).append(row)
        for (user, course), rows in of_pair.items():
            completion = completions.get((user, course), {})
            completed, started = int(completion.get("timecompleted") or 0), int(completion.get("timestarted") or 0)
            access = accesses.get((user, course), 0)
            begun = [int(row["timestart"] or 0) or int(row["timecreated"] or 0) for row in rows]
            shut = all(self.shut(row, ways) for row in rows)
            status = 2 if completed else 3 if shut else 1 if access or started else 0
            activity = max(completed, started, access, min([moment for moment in begun if moment], default=0))
            self.edge(
                "IS_ENROLLED",
                self.key("User", user),
                self.key("Course", course),
                status=status,
                status_name=STATUS_NAMES[status],
                recency=self.recency(activity),
            )
        for row in self.rows("tool_courserating_rating") if self.has("tool_courserating_rating") else ():
            self.edge(
                "HAS_RATED",
                self.key("User", row["userid"]),
                self.key("Course", row["courseid"]),
                rating=float(row["rating"] or 0),
            )

    def shut(self, row: Row, ways: dict[Any, Row]) -> bool:
        """Whether an enrolment lets nobody in."""
        ended = 0 < int(row["timeend"] or 0) < self.end
        return row["status"] != "0" or ways[row["enrolid"]]["status"] != "0" or ended

    def key(self, label: str, value: str | None) -> tuple[str, str, int]:
        """What identifies a node."""
        return (label, self.customer.id, int(value or 0))

    def node(self, key: Any, **properties: Any) -> None:
        """Add a node."""
        self.nodes[key] = [_exact(properties)]

    def edge(self, type_: str, start: Any, end: Any, **properties: Any) -> None:
        """Add a relationship."""
        self.edges[type_, start, end] = [_exact(properties)]

    def recency(self, moment: int) -> int:
        """9 less than a week before the end of the day, 8 less than 2 weeks, doubling; 1 older or unknown."""
        weeks = (self.end - moment) / WEEK
        return next((bucket for bucket in range(9, 1, -1) if moment and weeks < 2 ** (9 - bucket)), 1)


def graph_of_moodle(customer: Customer, dump: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Nodes and relationships with their properties, but for the similarities."""
    truth = MoodleTruth(customer, dump)
    truth.add()
    nodes = truth.nodes
    return nodes, {key: edge for key, edge in truth.edges.items() if key[1] in nodes and key[2] in nodes}


def _exact(properties: dict[str, Any]) -> dict[str, tuple[type, Any]]:
    return {name: (type(value), value) for name, value in properties.items() if value is not None}


def _moment(seconds: str | None) -> datetime.datetime | None:
    if not int(seconds or 0):
        return None
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds or 0))  # noqa: DTZ001
