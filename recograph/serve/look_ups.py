"""What is looked up of the graph for several at once, each time of one kind; see `gathering`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import neo4j

from recograph.graph.model import NodeSet
from recograph.graph.neighbourhood import Neighbourhood, columns, neighbourhood_of, statement
from recograph.graph.queries import question
from recograph.graph.reading import Answer
from recograph.graph.recommend import Past, recommend_known
from recograph.graph.together import Part, ask_together
from recograph.graph.values import plain

TIMEOUT = 20.0
"""Seconds after which the server ends a page's transaction."""
MOST_ROWS = 10_000
"""Greatest number of rows of an answer."""
_TOGETHER_SECONDS = 10.0
"""Seconds for pages' questions together; if that isn't enough, each has `TIMEOUT` for itself."""
PLAN_SECONDS = 300.0
"""Seconds for the plan of a statement, which one that has just started makes slowly."""


@dataclass(frozen=True)
class Recommendations:
    """What users of a customer should take and watch next."""

    driver: neo4j.Driver
    customer: str
    k: int

    def plan(self) -> None:
        """Let the server make its plan before anybody waits for it."""
        recommend_known(self.driver, self.customer, [], self.k, timeout=PLAN_SECONDS)

    def look_up(self, users: Sequence[int]) -> Mapping[int, tuple[Past, Answer]]:
        """See `recommend_known`."""
        return recommend_known(self.driver, self.customer, users, self.k, timeout=TIMEOUT)


@dataclass(frozen=True)
class About:
    """What is around a customer's nodes of one set, and the answers to questions about them."""

    driver: neo4j.Driver
    node: NodeSet
    customer: str
    limit: int
    """Neighbours of each kind at most."""
    rows: int
    """Rows of each answer at most, where the question has such a limit."""
    questions: tuple[str, ...]
    """Their names; each takes the customer and such a node, and nothing else that it needs."""

    @cached_property
    def parts(self) -> list[Part]:
        """The statements: what is around comes first."""
        around = Part(statement(self.node), columns(self.node), {"customer": self.customer, "limit": self.limit}, "key")
        word = self.node.label.lower()
        parts = [around]
        for name in self.questions:
            asked = question(name)
            limit = {"limit": self.rows} if "limit" in asked.parameters else {}
            given = asked.bind({"customer": self.customer, word: 0} | limit)
            del given[word]
            parts.append(Part(asked.cypher, tuple(asked.columns), given, word))
        return parts

    def plan(self) -> None:
        """Let the server make its plan before anybody waits for it."""
        ask_together(self.driver, self.parts, [], timeout=PLAN_SECONDS, most=MOST_ROWS)

    def look_up(self, keys: Sequence[int]) -> Mapping[int, tuple[Neighbourhood, list[Answer]]]:
        """Both, for each node that the graph has."""
        answers = ask_together(self.driver, self.parts, keys, timeout=_TOGETHER_SECONDS, most=MOST_ROWS)
        return {
            key: (
                neighbourhood_of(self.node, key, around),
                [plainly(Answer(list(part.columns), rows)) for part, rows in zip(self.parts[1:], others, strict=True)],
            )
            for key, (neighbourhoods, *others) in answers.items()
            for around in neighbourhoods
        }


def plainly(answer: Answer) -> Answer:
    """The answer with values as JSON has them."""
    return Answer(answer.columns, [[plain(value) for value in row] for row in answer.rows])
