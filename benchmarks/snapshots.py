"""Invented marts of any size: two days of a customer that differ in about 1% of the rows."""

from pathlib import Path

import duckdb

DAYS = ("2026-11-01", "2026-11-02")
USERS, COURSES, ASSETS = 6000, 320, 120
"""Of one customer at scale 1; the enrolments are about four a user."""

# Keys and values are hashes of positions, so that the second day is the first but for the rows that a condition on
# another hash picks. `u` a user, `j` its n-th enrolment; popular courses are many times more popular than the others.
_MARTS = {
    "customers": "select $customer as id, 'Customer ' || $customer as name, 'eu-west-2' as region, 'mid' as size, "
    "'pharma' as category",
    "users": "select u as id, hash(u, 'm') % 20 = 0 as can_manage_subordinates, "
    "not ($second and hash(u, 'v') % 200 = 0) as valid, "
    "timestamp '2020-01-01' + to_seconds(cast(hash(u, 'r') % 150000000 as bigint)) as register_date "
    "from range(1, $users + 1) t(u) where not ($second and hash(u, 'gone') % 400 = 0) "
    "and ($second or hash(u, 'new') % 400 > 0)",
    "languages": "select distinct 'language_' || cast(hash(u, 'l') % 12 as varchar) as id, id as language_name "
    "from range(1, 1000) t(u)",
    "user_languages": "select u as user_id, 'language_' || cast(hash(u, 'l') % 12 as varchar) as language_id "
    "from range(1, $users + 1) t(u)",
    "courses": "select c as id, 'Course ' || c as name, "
    "c % 17 as category, 'elearning' as course_type, 'medium' as difficulty, "
    "2 as status, timestamp '2019-01-01' + to_days(cast(c % 900 as integer)) as created_date "
    "from range(1, $courses + 1) t(c)",
    "course_enrolments": "select user_id, course_id, max(status) as status, max(recency) as recency from ("
    "select u as user_id, "
    "1 + cast(floor($courses * pow((hash(u, j) % 1000000) / 1000000.0, 3)) as bigint) as course_id, "
    "cast(hash(u, j, 's') % 3 as bigint) as status, "
    "cast(1 + (hash(u, j, 'a') + (case when $second and hash(u, j, 'c') % 200 = 0 then 1 else 0 end)) % 9 as bigint) "
    "as recency from range(1, $users + 1) t(u), range(6) s(j) where not ($second and hash(u, j, 'gone') % 400 = 0) "
    "and ($second or hash(u, j, 'new') % 400 > 0)) group by user_id, course_id",
    "course_ratings": "select u as user_id, 1 + cast(hash(u, 'rated') % $courses as bigint) as course_id, "
    "cast(1 + hash(u, 'stars') % 5 as double) as rating from range(1, $users + 1) t(u) where u % 3 = 0",
    "assets": "select a as id, 'Clip ' || a as title, a % 5 as content_type, timestamp '2021-01-01' as creation_date "
    "from range(1, $assets + 1) t(a)",
    "asset_views": "select u as user_id, 1 + cast(hash(u, 'asset') % $assets as bigint) as asset_id, "
    "cast(1 + hash(u, 'w') % 9 as bigint) as recency from range(1, $users + 1) t(u) where u % 2 = 0",
    "asset_ratings": "select u as user_id, 1 + cast(hash(u, 'asset') % $assets as bigint) as asset_id, "
    "cast(1 + hash(u, 'as') % 5 as double) as rating from range(1, $users + 1) t(u) where u % 10 = 0",
    "course_similarity": "select c as course_id, 1 + cast((c + hash(c, j)) % $courses as bigint) "
    "as similar_course_id, max(1.0 / (1 + j)) as score from range(1, $courses + 1) t(c), range(5) s(j) group by all",
    "asset_similarity": "select a as asset_id, 1 + a % $assets as similar_asset_id, 0.5 as score "
    "from range(1, $assets + 1) t(a)",
}


def build(lake: Path, customer: str, scale: float) -> None:
    """Write all marts of both days of a customer into a lake."""
    with duckdb.connect() as connection:
        for day in DAYS:
            values = {
                "customer": customer,
                "second": day == DAYS[1],
                "users": int(USERS * scale),
                "courses": max(int(COURSES * scale), 1),
                "assets": max(int(ASSETS * scale), 1),
            }
            for mart, sql in _MARTS.items():
                folder = lake / "marts" / mart / f"customer={customer}" / f"snapshot_date={day}"
                folder.mkdir(parents=True, exist_ok=True)
                used = {name: value for name, value in values.items() if f"${name}" in sql}
                connection.execute(f"copy ({sql}) to '{folder / mart}.parquet'", used)
