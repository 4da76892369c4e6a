"""Sample dumps of Moodle: its tables, and their rows in a sample world."""

from recograph.platforms.moodle.sample.rows import Rows

__all__ = ["Rows"]
