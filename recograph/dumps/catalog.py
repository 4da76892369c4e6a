"""The tables that a dump defines and fills: under which names they are known, and which of them are wanted."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from recograph.dumps.ddl import ColumnDef, TableDef, with_parents
from recograph.dumps.header import Header
from recograph.dumps.insert import DataHeader
from recograph.dumps.names import NAME, QUALIFIED, names, unquote
from recograph.dumps.report import DumpError, Limits, TableReport
from recograph.dumps.settings import Session
from recograph.dumps.tables import Table, match_table

Key = tuple[str, ...]
"""Where a table is: database (MySQL), or schema, or database and schema (pg_dumpall); and its own name last."""

_USE = re.compile(rb"\s*USE\s+(%s)\s*$" % NAME, re.I)
_CONNECT = re.compile(rb"\\connect\s+(?:-reuse-previous=on\s+)?\"?(?:dbname='?)?(?P<name>[^\"'\r\n]+)")
_ROOT, _PART = rb"(?P<root>%s)" % QUALIFIED, rb"(?P<part>%s)" % QUALIFIED
_PARTITION = (
    re.compile(rb"\s*ALTER\s+TABLE\s+(?:ONLY\s+)?%s\s+ATTACH\s+PARTITION\s+%s" % (_ROOT, _PART), re.I),
    re.compile(rb"\s*CREATE\s+TABLE\s+%s\s+PARTITION\s+OF\s+%s" % (_PART, _ROOT), re.I),
)
_DROP = re.compile(
    rb"\s*(?:(?P<drop>DROP\s+(?:TABLE|VIEW))|TRUNCATE)\s+(?:TABLE\s+)?(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<table>%s)"
    % QUALIFIED,
    re.I,
)
_FILL = re.compile(
    rb"\s*(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s+)*(?:INTO\s+)?(?P<table>%s)"
    % QUALIFIED,
    re.I,
)


class Catalog:
    """Knows every table of a dump by its place in it, and what is wanted of it.

    Attributes:
        tables: what was read of each table that is wanted.
        wanted: the tables themselves.
    """

    def __init__(
        self,
        header: Header,
        session: Session,
        limits: Limits,
        *,
        schemas: Mapping[str, pa.Schema] | None,
        only: Collection[str] | None,
        database: str | None,
        as_text: Collection[str],
    ):
        self._header, self._session, self._limits = header, session, limits
        self._dump = header.name
        self._postgresql = header.dialect == "postgresql"
        self._schemas = schemas
        self._only = None if only is None else frozenset(only)
        self._database = database
        self._as_text = frozenset(as_text)
        self._current: str | None = None
        self._home: Key | None = None
        self._definitions: dict[Key, TableDef] = {}
        self._roots: dict[Key, Key] = {}
        self._seen: set[Key] = set()
        self.wanted: dict[Key, Table] = {}
        self.tables: dict[str, TableReport] = {}

    def __len__(self) -> int:
        """How many tables were seen, wanted or not."""
        return len(self._seen)

    def comment(self, line: bytes) -> None:
        """Take in a line that isn't SQL: psql's change of database."""
        if match := _CONNECT.match(line):
            self._current = match["name"].decode(errors="replace").strip()

    def statement(self, text: bytes) -> None:
        """Take in a statement that creates no table: it may choose a database, make a partition, drop a table.

        Raises:
            DumpError: it fills or empties a wanted table in a way that isn't read.
        """
        if match := _USE.match(text):
            self._current = unquote(match[1], self._session.encoding)
        elif self._postgresql and (match := next(filter(None, (p.match(text) for p in _PARTITION)), None)):
            self._attach(self._key_of(match["root"]), self._key_of(match["part"]))
        elif match := _DROP.match(text):
            self._drop(self._key_of(match["table"]), forget=match["drop"] is not None)
        elif (match := _FILL.match(text)) and (table := self.wanted.get(self._key_of(match["table"]))):
            raise DumpError(
                f"{table.place}: a statement fills the table otherwise than with a list of rows, which isn't read. "
                "Make the dump with mysqldump, mariadb-dump or pg_dump."
            )

    def define(self, table: TableDef) -> None:
        """Take in the definition of a table.

        Raises:
            DumpError: too many tables or columns, or two tables of one name.
        """
        key = self._key(table.path)
        if table.inherits:
            parents = [self._definitions[p] for path in table.inherits if (p := self._key(path)) in self._definitions]
            table = with_parents(table, parents)
        self._see(key)
        if len(table.columns) > self._limits.columns:
            raise DumpError(
                f"{self._dump}: table {key[-1]} has more than {self._limits.columns} columns. "
                "Raise the limit columns if it is right."
            )
        self._definitions[key] = table
        if key not in self.wanted:
            self._want(key)

    def target(self, header: DataHeader) -> Table | None:
        """The table that rows belong to, bound to their columns, if it is wanted.

        Raises:
            DumpError: the columns aren't known, or a required one is missing.
        """
        part = key = self._key(header.table)
        while key in self._roots:
            key = self._roots[key]
        self._see(key)
        table = self.wanted.get(key) or self._want(key)
        if table is None:
            return None
        # A partition's columns may stand in another order than its root's.
        definition = self._definitions.get(part) or self._definitions.get(key)
        columns = self._columns(definition, header)
        if header.transports:
            columns = [replace(column, transport=header.transports.get(column.name, "")) for column in columns]
        if self._schemas is None and not table.report.rows:
            is_whole = header.columns is None and self._header.dialect == "mariadb"
            listed = frozenset(column.name for column in columns if is_whole or column.name in (header.columns or ()))
            own = self._definitions.get(key)
            table.schema = self._schema(table.report.name, own.columns if own else (), columns, listed)
        table.bind(columns)
        return table

    def wants(self, path: Sequence[str]) -> bool:
        """Whether the rows of a table are to be read, by what is known of it so far.

        Args:
            path: its database or schema, and its own name last.
        """
        key = self._key(list(path))
        while key in self._roots:
            key = self._roots[key]
        self._see(key)
        return (self.wanted.get(key) or self._want(key)) is not None

    def check_counts(self, counts: Mapping[tuple[str, ...], int]) -> None:
        """Compare the rows that were read of tables with the rows that the dump says they have.

        Raises:
            DumpError: the numbers differ.
        """
        for path, rows in counts.items():
            table = self.wanted.get(self._key(list(path)))
            if table and table.report.rows != rows:
                raise DumpError(
                    f"{table.place} has {table.report.rows} rows where the dump tells of {rows}. "
                    "It wasn't copied whole; fetch or make it again."
                )

    def place(self, header: DataHeader) -> str:
        """Dump and table, for messages."""
        return f"{self._dump}: table {'.'.join(header.table)}"

    def _columns(self, definition: TableDef | None, header: DataHeader) -> list[ColumnDef]:
        if header.columns:
            known = {column.name: column for column in definition.columns} if definition else {}
            return [known.get(name) or ColumnDef(name, "text", pa.string()) for name in header.columns]
        if not definition:
            raise DumpError(
                f"{self.place(header)}: neither CREATE TABLE nor the rows name the columns. "
                "Make the dump with --complete-insert, or without --no-create-info."
            )
        return [column for column in definition.columns if not column.invisible]

    def _key_of(self, name: bytes) -> Key:
        return self._key(names(name, self._session.encoding))

    def _key(self, path: list[str]) -> Key:
        if not self._postgresql:
            return tuple(path[-2:]) if len(path) > 1 or self._current is None else (self._current, path[-1])
        schema = path[-2] if len(path) > 1 else self._session.search_path
        return (schema, path[-1]) if self._current is None else (self._current, schema, path[-1])

    def _see(self, key: Key) -> None:
        self._seen.add(key)
        if len(self._seen) > self._limits.tables:
            raise DumpError(
                f"{self._dump}: more than {self._limits.tables} tables. Raise the limit tables if it is right."
            )

    def _attach(self, root: Key, part: Key) -> None:
        """Rows of a partition belong to the table that it is a partition of."""
        self._roots[part] = root
        self._forget(part)

    def _forget(self, key: Key) -> None:
        self._seen.discard(key)
        if table := self.wanted.pop(key, None):
            del self.tables[table.report.name]

    def _drop(self, key: Key, *, forget: bool) -> None:
        table = self.wanted.get(key)
        if table and table.report.rows:
            raise DumpError(
                f"{table.place}: the dump drops or empties the table after filling it, so its rows wouldn't be there. "
                "Two dumps may have been joined; split them."
            )
        if forget:
            self._forget(key)
            self._definitions.pop(key, None)

    def _name(self, key: Key) -> str | None:
        """What a table is called: without what is the same for all that is read; None where it isn't read."""
        place, database = key[:-1], self._database
        if database is not None and database not in (*(place or (self._header.database,)), ".".join(place)):
            return None
        if self._home is None:
            is_schema = database is not None and database in (*place[-1:], ".".join(place))
            self._home = (*place[:-1], "public") if self._postgresql and not is_schema else place
        if place == self._home:
            return key[-1]
        return ".".join(key[1:] if len(key) > 2 and place[0] == self._home[0] else key)

    def _want(self, key: Key) -> Table | None:
        """The table, if its rows are wanted."""
        name = self._name(key)
        if name is None:
            return None
        definition = self._definitions.get(key)
        schema = pa.schema([])
        if self._schemas is not None:
            found = match_table(name, key[-1], self._schemas)
            if found is None:
                return None
            name, schema = found, self._schemas[found]
        elif self._only is not None and name not in self._only:
            return None
        elif definition:
            # Only mariadb-dump writes the values of generated columns.
            given = self._header.dialect == "mariadb"
            listed = frozenset(column.name for column in definition.columns if given or not column.generated)
            schema = self._schema(name, definition.columns, [], listed)
        if name in self.tables:
            raise DumpError(
                f"{self._dump}: more than one table answers to {name} (the second is {'.'.join(key)}). "
                "Name the database, or in a dump of PostgreSQL the schema, that is meant."
            )
        table = Table(TableReport(name), schema, self._dump, [], contracted=self._schemas is not None)
        self.wanted[key] = table
        self.tables[name] = table.report
        if definition:
            table.bind(list(definition.columns))
        return table

    def _schema(
        self, table: str, defined: Sequence[ColumnDef], rows: Iterable[ColumnDef], listed: Collection[str]
    ) -> pa.Schema:
        """All columns that are defined or stand in the rows, but for hidden ones that the rows lack."""
        known = {column.name for column in defined}
        columns = [c for c in defined if c.name in listed or not (c.generated or c.invisible)]
        columns += [column for column in rows if column.name not in known]
        return pa.schema([self._field(table, column) for column in columns])

    def _field(self, table: str, column: ColumnDef) -> pa.Field:
        is_text = f"{table}.{column.name}" in self._as_text
        return pa.field(column.name, pa.string() if is_text else self._session.adjusted(column))
