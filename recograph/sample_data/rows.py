"""The rows of each table at the end of a day, in chunks of whole columns.

A chunk maps column names to values: arrays of whole numbers for numbers and booleans (`NULL` for none), epoch
milliseconds for datetime columns, lists of strings (or None) for text. Columns that every row shares aren't in it.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from recograph.sample_data.draws import Ints
from recograph.sample_data.histories import NULL, enrolments, ratings, views, votes
from recograph.sample_data.interactions import Interactions
from recograph.sample_data.people import setting_rows, user_rows
from recograph.sample_data.texts import Vocabulary
from recograph.sample_data.world import HOUR, Items, World

Values: TypeAlias = Ints | list[str | None] | list[str]
Chunk: TypeAlias = dict[str, Values]

_USERS_A_CHUNK = 2000
_ITEMS_A_CHUNK = 150
_HEX = "0123456789abcdef"


class Rows:
    """Makes the rows of one customer's tables."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._courses = Interactions(world, world.courses, world.profile.enrolments_per_user)
        self._assets = Interactions(world, world.assets, world.profile.views_per_user) if world.profile.assets else None
        self._vocabulary = {
            items.kind: Vocabulary(world.customer.category, items.topics) for items in (world.courses, world.assets)
        }
        self._makers: dict[str, Callable[[int], Iterator[Chunk]]] = {
            "core_group": self._core_group,
            "core_setting_user": self._core_setting_user,
            "core_user": self._core_user,
            "learning_category": self._learning_category,
            "learning_course": self._learning_course,
            "learning_course_rating_vote": self._learning_course_rating_vote,
            "learning_courseuser": self._learning_courseuser,
        }
        if self._assets:
            self._makers |= {
                "app7020_content": self._app7020_content,
                "app7020_content_history": self._app7020_content_history,
                "app7020_content_rating": self._app7020_content_rating,
            }

    @property
    def tables(self) -> list[str]:
        """The names of the tables that the customer has."""
        return sorted(self._makers)

    def of(self, table: str, day: int) -> Iterator[Chunk]:
        """The rows of a table at the end of a day, chunk after chunk."""
        return self._makers[table](day)

    def _ranges(self, day: int) -> Iterator[tuple[int, int]]:
        total = self._world.users.total(day)
        for first in range(0, total, _USERS_A_CHUNK):
            yield first, min(first + _USERS_A_CHUNK, total)

    def _users(self, day: int) -> Iterator[Ints]:
        for first, last in self._ranges(day):
            number = np.arange(first, last)
            yield number[~self._world.users.gone(number, day)]

    def _core_user(self, day: int) -> Iterator[Chunk]:
        for number in self._users(day):
            yield user_rows(self._world, number, day)

    def _core_setting_user(self, day: int) -> Iterator[Chunk]:
        for number in self._users(day):
            yield setting_rows(self._world, number, day)

    def _items(self, items: Items, day: int) -> Iterator[tuple[Ints, list[str], list[str], list[int]]]:
        """Numbers, titles, descriptions and topics of the items that are there."""
        present, words, draws = items.present(day), self._vocabulary[items.kind], self._world.draws
        for start in range(0, len(present), _ITEMS_A_CHUNK):
            number = present[start : start + _ITEMS_A_CHUNK]
            topics = items.topic[number].tolist()
            renamed = (items.renamed_day[number] <= day).tolist()
            title = words.course if items.kind == "course" else words.asset
            titles = [title(*which) for which in zip(topics, items.place[number].tolist(), renamed, strict=True)]
            chosen = np.stack([draws.integers(f"{items.kind} text {i}", number, 100) for i in range(4)], axis=1)
            described = [
                words.description(*which) for which in zip(topics, number.tolist(), chosen.tolist(), strict=True)
            ]
            yield number, titles, described, topics

    def _learning_course(self, day: int) -> Iterator[Chunk]:
        courses, draws, calendar = self._world.courses, self._world.draws, self._world.calendar
        for number, titles, descriptions, topics in self._items(courses, day):
            ids, created = courses.ids[number], courses.created[number]
            renamed = courses.renamed_day[number]
            changed = np.where(
                renamed <= day, calendar.during(np.minimum(renamed, day), draws, "renamed", number), created + HOUR
            )
            minutes = 10 * (1 + draws.integers("minutes", number, 24))
            yield {
                "idCourse": ids,
                "idCategory": np.where(draws.chance("no category", number, 0.06), NULL, np.array(topics) + 1),
                "code": [f"C-{i:05d}" for i in ids.tolist()],
                "name": titles,
                "description": list(descriptions),
                "status": np.where(draws.chance("in preparation", number, 0.1), 0, 2),
                "img_course": [None if i % 3 else str(40000 + i) for i in ids.tolist()],
                "mediumTime": minutes,
                "difficult": draws.pick("difficulty", number, _DIFFICULTIES),
                "course_type": draws.pick("course type", number, _COURSE_TYPES),
                "create_date": created,
                "autoregistration_code": draws.characters("course code", number, _HEX.upper(), 8),
                "slug_name": [f"course-{i}-{t}" for i, t in zip(ids.tolist(), topics, strict=True)],
                "last_update": changed,
                "uid": draws.characters("course uid", number, _HEX, 32),
                "theme_color": [f"#{c}" for c in draws.characters("colour", number, _HEX, 6)],
                "external_id": draws.pick("external id", number, (None, None, "LIB\\2026\\A", "SCORM%20cloud", "n/a")),
            }

    def _app7020_content(self, day: int) -> Iterator[Chunk]:
        assets, draws = self._world.assets, self._world.draws
        for number, titles, descriptions, _ in self._items(assets, day):
            ids = assets.ids[number]
            content_type = draws.pick("content type", number, (1, 1, 1, 2, 3, 5, 6, 10, 15))
            yield {
                "id": ids,
                "originalFilename": [f"final version ({i}) 100%.mp4" if i % 4 else None for i in ids.tolist()],
                "filename": [f"{c}.mp4" for c in draws.characters("file", number, _HEX, 16)],
                "contentType": np.where(draws.chance("no type", number, 0.03), NULL, np.array(content_type)),
                "title": list(titles),
                "description": [text if i % 2 else None for i, text in zip(ids.tolist(), descriptions, strict=True)],
                "userId": self._world.users.ids(draws.integers("author", number, self._world.users.count)),
                "created": assets.created[number],
                "viewCounter": draws.integers("counter", number, 400),
                "uuid": draws.characters("asset uuid", number, _HEX, 32),
                "duration": 30 + draws.integers("duration", number, 3600),
            }

    def _learning_courseuser(self, day: int) -> Iterator[Chunk]:
        draws, users, courses = self._world.draws, self._world.users, self._world.courses
        for first, last in self._ranges(day):
            rows = enrolments(self._world, self._courses, first, last, day)
            score = np.where(
                (rows.status == 2) & draws.chance("scored", rows.serial, 0.6),
                60 + draws.integers("score", rows.serial, 41),
                NULL,
            )
            yield {
                "idUser": users.ids(rows.user),
                "idCourse": courses.ids[rows.item],
                "edition_id": rows.edition,
                "date_inscr": rows.date_inscr,
                "date_first_access": rows.date_first_access,
                "date_last_access": rows.date_last_access,
                "date_complete": rows.date_complete,
                "last_update": rows.last_update,
                "status": rows.status,
                "waiting": (rows.status == -2).astype(np.int64),
                "score_given": score,
            }

    def _learning_course_rating_vote(self, day: int) -> Iterator[Chunk]:
        for first, last in self._ranges(day):
            rows = votes(self._world, self._courses, first, last, day)
            yield {
                "id": rows.serial,
                "idCourse": self._world.courses.ids[rows.item],
                "idUser": self._world.users.ids(rows.user),
                "rating": rows.rating,
                "timestamp": rows.timestamp,
            }

    def _app7020_content_history(self, day: int) -> Iterator[Chunk]:
        assert self._assets
        for first, last in self._ranges(day):
            rows = views(self._world, self._assets, first, last, day)
            yield {
                "id": rows.serial,
                "idContent": self._world.assets.ids[rows.item],
                "idUser": self._world.users.ids(rows.user),
                "viewed": np.where(self._world.draws.chance("unknown", rows.serial, 0.004), NULL, rows.viewed),
            }

    def _app7020_content_rating(self, day: int) -> Iterator[Chunk]:
        assert self._assets
        for first, last in self._ranges(day):
            rows = ratings(self._world, self._assets, first, last, day, "asset", 0.15)
            yield {
                "idContent": self._world.assets.ids[rows.item],
                "idUser": self._world.users.ids(rows.user),
                "rating": rows.rating,
                "created": rows.timestamp,
            }

    def _learning_category(self, _day: int) -> Iterator[Chunk]:
        topics: list[str | None] = list(self._vocabulary["course"].topics)
        yield {"idCategory": np.arange(len(topics)) + 1, "translation": topics}

    def _core_group(self, _day: int) -> Iterator[Chunk]:
        names: list[str | None] = [f"/{name}" for name in ("everyone", "managers", "new joiners", 'R&D\'s "A" team')]
        yield {"idst": 5 + np.arange(len(names)), "groupid": names, "description": [None, *names[1:]]}


_DIFFICULTIES = ("veryeasy", "easy", "easy", "medium", "medium", "medium", "difficult", "verydifficult")
_COURSE_TYPES = ("elearning", "elearning", "elearning", "classroom", "webinar")
