"""The names by which the tables of a dump are known: without database and schema where all tables have the same."""

import re

from recograph.dumps.completeness import Completeness
from recograph.dumps.dialects import Dialect
from recograph.dumps.message import Name, Place
from recograph.dumps.names import NAME, names, unquote
from recograph.dumps.report import DumpError
from recograph.dumps.settings import Session

Key = tuple[str, ...]
"""Where a table is: database (MySQL), or schema, or database and schema (pg_dumpall); and its own name last."""

_USE = re.compile(rb"\s*USE\s+(%s)\s*;?\s*$" % NAME, re.I)
_CURRENT = re.compile(rb"-- Current Database: `((?:[^`]|``)+)`")
_CONNECT = re.compile(rb"\\c(?:onnect)?\s+(?:-reuse-previous=on\s+)?\"?(?:dbname='?)?(?P<name>[^\"'\r\n]+)")


class Naming:
    """Follows which database or schema is the current one."""

    def __init__(self, dialect: Dialect, completeness: Completeness, session: Session, database: str | None):
        """Begin where no database is chosen.

        Args:
            dialect: whose SQL it is.
            completeness: knows which database the dump says that it is of.
            session: knows the current schema.
            database: the database or schema that is asked for.
        """
        self._dialect, self._completeness, self._session = dialect, completeness, session
        self._database = database
        self._current: str | None = None
        self._announced: str | None = None
        self._home: Key | None = None

    def comment(self, line: bytes) -> None:
        """Take in a line that isn't SQL: a client's change of database, or a program's announcement of one."""
        if not self._dialect.schemas:
            if match := _USE.match(line):
                self._use(unquote(match[1], self._session.encoding))
            elif match := _CURRENT.match(line):
                self._announced = match[1].replace(b"``", b"`").decode(errors="replace")
        elif match := _CONNECT.match(line):
            self._current = match["name"].decode(errors="replace").strip()

    def _use(self, database: str) -> None:
        self._current, self._announced = database, None

    def statement(self, text: bytes) -> bool:
        """Take in a statement, if it chooses a database."""
        match = _USE.match(text)
        if match:
            self._use(unquote(match[1], self._session.encoding))
        return match is not None

    def check_chosen(self, place: Place) -> None:
        """Check that a database that is announced was chosen before rows come.

        Raises:
            DumpError: it wasn't.
        """
        if self._announced is not None and self._announced != self._current:
            raise DumpError(
                "{place}: a comment announces the database {name}, but no USE chooses it. "
                "The dump was edited or damaged; make it again.",
                place=place,
                name=Name(self._announced),
            )

    def key_of(self, name: bytes) -> Key:
        """Where a table is, by its name in the dump."""
        return self.key(names(name, self._session.encoding))

    def key(self, path: list[str]) -> Key:
        """Where a table is, by its path, which may lack the database or the schema."""
        if not self._dialect.schemas:
            return tuple(path[-2:]) if len(path) > 1 or self._current is None else (self._current, path[-1])
        schema = path[-2] if len(path) > 1 else self._session.search_path
        return (schema, path[-1]) if self._current is None else (self._current, schema, path[-1])

    def name(self, key: Key) -> str | None:
        """What a table is called: without the database and schema that all tables share; None if it isn't read."""
        place, database = key[:-1], self._database
        if database is not None and database not in (*(place or (self._completeness.database,)), ".".join(place)):
            return None
        if self._home is None:
            is_schema = database is not None and database in (*place[-1:], ".".join(place))
            self._home = (*place[:-1], "public") if self._dialect.schemas and not is_schema else place
        if place == self._home:
            return key[-1]
        return ".".join(key[1:] if len(key) > 2 and place[0] == self._home[0] else key)
