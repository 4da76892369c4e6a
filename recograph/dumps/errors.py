"""What is said of a dump that can't be read."""

from recograph.errors import RecographError


class DumpError(RecographError):
    """A dump is cut off, isn't a dump, or holds a value that its column can't; names file, table, column and row."""
