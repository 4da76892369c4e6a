"""The tables that a dump defines and fills: under which names they are known, and which of them are wanted."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from recograph.dumps.completeness import Completeness
from recograph.dumps.ddl import ColumnDef, TableDef, parse_table, split_list, with_parents
from recograph.dumps.dialects import Dialect
from recograph.dumps.insert import DataHeader
from recograph.dumps.message import Name, Place
from recograph.dumps.names import NAME, QUALIFIED, names, unquote
from recograph.dumps.report import DumpError, Limits, TableReport
from recograph.dumps.settings import Session
from recograph.dumps.statements import Statement, refused
from recograph.dumps.tables import Table, match_table

Key = tuple[str, ...]
"""Where a table is: database (MySQL), or schema, or database and schema (pg_dumpall); and its own name last."""

_USE = re.compile(rb"\s*USE\s+(%s)\s*;?\s*$" % NAME, re.I)
_CURRENT = re.compile(rb"-- Current Database: `((?:[^`]|``)+)`")
_CONNECT = re.compile(rb"\\c(?:onnect)?\s+(?:-reuse-previous=on\s+)?\"?(?:dbname='?)?(?P<name>[^\"'\r\n]+)")
_ROOT, _PART = rb"(?P<root>%s)" % QUALIFIED, rb"(?P<part>%s)" % QUALIFIED
_PARTITION = (
    re.compile(rb"\s*ALTER\s+TABLE\s+(?:ONLY\s+)?%s\s+ATTACH\s+PARTITION\s+%s" % (_ROOT, _PART), re.I),
    re.compile(rb"\s*CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+)?TABLE\s+%s\s+PARTITION\s+OF\s+%s" % (_PART, _ROOT), re.I),
)
_DROP = re.compile(
    rb"\s*(?:(?P<drop>DROP\s+(?:FOREIGN\s+|TEMPORARY\s+)?TABLES?)|TRUNCATE)\s+(?:TABLE\s+)?(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?"
    rb"(?P<tables>%s\s*\*?(?:\s*,\s*(?:ONLY\s+)?%s\s*\*?)*)(?P<rest>.*)" % (QUALIFIED, QUALIFIED),
    re.I | re.S,
)
_ALTER = re.compile(
    rb"\s*ALTER\s+(?:ONLINE\s+|IGNORE\s+)?(?:FOREIGN\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<table>%s)\s*\*?\s+"
    % QUALIFIED,
    re.I,
)
_HARMLESS = re.compile(
    rb"ADD\s+(?:CONSTRAINT|PRIMARY|UNIQUE|FULLTEXT|SPATIAL|VECTOR|KEY|INDEX|FOREIGN|CHECK|EXCLUDE|NOT\s+NULL)\b"
    rb"|MODIFY\b|(?:DIS|EN)ABLE\b|(?:NO\s+)?FORCE\b|AUTO_INCREMENT\b|ENGINE\b|COMMENT\b|CONVERT\s+TO\b|ROW_FORMAT\b"
    rb"|(?:DEFAULT\s+)?(?:CHARACTER\s+SET|CHARSET|COLLATE)\b|ORDER\s+BY\b|STATS_\w+|KEY_BLOCK_SIZE\b|OWNER\s+TO\b"
    rb"|DROP\s+(?:PRIMARY\s+KEY|INDEX|KEY|FOREIGN\s+KEY|CONSTRAINT|CHECK)\b|ALTER\s+(?:INDEX|CHECK|CONSTRAINT)\b"
    rb"|ALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+(?!DATA)|DROP\s+(?:DEFAULT|NOT\s+NULL|IDENTITY)|ADD\s+GENERATED|RESET)"
    rb"|CLUSTER\s+ON\b|SET\s+(?:WITHOUT|WITH\s+OIDS|LOGGED|UNLOGGED|ACCESS|TABLESPACE|\()|RESET\s*\(|REPLICA\s+IDENTITY\b"
    rb"|(?:NO\s+)?INHERIT\b|VALIDATE\s+CONSTRAINT\b|OPTIONS\b|ATTACH\s+PARTITION\b|OF\b|NOT\s+OF\b",
    re.I,
)
_OID = ColumnDef("", "oid", pa.uint32())
"""The OID before a row's values, which is no column of the table."""


