import json
import re
import socket
from typing import Any

import neo4j
import pytest

from recograph.errors import RecographError, UnavailableError
from recograph.graph.queries import Parameter, Question, ask, parse, question, questions
from recograph.graph.reading import read
from recograph.graph.values import plain
from recograph.text import dump_json

C = "customer_1"
# ruff: noqa: E501 - one row a line
ANSWERS: list[tuple[str, dict[str, Any], list[tuple[Any, ...]]]] = [
    ("activity", {}, [(None, 2), (9, 2), (8, 1), (5, 1)]),
    ("asset_viewers", {"asset": 21}, [(4, 9, 2.0), (3, 1, None)]),
    ("assets_before_course", {"course": 10, "at_least": 1}, [(20, "Data Science in 5 minutes", 2, 3, 1.33), (21, "Café talk", 1, 2, 1.0)]),
    ("assets_before_course", {"course": 10}, []),
    ("best_rated_courses", {"at_least": 1}, [(10, "Étude d'anglais", 4.5, 2), (11, "Data Science Basics", 3.0, 1)]),
    ("best_rated_courses", {"at_least": 2}, [(10, "Étude d'anglais", 4.5, 2)]),
    ("completion_by_course_type", {}, [("elearning", 2, 5, 3, 0.6), ("webinar", 1, 1, 1, 1.0), ("classroom", 1, 0, 0, None)]),
    ("connection", {"user": 1, "other_user": 1}, [(0, "User", 1, None)]),
    ("connection", {"user": 1, "other_user": 6}, []),
    (
        "connection",
        {"user": 3, "other_user": 4},
        [(0, "User", 3, None), (1, "Asset", 21, "Café talk"), (2, "User", 4, None)],
    ),
    ("course_audience", {"course": 10}, [("English", 3, 2)]),
    ("course_audience", {"course": 12}, [("Italian", 1, 1)]),
    ("course_learners", {"course": 10, "limit": 2}, [(1, 2, 9, 4.0), (2, 2, 8, 5.0)]),
    ("course_overlap", {"course": 10, "other_course": 11}, [(3, 2, 2, 0.667)]),
    ("course_overlap", {"course": 10, "other_course": 10}, [(3, 3, 3, 1.0)]),
    ("course_overlap", {"course": 13, "other_course": 13}, [(0, 0, 0, None)]),
    ("courses_by_language", {"language": "english"}, [(10, "Étude d'anglais", 3, 1.0), (11, "Data Science Basics", 2, 1.0)]),
    ("dormant_users", {"recency": 5}, [(3, 5, 1, 2), (6, None, 0, 0)]),
    ("dormant_users", {}, [(6, None, 0, 0)]),
    ("languages", {}, [("english", "English", 3, 0.5), (None, None, 2, 0.333), ("italian", "Italian", 1, 0.167)]),
    (
        "lowest_completion",
        {"at_least": 1},
        [(11, "Data Science Basics", 2, 1, 0.5), (10, "Étude d'anglais", 3, 2, 0.667), (12, "Negotiation", 1, 1, 1.0)],
    ),
    ("popular_assets", {}, [(20, "Data Science in 5 minutes", 1, "video", 3, 1, None), (21, "Café talk", 2, None, 2, 1, 2.0)]),
    (
        "popular_courses",
        {"limit": 3},
        [
            (10, "Étude d'anglais", "elearning", 3, 2, 4.5),
            (11, "Data Science Basics", "elearning", 2, 1, 3.0),
            (12, "Negotiation", "webinar", 1, 1, None),
        ],
    ),
    ("rating_distribution", {}, [("Course", 5.0, 1), ("Course", 4.0, 1), ("Course", 3.0, 1), ("Asset", 2.0, 1)]),
    (
        "recommendations",
        {"user": 1},
        [
            ("Course", 12, "Negotiation", 0.25, ["Étude d'anglais"], 1, None),
            ("Course", 13, "An Unused Course", 0.0, [], 0, None),
            ("Asset", 21, "Café talk", 0.1, ["Data Science in 5 minutes"], 2, None),
        ],
    ),
    (
        "recommendations",
        {"user": 6, "k": 2},
        [
            ("Course", 10, "Étude d'anglais", 0.0, [], 3, None),
            ("Course", 11, "Data Science Basics", 0.0, [], 2, None),
            ("Asset", 20, "Data Science in 5 minutes", 0.0, [], 3, None),
            ("Asset", 21, "Café talk", 0.0, [], 2, None),
        ],
    ),
    ("similar_assets", {"asset": 20}, [(21, "Café talk", 0.1, 2)]),
    ("similar_courses", {"course": 10}, [(11, "Data Science Basics", 0.5, 2), (12, "Negotiation", 0.25, 1)]),
    ("similar_users", {"user": 1}, [(2, 3, 3, 1.0), (3, 2, 3, 0.667)]),
    ("similar_users", {"user": 1, "latest": 1}, [(2, 1, 3, 0.577), (3, 1, 3, 0.577)]),
    ("top_learners", {"limit": 4}, [(1, 2, 1, 1), (2, 2, 2, 1), (3, 1, 0, 2), (4, 1, 1, 1)]),
    ("unused_courses", {}, [(13, "An Unused Course", 0)]),
    ("unused_courses", {"at_most": 1}, [(13, "An Unused Course", 0), (12, "Negotiation", 1)]),
    (
        "user_history",
        {"user": 1},
        [
            ("Course", 10, "Étude d'anglais", 2, 9, 4.0),
            ("Course", 11, "Data Science Basics", 1, 5, None),
            ("Asset", 20, "Data Science in 5 minutes", None, 4, None),
        ],
    ),
]  # fmt: skip
DATES = ("register_date", "created_date")


