"""Throwaway database servers on unix sockets, whose dumps are read back and compared with what they hold."""

import os
import pwd
import shutil
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

Row = tuple[bytes | None, ...]


def _program(*names: str) -> str:
    """The first of some programs that is installed; skips the test where none is."""
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *folders])
    for name in names:
        if program := shutil.which(name, path=path):
            return program
    return pytest.skip(f"{names[0]} isn't installed (Debian: mariadb-server, postgresql)")


def _run(*command: str, stdin: bytes | Path = b"", user: str | None = None, **environment: str) -> bytes:
    with stdin.open("rb") if isinstance(stdin, Path) else nullcontext() as file:
        ended = subprocess.run(
            command,
            stdin=file,
            input=None if isinstance(stdin, Path) else stdin,
            capture_output=True,
            user=user,
            check=False,
            env=os.environ | environment,
        )
    assert ended.returncode == 0, ended.stderr.decode(errors="replace")
    return ended.stdout


def _wait(process: subprocess.Popen[bytes], answers: list[str], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text(errors="replace")
        if subprocess.run(answers, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.05)
    process.kill()
    raise AssertionError(log.read_text(errors="replace"))


class MariaDB:
    """A MariaDB server in a folder of its own."""

    def __init__(self, folder: Path, *options: str):
        self._client = _program("mariadb", "mysql")
        self._dump = _program("mariadb-dump", "mysqldump")
        server, install = _program("mariadbd", "mysqld"), _program("mariadb-install-db", "mysql_install_db")
        self._socket = f"--socket={folder}/socket"
        data, log = f"--datadir={folder}/data", folder / "log"
        user = ["--user=root"] if os.geteuid() == 0 else []
        settings = [f"--pid-file={folder}/pid", "--max-allowed-packet=64M", "--sql-mode=", "--event-scheduler=OFF"]
        _run(
            install,
            "--no-defaults",
            *user,
            data,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *options,
        )
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [server, "--no-defaults", *user, data, self._socket, "--skip-networking", *settings, *options],
                stdout=out,
                stderr=out,
            )
        _wait(self.process, [self._client, "--no-defaults", self._socket, "-e", "select 1"], log)

    def run(self, sql: str, database: str = "") -> bytes:
        """Run statements; gives rows as text, fields between tabs."""
        options = ["--no-defaults", self._socket, "--batch", "--raw", "--skip-column-names"]
        return _run(self._client, *options, "--default-character-set=utf8mb4", database, stdin=sql.encode())

    def load(self, dump: Path, database: str = "hostile") -> None:
        """Load a dump as users do."""
        _run(self._client, "--no-defaults", self._socket, database, stdin=dump)

    def create(self, sql: str, database: str = "hostile") -> None:
        """Make the database anew and fill it."""
        self.run(
            f"drop database if exists `{database}`; create database `{database}` charset utf8mb4; "
            f"set time_zone = '+05:30'; use `{database}`; {sql}"
        )

    def dump(self, *options: str, database: str = "hostile") -> bytes:
        """What mariadb-dump writes of a database."""
        names = [] if "--all-databases" in options or "--databases" in options else [database]
        return _run(self._dump, "--no-defaults", self._socket, *options, *names)

    def mydumper(self, folder: Path, *options: str, database: str = "hostile") -> None:
        """Let mydumper dump a database into a folder."""
        _run(
            _program("mydumper"),
            self._socket,
            "--user=root",
            f"--database={database}",
            f"--outputdir={folder}",
            *options,
        )

    def tab(self, folder: Path, *options: str, database: str = "hostile") -> None:
        """Let mariadb-dump write definitions, and the server rows, into a folder."""
        folder.mkdir()
        folder.chmod(0o777)
        _run(self._dump, "--no-defaults", self._socket, f"--tab={folder}", *options, database)

    def rows(self, table: str, columns: dict[str, str], database: str = "hostile") -> list[Row]:
        """What the server holds, in the bytes that `columns` (name to SQL expression) give of it."""
        hexes = ", ".join(f"hex({expression})" for expression in columns.values())
        lines = self.run(f"set time_zone = '+00:00'; select {hexes} from {table}", database).decode().split("\n")[:-1]
        return [tuple(None if v == "NULL" else bytes.fromhex(v) for v in line.split("\t")) for line in lines]


class PostgreSQL:
    """A PostgreSQL server in a folder of its own."""

    def __init__(self, folder: Path):
        self._psql, self._dump, self._dumpall = _program("psql"), _program("pg_dump"), _program("pg_dumpall")
        server, initdb = _program("postgres"), _program("initdb")
        # It refuses to run as root.
        user = "postgres" if os.geteuid() == 0 else None
        if user:
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data, log = folder / "data", folder / "log"
        _run(
            initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", user=user
        )
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [server, "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"],
                stdout=out,
                stderr=out,
                user=user,
            )
        self._login = ["-h", str(folder), "-U", "postgres"]
        _wait(self.process, [self._psql, *self._login, "-c", "select 1"], log)

    def run(self, sql: str, database: str = "postgres") -> bytes:
        """Run statements; gives rows as text, fields between tabs."""
        options = ["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", database]
        return _run(self._psql, *self._login, *options, stdin=sql.encode(), PGCLIENTENCODING="UTF8")

    def load(self, dump: Path, database: str = "hostile") -> None:
        """Load a dump as users do."""
        _run(self._psql, *self._login, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, stdin=dump)

    def create(self, sql: str, database: str = "hostile", encoding: str = "UTF8") -> None:
        """Empty or make the database, and fill it."""
        if self.run(f"select 1 from pg_database where datname = '{database}'"):
            self.run("drop schema public cascade; create schema public", database)
        else:
            self.run(f"""create database "{database}" encoding '{encoding}' template template0""")
        self.run(f"set time zone 'Asia/Kolkata'; {sql}", database)

    def dump(self, *options: str, database: str = "hostile", settings: str = "") -> bytes:
        """What pg_dump writes of a database, under settings of the server."""
        return _run(self._dump, *self._login, *options, database, PGOPTIONS=settings)

    def program(self, name: str) -> str:
        """A program that belongs to the server."""
        return _program(name)

    def dump_all(self, *options: str) -> bytes:
        """What pg_dumpall writes."""
        return _run(self._dumpall, *self._login, *options)

    def rows(self, table: str, columns: dict[str, str], database: str = "hostile") -> list[Row]:
        """What the server holds, in the bytes that `columns` (name to SQL expression) give of it."""
        hexes = ", ".join(f"coalesce(encode({expression}, 'hex'), 'NULL')" for expression in columns.values())
        lines = self.run(f"set time zone 'UTC'; select {hexes} from {table}", database).decode().split("\n")[:-1]
        return [tuple(None if v == "NULL" else bytes.fromhex(v) for v in line.split("\t")) for line in lines]
