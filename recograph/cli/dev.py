"""`recograph dev`: Neo4j, the graph's pages and the Dagster UI on this machine."""

import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console

from recograph.customers import load_customers
from recograph.errors import RecographError
from recograph.operating.instance import prepare_instance
from recograph.settings import WORKSPACE, Settings


def dev(port: Annotated[int, typer.Option(help="Port of the UI; the next free one is taken.")] = 3000) -> None:
    """Start Neo4j where it doesn't run, then the graph's pages, the Dagster UI and its daemon until Ctrl-C."""
    from recograph.adapters.neo4j.driver import connect, find_server  # noqa: PLC0415 - loads neo4j

    settings = Settings.from_env()
    console = Console()
    load_customers(settings.data)
    prepare_instance(settings)
    lock = _lock(settings.home)
    server = find_server(settings)
    with connect(server):
        console.print(f"Neo4j: {server.uri}" + (f", {server.browser}" if server.browser else ""))
    pages = _free(8080)
    console.print(f"The graph: http://127.0.0.1:{pages}")
    free = _free(port)
    if free != port:
        console.print(f"Port {port} is taken; the UI listens on {free}.")
    console.print(f"Dagster UI: http://127.0.0.1:{free}")
    lock.write(f"http://127.0.0.1:{free}")
    lock.flush()
    os.environ.setdefault("RECOGRAPH_DAGSTER_URL", f"http://127.0.0.1:{free}")
    dagster = str(Path(sys.executable).with_name("dagster"))
    command = [dagster, "dev", "-w", str(WORKSPACE), "-h", "127.0.0.1", "-p", str(free)]
    # `dagster dev` recommends another command, which needs more packages, at every start.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:Function `dev_command` is superseded")
    _watch(settings.home)
    _serve(pages)
    # A shell lets what it starts in the background ignore Ctrl-C; dagster would then ignore every request to end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # dagster takes this process's place, so that Ctrl-C and signals reach it.
    os.execv(dagster, command)  # noqa: S606


def _lock(home: Path) -> IO[str]:
    """See that it is the only `recograph dev` of a home, for as long as this process lives, whatever it becomes.

    With two daemons, each sensor and schedule would be asked twice, and each alert sent twice.

    Raises:
        RecographError: another one is running.
    """
    file = (home / "dev.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise RecographError(
            f"`recograph dev` is running for {home} already, with its UI at {file.read() or 'an address to come'}. Use "
            "that, or stop it, or let RECOGRAPH_HOME name another folder."
        ) from None
    file.truncate(0)
    os.set_inheritable(file.fileno(), True)
    return file


def _watch(home: Path) -> None:
    """End this process in a sentence when its home is gone, whatever it has become by then; and its orphans at its end.

    Dagster would go on, with a traceback for whatever it tries, and Neo4j with files that nobody finds any more.
    """
    import psutil  # noqa: PLC0415 - takes a moment to load

    from recograph.adapters.neo4j.running import read_state  # noqa: PLC0415 - loads psutil

    began = home.stat()
    state = read_state(home / "neo4j")
    server = state.process(home / "neo4j") if state else None
    until, held = os.pipe()
    os.set_inheritable(held, True)  # as in `_serve`
    if os.fork():
        os.close(until)
        return
    os.setsid()  # so that Ctrl-C doesn't reach it
    os.close(held)
    while not select.select([until], [], [], 1)[0]:
        with suppress(OSError):
            if os.path.samestat(began, home.stat()):
                continue
        text = f"{home} was moved or deleted, so `recograph dev` ends. Let RECOGRAPH_HOME name where it is now."
        typer.echo(text, err=True)
        with suppress(psutil.Error):
            if server and not Path(server.cwd()).exists():  # one of a home that was moved goes on there
                server.kill()
        os.kill(os.getppid(), signal.SIGTERM)
        break
    select.select([until], [], [])
    _end_orphans()
    os._exit(0)


def _end_orphans() -> None:
    """End what Dagster's `dev` has started and can't end any more, where it was killed: it would go on for ever."""
    import psutil  # noqa: PLC0415 - takes a moment to load

    orphans = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # another user's, or gone
            is_dagster = process.cmdline()[1:2] == ["-m"] and process.cmdline()[2].startswith("dagster")
            if is_dagster and process.environ().get("DAGSTER_HOME") == os.environ["DAGSTER_HOME"]:
                process.terminate()
                orphans.append(process)
    for process in psutil.wait_procs(orphans, timeout=3)[1]:
        with suppress(psutil.Error):
            process.kill()


def _serve(port: int) -> None:
    """Start the graph's pages as a process that ends when this one does, whatever it has become by then."""
    until, held = os.pipe()
    # Kept open by dagster, which takes this process's place, and by nothing that dagster starts.
    os.set_inheritable(held, True)
    command = [sys.executable, "-m", "recograph", "serve", "--port", str(port), "--quiet", "--until-stdin-closes"]
    subprocess.Popen(command, stdin=until, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    os.close(until)


def _free(port: int) -> int:
    return next(candidate for candidate in range(port, port + 100) if not _taken(candidate))


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
