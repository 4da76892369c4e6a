"""The rows of Docebo's tables at the end of a day."""

from collections.abc import Callable, Iterator

import numpy as np

from recograph.platforms.docebo.sample.people import setting_rows, user_rows
from recograph.platforms.docebo.sample.tables import TABLES
from recograph.sample_data.chunks import items, user_ranges, users
from recograph.sample_data.histories import NULL, enrolments, ratings, views, votes
from recograph.sample_data.interactions import Interactions
from recograph.sample_data.schema import Chunk, SampleTable
from recograph.sample_data.texts import Vocabulary
from recograph.sample_data.world import HOUR, World

_HEX = "0123456789abcdef"


class Rows:
    """Makes the rows of one customer's tables."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._courses = Interactions(world, world.courses, world.profile.enrolments_per_user)
        self._assets = Interactions(world, world.assets, world.profile.views_per_user) if world.profile.assets else None
        self._vocabulary = {
            kind.kind: Vocabulary(world.customer.category, kind.topics) for kind in (world.courses, world.assets)
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
    def tables(self) -> list[SampleTable]:
        """See `SampleTables.tables`."""
        return [table.of_customer(self._world.customer.id) for table in TABLES if table.name in self._makers]

    def of(self, table: str, day: int) -> Iterator[Chunk]:
        """See `SampleTables.of`."""
        return self._makers[table](day)

    def _core_user(self, day: int) -> Iterator[Chunk]:
        for number in users(self._world, day):
            yield user_rows(self._world, number, day)

    def _core_setting_user(self, day: int) -> Iterator[Chunk]:
        for number in users(self._world, day):
            yield setting_rows(self._world, number, day)

    def _learning_course(self, day: int) -> Iterator[Chunk]:
        courses, draws, calendar = self._world.courses, self._world.draws, self._world.calendar
        for number, titles, descriptions, topics in items(self._world, self._vocabulary["course"], courses, day):
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
        for number, titles, descriptions, _ in items(self._world, self._vocabulary["asset"], assets, day):
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
        draws, courses = self._world.draws, self._world.courses
        for first, last in user_ranges(self._world, day):
            rows = enrolments(self._world, self._courses, first, last, day)
            score = np.where(
                (rows.status == 2) & draws.chance("scored", rows.serial, 0.6),
                60 + draws.integers("score", rows.serial, 41),
                NULL,
            )
            yield {
                "idUser": self._world.users.ids(rows.user),
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
        for first, last in user_ranges(self._world, day):
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
        for first, last in user_ranges(self._world, day):
            rows = views(self._world, self._assets, first, last, day)
            yield {
                "id": rows.serial,
                "idContent": self._world.assets.ids[rows.item],
                "idUser": self._world.users.ids(rows.user),
                "viewed": np.where(self._world.draws.chance("unknown", rows.serial, 0.004), NULL, rows.viewed),
            }

    def _app7020_content_rating(self, day: int) -> Iterator[Chunk]:
        assert self._assets
        for first, last in user_ranges(self._world, day):
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
