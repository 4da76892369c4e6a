"""Take a customer, or one of its people, out of the graph; nothing of others is touched."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import neo4j

from recograph.graph import cypher
from recograph.graph.lease import Lease, leased, lock_shared
from recograph.graph.model import NODE_SETS, RELATIONSHIP_SETS, TENANT, USER, Scope
from recograph.graph.refusals import address, neo4j_explained
from recograph.graph.report import LoadOptions
from recograph.graph.schema import prepare_locks
from recograph.graph.state import forget, mark_dirty, release_members, states

_NODES_AT_ONCE = 1000


@dataclass
class Erased:
    """What was deleted."""

    nodes: int = 0
    relationships: int = 0

    def add(self, counters: neo4j.SummaryCounters) -> int:
        """Count what a statement deleted; returns its nodes."""
        self.nodes += counters.nodes_deleted
        self.relationships += counters.relationships_deleted
        return counters.nodes_deleted


def erase_customer(driver: neo4j.Driver, customer: str, options: LoadOptions | None = None) -> Erased:
    """Delete a customer's nodes with their relationships, the records of its loads, and shared nodes nobody else needs.

    Every node with the customer's id goes, also nodes of labels that the model doesn't declare (any more). If it is
    interrupted, run it again; it may also be run where nothing is left.

    Args:
        driver: of the Neo4j server.
        customer: id of the customer, whether it is still in customers.yaml or not.
        options: how long to wait for a load of the customer.

    Raises:
        LockedError: a load of the customer doesn't end.
        RecographError: Neo4j fails.
    """
    erased = Erased()
    with _alone(driver, customer, options) as lease:
        known = states(lease.session, customer)
        lease.write(lambda tx: mark_dirty(tx, customer, list(known)))
        # People first: their relationships are spread evenly, while a course may have a million.
        for node in sorted(NODE_SETS, key=lambda node_set: node_set is not USER):
            if node.scope is not Scope.SHARED:
                _delete(lease, cypher.of_customer(node), erased)
        _delete(
            lease, f"MATCH (n) WHERE n.{TENANT} = $customer AND NOT n:{cypher.STATE} AND NOT n:{cypher.LOCK}", erased
        )

        def finish(tx: neo4j.ManagedTransaction) -> list[neo4j.SummaryCounters]:
            lock_shared(tx)
            forget(tx, customer)
            shared = [node for node in NODE_SETS if node.scope is Scope.SHARED and node.name in known]
            return [release_members(tx, node, known[node.name].members) for node in shared]

        for counters in lease.write(finish):
            erased.add(counters)
    return erased


def erase_user(driver: neo4j.Driver, customer: str, user: int, options: LoadOptions | None = None) -> Erased:
    """Delete one person's node with its relationships; the next load compares the sets that had them with the graph.

    Raises:
        LockedError: a load of the customer doesn't end.
        RecographError: Neo4j fails.
    """
    touched = [
        USER.name,
        *(
            relationship_set.name
            for relationship_set in RELATIONSHIP_SETS
            if USER in (relationship_set.start, relationship_set.end)
        ),
    ]

    def work(tx: neo4j.ManagedTransaction) -> neo4j.SummaryCounters:
        mark_dirty(tx, customer, touched)
        query = f"MATCH (n:`{USER.label}` {{{TENANT}: $customer, id: $user}}) DETACH DELETE n"
        return tx.run(query, customer=customer, user=user).consume().counters

    erased = Erased()
    with _alone(driver, customer, options) as lease:
        erased.add(lease.write(work))
    return erased


@contextmanager
def _alone(driver: neo4j.Driver, customer: str, options: LoadOptions | None) -> Iterator[Lease]:
    """Keep loads of the customer out during the block."""
    options = options or LoadOptions()
    prepare_locks(driver)
    with (
        neo4j_explained(address(driver)),
        leased(driver, customer, timeout=options.lock_timeout, seconds=options.lease) as lease,
    ):
        yield lease


def _delete(lease: Lease, match: str, erased: Erased) -> None:
    """Delete the nodes that a MATCH calls n, at most `_NODES_AT_ONCE` per transaction."""

    def work(tx: neo4j.ManagedTransaction) -> neo4j.SummaryCounters:
        query = f"{match} WITH n LIMIT {_NODES_AT_ONCE} DETACH DELETE n"
        return tx.run(query, customer=lease.customer).consume().counters

    while erased.add(lease.write(work)):
        pass
