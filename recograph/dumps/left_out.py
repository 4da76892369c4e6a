"""Tables whose definition a dump has, and whose rows it was told to leave out.

Programs say of which tables they write the rows, also where there are none: with a comment, a lock, a COPY block, a
file of its own. A table of which such a dump says nothing was left out (`--no-data`, `--schema-only`,
`--exclude-table-data`). Other programs write nothing at all for a table without rows, so of it nobody can tell which of
both holds.
"""

import re
from collections.abc import Iterable

from recograph.dumps.dialects import Dialect
from recograph.dumps.message import shown
from recograph.dumps.names import QUALIFIED
from recograph.dumps.naming import Key, Naming
from recograph.dumps.settings import Session

_MOST = 10
_TITLE = re.compile(rb"-- (?:(?:MySQL|MariaDB) dump |PostgreSQL database dump\s*$)")
"""Titles of programs that say of every table whether they write its rows."""
_OF_MYSQL = re.compile(rb"-- Dumping data for table (`(?:[^`]|``)+`)")
_OF_POSTGRESQL = re.compile(rb"-- Data for Name: (?P<name>.+); Type: TABLE DATA; Schema: (?P<schema>.+); Owner: ")
_LOCK = re.compile(rb"\s*LOCK\s+TABLES\s+(%s)" % QUALIFIED, re.I)
_FILTERED = re.compile(rb"-- WHERE:\s")


class LeftOut:
    """Follows of which tables the dump says that it writes the rows.

    Attributes:
        is_filtered: whether the dump says that a condition chose its rows.
    """

    def __init__(self, dialect: Dialect, naming: Naming, session: Session):
        self._dialect, self._naming, self._session = dialect, naming, session
        self._written: set[Key] = set()
        self._says = False
        self.is_filtered = False

    def comment(self, line: bytes) -> None:
        """Take in a comment line."""
        self._says |= _TITLE.match(line) is not None
        self.is_filtered |= _FILTERED.match(line) is not None
        if match := _OF_MYSQL.match(line):
            self._write(self._naming.key_of(match[1]))
        elif match := _OF_POSTGRESQL.match(line):
            schema, name = (match[part].decode(self._session.encoding, "replace") for part in ("schema", "name"))
            self._write(self._naming.key([schema, name]))

    def statement(self, text: bytes) -> None:
        """Take in a statement: a program that locks a table writes its rows then."""
        if not self._dialect.schemas and (match := _LOCK.match(text)):
            self._write(self._naming.key_of(match[1]))

    def _write(self, key: Key) -> None:
        self._says = True
        self._written.add(key)

    def rows(self, key: Key) -> None:
        """Take in that rows of a table come, or that the place for them is there."""
        self._written.add(key)

    def cautions(self, tables: Iterable[tuple[Key, str]], *, tells_empty: bool) -> list[str]:
        """What to tell of tables that the dump defines, in sentences.

        Args:
            tables: those that are wanted: where they lie, and what they are called.
            tells_empty: whether a table without rows leaves a trace in this form of dumps.
        """
        silent = [name for key, name in tables if key not in self._written]
        told = []
        if silent and self._says and tells_empty:
            told.append(
                f"The dump has the definition alone, and no rows, of {_listed(silent)}: the rows were left out when it "
                "was made (--no-data, --schema-only, --exclude-table-data, --ignore-table-data or the like)."
            )
        elif silent:
            told.append(
                f"The dump has no rows of {_listed(silent)}; whether there are none, or they were left out when it "
                "was made, can't be known."
            )
        if self.is_filtered:
            told.append("The dump says that a condition (--where) chose its rows, so others may be missing.")
        return told


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(shown(name) for name in names[:_MOST]) + more
