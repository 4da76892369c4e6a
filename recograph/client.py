"""The graph for notebooks and scripts: questions, search and recommendations as DataFrames.

    import recograph.client

    with recograph.client.connect() as graph:
        graph.query("popular_courses", customer="customer_2")

It reads the environment as the command does, and can't write.
"""

from collections.abc import Collection
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import neo4j

from recograph.adapters.neo4j.driver import open_driver
from recograph.graph.queries import ask, questions
from recograph.graph.reading import TIMEOUT, Answer, read
from recograph.graph.recommend import recommend
from recograph.graph.search import search
from recograph.graph.values import frame
from recograph.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class Graph:
    """A connection to the graph; every method gives a DataFrame with the columns that the question names.

    Close it, or use it in a `with` block.
    """

    def __init__(self, driver: neo4j.Driver, timeout: float, stack: ExitStack | None = None) -> None:
        """See `connect`; whoever brings a driver closes it."""
        self._driver = driver
        self._timeout = timeout
        self._stack = stack or ExitStack()

    def questions(self) -> "pd.DataFrame":
        """The questions: name, what it asks, parameters, columns."""
        rows = [[asked.name, asked.text, list(asked.parameters), list(asked.columns)] for asked in questions().values()]
        return frame(Answer(["name", "question", "parameters", "columns"], rows))

    def query(self, question: str, **parameters: Any) -> "pd.DataFrame":
        """The answer to a question of `recograph query --list`.

        Raises:
            RecographError: the question or a parameter isn't right, what is asked about isn't there, or Neo4j fails.
        """
        given = {name: _of_python(value) for name, value in parameters.items()}
        return frame(ask(self._driver, question, given, timeout=self._timeout))

    def search(
        self, text: str, *, customer: str | None = None, labels: Collection[str] = (), limit: int = 20
    ) -> "pd.DataFrame":
        """Courses and assets by words of their titles, the best first.

        Raises:
            RecographError: there is no word in the text, a label or the customer isn't there, or Neo4j fails.
        """
        hits = search(
            self._driver, text, customer=customer, labels=labels, limit=_of_python(limit), timeout=self._timeout
        )
        return frame(hits)

    def recommend(self, customer: str, user: int, k: int = 10) -> "pd.DataFrame":
        """Up to k courses and k assets that the user hasn't had, with reasons.

        Raises:
            RecographError: the customer or the user isn't there, or Neo4j fails.
        """
        return frame(recommend(self._driver, customer, _of_python(user), _of_python(k), timeout=self._timeout))

    def cypher(self, statement: str, **parameters: Any) -> "pd.DataFrame":
        """The rows of a statement of your own, which can only read.

        Raises:
            RecographError: it would write, is wrong, or takes too long.
        """
        return frame(read(self._driver, statement, parameters, timeout=self._timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _of_python(value: Any) -> Any:
    """A value of a DataFrame, such as the id of a row that was picked, as the question takes it."""
    import numpy as np  # noqa: PLC0415 - as pandas, which is loaded with the first answer

    return value.item() if isinstance(value, np.generic) else value


def connect(*, timeout: float = TIMEOUT) -> Graph:
    """Connect to the Neo4j that the environment names, or to the managed one.

    Args:
        timeout: seconds after which the server gives up an answer.

    Raises:
        RecographError: the server can't be reached or doesn't let this user in.
    """
    stack = ExitStack()
    return Graph(stack.enter_context(open_driver(Settings.from_env())), timeout, stack)
