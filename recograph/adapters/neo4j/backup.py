"""Copies of the local graph, in the format of `neo4j-admin database dump`: Aura and other Neo4j servers load it too.

Users and passwords aren't in them, so that a restore leaves the home's password as it is. Community Edition dumps
and loads only while the server is down; a running server is stopped and started again.
"""

import errno
import os
from pathlib import Path

from recograph.adapters.neo4j import aot
from recograph.adapters.neo4j.jars import classpath
from recograph.adapters.neo4j.jvm import run_admin, write_arguments
from recograph.adapters.neo4j.server import ManagedServer
from recograph.errors import RecographError
from recograph.lake.staging import temporary_folder

_DATABASE = "neo4j"
_LIST = "backups.txt"
"""The file in the server's home that lists the backups, so that whoever erases a person is told of them."""
_FOLDERS = ("databases", "transactions")


def back_up(server: ManagedServer, file: Path, *, overwrite: bool = False) -> None:
    """Write the graph into a file, which appears when it is complete.

    Raises:
        RecographError: there is no graph, the file exists, or it can't be written.
    """
    file = file.absolute()
    if not (server.home / "data" / "databases" / _DATABASE).exists():
        raise RecographError(f"There is no graph in {server.home} to back up.")
    if file.exists() and not overwrite:
        raise RecographError(f"{file} exists; name another file, or give --force to replace it.")
    try:
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        file.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(file.parent, ".recograph-backup-") as draft:
            with server.offline():
                _admin(server.home, "dump", _DATABASE, f"--to-path={draft}")
            (draft / f"{_DATABASE}.dump").replace(file)
            with (server.home / _LIST).open("a") as known:
                known.write(f"{file}\n")
    except OSError as error:
        raise RecographError(f"The backup can't be written to {file}: {error.strerror}.") from error


def backups(home: Path) -> list[Path]:
    """The backups that were written from this home and are still where they were written."""
    try:
        written = (home / _LIST).read_text().splitlines()
    except FileNotFoundError:
        return []
    return [path for path in map(Path, dict.fromkeys(written)) if path.exists()]


def restore(server: ManagedServer, file: Path, *, overwrite: bool = False) -> None:
    """Replace the graph by a backup; if the file turns out not to be a backup, the graph stays as it was.

    Raises:
        RecographError: the file isn't a backup that Neo4j can read, or there is a graph that may not be replaced.
    """
    file = file.absolute()
    if not file.is_file():
        raise RecographError(f"There is no file {file} to restore from.")
    data = server.home / "data"
    if (data / "databases" / _DATABASE).exists() and not overwrite:
        raise RecographError(f"There is a graph in {server.home}; give --force to replace it by {file}.")
    with server.offline(), temporary_folder(server.home, "restore-") as staging:
        (staging / "conf").symlink_to(server.home / "conf")
        (staging / "archive").mkdir()
        (staging / "archive" / f"{_DATABASE}.dump").symlink_to(file)
        try:
            _admin(staging, "load", _DATABASE, f"--from-path={staging / 'archive'}")
        except RecographError as error:
            raise RecographError(f"{file} can't be restored, the graph is as it was. {error}") from error
        for folder in _FOLDERS:
            (data / folder / _DATABASE).replace(staging / f"old-{folder}")
            (staging / "data" / folder / _DATABASE).replace(data / folder / _DATABASE)


def _admin(home: Path, *command: str) -> None:
    arguments = home / "admin.args"
    jars = classpath(lambda _: None)
    write_arguments(arguments, jars, aot.options(jars))
    try:
        result = run_admin(home, arguments, ["database", *command])
    finally:
        arguments.unlink(missing_ok=True)
    if result.returncode != 0:
        said = [
            line for line in result.stdout.splitlines() if line.strip() and not line.startswith(("\tat ", "Files: "))
        ]
        raise RecographError(f"Neo4j's `database {command[0]}` failed:\n" + "\n".join(said[:12]))
