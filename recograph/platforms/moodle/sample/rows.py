"""The rows of Moodle's tables at the end of a day; times are seconds."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from recograph.platforms.moodle import MOODLE
from recograph.platforms.moodle.sample import people, places
from recograph.platforms.moodle.sample.activities import KINDS, MODULES, Placement, file_rows
from recograph.platforms.moodle.sample.views import completion_rows, log_rows, viewed_rows
from recograph.sample_data.chunks import items, user_ranges, users
from recograph.sample_data.draws import Bools, Ints
from recograph.sample_data.histories import NULL, Enrolments, enrolments, ratings
from recograph.sample_data.interactions import Interactions
from recograph.sample_data.schema import Chunk, SampleTable, read_tables
from recograph.sample_data.texts import Vocabulary
from recograph.sample_data.world import World

TABLES = read_tables(__package__, "tables.txt")
_SITE = 1
_RATED = "tool_courserating_rating"
_FORMATS = ("topics", "topics", "topics", "weeks", "singleactivity")


def _seconds(milliseconds: Ints, unknown: int = 0) -> Ints:
    return np.where(milliseconds == NULL, unknown, milliseconds // 1000)


def _newest(rows: Enrolments) -> Bools:
    """Marks the last of the rows of each user and course, which follow each other."""
    newest: Bools = np.diff(rows.serial, append=-1) != 0
    return newest


class Rows:
    """Makes the rows of one customer's tables."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._prefix = MOODLE.prefix_of(world.customer)
        self._courses = Interactions(world, world.courses, world.profile.enrolments_per_user)
        self._assets = Interactions(world, world.assets, world.profile.views_per_user)
        self._placement = Placement(world)
        self._vocabulary = Vocabulary(world.customer.category, world.courses.topics)
        self._makers: dict[str, Callable[[int], Iterator[Chunk]]] = {
            "config": self._config,
            "context": self._context,
            "course": self._course,
            "course_categories": self._course_categories,
            "course_completions": self._course_completions,
            "course_modules": self._course_modules,
            "course_modules_completion": lambda day: completion_rows(world, self._assets, self._placement, day),
            "course_modules_viewed": lambda day: viewed_rows(world, self._assets, self._placement, day),
            "enrol": self._enrol,
            "files": lambda day: file_rows(world, self._placement, day),
            "logstore_standard_log": lambda day: log_rows(world, self._assets, self._placement, day),
            "modules": self._modules,
            "role": lambda _: people.role_rows(),
            "role_assignments": self._role_assignments,
            "user": lambda day: people.user_rows(world, day),
            "user_enrolments": self._user_enrolments,
            "user_lastaccess": self._user_lastaccess,
            **{kind: self._activity(kind) for kind in KINDS},
        }
        # Some have the plugin for ratings, and some don't.
        if self._prefix == MOODLE.prefix:
            self._makers[_RATED] = self._ratings

    @property
    def tables(self) -> list[SampleTable]:
        """See `SampleTables.tables`."""
        return [replace(TABLES[name], name=self._prefix + name) for name in sorted(self._makers)]

    def of(self, table: str, day: int) -> Iterator[Chunk]:
        """See `SampleTables.of`."""
        return self._makers[table.removeprefix(self._prefix)](day)

    def _course_ids(self, number: Ints) -> Ints:
        return self._world.courses.ids[number] + _SITE

    def _config(self, _day: int) -> Iterator[Chunk]:
        values = {"siteguest": "1", "smtppass": "not a password", "version": "2023100903"}
        yield {"id": np.arange(len(values)) + 1, "name": list(values), "value": list(values.values())}

    def _context(self, day: int) -> Iterator[Chunk]:
        yield _contexts(np.array([places.SITE]), 10, np.zeros(1, np.int64))
        categories = np.arange(self._world.courses.topics) + 1
        yield _contexts(places.of_category(categories), places.CATEGORY, categories)
        courses = np.concatenate([[_SITE], self._course_ids(self._world.courses.present(day))])
        yield _contexts(places.of_course(courses), places.COURSE, courses)
        for some in self._placement.present(day):
            yield _contexts(places.of_activity(some.ids), places.ACTIVITY, some.ids)
        for number in users(self._world, day):
            ids = self._world.users.ids(number)
            yield _contexts(places.of_user(ids), places.USER, ids)

    def _course_categories(self, _day: int) -> Iterator[Chunk]:
        topics = self._vocabulary.topics
        number = np.arange(len(topics)) + 1
        yield {"id": number, "name": list(topics), "sortorder": number * 10000, "path": [f"/{i}" for i in number]}

    def _course(self, day: int) -> Iterator[Chunk]:
        site = self._world.customer.name
        yield {
            "id": np.array([_SITE]),
            "category": np.zeros(1, np.int64),
            "fullname": [site],
            "shortname": [site[:40]],
            "summary": ["<p>Welcome</p>"],
            "format": ["site"],
            "visible": np.ones(1, np.int64),
            "timecreated": np.zeros(1, np.int64),
        }
        draws = self._world.draws
        for number, titles, descriptions, topics in items(self._world, self._vocabulary, self._world.courses, day):
            ids = self._course_ids(number)
            yield {
                "id": ids,
                "category": np.array(topics) + 1,
                "fullname": list(titles),
                "shortname": [f"C{i}" for i in ids.tolist()],
                "summary": list(descriptions),
                "format": draws.pick("format", number, _FORMATS),
                "visible": (~draws.chance("in preparation", number, 0.1)).astype(np.int64),
                "timecreated": self._world.courses.created[number] // 1000,
            }

    def _enrol(self, day: int) -> Iterator[Chunk]:
        number = self._world.courses.present(day)
        courses = np.repeat(self._course_ids(number), 2)
        by_self = np.tile([0, 1], len(number))
        closed = self._world.draws.chance("self enrolment closed", number, 0.2)
        yield {
            "id": courses * 2 + by_self,
            "enrol": ["self" if it else "manual" for it in by_self],
            "status": np.repeat(closed, 2).astype(np.int64) * by_self,
            "courseid": courses,
        }

    def _enrolments(self, day: int) -> Iterator[Enrolments]:
        for first, last in user_ranges(self._world, day):
            yield enrolments(self._world, self._courses, first, last, day)

    def _user_enrolments(self, day: int) -> Iterator[Chunk]:
        for rows in self._enrolments(day):
            enrolled = _seconds(rows.date_inscr)
            ends = self._world.draws.chance("ends", rows.serial, 0.05)
            yield {
                "id": rows.serial * 2 + rows.edition,
                "status": np.isin(rows.status, (-2, 3)).astype(np.int64),
                "enrolid": self._course_ids(rows.item) * 2 + rows.edition,
                "userid": self._world.users.ids(rows.user),
                "timestart": enrolled,
                "timeend": np.where(ends & (enrolled > 0), enrolled + 365 * 86400, 0),
                "timecreated": enrolled,
                "timemodified": _seconds(rows.last_update),
            }

    def _user_lastaccess(self, day: int) -> Iterator[Chunk]:
        for rows in self._enrolments(day):
            accessed = _newest(rows) & (rows.date_last_access != NULL)
            yield {
                "id": rows.serial[accessed],
                "userid": self._world.users.ids(rows.user[accessed]),
                "courseid": self._course_ids(rows.item[accessed]),
                "timeaccess": _seconds(rows.date_last_access[accessed]),
            }

    def _course_completions(self, day: int) -> Iterator[Chunk]:
        for rows in self._enrolments(day):
            tracked = _newest(rows) & (rows.status >= 0) & self._world.draws.chance("tracked", rows.serial, 0.9)
            yield {
                "id": rows.serial[tracked],
                "userid": self._world.users.ids(rows.user[tracked]),
                "course": self._course_ids(rows.item[tracked]),
                "timeenrolled": _seconds(rows.date_inscr[tracked]),
                "timestarted": _seconds(rows.date_first_access[tracked]),
                "timecompleted": _seconds(rows.date_complete[tracked], NULL),
            }

    def _role_assignments(self, day: int) -> Iterator[Chunk]:
        for number in users(self._world, day):
            yield people.assignment_rows(self._world, number)
        for rows in self._enrolments(day):
            newest = np.flatnonzero(_newest(rows))
            yield {
                "id": rows.serial[newest] * 2 + (1 << 40),
                "roleid": np.full(len(newest), people.STUDENT),
                "contextid": places.of_course(self._course_ids(rows.item[newest])),
                "userid": self._world.users.ids(rows.user[newest]),
            }

    def _modules(self, _day: int) -> Iterator[Chunk]:
        yield {"id": np.arange(len(MODULES)) + 1, "name": list(MODULES)}

    def _course_modules(self, day: int) -> Iterator[Chunk]:
        for some in self._placement.present(day):
            yield {
                "id": some.ids,
                "course": self._course_ids(some.course),
                "module": np.array([MODULES.index(kind) + 1 for kind in some.kinds], np.int64),
                "instance": some.number + 1,
                "added": self._world.assets.created[some.number] // 1000,
                "deletioninprogress": self._world.draws.chance("being deleted", some.number, 0.01).astype(np.int64),
            }

    def _activity(self, kind: str) -> Callable[[int], Iterator[Chunk]]:
        def rows(day: int) -> Iterator[Chunk]:
            for some in self._placement.present(day):
                own = [i for i, other in enumerate(some.kinds) if other == kind]
                yield {
                    "id": some.number[own] + 1,
                    "course": self._course_ids(some.course[own]),
                    "name": [some.titles[i] for i in own],
                    "intro": ["" for _ in own],
                }

        return rows

    def _ratings(self, day: int) -> Iterator[Chunk]:
        for first, last in user_ranges(self._world, day):
            rows = ratings(self._world, self._courses, first, last, day, "course", 0.16)
            yield {
                "id": rows.serial,
                "courseid": self._course_ids(rows.item),
                "userid": self._world.users.ids(rows.user),
                "rating": rows.rating,
                "review": ["It's good; I'd say \"very\"." for _ in rows.serial],
                "timecreated": rows.timestamp // 1000,
                "timemodified": rows.timestamp // 1000,
            }


def _contexts(ids: Ints, level: int, instances: Ints) -> Chunk:
    return {"id": ids, "contextlevel": np.full(len(ids), level), "instanceid": instances}
