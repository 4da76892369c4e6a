"""The assets of the world as activities in Moodle's courses."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recograph.platforms.moodle.sample import places
from recograph.sample_data.chunks import items
from recograph.sample_data.draws import Draws, Ints
from recograph.sample_data.schema import Chunk
from recograph.sample_data.texts import Vocabulary
from recograph.sample_data.world import World

MODULES = (
    *("assign", "assignment", "book", "chat", "choice", "data", "feedback", "folder", "forum", "glossary", "imscp"),
    *("label", "lesson", "lti", "page", "quiz", "resource", "scorm", "survey", "url", "wiki", "workshop"),
    *("h5pactivity", "bigbluebuttonbn", "customcert"),
)
"""The kinds that the platform has, each with its place in this list, from 1, as id; the last one is a plugin's."""
_DRAWN = (
    *("resource",) * 8,
    *("page", "page", "url", "url", "book", "folder", "scorm", "h5pactivity", "quiz", "quiz", "lesson", "forum"),
    *("assign", "label", "customcert"),
)
KINDS = tuple(sorted(set(_DRAWN)))
"""The kinds of the sample."""
_OFFICE = "application/vnd.openxmlformats-officedocument"
_MIME_TYPES = (
    *("video/mp4", "video/mp4", "video/mp4", "application/pdf", "application/pdf", "audio/mp3", "image/png"),
    *(f"{_OFFICE}.wordprocessingml.document", f"{_OFFICE}.spreadsheetml.sheet", "application/vnd.ms-excel"),
    *(f"{_OFFICE}.presentationml.presentation", "application/zip"),
)


@dataclass(frozen=True)
class Activities:
    """Some activities; every field has one value per activity."""

    number: Ints
    """Number of the asset."""
    ids: Ints
    course: Ints
    """Number of the course."""
    kinds: list[str]
    titles: list[str]


class Placement:
    """Says of assets in which course they are, and as what."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._draws: Draws = world.draws
        self._vocabulary = Vocabulary(world.customer.category, world.assets.topics)

    def ids(self, number: Ints) -> Ints:
        """The ids of the activities (`course_modules`)."""
        return self._world.assets.ids[number] + 20

    def course(self, number: Ints) -> Ints:
        """The numbers of the courses that they are in."""
        return self._draws.integers("asset course", number, self._world.courses.count)

    def kinds(self, number: Ints) -> list[str]:
        """What kinds of activities they are."""
        return self._draws.pick("asset kind", number, _DRAWN)

    def mime_types(self, number: Ints) -> list[str]:
        """The types of the files of those that are files."""
        return self._draws.pick("mime type", number, _MIME_TYPES)

    def present(self, day: int) -> Iterator[Activities]:
        """The activities at the end of a day: those of a course that was removed are gone with it."""
        for number, titles, _, _ in items(self._world, self._vocabulary, self._world.assets, day):
            course = self.course(number)
            kept = self._world.courses.removed_day[course] > day
            chosen = np.flatnonzero(kept).tolist()
            number, kinds = number[kept], self.kinds(number)
            yield Activities(
                number, self.ids(number), course[kept], [kinds[i] for i in chosen], [titles[i] for i in chosen]
            )


def file_rows(world: World, placement: Placement, day: int) -> Iterator[Chunk]:
    """`files`: of each activity that is a file the folder, a picture beside it, and the file itself."""
    draws = world.draws
    for some in placement.present(day):
        own = [i for i, kind in enumerate(some.kinds) if kind == "resource"]
        number, context = some.number[own], places.of_activity(some.ids[own])
        hashes = draws.characters("file hash", number, "0123456789abcdef", 40)
        types = placement.mime_types(number)
        no_types: list[str | None] = [None] * len(own)
        stored: list[tuple[str, list[str | None] | list[str], int]] = [
            (".", no_types, 0),
            ("cover.png", ["image/png"] * len(own), 0),
            ("content", types, 1),
        ]
        for at, (name, kinds, main) in enumerate(stored):
            yield {
                "id": number * 3 + at + 1,
                "contenthash": list(hashes),
                "pathnamehash": [f"{at}{text[1:]}" for text in hashes],
                "contextid": context,
                "component": ["mod_resource" for _ in own],
                "filearea": ["content" for _ in own],
                "filename": [name for _ in own],
                "mimetype": kinds,
                "sortorder": np.full(len(own), main),
            }
