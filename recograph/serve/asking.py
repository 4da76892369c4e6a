"""Asks the graph for pages: in read transactions with a time-out and a limit on rows. Answers are kept in the cache."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import neo4j
from neo4j.exceptions import AuthError, BrokenRecordError, ClientError, TransientError

from recograph.errors import RecographError, UnavailableError
from recograph.graph.model import ALL_SETS, SETS, USER, NodeSet
from recograph.graph.neighbourhood import Neighbourhood, neighbourhood, statement
from recograph.graph.queries import ask, question
from recograph.graph.reading import Answer, require_node
from recograph.graph.reads import sets_read
from recograph.graph.recommend import KINDS, PAST, recommend
from recograph.graph.refusals import MissingError, SlowError
from recograph.graph.search import typed
from recograph.graph.state import growth
from recograph.serve.cache import Basis, Cache
from recograph.serve.gathering import Gathering, Kind
from recograph.serve.loads import EVERYBODY, FACTS, Loads, sources
from recograph.serve.look_ups import MOST_ROWS, PLAN_SECONDS, TIMEOUT, About, Recommendations, plainly
from recograph.serve.parameters import bind
from recograph.serve.threads import Threads

TOO_MUCH = "The answer takes too long or is too large. Ask for less."
_LOOK_UPS_AT_ONCE = 8
"""How many transactions run at the same time. More would only wait in Neo4j instead of here."""
_QUESTIONS_AT_ONCE = 4
"""How many questions run beside them: slow ones, however many, keep nobody from searching and looking something up."""
_MOST_WAITING = 1000
_GATHERED_AT_ONCE = 4
"""How many of the look-ups at once are those for several who ask for something of the same kind."""
_LOST_SECONDS = 10.0
"""So long after the server should have ended a statement its answer counts as lost on the way."""
_WATCH_SECONDS = 0.25
_APART_SECONDS = 60.0
"""So long nobody tries again whether questions about a node can be asked together."""
_log = logging.getLogger("recograph.serve")


class QuestionError(RecographError):
    """Neo4j refuses a question's statement, or answers with what the driver can't hold."""


class Asking:
    """The graph as pages ask it."""

    def __init__(self, driver: neo4j.Driver, loads: Loads, cache: Cache) -> None:
        """Ask with threads of its own, which `close` ends."""
        self.driver = driver
        self.loads = loads
        self.cache = cache
        others = _LOOK_UPS_AT_ONCE - _GATHERED_AT_ONCE
        self._look_ups = Threads(others, "look-up")
        self._gathered_look_ups = Threads(_GATHERED_AT_ONCE, "gathered")
        self._questions = Threads(_QUESTIONS_AT_ONCE, "question")
        self._gathering = Gathering(partial(self._in_thread, threads=self._gathered_look_ups), _GATHERED_AT_ONCE)
        self._waiting: set[object] = set()
        self._apart_until: dict[str, float] = {}
        """Until when (seconds of the monotonic clock) the questions about a label are asked one by one."""

    @property
    def _threads(self) -> tuple[Threads, ...]:
        return self._look_ups, self._gathered_look_ups, self._questions

    async def watch(self) -> None:
        """Let nobody wait for a server that stands still, or whose answer was lost, until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for threads in self._threads:
                if self.loads.stands_still or threads.are_stuck:
                    threads.leave()

    def close(self) -> None:
        """End the threads."""
        for threads in self._threads:
            threads.close(wait=self.loads.down_since is None)

    async def question(self, basis: Basis, name: str, given: Mapping[str, Any]) -> Answer:
        """The answer to a question, values as JSON has them.

        Raises:
            RequestError: a parameter is missing, unknown, of another type or too great.
            QuestionError: Neo4j refuses the statement.
            RecographError: see `ask`.
        """
        asked = question(name)
        parameters = bind(name, given)
        customer = parameters.get("customer")

        def work() -> Answer:
            given = parameters | (typed(parameters["words"]) if "words" in parameters else {})
            try:
                return plainly(ask(self.driver, name, given, timeout=TIMEOUT, most=MOST_ROWS))
            except RecographError as error:
                if refusal := _refusal(name, error):
                    raise refusal from error
                raise

        threads = self._look_ups if name == "search" else self._questions
        key = (name, tuple((key, _hashable(value)) for key, value in parameters.items()))
        answer: Answer = await self._kept(basis, key, customer, sets_read(asked.cypher), work, threads)
        return answer

    async def recommendations(self, basis: Basis, customer: str, user: int, k: int) -> Answer:
        """What a user should take and watch next, with reasons.

        Raises:
            RecographError: see `recommend`.
        """
        sets = sets_read(question("recommendations").cypher) | sets_read(PAST)
        # Kept as the page that is made of it, and not here as well: there are many users.
        basis.rests_on(sources(customer, sets))
        known = await self._gathered(Recommendations(self.driver, customer, k), user)
        if known is None:
            await self._run(lambda: require_node(self.driver, USER, customer, user))
            raise MissingError(f"User {user} of {customer} has just left the graph.")
        past, own = known

        def for_newcomers(kind: str) -> Awaitable[Answer]:
            return self._kept(
                basis,
                ("recommend", customer, past.languages, kind, k),
                customer,
                sets,
                lambda: recommend(self.driver, customer, user, k, kinds=(kind,), timeout=TIMEOUT),
                self._questions,
            )

        # Finding what is popular with those who speak a language reads all of these users, so the answer is shared by
        # all users of the language who had nothing yet.
        answers = [own, *await asyncio.gather(*(for_newcomers(kind) for kind in KINDS if kind not in past.had))]
        rows = [row for answer in answers for row in answer.rows]
        return Answer(own.columns, sorted(rows, key=lambda row: KINDS.index(row[0])))

    async def around(self, basis: Basis, node: NodeSet, customer: str, key: int, limit: int) -> Neighbourhood:
        """What is around a node.

        Raises:
            RecographError: see `neighbourhood`.
        """
        basis.rests_on(sources(customer, sets_read(statement(node))))
        around: Neighbourhood = await self._run(
            lambda: neighbourhood(self.driver, node, customer, key, limit, timeout=TIMEOUT)
        )
        return around

    async def about(
        self, basis: Basis, node: NodeSet, customer: str, key: int, limit: int, rows: int, names: Sequence[str]
    ) -> tuple[Neighbourhood, list[Answer]] | None:
        """What is around a node, and the answers to questions about it, all at once; None if one of them fails.

        Args:
            basis: of the page.
            node: the set that the node is of.
            customer: id of the customer.
            key: id of the node.
            limit: how many neighbours of each kind at most.
            rows: how many rows of each answer, where its question has such a limit.
            names: of the questions.

        Raises:
            MissingError: the graph hasn't the node.
            RecographError: the server fails.
        """
        if time.monotonic() < self._apart_until.get(node.label, 0):
            return None
        kind = About(self.driver, node, customer, limit, rows, tuple(names))
        basis.rests_on([source for part in kind.parts for source in sources(customer, sets_read(part.cypher))])
        try:
            about: tuple[Neighbourhood, list[Answer]] | None = await self._gathered(kind, key)
        except UnavailableError:
            raise
        except RecographError:  # whoever asks one by one learns which
            self._apart_until[node.label] = time.monotonic() + _APART_SECONDS
            return None
        if about is None:
            await self._run(lambda: require_node(self.driver, node, customer, key))
        return about

    async def plan(self, kind: About | Recommendations) -> None:
        """Let Neo4j make the plan for look-ups of a kind: where it has just started, pages would wait too long for it.

        Raises:
            RecographError: the server fails, or refuses the statement.
        """
        await self._in_thread(kind.plan, seconds=PLAN_SECONDS)

    async def require(self, basis: Basis, node: NodeSet, customer: str, key: int) -> None:
        """Make sure that the graph has a node.

        Raises:
            MissingError: it doesn't have it.
            RecographError: the server fails.
        """
        await self._kept(
            basis,
            ("node", node.label, customer, key),
            customer,
            frozenset({node.name}),
            lambda: require_node(self.driver, node, customer, key),
        )

    async def growth(self, basis: Basis) -> dict[str, dict[str, int]]:
        """Nodes and relationships of each customer by the snapshot dates that were loaded."""

        def work() -> dict[str, dict[str, int]]:
            grown = {}
            for customer, by_set in growth(self.driver, list(self.loads.customers)).items():
                days = sorted({day for totals in by_set.values() for day in totals})
                grown[customer] = {
                    day: sum(totals.get(day, 0) for name, totals in by_set.items() if name in SETS) for day in days
                }
            return grown

        basis.rests_on([(EVERYBODY, FACTS)])
        grown: dict[str, dict[str, int]] = await self._kept(
            basis, ("growth",), None, frozenset(graph_set.name for graph_set in ALL_SETS), work
        )
        return grown

    async def _kept(
        self,
        basis: Basis,
        key: tuple[Any, ...],
        customer: str | None,
        sets: frozenset[str],
        work: Callable[[], Any],
        threads: Threads | None = None,
    ) -> Any:
        async def make(inner: Basis) -> tuple[Any, int]:
            inner.rests_on(sources(customer, sets))
            value = await self._run(work, threads)
            return value, _size(value)

        return (await self.cache.get(("answer", *key), make, basis)).value

    async def _gathered(self, kind: Kind, key: int) -> Any:
        with self._place():
            return await self._gathering.ask(kind, key)

    async def _run(self, work: Callable[[], Any], threads: Threads | None = None) -> Any:
        with self._place():
            return await self._in_thread(work, threads)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """A place among those who wait, if there is one."""
        if self.loads.down_since is not None:
            raise UnavailableError("Neo4j doesn't answer.")
        if len(self._waiting) >= _MOST_WAITING:
            raise UnavailableError("Too many questions are waiting.")
        token = object()
        self._waiting.add(token)
        try:
            yield
        finally:
            self._waiting.discard(token)

    async def _in_thread(
        self, work: Callable[[], Any], threads: Threads | None = None, seconds: float = TIMEOUT
    ) -> Any:
        try:
            return await (threads or self._look_ups).run(work, seconds + _LOST_SECONDS)
        except UnavailableError as error:
            # A server that was too busy, or lacked the memory for this question, still answers other questions.
            if not isinstance(error.__cause__, TransientError):
                self.loads.fail(error)
            raise


def _refusal(name: str, error: RecographError) -> QuestionError | None:
    """The error to raise if the statement is at fault: it has no values of the statement; the log has Neo4j's code."""
    cause = error.__cause__
    refused = isinstance(cause, ClientError | BrokenRecordError) and not isinstance(cause, AuthError)
    if isinstance(error, SlowError) or not refused:
        return None
    _log.error("Neo4j can't answer %s.cypher: %s", name, getattr(cause, "code", None) or type(cause).__name__)
    return QuestionError(f"Neo4j can't answer {name}.cypher as it stands. It has been noted.")


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _size(value: Any) -> int:
    """About how many bytes of memory an answer takes."""
    if isinstance(value, Answer):
        return 500 + sum(sum(60 + len(str(cell)) for cell in row) for row in value.rows)
    return 2000 + 2 * len(str(value))
