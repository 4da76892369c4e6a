"""Starts the service on a port, and ends it: what is under way is answered first."""

import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import neo4j
import uvicorn

from recograph.adapters.neo4j.driver import Server, connect
from recograph.customers import TAKEN
from recograph.errors import RecographError
from recograph.graph.model import CUSTOMER, KEY
from recograph.graph.queries import questions
from recograph.graph.reading import read
from recograph.serve import nodes
from recograph.serve.access import LOOPBACK, Access, FileAccess, Loopback, session_secret
from recograph.serve.asking import Asking
from recograph.serve.cache import Cache
from recograph.serve.connections import Connection, allow_many
from recograph.serve.loads import Loads
from recograph.serve.site import Site

_CACHE_BYTES = 48 * 1024**2
_SHUTDOWN_SECONDS = 10
_TURN_SECONDS = 0.001
_IMPATIENT = {
    "connection_timeout": 2.0,
    "connection_acquisition_timeout": 5.0,
    "max_transaction_retry_time": 1.0,
    "max_connection_pool_size": 100,
    # One that a network has forgotten is found out within the time for getting one.
    "liveness_check_timeout": 5.0,
}
"""The driver's settings: who waits for a page is better told soon."""

_READING = {"PUBLIC", "reader"}
_log = logging.getLogger("recograph.serve")


def open_access(path: Path | None, host: str, home: Path) -> Access:
    """Who may see what, from the file of access where there is one.

    Raises:
        RecographError: the file isn't right, or others than this machine could see everything.
    """
    if path is not None:
        return FileAccess(path, session_secret(home))
    if host not in LOOPBACK:
        raise RecographError(
            f"Without a file of access, everybody who reaches {host} would see everything. Give one with --access or "
            "RECOGRAPH_SERVE_ACCESS (docs/sharing.md says what is in it), or listen on 127.0.0.1."
        )
    return Loopback()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        RecographError: the port is taken, or the address isn't this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise RecographError(f"{host}:{port} can't be used: {error.strerror}. Give another --port.") from error


def application(driver: neo4j.Driver, access: Access) -> Site:
    """The service for a graph."""
    loads = Loads(driver)
    asking = Asking(driver, loads, Cache(loads, _CACHE_BYTES))

    @asynccontextmanager
    async def watch() -> AsyncIterator[None]:
        await loads.look()
        tasks = [asyncio.create_task(work) for work in (loads.watch(), asking.watch(), nodes.plan(asking))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            asking.close()

    return Site(asking, access, watch=watch)


def reader_advice(roles: Collection[str] | None) -> str | None:
    """What to say of an account with these roles; None where it can only read, or the server knows no roles."""
    if roles is None or set(roles) <= _READING:
        return None
    return "The account could write, which pages never do: give one with the role reader alone in NEO4J_USERNAME."


def require_addresses(driver: neo4j.Driver) -> None:
    """Make sure that each customer's page has an address of its own.

    Raises:
        RecographError: one of them would be hidden by a page of another kind.
    """
    for (customer,) in read(driver, f"MATCH (c:{CUSTOMER.label}) RETURN c.{KEY} ORDER BY c.{KEY}").rows:
        if customer in TAKEN:
            raise RecographError(
                f"The graph has a customer {customer}, but /{customer} is another page, which hides its own. "
                f"Load it with another id in customers.yaml, and erase {customer}."
            )


def _roles(driver: neo4j.Driver) -> list[str] | None:
    ((roles,),) = driver.execute_query("SHOW CURRENT USER YIELD roles").records
    return None if roles is None else list(roles)


def run(
    server: Server,
    access: Access,
    listening: socket.socket,
    *,
    quiet: bool = False,
    until_stdin_closes: bool = False,
) -> None:
    """Answer requests until a signal comes, or whoever started it has gone.

    Args:
        server: Neo4j.
        access: who may see what.
        listening: where requests come in.
        quiet: log no requests.
        until_stdin_closes: end when the standard input does, which its writer's end causes.

    Raises:
        RecographError: Neo4j can't be reached at the start, or a question's file isn't right.
    """
    logging.basicConfig(
        level=logging.WARNING if quiet else logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr
    )
    # Its messages name the server's answers, in which there may be what was asked for.
    logging.getLogger("neo4j").setLevel(logging.CRITICAL)
    questions()  # a file that isn't right is said now, not to whoever asks
    allow_many()
    # Those that read from Neo4j are threads; whoever has an answer to send shall not wait for each of them so long.
    sys.setswitchinterval(_TURN_SECONDS)
    with connect(server, **_IMPATIENT) as driver:
        if advice := reader_advice(_roles(driver)):
            _log.warning(advice)
        require_addresses(driver)
        config = uvicorn.Config(
            application(driver, access),
            access_log=False,
            log_config=None,
            log_level="warning",
            lifespan="on",
            http=Connection,
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            timeout_keep_alive=30,
        )
        service = uvicorn.Server(config)
        if until_stdin_closes:
            _end_with_stdin(service)
        service.run(sockets=[listening])


def _end_with_stdin(service: uvicorn.Server) -> None:
    def wait() -> None:
        while os.read(0, 1024):
            pass
        service.should_exit = True

    threading.Thread(target=wait, daemon=True).start()
