"""A graph small enough to know every answer by heart: two customers that have the same ids."""

from pathlib import Path

import neo4j

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.graph.load import load
from recograph_tests.graph.marts import Snapshot, time

DAY = "2026-11-01"

CUSTOMER_1 = Snapshot(
    {
        "users": [(user, None, user != 5, time(user)) for user in range(1, 7)],
        "languages": [("english", "English"), ("italian", "Italian")],
        "user_languages": [(1, "english"), (2, "english"), (3, "english"), (4, "italian")],
        "courses": [
            (10, "Étude d'anglais", 1, "elearning", "easy", 2, time(1)),
            (11, "Data Science Basics", 1, "elearning", "medium", 2, time(2)),
            (12, "Negotiation", 2, "webinar", "medium", 2, time(3)),
            (13, "An Unused Course", 2, "classroom", "medium", 2, time(4)),
        ],
        "course_enrolments": [(1, 10, 2, 9), (1, 11, 1, 5), (2, 10, 2, 8), (2, 11, 2, 8), (3, 10, 0, 3), (4, 12, 2, 2)],
        "course_ratings": [(1, 10, 4.0), (2, 10, 5.0), (2, 11, 3.0)],
        "assets": [(20, "Data Science in 5 minutes", 1, time(1), "video"), (21, "Café talk", 2, time(2))],
        "asset_views": [(1, 20, 4), (2, 20, 8), (3, 20, 5), (3, 21, 1), (4, 21, 9)],
        "asset_ratings": [(4, 21, 2.0)],
        "course_similarity": [(10, 11, 0.5), (11, 10, 0.5), (10, 12, 0.25)],
        "asset_similarity": [(20, 21, 0.1)],
    }
)
CUSTOMER_2 = Snapshot(
    {
        "users": [(1, None, True, time(1)), (2, None, True, time(2))],
        "languages": [("english", "English")],
        "user_languages": [(1, "english")],
        "courses": [(10, "Data Science at Customer 2", 1, "elearning", "easy", 2, time(1))],
        "course_enrolments": [(1, 10, 2, 9), (2, 10, 2, 9)],
    }
)


def load_small(driver: neo4j.Driver, lake: Path) -> None:
    """Load both customers."""
    warehouse = DuckDBWarehouse(lake=str(lake))
    for customer, snapshot in (("customer_1", CUSTOMER_1), ("customer_2", CUSTOMER_2)):
        snapshot.write(lake, customer, DAY)
        load(driver, warehouse, customer, DAY)
