"""The questions on the sample graph, against answers that DuckDB gives from the marts."""

# ruff: noqa: E501 - SQL
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import neo4j as neo4j_driver
import pytest

from recograph.adapters.local.duckdb_warehouse import DuckDBWarehouse
from recograph.analytics.evaluation import ALL, POPULARITY, RECOMMENDER, evaluate_customer, recommender
from recograph.analytics.interactions import fetch
from recograph.analytics.kinds import KINDS
from recograph.analytics.recommendations import recommend_all
from recograph.analytics.similarity import table
from recograph.graph.queries import ask
from recograph.graph.search import search
from recograph.settings import PROJECT_DIR
from recograph_tests.pipeline.installation import Installation

CUSTOMER, DATE = "customer_3", "2026-11-01"
ANSWERS: list[tuple[str, dict[str, Any], list[str], str]] = [
    ("popular_courses", {"limit": 15}, ["course_id", "learners", "completed"],
     "select course_id, count(*), count(*) filter (status = 2) from enrolled group by 1 order by 2 desc, 1 limit 15"),
    ("popular_assets", {"limit": 15}, ["asset_id", "viewers", "lately"],
     "select asset_id, count(*), count(*) filter (recency >= 7) from watched group by 1 order by 2 desc, 1 limit 15"),
    ("best_rated_courses", {}, ["course_id", "rating", "ratings"],
     "select course_id, round(avg(rating), 2), count(*) from rated group by 1 having count(*) >= 5 "
     "order by 2 desc, 3 desc, 1 limit 20"),
    ("completion_by_course_type", {}, ["course_type", "courses", "enrolments", "completed"],
     "select course_type, count(distinct id), count(user_id), count(*) filter (e.status = 2) from courses c "
     "left join enrolled e on course_id = id group by 1 order by 3 desc"),
    ("rating_distribution", {}, ["kind", "rating", "ratings"],
     "select * from (select 'Course' as kind, rating, count(*) from rated group by 2 union all "
     "select 'Asset', rating, count(*) from asset_ratings where user_id in (select id from users) "
     "and asset_id in (select id from assets) group by 2) order by kind desc, rating desc"),
    ("languages", {}, ["language_id", "users"],
     "select language_id, count(*) from users left join user_languages on id = user_id group by 1 order by 2 desc, 1 nulls last"),
    ("courses_by_language", {"language": "english"}, ["course_id", "speakers"],
     "select course_id, count(*) from enrolled where user_id in (select user_id from user_languages where "
     "language_id = 'english') group by 1 order by 2 desc, 1 limit 20"),
    ("activity", {}, ["recency", "users"],
     "select recency, count(*) from (select id, max(recency) as recency from users left join "
     "(select user_id, recency from enrolled union all select user_id, recency from watched) on id = user_id group by 1) "
     "group by 1 order by 1 desc nulls first"),
    ("dormant_users", {"limit": 50}, ["user_id"],
     "select id from users where valid and id not in (select user_id from enrolled where recency > 4 union all "
     "select user_id from watched where recency > 4) order by register_date, id limit 50"),
    ("top_learners", {}, ["user_id", "courses", "completed"],
     "select user_id, count(*), count(*) filter (status = 2) from enrolled group by 1 order by 2 desc, 1 limit 20"),
    ("user_history", {"user": 0}, ["kind", "item_id", "recency"],
     "select * from (select 'Course' as kind, course_id as item, recency from enrolled where user_id = $user union all "
     "select 'Asset', asset_id, recency from watched where user_id = $user) order by recency desc, kind desc, item"),
    ("course_overlap", {"course": 0, "other_course": 1}, ["learners", "other_learners", "both"],
     "select count(distinct user_id) filter (course_id = $course), count(distinct user_id) filter (course_id = $other_course), "
     "count(distinct user_id) filter (course_id = $course and user_id in (select user_id from enrolled where "
     "course_id = $other_course)) from enrolled"),
    ("assets_before_course", {"course": 0}, ["asset_id", "learners", "viewers"],
     "with before as (select asset_id, count(*) as n from enrolled e join watched w using (user_id) where "
     "course_id = $course and w.recency <= e.recency group by 1 having n >= 3), viewers as (select asset_id, count(*) as v "
     "from watched group by 1) select asset_id, n, v from before join viewers using (asset_id) "
     "order by round(n / v / ((select count(*) from enrolled where course_id = $course) / (select count(*) from users)), 2) "
     "desc, n desc, asset_id limit 20"),
    ("similar_users", {"user": 0}, ["user_id", "common"],
     "with had as (select user_id, 'c' || course_id as item from enrolled union all select user_id, 'a' || asset_id from watched), "
     "counts as (select user_id, count(*) as has from had group by 1), common as (select user_id, count(*) as n from had where "
     "item in (select item from had where user_id = $user) and user_id <> $user group by 1) select user_id, n from common "
     "join counts using (user_id) order by round(n / sqrt(has * (select has from counts where user_id = $user)), 3) desc, "
     "n desc, user_id limit 20"),
]  # fmt: skip


