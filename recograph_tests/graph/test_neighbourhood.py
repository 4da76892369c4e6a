import neo4j
import pytest

from recograph.errors import RecographError
from recograph.graph.model import ALL_SETS, ASSET, COURSE, USER
from recograph.graph.neighbourhood import Neighbourhood, neighbourhood
from recograph.graph.queries import questions
from recograph.graph.reads import sets_read


def around(driver: neo4j.Driver, *arguments: object, limit: int = 20) -> tuple[list[str], list[tuple[str, str, str]]]:
    (node, key) = arguments
    part: Neighbourhood = neighbourhood(driver, node, "customer_1", key, limit)  # type: ignore[arg-type]
    edges = sorted((edge.type, edge.start, edge.end) for edge in part.relationships)
    return [vertex.key for vertex in part.nodes], edges


def test_what_is_around_a_user(small: neo4j.Driver) -> None:
    nodes, relationships = around(small, USER, 1)
    assert nodes[0] == "User:1"
    assert set(nodes) == {"User:1", "Customer:customer_1", "Language:english", "Course:10", "Course:11", "Asset:20"}
    assert relationships == [
        ("HAS_RATED", "User:1", "Course:10"),
        ("HAS_WATCHED", "User:1", "Asset:20"),
        ("IS_ENROLLED", "User:1", "Course:10"),
        ("IS_ENROLLED", "User:1", "Course:11"),
        ("SIMILAR_TO", "Course:10", "Course:11"),
        ("SIMILAR_TO", "Course:11", "Course:10"),
        ("SPEAKS", "User:1", "Language:english"),
        ("WORKS_AT", "User:1", "Customer:customer_1"),
    ]


def test_what_is_around_a_course_the_latest_first(small: neo4j.Driver) -> None:
    nodes, relationships = around(small, COURSE, 10, limit=1)
    assert nodes[0] == "Course:10"
    # The latest learner, the best rater, the most similar course.
    assert set(nodes) == {"Course:10", "User:1", "User:2", "Course:11"}
    assert ("IS_ENROLLED", "User:2", "Course:11") in relationships


def test_nodes_have_captions_and_properties_without_keys(small: neo4j.Driver) -> None:
    (asset, *_) = neighbourhood(small, ASSET, "customer_1", 21).nodes
    assert (asset.label, asset.id, asset.caption) == ("Asset", 21, "Café talk")
    assert asset.properties["title"] == "Café talk"
    assert not {"id", "customer_id"} & asset.properties.keys()


def test_who_is_not_there_is_said(small: neo4j.Driver) -> None:
    with pytest.raises(RecographError, match="customer_1 has no user 7 in the graph"):
        neighbourhood(small, USER, "customer_1", 7)


def test_a_statement_reads_the_sets_that_it_names_and_the_ends_of_relationships() -> None:
    assert sets_read("MATCH (u:User)-[:SPEAKS]->(l) RETURN l // Course") == {
        "nodes/User",
        "nodes/Language",
        "relationships/SPEAKS",
    }
    everything = {graph_set.name for graph_set in ALL_SETS}
    for walk in ("(a)-->(b)", "(a)--(b)", "(a)-[r]-(b)", "(a)<-[]-(b)", "(a)-[*1..3]-(b)"):
        assert sets_read(f"MATCH (a:User), {walk} RETURN b") == everything, walk


def test_every_question_reads_something() -> None:
    reads = {name: sets_read(asked.cypher) for name, asked in questions().items()}
    assert all(reads.values())
    assert reads["search"] == {"nodes/Course", "nodes/Asset"}
    assert "relationships/IS_ENROLLED" not in reads["languages"]
