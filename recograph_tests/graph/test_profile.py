from urllib.parse import parse_qs, urlsplit

import neo4j
import pytest

from recograph.defs.profile import profile_metadata
from recograph.graph.model import ALL_SETS, SETS, GraphSet
from recograph.graph.profile import Degrees, browser_link, profile

BROWSER = "http://127.0.0.1:7474/browser/"


def test_degrees_are_those_of_the_customers_own_nodes(small: neo4j.Driver) -> None:
    enrolled = profile(small, SETS["relationships/IS_ENROLLED"], "customer_1")
    assert enrolled.degrees == [Degrees("User", 6, 1.0, 1, 2, 2), Degrees("Course", 4, 1.5, 1, 3, 3)]
    alike = profile(small, SETS["relationships/SIMILAR_TO/Course"], "customer_1")
    assert alike.degrees == [Degrees("Course", 4, 0.75, 0, 2, 2), Degrees("Course (incoming)", 4, 0.75, 1, 1, 1)]
    spoken = profile(small, SETS["relationships/SPEAKS"], "customer_2")
    assert spoken.degrees == [Degrees("User", 2, 0.5, 0, 1, 1)]
    rated = profile(small, SETS["relationships/HAS_RATED/Asset"], "customer_1")
    assert [degree.most for degree in rated.degrees] == [1, 1]


def test_samples_are_rows_of_the_customer_and_never_users(small: neo4j.Driver) -> None:
    for graph_set in ALL_SETS:
        for row in profile(small, graph_set, "customer_2").sample:
            assert "user" not in row
            assert row.get("customer_id", "customer_2") == "customer_2"
    assert profile(small, SETS["nodes/User"], "customer_1").sample == []
    (course,) = profile(small, SETS["nodes/Course"], "customer_2").sample
    assert course["name"] == "Data Science at Customer 2"
    alike = profile(small, SETS["relationships/SIMILAR_TO/Asset"], "customer_1").sample
    assert alike == [{"asset": 20, "other_asset": 21, "properties": {"score": 0.1}}]


def test_metadata_shows_tables_numbers_and_a_link(small: neo4j.Driver) -> None:
    shown = profile_metadata(small, BROWSER, SETS["relationships/SIMILAR_TO/Asset"], "customer_1")
    assert shown["sample"].value == "| asset | other_asset | score |\n| --- | --- | --- |\n| 20 | 21 | 0\\.1 |"
    assert shown["degree_asset_mean"].value == 0.5
    assert shown["degree_asset_incoming_most"].value == 1
    assert str(shown["browser"].value).startswith(f"[One of them, and what is around it]({BROWSER}")
    assert "![histogram of Asset](data:image/svg+xml;base64," in str(shown["degrees"].value)
    assert "browser" not in profile_metadata(small, None, SETS["nodes/Course"], "customer_1")


# The small graph has no PART_OF, as a Docebo has none.
SHOWN = [graph_set for graph_set in ALL_SETS if graph_set.name != "relationships/PART_OF"]


@pytest.mark.parametrize("graph_set", SHOWN, ids=lambda graph_set: graph_set.name)
def test_the_link_shows_some_of_the_set(small: neo4j.Driver, graph_set: GraphSet) -> None:
    asked = parse_qs(urlsplit(browser_link(BROWSER, graph_set, "customer_1")).query)
    assert asked["cmd"] == ["edit"]
    assert small.execute_query(asked["arg"][0]).records
