"""The rows of Moodle's tables that say who viewed which activity."""

from collections.abc import Iterator

import numpy as np

from recograph.platforms.moodle.sample import places
from recograph.platforms.moodle.sample.activities import Placement
from recograph.sample_data.chunks import user_ranges
from recograph.sample_data.histories import views
from recograph.sample_data.interactions import Interactions
from recograph.sample_data.schema import Chunk
from recograph.sample_data.world import World


def log_rows(world: World, assets: Interactions, placement: Placement, day: int) -> Iterator[Chunk]:
    """`logstore_standard_log`: every view, and the views of courses that come before."""
    for first, last in user_ranges(world, day):
        rows = views(world, assets, first, last, day)
        ids = placement.ids(rows.item)
        # Who views an activity has viewed its course before, which is no view of an asset.
        kinds, of_course = placement.kinds(rows.item), (rows.serial % 4 == 0).tolist()
        sources = ["core" if c else f"mod_{kind}" for c, kind in zip(of_course, kinds, strict=True)]
        targets = ["course" if c else "course_module" for c in of_course]
        yield {
            "id": rows.serial,
            "eventname": [f"\\{source}\\event\\{of}_viewed" for source, of in zip(sources, targets, strict=True)],
            "component": list(sources),
            "action": ["viewed" for _ in targets],
            "target": list(targets),
            "contextid": places.of_activity(ids),
            "contextlevel": np.where(of_course, places.COURSE, places.ACTIVITY),
            "contextinstanceid": ids,
            "userid": world.users.ids(rows.user),
            "ip": [f"203.0.113.{i % 256}" for i in rows.serial.tolist()],
            "timecreated": rows.viewed // 1000,
        }


def viewed_rows(world: World, assets: Interactions, placement: Placement, day: int) -> Iterator[Chunk]:
    """`course_modules_viewed`: the first views, also of what the log has forgotten."""
    for first, last in user_ranges(world, day):
        pairs = assets.pairs(first, last, day)
        pairs = pairs[world.draws.chance("tracked view", pairs.serial, 0.4)]
        yield {
            "id": pairs.serial,
            "coursemoduleid": placement.ids(pairs.item),
            "userid": world.users.ids(pairs.user),
            "timecreated": pairs.at // 1000,
        }


def completion_rows(world: World, assets: Interactions, placement: Placement, day: int) -> Iterator[Chunk]:
    """`course_modules_completion`, of some of the views."""
    for first, last in user_ranges(world, day):
        pairs = assets.pairs(first, last, day)
        pairs = pairs[world.draws.chance("completed view", pairs.serial, 0.3)]
        yield {
            "id": pairs.serial,
            "coursemoduleid": placement.ids(pairs.item),
            "userid": world.users.ids(pairs.user),
            "completionstate": world.draws.integers("completion", pairs.serial, 2),
            "timemodified": pairs.at // 1000 + 60,
        }
