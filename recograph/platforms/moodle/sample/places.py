"""The ids of Moodle's contexts (the places where something is), computed from the ids of what is there."""

from recograph.sample_data.draws import Ints

SITE = 1
USER, CATEGORY, COURSE, ACTIVITY = 30, 40, 50, 70


def of_user(ids: Ints) -> Ints:
    """The places of users."""
    return ids * 10 + 3


def of_category(ids: Ints) -> Ints:
    """The places of categories of courses."""
    return ids * 10 + 4


def of_course(ids: Ints) -> Ints:
    """The places of courses."""
    return ids * 10 + 5


def of_activity(ids: Ints) -> Ints:
    """The places of activities."""
    return ids * 10 + 7
