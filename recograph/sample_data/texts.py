"""The words of the sample data: names of people who don't exist, titles, descriptions. They are in `words.toml`."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files

_WORDS = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))

FIRST_NAMES: list[str] = _WORDS["first_names"].split()
LAST_NAMES: list[str] = _WORDS["last_names"].split()
TIME_ZONES: list[str] = _WORDS["time_zones"].split()
LANGUAGES: list[list[str]] = _WORDS["languages"]
"""Each language as it is mostly written in the settings, and another way that occurs."""


class Vocabulary:
    """The titles of a customer's topics, courses and assets, by the customer's line of business."""

    def __init__(self, category: str, topics: int) -> None:
        words: list[str] = _WORDS["topics"].get(category, []) + _WORDS["topics"]["any"]
        rounds = [divmod(i, len(words)) for i in range(topics)]
        self.topics = [f"{words[word]} {again + 1}" if again else words[word] for again, word in rounds]

    def course(self, topic: int, place: int, renamed: bool) -> str:
        """The title of a topic's course number `place`."""
        return self._title(_WORDS["course_titles"], topic, place) + (" (2026 edition)" if renamed else "")

    def asset(self, topic: int, place: int, renamed: bool) -> str:
        """The title of a topic's asset number `place`."""
        return ("Updated: " if renamed else "") + self._title(_WORDS["asset_titles"], topic, place)

    def description(self, topic: int, number: int, chosen: Sequence[int]) -> str:
        """HTML as people paste it: quotes, line breaks, backslashes and statement ends in it."""
        paragraphs: list[str] = _WORDS["paragraphs"]
        return "".join(paragraphs[i % len(paragraphs)].format(self.topics[topic], number) for i in chosen)

    def _title(self, forms: Sequence[str], topic: int, place: int) -> str:
        again, form = divmod(place, len(forms))
        title = forms[form].format(self.topics[topic], again + 1)
        return f"{title}, part {again + 1}" if again else title
