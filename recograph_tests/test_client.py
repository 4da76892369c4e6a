import json
from typing import Any

import neo4j
import pandas as pd
import pytest

import recograph.client
from recograph.errors import RecographError
from recograph.graph.reading import Answer
from recograph.graph.values import for_files, frame
from recograph.settings import PROJECT_DIR


@pytest.mark.usefixtures("asked")
def test_answers_are_data_frames() -> None:
    with recograph.client.connect() as graph:
        popular = graph.query("popular_courses", customer="customer_1")
        assert popular.name.tolist()[:2] == ["Étude d'anglais", "Data Science Basics"]
        assert popular.dtypes.astype(str).to_dict() == {
            "course_id": "Int64",
            "name": "str",
            "course_type": "str",
            "learners": "Int64",
            "completed": "Int64",
            "rating": "float64",
        }
        assert graph.search("science", customer="customer_1").title.tolist()[0] == "Data Science Basics"
        assert graph.recommend("customer_1", 1).reason[0] == "because you took Étude d'anglais"
        (unused,) = graph.query("unused_courses", customer="customer_1").created_date
        assert unused == pd.Timestamp("2024-01-05T12:30:15.678", tz="UTC")
        assert "popular_courses" in graph.questions().name.tolist()


@pytest.mark.usefixtures("asked")
def test_a_value_of_an_answer_can_be_asked_about() -> None:
    with recograph.client.connect() as graph:
        popular = graph.query("popular_courses", customer="customer_1")
        learners = graph.query("course_learners", customer="customer_1", course=popular.course_id[0])
        user, three = learners.user_id[0], learners.user_id.astype("int64").max()
        assert graph.recommend("customer_1", user).equals(graph.recommend("customer_1", int(user)))
        assert len(graph.search("science", customer="customer_1", limit=three)) == 2


@pytest.mark.usefixtures("asked")
def test_a_client_cannot_write() -> None:
    with recograph.client.connect() as graph, pytest.raises(RecographError, match="for reading only"):
        graph.cypher("CREATE (:Course)")


@pytest.mark.usefixtures("asked")
def test_what_cannot_be_asked_is_one_sentence() -> None:
    with recograph.client.connect() as graph:
        for value in ({1, 2}, 2**70, object()):
            with pytest.raises(RecographError, match="A parameter can't be sent to Neo4j"):
                graph.cypher("RETURN $value AS value", value=value)
        with pytest.raises(RecographError, match=r"Correct the statement\.$"):
            graph.cypher("RETURN")
    with pytest.raises(RecographError, match=r"was closed\. Connect again"):
        graph.query("customers")


@pytest.mark.usefixtures("asked")
def test_the_example_notebook_runs() -> None:
    """Its cells, as Jupyter would run them, on the graph of the tests."""
    cells = json.loads((PROJECT_DIR / "docs" / "examples" / "graph.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert all(cell.get("outputs", []) == [] for cell in cells)
    names: dict[str, object] = {}
    for source in code:
        exec(compile(source.replace('"customer_2"', '"customer_1"'), "graph.ipynb", "exec"), names)
    assert isinstance(names["popular"], pd.DataFrame)
    assert len(names["popular"]) == 4


def test_whole_numbers_stay_whole_where_some_are_missing() -> None:
    rows: list[list[Any]] = [[1, None, "a", ["x"]], [None, True, None, {"b": 1}]]
    rows_frame = frame(Answer(["number", "flag", "text", "mixed"], rows))
    assert rows_frame.dtypes.astype(str).tolist() == ["Int64", "boolean", "str", "object"]
    assert for_files(Answer(["mixed"], [[["x"]], [{"b": 1}], [None]])).mixed.tolist()[:2] == ['["x"]', '{"b": 1}']


def test_an_answer_without_rows_has_its_columns() -> None:
    assert frame(Answer(["a", "b"], [])).columns.tolist() == ["a", "b"]


def test_small_is_used(small: neo4j.Driver) -> None:
    assert recograph.client.Graph(small, 5).query("customers").customer.tolist() == ["customer_1", "customer_2"]
