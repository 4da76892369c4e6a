"""Who may write a customer's part of the graph.

One lock node per customer holds the owner of the customer's part and the end of the owner's lease. Every transaction
that writes first takes Neo4j's write lock on that node and checks that its load is still the owner. So a load that lost
its lease can't write any more, however late it wakes up, and a new owner sees all that the old one wrote.
"""

import os
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from recograph.graph.cypher import LOCK
from recograph.graph.refusals import LockedError

SHARED_LOCK = "*"
"""The lock node that stands for all customers: a transaction that changes shared nodes locks it, after the customer's
own lock node."""

_TRANSACTION_SECONDS = 600
_POLL_SECONDS = 0.25


class Lease:
    """The right to write a customer's part of the graph, for as long as it is renewed."""

    def __init__(self, driver: neo4j.Driver, customer: str, seconds: float) -> None:
        """Nothing is locked yet: see `leased`."""
        self.customer = customer
        self.owner = f"{socket.gethostname()} (process {os.getpid()}) {uuid.uuid4().hex[:12]}"
        self._driver = driver
        self._milliseconds = int(seconds * 1000)
        self.session = driver.session(default_access_mode=neo4j.WRITE_ACCESS)

    def acquire(self, timeout: float) -> None:
        """Wait for the lock.

        Raises:
            LockedError: another load still renews it after the timeout (seconds).
        """
        deadline = time.monotonic() + timeout
        while (holder := self.session.execute_write(self._try)) is not None:
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"The graph of {self.customer} is being written by {holder}; waited {timeout:g} s. Wait until that "
                    "run is done and start this one again."
                )
            time.sleep(_POLL_SECONDS)

    def _try(self, tx: neo4j.ManagedTransaction) -> str | None:
        """Take the lock if it is free or its lease is over; otherwise say who has it."""
        record = tx.run(
            f"MERGE (l:{LOCK} {{customer_id: $customer}}) SET l.asked_at = {_NOW} "
            # A lease that ends later than any can was taken before the server's clock was put back.
            f"WITH l, coalesce(l.lease_until, 0) < {_NOW} OR coalesce(l.lease_until > {_NOW} + 2 * l.lease, false) "
            "OR l.owner = $owner AS mine "
            f"SET l.lease_until = CASE WHEN mine THEN {_NOW} + $lease ELSE l.lease_until END, "
            "l.lease = CASE WHEN mine THEN $lease ELSE l.lease END, "
            "l.owner = CASE WHEN mine THEN $owner ELSE l.owner END "
            "RETURN CASE WHEN mine THEN null ELSE l.owner END AS holder",
            customer=self.customer,
            owner=self.owner,
            lease=self._milliseconds,
        ).single(strict=True)
        holder: str | None = record["holder"]
        return holder

    def renew(self, tx: neo4j.ManagedTransaction | neo4j.Session) -> None:
        """Lock the lock node until the transaction's end, and renew the lease.

        Raises:
            LockedError: the lock isn't ours any more.
        """
        record = tx.run(
            # Setting comes before looking: it takes the write lock, and so what is read afterwards stays true.
            f"MATCH (l:{LOCK} {{customer_id: $customer}}) SET l.asked_at = {_NOW} "
            f"WITH l WHERE l.owner = $owner SET l.lease_until = {_NOW} + $lease RETURN true AS mine",
            customer=self.customer,
            owner=self.owner,
            lease=self._milliseconds,
        ).single()
        if record is None:
            raise self._lost()

    def _look(self, tx: neo4j.ManagedTransaction) -> None:
        """See whether the lock is ours at the moment, which may change before the transaction's end.

        Raises:
            LockedError: it isn't ours.
        """
        query = f"MATCH (l:{LOCK} {{customer_id: $customer, owner: $owner}}) RETURN l.owner"
        if tx.run(query, customer=self.customer, owner=self.owner).single() is None:
            raise self._lost()

    def _lost(self) -> LockedError:
        return LockedError(
            f"Another run has taken over the graph of {self.customer}, because this one was silent for "
            f"{self._milliseconds / 1000:g} s. Nothing more was written by this one; see what the other one says."
        )

    def write(self, work: Callable[[neo4j.ManagedTransaction], Any], *, beside: neo4j.Session | None = None) -> Any:
        """Do work in one transaction under the lock; transient errors are retried by the driver.

        Args:
            work: what to do.
            beside: a session other than the lease's own, for works that run beside each other. They take the lock when
                they are done, right before they commit, and so don't wait for each other until then.
        """

        @neo4j.unit_of_work(timeout=_TRANSACTION_SECONDS)
        def fenced(tx: neo4j.ManagedTransaction) -> Any:
            if beside is None:
                self.renew(tx)
                return work(tx)
            self._look(tx)
            outcome = work(tx)
            self.renew(tx)
            return outcome

        return (beside or self.session).execute_write(fenced)

    def write_all(self, works: Iterable[Callable[[neo4j.ManagedTransaction], Any]]) -> None:
        """Do each work in its own transaction, two at a time: while the server commits one, it runs the other.

        While other customers are being loaded, only one is done at a time: the server has the other loads' transactions
        to run meanwhile. With two per load, a server of two processors took a quarter longer for all loads together.

        The works must not touch the same relationships, or they block each other and are repeated.
        """
        with ExitStack() as stack:
            sessions = [stack.enter_context(self._driver.session()) for _ in range(1 if self._has_company() else 2)]
            # Entered last, so left first: no transaction is under way any more when the sessions are closed.
            pool = stack.enter_context(ThreadPoolExecutor(len(sessions)))
            under_way: deque[tuple[neo4j.Session, Future[Any]]] = deque()
            for work in works:
                session = sessions.pop() if sessions else _finished(*under_way.popleft())
                under_way.append((session, pool.submit(self.write, work, beside=session)))
            for session, future in under_way:
                _finished(session, future)

    def _has_company(self) -> bool:
        """Whether another customer's part is being written."""
        query = f"MATCH (l:{LOCK}) WHERE l.customer_id <> $customer AND l.lease_until > {_NOW} RETURN 1 LIMIT 1"
        return self.session.execute_read(lambda tx: tx.run(query, customer=self.customer).single()) is not None

    def release(self) -> None:
        """Let others in; a server that can't be reached lets them in when the lease ends."""
        try:
            self.session.run(
                f"MATCH (l:{LOCK} {{customer_id: $customer, owner: $owner}}) REMOVE l.owner, l.lease_until, l.lease",
                customer=self.customer,
                owner=self.owner,
            ).consume()
        except (DriverError, Neo4jError):
            pass
        finally:
            self.session.close()

    def beat(self, stop: threading.Event) -> None:
        """Renew until told to stop; for a thread of its own, while the warehouse works."""
        while not stop.wait(self._milliseconds / 4000):
            try:
                with self._driver.session(default_access_mode=neo4j.WRITE_ACCESS) as session:
                    self.renew(session)
            except LockedError:
                return
            except (DriverError, Neo4jError):
                continue


def _finished(session: neo4j.Session, future: "Future[Any]") -> neo4j.Session:
    """The session, as soon as it has done its work."""
    future.result()
    return session


_NOW = "datetime.realtime().epochMillis"


@contextmanager
def leased(driver: neo4j.Driver, customer: str, *, timeout: float, seconds: float) -> Iterator[Lease]:
    """Hold the lock of a customer's part of the graph.

    Args:
        driver: of the server.
        customer: whose part.
        timeout: how long to wait for another load (seconds).
        seconds: after how long without a renewal others may take over.

    Raises:
        LockedError: another load has it.
    """
    lease = Lease(driver, customer, seconds)
    lease.acquire(timeout)
    stop = threading.Event()
    heart = threading.Thread(target=lease.beat, args=(stop,), daemon=True, name=f"lease of {customer}")
    heart.start()
    try:
        yield lease
    finally:
        stop.set()
        heart.join()
        lease.release()


def lock_shared(tx: neo4j.ManagedTransaction) -> None:
    """Keep other customers from changing shared nodes, and the lists of who needs them, until the transaction's end."""
    tx.run(f"MERGE (l:{LOCK} {{customer_id: $all}}) SET l.asked_at = {_NOW}", all=SHARED_LOCK).consume()
