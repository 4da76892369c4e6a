import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recograph_tests.dumps.servers import MariaDB, PostgreSQL


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder with a name short enough for a socket, which a server's own user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="recograph-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server that all tests of a run share."""
    with _folder() as folder:
        small = "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"
        server = MariaDB(folder, *small)
        yield server
        server.process.terminate()
        server.process.wait(60)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server that all tests of a run share."""
    with _folder() as folder:
        server = PostgreSQL(folder)
        yield server
        server.process.terminate()
        server.process.wait(60)
