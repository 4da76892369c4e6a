"""The Neo4j server that recograph runs on this machine, where the environment names no other.

    HOME/data            the store; survives stops, kills and reboots
    HOME/logs            neo4j.log, debug.log, console.log
    HOME/conf            settings, written at every start
    HOME/overrides.conf  the user's own settings (optional)
    HOME/password        the password of user neo4j, readable by the owner alone
    HOME/server.json     process, ports and version of the store

A newer recograph that brings a newer Neo4j opens the same store at its next start: Neo4j upgrades what it finds, and
refuses a store of a newer version, as we do. Stop, back up (`backup.py`), install, start.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import psutil

from recograph.adapters.neo4j import aot
from recograph.adapters.neo4j.config import OVERRIDES, effective_settings, served_port, write_settings
from recograph.adapters.neo4j.connection import HOST, USERNAME, Connection, choose_port, ensure_password, read_password
from recograph.adapters.neo4j.jars import VERSION, classpath, release
from recograph.adapters.neo4j.jvm import java, spawn_server, write_arguments
from recograph.adapters.neo4j.running import RunningServer, find_process, locked, read_state, write_state
from recograph.errors import RecographError

BOLT_PORT = 7687
HTTP_PORT = 7474
_BOOT_SECONDS = 120
_SETTLING_SECONDS = 1.0
_STOP_SECONDS = 60.0
_ATTEMPTS = 3
_TAKEN = re.compile("[Aa]ddress (already|.* is already) in use")
"""How Java, or Neo4j, says in the console log that another program has the port."""
_LOCKED = "FileLockException"
"""What Neo4j names there where another program has its files open."""


class ManagedServer:
    """The server of one home folder; any number of objects and processes may stand for the same one."""

    def __init__(self, home: Path, *, say: Callable[[str], None] | None = None) -> None:
        """Keep what starting needs; nothing is started or written yet.

        Args:
            home: the server's folder, made at the first start.
            say: called with a sentence that the user should know (a long fetch, other ports). Default: logged.
        """
        self.home = home.resolve()
        self._say = say or logging.getLogger(__name__).info
        self._child: Popen[bytes] | None = None

    def running(self) -> Connection | None:
        """How to reach the server, if its process is alive; it may still be starting."""
        state = read_state(self.home)
        if state is None or state.process(self.home) is None:
            return None
        return self._connection(state)

    def start(self) -> Connection:
        """Find the running server, or start one; returns when Bolt answers.

        Raises:
            RecographError: Neo4j can't be fetched, started, or written to the home.
        """
        state = read_state(self.home)
        if state is not None and state.ready and state.process(self.home) is not None:
            return self._connection(state)
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.home):
                return self._start()
        except OSError as error:
            raise RecographError(
                f"The local Neo4j can't use its folder {self.home}: {error}. Make it writable, or name another place "
                "in RECOGRAPH_HOME."
            ) from error

    def stop(self, timeout: float = _STOP_SECONDS) -> bool:
        """Ask the server to shut down and wait until it has.

        Args:
            timeout: seconds to wait.

        Returns:
            Whether there was a server to stop.

        Raises:
            RecographError: the server is still running after the timeout.
        """
        if not self.home.is_dir():
            return False
        with locked(self.home):
            return self._stop(timeout)

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Keep the server down, its store cleanly closed, for the block; then start it again if it was running.

        A store is made where there is none, and one whose server was killed is recovered first.
        """
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.home):
            state = read_state(self.home)
            running = state is not None and state.process(self.home) is not None
            if not running and (state is None or state.pid is not None):
                self._start()
            self._stop(_STOP_SECONDS)
            try:
                yield
            finally:
                if running:
                    self._start()

    def _stop(self, timeout: float) -> bool:
        state = read_state(self.home)
        process = (state.process(self.home) if state else None) or find_process(self.home)
        if process is None:
            return False
        self._end(process, timeout)
        if state:
            write_state(self.home, replace(state, pid=None, ready=False))
        return True

    def _end(self, process: psutil.Process, timeout: float) -> None:
        try:
            process.terminate()
            process.wait(timeout)
        except psutil.NoSuchProcess:
            pass
        except psutil.TimeoutExpired as error:
            raise RecographError(
                f"Neo4j (pid {process.pid}) hasn't shut down within {timeout:g} s. See {self._console_log()}; give it "
                f"more time, or end it with `kill -9 {process.pid}`: the next start recovers its data."
            ) from error
        if self._child is not None:
            self._child.wait()
            self._child = None

    def _start(self) -> Connection:
        state = read_state(self.home)
        if state is not None and release(state.version) > release(VERSION):
            raise RecographError(
                f"The store in {self.home} was last opened by Neo4j {state.version}; this recograph brings {VERSION}, "
                "which can't open it. Use the newer recograph."
            )
        if state is None or state.process(self.home) is None:
            if (stray := find_process(self.home)) is not None:
                self._say(f"A Neo4j (pid {stray.pid}) of {self.home} runs that isn't known here: it is started anew.")
                self._end(stray, _STOP_SECONDS)
            state = self._launch(state, attempt=1)
        return self._connection(self._wait(state))

    def _launch(self, last: RunningServer | None, attempt: int) -> RunningServer:
        """Start a process; ports that another program took between the choice and their use are chosen anew."""
        java()  # where it is missing, that is said before anything is fetched
        jars = classpath(self._say)
        ensure_password(self.home)
        bolt, http = self._choose_ports(last if attempt == 1 else None)
        values = effective_settings(self.home, bolt, http)
        write_settings(self.home / "conf", values)
        arguments = self.home / "conf" / "java.args"
        heap = [
            f"-Xms{values['server.memory.heap.initial_size']}",
            f"-Xmx{values['server.memory.heap.max_size']}",
        ]
        write_arguments(arguments, jars, heap + aot.options(jars))
        self._child = spawn_server(self.home, arguments, self._console_log())
        state = RunningServer(bolt_port=bolt, http_port=http, version=VERSION, pid=self._child.pid)
        write_state(self.home, state)
        return state

    def _choose_ports(self, last: RunningServer | None) -> tuple[int, int]:
        """The ports of the last start if they are free, then Neo4j's own, then any."""
        chosen = []
        for name, usual, before in (
            ("Bolt", BOLT_PORT, last.bolt_port if last else None),
            ("Browser", HTTP_PORT, last.http_port if last else None),
        ):
            wanted = before or usual
            port = choose_port([wanted, usual])
            if port != wanted:
                self._say(f"Port {wanted} is taken by another program; Neo4j's {name} port is {port}.")
            chosen.append(port)
        return chosen[0], chosen[1]

    def _wait(self, state: RunningServer, attempt: int = 1) -> RunningServer:
        connection = self._connection(state)
        ports = {state.bolt_port}
        if served_port(effective_settings(self.home, state.bolt_port, state.http_port)) == state.http_port:
            # This port opens last: where another server has taken it, Bolt answers before this server fails and ends.
            ports.add(state.http_port)
        deadline = time.monotonic() + _BOOT_SECONDS
        seen = time.monotonic()
        while True:
            process = state.process(self.home)
            if process is None:
                # While Java replaces itself by the program it starts, its command can't be read for a moment.
                if time.monotonic() - seen < _SETTLING_SECONDS:
                    time.sleep(0.05)
                    continue
                log = self._console_log().read_text(errors="replace")
                if _TAKEN.search(log) and attempt < _ATTEMPTS:
                    return self._wait(self._launch(None, attempt + 1), attempt + 1)
                raise RecographError(self._died(log))
            seen = time.monotonic()
            if _listens(process, ports) and connection.answers():
                break
            if time.monotonic() > deadline:
                raise RecographError(
                    f"Neo4j (pid {process.pid}) doesn't answer at {connection.uri} after {_BOOT_SECONDS} s. See "
                    f"{self._console_log()}; `recograph neo4j stop` ends it."
                )
            time.sleep(0.2)  # each look reads what the process has open
        state = replace(state, ready=True)
        write_state(self.home, state)
        aot.train_in_background()
        return state

    def _connection(self, state: RunningServer) -> Connection:
        return Connection(
            uri=f"bolt://{HOST}:{state.bolt_port}",
            http=f"http://{HOST}:{state.http_port}/browser/",
            username=USERNAME,
            password=read_password(self.home),
            password_file=self.home / "password",
            pid=state.pid or 0,
        )

    def _console_log(self) -> Path:
        return self.home / "logs" / "console.log"

    def _died(self, log: str) -> str:
        if _LOCKED in log:
            databases = self.home / "data" / "databases"
            return (
                f"Another program has the graph in {databases} open. End it, or set RECOGRAPH_HOME to another folder."
            )
        telling = [line for line in log.splitlines() if line.strip() and not line.lstrip().startswith("at ")]
        lines = "\n".join(f"    {line}" for line in telling[-8:]) or "    (it said nothing)"
        return (
            f"Neo4j ended while it was starting. Its last words:\n{lines}\n"
            f"Whole log: {self.home / 'logs'}. Check {OVERRIDES} in {self.home}, free memory and free disk; "
            "then start again."
        )


def _listens(process: psutil.Process, ports: set[int]) -> bool:
    """Whether the process itself listens on the ports: the server of another home may have taken one before it."""
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return ports <= {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}
