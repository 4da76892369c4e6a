"""Sample dumps of Docebo: its tables, and their rows in a sample world."""

from recograph.platforms.docebo.sample.rows import Rows

__all__ = ["Rows"]
