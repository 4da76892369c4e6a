"""Reading where the graph changes meanwhile, and several statements as one."""

from typing import Any

import neo4j
import pytest
from neo4j.exceptions import ClientError, Neo4jError

from recograph.errors import RecographError
from recograph.graph.model import USER
from recograph.graph.neighbourhood import columns, neighbourhood, neighbourhood_of, statement
from recograph.graph.queries import ask, question
from recograph.graph.reading import read
from recograph.graph.refusals import SlowError
from recograph.graph.together import Part, ask_together

PEOPLE = "MATCH (user:User {customer_id: $customer}) RETURN user.id AS id ORDER BY id DESC LIMIT $limit"


def gone() -> Neo4jError:
    return Neo4jError._hydrate_neo4j(code="Neo.ClientError.Statement.EntityNotFound", message="It was deleted.")


@pytest.mark.parametrize(("times", "fails"), [(1, False), (2, False), (9, True)])
def test_what_a_load_deletes_under_a_statement_is_looked_for_again(
    small: neo4j.Driver, monkeypatch: pytest.MonkeyPatch, times: int, fails: bool
) -> None:
    failing = [gone() for _ in range(times)]

    def after_failures(plainly: Any) -> Any:
        def run(*arguments: Any) -> neo4j.Result:
            if failing:
                raise failing.pop()
            result: neo4j.Result = plainly(*arguments)
            return result

        return run

    for kind in (neo4j.Session, neo4j.ManagedTransaction):
        monkeypatch.setattr(kind, "run", after_failures(kind.run))
    if fails:
        with pytest.raises(RecographError) as refused:
            read(small, "RETURN 1")
        assert isinstance(refused.value.__cause__, ClientError)
    else:
        assert read(small, "RETURN 1").rows == [[1]]


def test_statements_together_answer_as_they_do_one_by_one(small: neo4j.Driver) -> None:
    history = question("user_history")
    parts = [
        Part(statement(USER), columns(USER), {"customer": "customer_1", "limit": 1}, "key"),
        Part(PEOPLE, ("id",), {"customer": "customer_1", "limit": 3}, ""),
        Part(history.cypher, tuple(history.columns), {"customer": "customer_1", "limit": 20}, "user"),
        Part(PEOPLE, ("id",), {"customer": "customer_1", "limit": 1}, ""),
    ]
    answers = ask_together(small, parts, [1, 99, 2], most=3)
    assert answers.keys() == {1, 99, 2}
    for user in (1, 2):
        (first,), people, taken, few = answers[user]
        assert neighbourhood_of(USER, user, first) == neighbourhood(small, USER, "customer_1", user, 1)
        assert people == read(small, PEOPLE, {"customer": "customer_1", "limit": 3}).rows
        assert taken == ask(small, "user_history", {"customer": "customer_1", "user": user}).rows
        assert few == people[:1]
    assert answers[99][0] == answers[99][2] == []


def test_none_of_them_may_have_too_many_rows(small: neo4j.Driver) -> None:
    with pytest.raises(SlowError, match="more than 2 rows"):
        ask_together(small, [Part("UNWIND range(1, 3) AS n RETURN n", ("n",), {}, "")], [1], most=2)


def test_none_of_them_can_write(small: neo4j.Driver) -> None:
    with pytest.raises(RecographError, match="This is for reading only"):
        ask_together(small, [Part("CREATE (n:Planted) RETURN 1 AS n", ("n",), {}, "")], [1], most=2)
    assert read(small, "MATCH (n:Planted) RETURN count(n)").rows == [[0]]