@pytest.mark.timeout(900)
def test_questions_have_the_right_answers_on_the_sample_graph(
    installation: Installation, neo4j: neo4j_driver.Driver
) -> None:
    (installation.data / CUSTOMER).mkdir()
    for name in ("customers.yaml", f"{CUSTOMER}/{DATE}.sql.gz"):
        shutil.copy(PROJECT_DIR / "data" / name, installation.data / name)
    ran = installation.recograph("run", "--customer", CUSTOMER, "--date", DATE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    database = marts(installation.home / "lake")
    top = [
        row[0] for row in database.sql("select course_id from enrolled group by 1 order by count(*) desc, 1").fetchall()
    ]
    (user,) = database.sql("select user_id from enrolled group by 1 having count(*) = 9 order by 1").fetchall()[0]
    chosen = {"user": user, "course": top[0], "other_course": top[1]}
    for name, given, columns, sql in ANSWERS:
        asked = {key: chosen.get(key, value) for key, value in given.items()}
        used = {key: value for key, value in asked.items() if f"${key}" in sql}
        expected = [
            tuple(row[column] for column in columns)
            for row in ask(neo4j, name, {"customer": CUSTOMER, **asked}).records()
        ]
        assert expected == database.execute(sql, used).fetchall(), name
        assert expected, name
    warehouse = DuckDBWarehouse(lake=str(installation.home / "lake"))
    recommendations_are_those_that_are_evaluated(neo4j, warehouse)
    the_recommender_beats_simpler_ways(warehouse)
    the_evaluation_is_an_asset(installation)
    (title,) = database.sql("select name from courses where name like '%Motion Design%' limit 1").fetchall()[0]
    assert title in [row["title"] for row in search(neo4j, "motoin desing", customer=CUSTOMER).records()]


def marts(lake: Path) -> duckdb.DuckDBPyConnection:
    """The marts as views, and of interactions those whose ends are there."""
    database = duckdb.connect(":memory:")
    for folder in (lake / "marts").iterdir():
        database.execute(
            f"create view {folder.name} as from read_parquet('{folder}/**/*.parquet', hive_partitioning = false)"
        )
    known = "where user_id in (select id from users) and {0}_id in (select id from {0}s)"
    for name, mart, item in (
        ("enrolled", "course_enrolments", "course"),
        ("watched", "asset_views", "asset"),
        ("rated", "course_ratings", "course"),
    ):
        database.execute(f"create view {name} as from {mart} {known.format(item)}")
    return database


def recommendations_are_those_that_are_evaluated(driver: neo4j_driver.Driver, warehouse: DuckDBWarehouse) -> None:
    """The graph's Cypher for one user, and the lists of all, are the same; and what is measured is what is loaded."""
    rows = recommend_all(warehouse, CUSTOMER, DATE, None, 10).to_pylist()
    for kind in KINDS.values():
        data = fetch(warehouse, kind, CUSTOMER, DATE)
        mart = warehouse.query(f"select * from {warehouse.partition(kind.similarity, CUSTOMER, DATE)} order by 1, 2")
        assert mart.select(range(3)).equals(table(data, kind, recommender(data)))
    users = sorted({row["user_id"] for row in rows})[::20]
    for user in users:
        answer = ask(driver, "recommendations", {"customer": CUSTOMER, "user": user}).records()
        answered = [(row["kind"].lower(), row["item_id"], row["score"]) for row in answer]
        assert answered == [(r["kind"], r["item_id"], r["score"]) for r in rows if r["user_id"] == user]
    assert len({row["user_id"] for row in rows if row["because_of"] and row["user_id"] in users}) > 10
    assert {row["place"] for row in rows if row["score"] == 0}, "nobody's list needed filling"


def the_recommender_beats_simpler_ways(warehouse: DuckDBWarehouse) -> None:
    for score in evaluate_customer(warehouse, CUSTOMER, DATE).values():
        scores = score.scores[ALL]
        assert scores[RECOMMENDER].users > 150
        assert scores[RECOMMENDER].hit_rate.mean > 1.5 * scores[POPULARITY].hit_rate.mean
        for way in ("EASE", "cosine"):
            assert scores[RECOMMENDER].hit_rate.mean >= scores[way].hit_rate.mean
            assert scores[RECOMMENDER].mrr.mean >= scores[way].mrr.mean
        assert scores[RECOMMENDER].coverage > scores[POPULARITY].coverage


def the_evaluation_is_an_asset(installation: Installation) -> None:
    command = [str(Path(sys.executable).with_name("dagster")), "asset", "materialize", "-m", "recograph.definitions"]
    command += ["--select", "analytics/recommender_evaluation", "--partition", f"{CUSTOMER}|{DATE}"]
    home = {"DAGSTER_HOME": str(installation.home / "dagster")}
    ran = subprocess.run(command, env=installation.environ | home, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Asset check 'beats_popularity' on 'analytics/recommender_evaluation' passed." in ran.stderr