@pytest.mark.parametrize(
    ("name", "given", "expected"), ANSWERS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_answers(small: neo4j.Driver, name: str, given: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    answer = ask(small, name, {"customer": C, **given})
    shown = [at for at, column in enumerate(answer.columns) if column not in DATES]
    assert [tuple(row[at] for at in shown) for row in answer.rows] == expected


def test_customers(small: neo4j.Driver) -> None:
    assert ask(small, "customers", {}).rows == [
        ["customer_1", "customer_1 Ltd", 6, 4, 2, 6, 5],
        ["customer_2", "customer_2 Ltd", 2, 1, 0, 2, 0],
    ]


def test_the_shortest_way_between_users_who_share_nothing(small: neo4j.Driver) -> None:
    steps = ask(small, "connection", {"customer": C, "user": 2, "other_user": 4}).records()
    assert [step["kind"] for step in steps[::2]] == ["User"] * 3
    assert [step["id"] for step in steps[::2]] == [2, 3, 4]
    assert steps[3]["title"] == "Café talk"


def test_every_question_is_tested() -> None:
    tested = {name for name, _, _ in ANSWERS} | {"customers", "search"}
    assert tested == questions().keys()


@pytest.mark.parametrize("asked", questions().values(), ids=lambda asked: asked.name)
def test_columns_are_those_of_the_header_and_the_plan_starts_from_an_index(
    small: neo4j.Driver, asked: Question
) -> None:
    some = {"string": "customer_1", "integer": 1}
    parameters = asked.bind(
        {parameter.name: some[parameter.type] for parameter in asked.parameters.values() if parameter.required}
    )
    with small.session(default_access_mode="READ") as session:
        result = session.run(f"EXPLAIN {asked.cypher}", parameters)
        assert list(result.keys()) == list(asked.columns)
        plan = result.consume().plan
    assert plan
    operators = list(_operators(plan))
    scans = [
        operator for operator in operators if re.match(r"AllNodesScan|NodeByLabelScan|.*RelationshipTypeScan", operator)
    ]
    # Customers are few, and all of them are asked for.
    assert scans == (["NodeByLabelScan"] if asked.name == "customers" else [])
    assert "CartesianProduct" not in operators or asked.name in ("connection", "course_overlap")


def _operators(plan: dict[str, Any]) -> Any:
    yield plan["operatorType"].split("@")[0]
    for child in plan.get("children", []):
        yield from _operators(child)


def test_a_reader_cannot_write(small: neo4j.Driver) -> None:
    before = read(small, "MATCH (n) RETURN count(n), count { ()-->() }").rows
    for statement in (
        "CREATE (n:User {id: 99}) RETURN n",
        "MATCH (n:User) DETACH DELETE n",
        "MATCH (n:User) SET n.valid = false",
        "MERGE (n:Foo) RETURN n",
        "CREATE INDEX foo FOR (n:User) ON (n.valid)",
        "DROP CONSTRAINT user_key",
        "CALL db.createLabel('Foo')",
    ):
        with pytest.raises(RecographError, match="for reading only"):
            read(small, statement)
    assert read(small, "MATCH (n) RETURN count(n), count { ()-->() }").rows == before


def test_the_server_ends_what_takes_too_long(small: neo4j.Driver) -> None:
    with pytest.raises(RecographError, match=r"No answer within 0\.3 s.*a longer timeout"):
        read(small, "UNWIND range(1, 100000000) AS a UNWIND range(1, 100000) AS b RETURN sum(a * b)", timeout=0.3)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("nothing", {}, "There is no query 'nothing'. There are: activity, "),
        ("user_history", {"customer": C}, r"^user_history needs user \(id of the user\)\.$"),
        ("user_history", {"customer": C, "user": 1, "users": 1}, "user_history has no parameter 'users'. It takes: customer, user, limit"),
        ("user_history", {"customer": C, "user": "1"}, "Parameter user must be of type integer, and '1' isn't"),
        ("user_history", {"customer": C, "user": 2**63}, "Parameter user must be of type integer"),
        ("user_history", {"customer": C, "user": True}, "Parameter user must be of type integer"),
        ("user_history", {"customer": C, "user": None}, "Parameter user must be of type integer"),
        ("user_history", {"customer": C, "user": 1, "limit": 0}, "Parameter limit must be 1 or more"),
        ("user_history", {"customer": "x' RETURN 1 //", "user": 1}, "The graph has no customer .* It has: customer_1, customer_2"),
        ("user_history", {"customer": "\udcff", "user": 1}, "isn't a text in Unicode"),
        ("user_history", {"customer": C, "user": 7}, "customer_1 has no user 7 in the graph"),
        ("course_overlap", {"customer": C, "course": 10, "other_course": 99}, "customer_1 has no course 99 in the graph"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(small: neo4j.Driver, name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(RecographError, match=message):
        ask(small, name, given)


def test_a_server_that_has_gone_is_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"bolt://127.0.0.1:{free.getsockname()[1]}"
    driver = neo4j.GraphDatabase.driver(uri, connection_timeout=1, max_transaction_retry_time=0)
    with driver, pytest.raises(UnavailableError, match="can't be reached any more"):
        read(driver, "RETURN 1")


def test_what_the_driver_cannot_hold_is_said(small: neo4j.Driver) -> None:
    with pytest.raises(RecographError, match="Neo4j failed"):
        read(small, "RETURN date('-0044-03-15')")


@pytest.mark.parametrize(
    ("cypher", "expected"),
    [
        ("0.0 / 0.0", "NaN"),
        ("-1.0 / 0.0", "-Infinity"),
        ("duration('P1Y2DT3S')", "P1Y2DT3S"),
        ("[date('2024-02-29'), localtime('12:00')]", ["2024-02-29", "12:00:00.000000000"]),
        ("point({x: 1, y: 2})", [1.0, 2.0]),
        ("{a: [1, null, true]}", {"a": [1, None, True]}),
    ],
)
def test_every_value_is_one_that_json_holds(small: neo4j.Driver, cypher: str, expected: Any) -> None:
    ((value,),) = read(small, f"RETURN {cypher}").rows
    assert plain(value) == expected
    assert json.loads(dump_json(plain(value))) == expected


def test_bytes_are_base64() -> None:
    assert plain(bytearray(b"\x00\xff")) == "AP8="


def test_a_user_without_history_has_an_empty_one(small: neo4j.Driver) -> None:
    assert ask(small, "user_history", {"customer": C, "user": 6}).rows == []


def test_texts_of_the_command_line_become_what_the_question_takes() -> None:
    takes = question("search").parameters
    assert takes["words"].parse("12") == "12"
    assert takes["limit"].parse("12") == 12
    assert takes["indexes"].parse("a, b") == ["a", "b"]
    for text in ("twelve", "1.5", "null", "", '"1"', "[1]", "true"):
        with pytest.raises(RecographError, match="Parameter limit must be of type integer"):
            takes["limit"].parse(text)
    share = Parameter("share", "number", "some")
    assert share.parse("1") == 1.0
    for text in ("NaN", "Infinity", "-Infinity", "1e999", "[" * 4000):
        with pytest.raises(RecographError, match="Parameter share must be of type number"):
            share.parse(text)


HEADER = "// A question?\n// Parameters:\n//   k  integer = 1  how many\n// Columns:\n//   n  a number\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (HEADER + "RETURN 1 AS n", "odd.cypher: k must be both in the header's Parameters and in the statement"),
        (HEADER + "RETURN $k + $j AS n", "odd.cypher: j must be both"),
        (HEADER.replace("integer", "whole number") + "RETURN $k AS n", r"odd.cypher, line 3: .* isn't a line of Parameters:"),
        ("RETURN 1", "the header needs a question"),
        (HEADER + "// Chart: pie of n by n\nRETURN $k AS n", "odd.cypher: 'pie of n by n' isn't `bars of VALUE"),
        (HEADER + "// Chart: bars of m by n\nRETURN $k AS n", "odd.cypher: the chart names m, which isn't among the"),
        (HEADER.replace("//   n  a number\n", "") + "RETURN $k", "the header needs a question, Parameters and Columns"),
        (HEADER.replace("Parameters:", "Parameter:") + "RETURN $k AS n", "line 2: 'Parameter:' isn't a line of the question"),
        (HEADER.replace("= 1", "= one") + "RETURN $k AS n", "odd.cypher: the default of k isn't JSON"),
        (HEADER.replace("= 1", '= "1"') + "RETURN $k AS n", "Parameter k must be of type integer, and '1' isn't"),
    ],
)  # fmt: skip
def test_a_file_with_an_odd_header_is_refused(source: str, message: str) -> None:
    assert parse("fine", HEADER + "RETURN $k AS n").bind({}) == {"k": 1}
    with pytest.raises(RecographError, match=message):
        parse("odd", source)
