"""Which Neo4j server: the one that the environment names, or the one that recograph manages on this machine."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recograph.adapters.neo4j import ManagedServer
from recograph.errors import RecographError, UnavailableError
from recograph.settings import Settings

if TYPE_CHECKING:
    import neo4j

_LEAST_ROOM = 64 * 1024**2
"""Bytes that the managed server's disk must have left for a load: its log of transactions alone grows by so many."""
_CONNECTION_SECONDS = 300
"""How old a connection may be that is taken again. Networks forget idle ones, such as AWS's load balancers after 350 s,
without telling either end, and whoever asks by such a one waits for ever."""
_ADDRESS = re.compile(r"(bolt|neo4j)(\+s|\+ssc)?://\S+")


@dataclass(frozen=True)
class Server:
    """Where a Neo4j server is, and who may enter."""

    uri: str
    username: str
    password: str = field(repr=False)
    browser: str | None = None
    """Address of Neo4j Browser; None for a server that recograph doesn't manage."""
    password_file: str | None = None


def find_server(settings: Settings) -> Server:
    """The server that the environment names (NEO4J_URI, or an AWS secret); else the managed one, started if need be.

    Raises:
        RecographError: the password is missing, the secret can't be read, or the managed server doesn't start.
    """
    if settings.neo4j_uri:
        if settings.neo4j_password is None:
            raise RecographError("NEO4J_URI is set, but NEO4J_PASSWORD isn't. Set both, or neither for a local server.")
        return Server(settings.neo4j_uri, settings.neo4j_username, settings.neo4j_password)
    if settings.neo4j_secret:
        return _from_secret(settings.neo4j_secret, settings.region)
    local = ManagedServer(settings.home / "neo4j").start()
    return Server(local.uri, local.username, local.password, local.http, str(local.password_file))


def _from_secret(name: str, region: str) -> Server:
    from recograph.adapters.aws.clients import client  # loads boto3, which takes a second
    from recograph.adapters.aws.messages import aws_explained

    with aws_explained(f"The secret {name} (RECOGRAPH_NEO4J_SECRET) can't be read"):
        answer = client("secretsmanager", region).get_secret_value(SecretId=name)
    try:
        secret = json.loads(answer["SecretString"])
        return Server(secret["uri"], secret["username"], secret["password"])
    except (KeyError, TypeError, ValueError) as error:
        raise RecographError(f"The secret {name} must be a JSON object with uri, username and password.") from error


def require_room(settings: Settings) -> None:
    """Refuse to load where the managed server's disk is nearly full: Neo4j would stop in the middle, without a word.

    Raises:
        RecographError: there is too little room.
    """
    store = settings.home / "neo4j" / "data"
    if settings.has_own_neo4j or not store.exists():
        return
    if (free := shutil.disk_usage(store).free) < _LEAST_ROOM:
        raise RecographError(
            f"Neo4j can't write to {store}, because the disk is full: {free / 1024**2:,.1f} MB are free, and a load "
            f"needs {_LEAST_ROOM / 1024**2:.0f}. Make room, for example with `recograph clean --keep-days 30`, and run "
            "this again: it goes on from what the graph holds."
        )


def open_driver(settings: Settings) -> "AbstractContextManager[neo4j.Driver]":
    """A driver of the server that the environment names, or of the managed one, closed at the end of the block.

    Raises:
        RecographError: see `find_server` and `connect`.
    """
    return connect(find_server(settings))


@contextmanager
def connect(server: Server, **options: Any) -> "Iterator[neo4j.Driver]":
    """A driver that has reached the server, closed at the end.

    Args:
        server: where it is.
        options: options of Neo4j's driver, such as `connection_timeout`.

    Raises:
        RecographError: the server can't be reached or doesn't let this user in.
    """
    import neo4j
    from neo4j.exceptions import AuthError, ClientError, ConfigurationError, DriverError, ServiceUnavailable

    if not _ADDRESS.match(server.uri):
        raise RecographError(
            f"NEO4J_URI is {server.uri!r}, which isn't a Neo4j address. Give one such as bolt://localhost:7687 or "
            "neo4j+s://ID.databases.neo4j.io."
        )
    try:
        driver = neo4j.GraphDatabase.driver(
            server.uri,
            auth=(server.username, server.password),
            # Otherwise the driver warns about each label that an empty graph doesn't have yet.
            notifications_min_severity=neo4j.NotificationMinimumSeverity.OFF,
            **{"max_connection_lifetime": _CONNECTION_SECONDS} | options,
        )
    except (ConfigurationError, ValueError) as error:
        raise RecographError(f"NEO4J_URI is {server.uri!r}, which isn't a Neo4j address: {error}") from error
    with driver:
        try:
            driver.verify_connectivity()
        except AuthError as error:
            raise RecographError(
                f"Neo4j at {server.uri} refuses user {server.username!r}: check NEO4J_USERNAME and NEO4J_PASSWORD."
            ) from error
        except (ServiceUnavailable, DriverError, ClientError, OSError) as error:
            cause = " ".join(str(error).split())
            raise UnavailableError(
                f"Neo4j at {server.uri} can't be reached ({cause}). Start it, or correct NEO4J_URI."
            ) from error
        yield driver