def _endings(names: Iterable[str]) -> Iterator[str]:
    """Names with and without what stands before their dots, in one case."""
    for name in names:
        parts = name.casefold().split(".")
        yield from (".".join(parts[at:]) for at in range(len(parts)))


class Definitions:
    """Knows every table of a dump by its place in it, and what is wanted of it.

    Attributes:
        tables: what was read of each table that is wanted.
        wanted: the tables themselves.
    """

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        completeness: Completeness,
        session: Session,
        limits: Limits,
        *,
        schemas: Mapping[str, pa.Schema] | None,
        only: Collection[str] | None,
        database: str | None,
        as_text: Collection[str],
    ):
        self._dump, self._dialect = name, dialect
        self._completeness, self._session, self._limits = completeness, session, limits
        self._schemas = schemas
        self._only = None if only is None else frozenset(only)
        asked = schemas if schemas is not None else only
        self._names = None if asked is None else frozenset(_endings(asked))
        self._database = database
        self._as_text = frozenset(as_text)
        self._current: str | None = None
        self._announced: str | None = None
        self._home: Key | None = None
        self._definitions: dict[Key, TableDef] = {}
        self._roots: dict[Key, Key] = {}
        self._seen: set[Key] = set()
        self.untyped: dict[Key, str] = {}
        self.wanted: dict[Key, Table] = {}
        self.tables: dict[str, TableReport] = {}

    def __len__(self) -> int:
        """How many tables were seen, wanted or not."""
        return len(self._seen)

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

    def statement(self, statement: Statement, place: Place) -> None:
        """Take in a statement about tables.

        Raises:
            DumpError: it changes rows that were read, or may do so in a way that isn't known.
        """
        text = statement.text
        encoding = self._session.encoding
        if table := parse_table(text, self._dialect, self._limits.columns, place, encoding):
            self._define(table, place, replaces=re.match(rb"\s*CREATE\s+OR\s+REPLACE\b", text, re.I) is not None)
        elif match := _USE.match(text):
            self._use(unquote(match[1], encoding))
        elif self._dialect.schemas and (match := next(filter(None, (p.match(text) for p in _PARTITION)), None)):
            self._attach(self._key_of(match["root"]), self._key_of(match["part"]))
        elif match := _DROP.match(text):
            self._empty(match)
        elif match := _ALTER.match(statement.outline):
            hidden = self._dialect.lexing.hidden(self._session.backslash_escapes, self._session.quoted_names)
            actions, _ = split_list(statement.outline, match.end(), hidden)
            if not all(_HARMLESS.match(action) for action in actions):
                raise refused(self._dialect, "ALTER TABLE", place)
        elif any(table.report.rows for table in self.wanted.values()) or statement.kind.begins.startswith("CREATE"):
            head = " ".join(statement.outline[:200].decode(errors="replace").upper().split())
            raise refused(self._dialect, head, place)

    def _empty(self, match: re.Match[bytes]) -> None:
        is_drop = match["drop"] is not None
        if not is_drop and re.search(rb"\bCASCADE\b", match["rest"], re.I):
            for table in self.wanted.values():
                self._check_empty(table)
        for name in re.findall(QUALIFIED, re.sub(rb"\bONLY\s", b"", match["tables"], flags=re.I)):
            self._drop(self._key_of(name), forget=is_drop)

    def _define(self, table: TableDef, place: Place, *, replaces: bool) -> None:
        """Take in the definition of a table.

        Raises:
            DumpError: too many tables, or two tables of one name.
        """
        key = self._key(table.path)
        if replaces:
            self._drop(key, forget=True)
        if table.model is not None:
            model = self._definitions.get(self._key(table.model))
            table = replace(table, columns=model.columns if model else (), partial=model is None or model.partial)
        if table.inherits:
            parents = [self._definitions[p] for path in table.inherits if (p := self._key(path)) in self._definitions]
            table = with_parents(table, parents)
        if key in self._definitions and (table.lenient or table.temporary):
            return
        wanted = self.wanted.get(key)
        if key in self._definitions or (wanted and wanted.report.rows):
            raise DumpError(
                "{place}: the table is made twice. Two dumps may have been joined; split them.",
                place=Place(self._dump, ".".join(key), byte=place.byte, line=place.line),
            )
        self._see(key)
        self._definitions[key] = table
        if key not in self.wanted:
            self._want(key)

    def target(self, header: DataHeader) -> Table | None:
        """The table that rows belong to, bound to their columns, if it is wanted.

        Raises:
            DumpError: the columns aren't known, or a required one is missing.
        """
        if self._announced is not None and self._announced != self._current:
            raise DumpError(
                "{place}: a comment announces the database {name}, but no USE chooses it. "
                "The dump was edited or damaged; make it again.",
                place=self.place(header),
                name=Name(self._announced),
            )
        part = self._key(header.table)
        key = self._root_of(part)
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
            is_whole = header.columns is None and self._dialect.writes_generated
            listed = frozenset(column.name for column in columns if is_whole or column.name in (header.columns or ()))
            own = self._definitions.get(key)
            if own is None:
                self.untyped[key] = table.report.name
            table.schema = self._schema(table.report.name, own.columns if own else (), columns, listed)
        table.bind(columns)
        return table

    def wants(self, path: Sequence[str]) -> bool:
        """Whether the rows of a table are to be read, by what is known of it so far.

        Args:
            path: its database or schema, and its own name last.
        """
        key = self._root_of(self._key(list(path)))
        self._see(key)
        return (self.wanted.get(key) or self._want(key)) is not None

    def may_want(self, name: str) -> bool:
        """Whether a table of this name, in whichever database or schema, may be wanted."""
        return self._names is None or name.casefold() in self._names

    def check_counts(self, counts: Mapping[tuple[str, ...], int]) -> None:
        """Compare the rows that were read of tables with the rows that the dump says they have.

        Raises:
            DumpError: the numbers differ.
        """
        for path, rows in counts.items():
            table = self.wanted.get(self._key(list(path)))
            if table and table.report.rows != rows:
                raise DumpError(
                    "{table} has {found} rows where the dump tells of {rows}. "
                    "It wasn't copied whole; fetch or make it again.",
                    table=table.place,
                    found=table.report.rows,
                    rows=rows,
                )

    def place(self, header: DataHeader) -> Place:
        """Dump and table, for messages."""
        return Place(self._dump, ".".join(header.table))

    def _root_of(self, key: Key) -> Key:
        """The table that a partition's rows belong to, which may be one of another partition."""
        root, path = key, []
        while root in self._roots:
            path.append(root)
            root = self._roots[root]
        for part in path:
            self._roots[part] = root
        return root

    def _columns(self, definition: TableDef | None, header: DataHeader) -> list[ColumnDef]:
        oid = [_OID] if header.has_oids and header.columns is None else []
        if header.columns is not None:
            return [self._column(definition, name, header) for name in header.columns]
        if not definition or (not definition.columns and definition.partial):
            raise DumpError(
                "{place}: neither CREATE TABLE nor the rows name the columns. "
                "Make the dump with --complete-insert, or without --no-create-info.",
                place=self.place(header),
            )
        return oid + [column for column in definition.columns if not column.invisible]

    def _column(self, definition: TableDef | None, name: str, header: DataHeader) -> ColumnDef:
        """The column that rows name; of text, where the table isn't defined."""
        if definition is not None and name:
            for column in definition.columns:
                if column.name == name:
                    return column
            for column in definition.columns:
                if column.name.casefold() == name.casefold():
                    return column
            if definition.columns and not definition.partial:
                raise DumpError(
                    "{place}: the rows name a column {name}, which the table's definition lacks. "
                    "The dump was edited or damaged; make it again.",
                    place=self.place(header),
                    name=Name(name),
                )
        return ColumnDef(name, "text", pa.string(), default=b"NULL")

    def _key_of(self, name: bytes) -> Key:
        return self._key(names(name, self._session.encoding))

    def _key(self, path: list[str]) -> Key:
        if not self._dialect.schemas:
            return tuple(path[-2:]) if len(path) > 1 or self._current is None else (self._current, path[-1])
        schema = path[-2] if len(path) > 1 else self._session.search_path
        return (schema, path[-1]) if self._current is None else (self._current, schema, path[-1])

    def _see(self, key: Key) -> None:
        self._seen.add(key)
        if len(self._seen) > self._limits.tables:
            raise DumpError(
                "{dump}: more than {most} tables. Raise the limit tables if it is right.",
                dump=Place(self._dump),
                most=self._limits.tables,
            )

    def _attach(self, root: Key, part: Key) -> None:
        """Rows of a partition belong to the table that it is a partition of."""
        if self._root_of(root) == part:
            raise DumpError(
                "{table}: the table is a partition of itself. The dump was edited or damaged; make it again.",
                table=Place(self._dump, ".".join(part)),
            )
        if (table := self.wanted.get(part)) is not None:
            self._check_unread(table)
        self._roots[part] = root
        self._forget(part)

    def _forget(self, key: Key) -> None:
        self._seen.discard(key)
        if table := self.wanted.pop(key, None):
            del self.tables[table.report.name]

    def _drop(self, key: Key, *, forget: bool) -> None:
        if (table := self.wanted.get(self._root_of(key))) is not None:
            self._check_empty(table)
        if forget:
            self._forget(key)
            self._definitions.pop(key, None)
            self._roots.pop(key, None)

    def _check_empty(self, table: Table) -> None:
        if table.report.rows:
            raise DumpError(
                "{table}: the dump drops or empties the table after filling it, so its rows wouldn't be there. "
                "Two dumps may have been joined; split them.",
                table=table.place,
            )

    def _check_unread(self, table: Table) -> None:
        if table.report.rows:
            raise DumpError(
                "{table}: the dump makes the table a partition of another after filling it, which isn't read. "
                "Make the dump with pg_dump, which does so before.",
                table=table.place,
            )

    def _name(self, key: Key) -> str | None:
        """What a table is called: without what is the same for all that is read; None where it isn't read."""
        place, database = key[:-1], self._database
        if database is not None and database not in (*(place or (self._completeness.database,)), ".".join(place)):
            return None
        if self._home is None:
            is_schema = database is not None and database in (*place[-1:], ".".join(place))
            self._home = (*place[:-1], "public") if self._dialect.schemas and not is_schema else place
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
            given = self._dialect.writes_generated
            listed = frozenset(column.name for column in definition.columns if given or not column.generated)
            schema = self._schema(name, definition.columns, [], listed)
        if name in self.tables:
            raise DumpError(
                "{dump}: more than one table answers to {name} (the second is {second}). "
                "Name the database, or in a dump of PostgreSQL the schema, that is meant.",
                dump=Place(self._dump),
                name=Name(name),
                second=Name(".".join(key)),
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
        columns += [column for column in rows if column.name and column.name not in known]
        return pa.schema([self._field(table, column) for column in columns])

    def _field(self, table: str, column: ColumnDef) -> pa.Field:
        is_text = f"{table}.{column.name}" in self._as_text
        return pa.field(column.name, pa.string() if is_text else self._session.adjusted(column))
