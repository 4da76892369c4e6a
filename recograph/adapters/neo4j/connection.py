"""How to reach the managed server, and whether it answers."""

import hashlib
import secrets
import socket
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from recograph.adapters.neo4j.running import write_atomically
from recograph.errors import RecographError

HOST = "127.0.0.1"
USERNAME = "neo4j"
_HASH_ROUNDS = 1024


@dataclass(frozen=True)
class Connection:
    """Where the managed server is, and who may enter."""

    uri: str
    http: str
    """Address of Neo4j Browser."""
    username: str
    password: str = field(repr=False)
    password_file: Path
    pid: int

    def answers(self) -> bool:
        """Whether the server runs a query for us over Bolt.

        Raises:
            RecographError: it is up and refuses the password.
        """
        # Loads pandas, for which nobody need wait who finds the server running.
        import neo4j
        from neo4j.exceptions import AuthError, DriverError, Neo4jError

        try:
            with neo4j.GraphDatabase.driver(
                self.uri, auth=(self.username, self.password), connection_timeout=2, max_transaction_retry_time=0
            ) as driver:
                driver.execute_query("RETURN 1")
        except AuthError as error:
            raise RecographError(
                f"The local Neo4j refuses the password in {self.password_file} ({error.code}). If it was changed in "
                "Neo4j, write the new one into that file."
            ) from error
        except (DriverError, Neo4jError, OSError):
            return False
        return True


def port_is_free(port: int) -> bool:
    """Whether a server can listen on this port of the loopback interface."""
    with socket.socket() as asking:
        asking.settimeout(1)
        if asking.connect_ex((HOST, port)) == 0:
            return False
    with socket.socket() as probe:
        # Java does the same: it takes a port whose last connections linger in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(preferred: Collection[int]) -> int:
    """The first of the preferred ports that is free; else any free one."""
    for port in preferred:
        if port_is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def read_password(home: Path) -> str:
    """The password in HOME/password.

    Raises:
        RecographError: the file is gone.
    """
    path = home / "password"
    try:
        return path.read_text().strip()
    except FileNotFoundError as error:
        raise RecographError(
            f"{path} is missing, and the graph in {home / 'data'} can't be opened without its password. Put it back, "
            f"or delete {home} and load the graph anew."
        ) from error


def ensure_password(home: Path) -> None:
    """Where there is no store yet, generate the password and write it where the server's first start will look.

    Raises:
        RecographError: there is a store, but its password is gone.
    """
    if (home / "data" / "databases").exists():
        read_password(home)
    elif not (home / "password").exists():
        password = secrets.token_urlsafe(24)
        write_initial_user(home / "data", password)
        write_atomically(home / "password", password + "\n")


def write_initial_user(data: Path, password: str) -> None:
    """Write the file that `neo4j-admin dbms set-initial-password` writes, without starting Java, which takes 2 s."""
    salt = secrets.token_bytes(32)
    digest = salt + password.encode()
    for _ in range(_HASH_ROUNDS):
        digest = hashlib.sha256(digest).digest()
    folder = data / "dbms"
    folder.mkdir(parents=True, exist_ok=True)
    line = f"{USERNAME}:SHA-256,{digest.hex()},{salt.hex()},{_HASH_ROUNDS}:\n"
    write_atomically(folder / "auth.ini", line)
