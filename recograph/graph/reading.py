"""Reading the graph: in transactions that can't write, and that the server ends after a time-out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import neo4j
from neo4j.exceptions import ClientError, DriverError, Neo4jError

from recograph.errors import RecographError
from recograph.graph.model import CUSTOMER, KEY, TENANT, NodeSet, Scope
from recograph.graph.refusals import MissingError, SlowError, address, neo4j_explained, parameters_explained

TIMEOUT = 30.0
"""Seconds after which the server ends a reader's transaction."""


@dataclass(frozen=True)
class Answer:
    """Rows with named columns; the values are as Neo4j's driver returns them."""

    columns: list[str]
    rows: list[list[Any]]

    def records(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def read(
    driver: neo4j.Driver,
    cypher: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    timeout: float = TIMEOUT,
    most: int | None = None,
) -> Answer:
    """Run one statement in a read transaction.

    Args:
        driver: of the server.
        cypher: the statement, of our own; what users say goes into the parameters.
        parameters: values by name.
        timeout: seconds after which the server ends it.
        most: the greatest number of rows that the answer may have; None: any number.

    Raises:
        RecographError: the statement would write, took too long, gave too many rows, or the server failed.
    """
    given = dict(parameters or {})

    def taken(result: neo4j.Result) -> Answer:
        rows = result if most is None else result.fetch(most)
        answer = Answer(list(result.keys()), [list(record.values()) for record in rows])
        if most is not None and result.peek() is not None:
            raise SlowError(f"The answer has more than {most:,} rows. Ask for less.")
        return answer

    @neo4j.unit_of_work(timeout=timeout)
    def again(tx: neo4j.ManagedTransaction) -> Answer:
        return taken(tx.run(cypher, given))

    with _refusals(timeout), _session(driver) as session, parameters_explained():
        try:
            for _ in range(_LOOKS):
                try:
                    # Half of a managed transaction's work for driver and server: many ask for little.
                    return taken(session.run(neo4j.Query(cypher, timeout=timeout), given))
                except (Neo4jError, DriverError) as error:
                    if _code(error) != _GONE:
                        if not error.is_retryable():
                            raise
                        break
            return session.execute_read(again)
        except Neo4jError as error:
            if isinstance(error, ClientError) and _code(error) in _REFUSALS:
                raise
            with neo4j_explained(address(driver)):
                raise
        except DriverError:
            # Where the server doesn't answer, asking for its address would only take longer.
            with neo4j_explained("Neo4j"):
                raise


@contextmanager
def _session(driver: neo4j.Driver) -> Iterator[neo4j.Session]:
    try:
        session = driver.session(default_access_mode=neo4j.READ_ACCESS)
    except DriverError as error:
        raise RecographError("The connection to Neo4j was closed. Connect again.") from error
    with session:
        yield session


_GONE = "Statement.EntityNotFound"
"""What a statement had found was deleted before it was read, by a load."""
_LOOKS = 3
"""How often a statement is asked at most whose finds are deleted under it."""
_REFUSALS = {
    "Statement.AccessMode": "This is for reading only, and the statement would write. Nothing was changed.",
    "Transaction.TransactionTimedOut": "No answer within {timeout:g} s, so the server gave up. Ask for less (a smaller "
    "limit, one customer), or give it a longer timeout.",
    "Procedure.ProcedureCallFailed": "The server can't answer that: {message}",
}


def _code(error: Neo4jError | DriverError) -> str:
    """An error's code without the prefix that all codes have; the several codes of a time-out become one."""
    code = (getattr(error, "code", None) or "").removeprefix("Neo.ClientError.")
    return "Transaction.TransactionTimedOut" if code.startswith("Transaction.TransactionTimedOut") else code


@contextmanager
def _refusals(timeout: float) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        message = " ".join((error.message or "").split())
        kind = SlowError if _code(error) == "Transaction.TransactionTimedOut" else RecographError
        raise kind(_REFUSALS[_code(error)].format(timeout=timeout, message=message)) from error


def require_customer(driver: neo4j.Driver, customer: str) -> None:
    """Make sure that the graph has a customer.

    Raises:
        RecographError: it doesn't have it; the message names the customers that it has.
    """
    customers = [row[0] for row in read(driver, f"MATCH (c:{CUSTOMER.label}) RETURN c.{KEY} ORDER BY c.{KEY}").rows]
    if not customers:
        raise MissingError("The graph is empty. Load it with `recograph run`.")
    if customer not in customers:
        raise MissingError(f"The graph has no customer {customer!r}. It has: {', '.join(customers)}.")


def require_node(driver: neo4j.Driver, node: NodeSet, customer: str, key: int) -> None:
    """Make sure that the graph has a customer's node of that key.

    Raises:
        RecographError: it doesn't have it.
    """
    require_customer(driver, customer)
    assert node.scope is Scope.OWNED
    match = f"MATCH (n:{node.label} {{{TENANT}: $customer, {KEY}: $key}}) RETURN n.{KEY}"
    if not read(driver, match, {"customer": customer, "key": key}).rows:
        raise MissingError(f"{customer} has no {node.label.lower()} {key} in the graph.")
