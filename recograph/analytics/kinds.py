"""The kinds of items that are recommended, and the marts and columns that hold them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of item, and the marts and columns that hold it."""

    name: str
    items: str
    """The mart of the items."""
    interactions: str
    """The mart that says which user had which item."""
    similarity: str
    """The mart that says which item leads to which."""
    time: str
    """The interactions' column that says when the latest activity was."""
    title: str
    traits: tuple[str, ...]
    """The items' columns in which similar items have the same value."""
    open: str
    """SQL condition on items that may be recommended: a course must be published, or have no status."""

    @property
    def item(self) -> str:
        """The column of an item's id in the marts of interactions and of similarity."""
        return f"{self.name}_id"


COURSE = Kind(
    "course",
    "courses",
    "course_enrolments",
    "course_similarity",
    "active_at",
    "name",
    ("category", "course_type"),
    "coalesce(status, 2) in (1, 2)",
)
ASSET = Kind("asset", "assets", "asset_views", "asset_similarity", "viewed_at", "title", ("content_type_name",), "true")
KINDS = {kind.name: kind for kind in (COURSE, ASSET)}

RECOMMENDATIONS = "recommendations"
"""The mart of every user's lists."""
