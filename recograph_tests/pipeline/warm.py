"""Commands, forked from a process that has imported what all of them import.

``python -m recograph_tests.pipeline.warm`` is that process. Importing Dagster and dbt takes a third of the time of a
short `recograph run`; it imports them once, and nothing of recograph. It reads a request, a line of JSON, forks the
command, and answers with its exit code. The worker of a command is a process of its own as ever, a child of the
command, and forked too.

What is about the processes themselves is tested with real ones: `test_signals.py`, `worker/test_main.py`.
"""

import atexit
import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import IO, Any

from recograph.settings import PROJECT_DIR

IMPORTED = (
    "dagster",
    "dagster_dbt",
    "dbt.adapters.duckdb.impl",
    "dbt.cli.main",
    "duckdb",
    "neo4j",
    "pandas",
    "pyarrow.parquet",
    "rich.progress",
    "scipy.sparse.linalg",
    "typer",
)


def run_warm(arguments: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    server = _server()
    assert server.stdin
    assert server.stdout
    with TemporaryDirectory(prefix="recograph-command-") as folder:
        outputs = [Path(folder) / name for name in ("stdout", "stderr")]
        request = {"arguments": arguments, "environ": environ, "outputs": [str(path) for path in outputs]}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, *(path.read_text() for path in outputs))


@cache
def _server() -> "subprocess.Popen[str]":
    """The process that forks, which ends with this one."""
    command = [sys.executable, "-m", __name__]
    return subprocess.Popen(command, cwd=PROJECT_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def serve() -> None:
    """Fork what is asked for, one after the other, until nobody can ask any more."""
    for name in IMPORTED:
        import_module(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _end_with(partial(_command, **json.loads(line)))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()


def _command(arguments: list[str], environ: dict[str, str], outputs: list[str]) -> None:
    files = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for path in outputs]
    for number, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files]):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(environ)
    # Before there are threads, of which a fork would take the locks along.
    worker = _Worker() if arguments[0] == "run" else None
    if worker:
        from recograph.cli import run

        run.__dict__["subprocess"] = SimpleNamespace(Popen=worker.begin, PIPE=subprocess.PIPE)
    from recograph.cli import main

    sys.argv = ["recograph", *arguments]
    main()


class _Worker:
    """A child that waits until it is to be the worker; for `recograph run` it is what `subprocess.Popen` returns."""

    stdin: IO[str]
    stdout: IO[str]

    def __init__(self) -> None:
        """Forks the child, which ends with this process where nobody wants it."""
        wish, stdin, stdout = (os.pipe() for _ in range(3))
        theirs, ours = (wish[0], stdin[0], stdout[1]), (wish[1], stdin[1], stdout[0])
        self.pid = os.fork()
        for descriptor in theirs if self.pid else ours:
            os.close(descriptor)
        if self.pid == 0:
            _end_with(partial(_work, *theirs))
        self._wish, self.stdin, self.stdout = os.fdopen(wish[1], "w"), os.fdopen(stdin[1], "w"), os.fdopen(stdout[0])

    def begin(self, command: list[str], stderr: IO[str], **how: Any) -> "_Worker":
        """Let the child be what a command would have started."""
        python, _, module, *arguments = command
        assert (python, module) == (sys.executable, "recograph.worker")
        with self._wish:
            json.dump({"arguments": arguments, "environ": dict(os.environ), "log": stderr.name}, self._wish)
        return self

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        self.stdin.close()
        self.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> None:
        """Wait until it has ended."""
        if self.pid:
            os.waitpid(self.pid, 0)
            self.pid = 0


def _work(wish: int, stdin: int, stdout: int) -> None:
    with os.fdopen(wish) as file:
        wished = file.read()
    if not wished:
        return
    request = json.loads(wished)
    os.environ.clear()
    os.environ.update(request["environ"])
    os.setsid()
    for number, descriptor in enumerate([stdin, stdout, os.open(request["log"], os.O_WRONLY | os.O_APPEND)]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv = ["recograph.worker", *request["arguments"]]
    runpy.run_module("recograph.worker", run_name="__main__", alter_sys=True)


def _end_with(do: Callable[[], None]) -> None:
    """End this process with the exit code of something."""
    code: Any = 1
    try:
        do()
        code = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # as Python itself ends a process, with exit code 1
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve()
