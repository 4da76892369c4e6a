"""The tables that a dump defines and fills: under which names they are known, and which of them are wanted."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from recograph.dumps.alterations import ALTER, DROP, HARMLESS, INHERIT, PARTITION
from recograph.dumps.asked import Asked
from recograph.dumps.completeness import Completeness
from recograph.dumps.ddl import ColumnDef, TableDef, parse_table, split_list, with_parents
from recograph.dumps.dialects import Dialect
from recograph.dumps.fillings import Fillings, check_empty, check_unread
from recograph.dumps.headers import DataHeader
from recograph.dumps.left_out import LeftOut
from recograph.dumps.message import Name, Place
from recograph.dumps.names import QUALIFIED
from recograph.dumps.naming import Key, Naming
from recograph.dumps.noise import is_failed_export
from recograph.dumps.report import DumpError, Limits, TableReport
from recograph.dumps.row_columns import columns_of, defaults_of, shown_columns
from recograph.dumps.settings import Session
from recograph.dumps.statements import Statement, refused
from recograph.dumps.tables import Table


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
        asked: Asked,
        database: str | None,
    ):
        self._dump, self._dialect = name, dialect
        self._completeness, self._session, self._limits = completeness, session, limits
        self._asked = asked
        self._naming = Naming(dialect, completeness, session, database)
        self.left_out = LeftOut(dialect, self._naming, session)
        self._definitions: dict[Key, TableDef] = {}
        self._roots: dict[Key, Key] = {}
        self._seen: set[Key] = set()
        self._fillings = Fillings(name)
        self.untyped: dict[Key, str] = {}
        self.wanted: dict[Key, Table] = {}
        self.tables: dict[str, TableReport] = {}

    def __len__(self) -> int:
        """How many tables were seen, wanted or not."""
        return len(self._seen)

    def comment(self, line: bytes) -> None:
        """Take in a line that isn't SQL; see `Naming.comment` and `LeftOut.comment`.

        Raises:
            DumpError: it tells that a table that is asked for couldn't be read.
        """
        self._naming.comment(line)
        self.left_out.comment(line)
        if is_failed_export(line) and self._asked.may_be_in(line.decode(self._session.encoding, "replace")):
            raise DumpError(
                "{dump}: a comment tells that a table couldn't be read when the dump was made, so its rows are "
                "missing. Mend the table, and make the dump again.",
                dump=Place(self._dump),
            )

    def statement(self, statement: Statement, place: Place) -> None:
        """Take in a statement about tables.

        Raises:
            DumpError: it changes rows that were read, or may do so in a way that isn't known.
        """
        text = statement.text
        encoding = self._session.encoding
        if table := parse_table(text, self._dialect, self._limits.columns, place, encoding):
            self._define(table, place, replaces=re.match(rb"\s*CREATE\s+OR\s+REPLACE\b", text, re.I) is not None)
        elif self._naming.statement(text):
            return
        elif self._dialect.schemas and (match := next(filter(None, (p.match(text) for p in PARTITION)), None)):
            self._attach(self._naming.key_of(match["root"]), self._naming.key_of(match["part"]))
        elif self._dialect.schemas and (match := INHERIT.match(text)):
            self._inherit([self._naming.key_of(match["root"])], self._naming.key_of(match["part"]))
        elif match := DROP.match(text):
            self._empty(match)
        elif match := ALTER.match(statement.outline):
            hidden = self._dialect.lexing.hidden(self._session.backslash_escapes, self._session.quoted_names)
            actions, _ = split_list(statement.outline, match.end(), hidden)
            if not all(HARMLESS.match(action) for action in actions):
                raise refused(self._dialect, "ALTER TABLE", place)
        elif any(table.report.rows for table in self.wanted.values()) or statement.kind.begins.startswith("CREATE"):
            head = " ".join(statement.outline[:200].decode(errors="replace").upper().split())
            raise refused(self._dialect, head, place)

    def _empty(self, match: re.Match[bytes]) -> None:
        is_drop = match["drop"] is not None
        if not is_drop and re.search(rb"\bCASCADE\b", match["rest"], re.I):
            for table in self.wanted.values():
                check_empty(table)
        for name in re.findall(QUALIFIED, re.sub(rb"\bONLY\s", b"", match["tables"], flags=re.I)):
            self._drop(self._naming.key_of(name), forget=is_drop)

    def _define(self, table: TableDef, place: Place, *, replaces: bool) -> None:
        """Take in the definition of a table.

        Raises:
            DumpError: too many tables, or two tables of one name.
        """
        key = self._naming.key(table.path)
        if replaces:
            self._drop(key, forget=True)
        if table.model is not None:
            model = self._definitions.get(self._naming.key(table.model))
            table = replace(table, columns=model.columns if model else (), partial=model is None or model.partial)
        parents = [parent for path in table.inherits if (parent := self._naming.key(path)) in self._definitions]
        if parents:
            table = with_parents(table, [self._definitions[parent] for parent in parents])
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
        if key not in self.wanted and self._want(key) is None:
            self._inherit(parents, key)

    def target(self, header: DataHeader) -> Table | None:
        """The table that rows belong to, bound to their columns, if it is wanted.

        Raises:
            DumpError: the columns aren't known, or a required one is missing.
        """
        self._naming.check_chosen(self.place(header))
        part = self._naming.key(header.table)
        key = self._root_of(part)
        self._fillings.check_name(part, self._definitions)
        self._see(key)
        self.left_out.rows(part)
        table = self.wanted.get(key) or self._want(key)
        if table is None:
            return None
        if not self.left_out.is_filtered:
            self._fillings.check_dump(part, self._completeness.titles)
        # A partition's columns may stand in another order than its root's.
        definition = self._definitions.get(part) or self._definitions.get(key)
        columns = columns_of(definition, header, self.place(header))
        if not self._asked.is_contract and not table.report.rows:
            # Without a list rows of MySQL hold the values of generated columns too; pg_dump writes DEFAULT there.
            is_whole = header.columns is None and not self._dialect.schemas
            listed = frozenset(column.name for column in columns if is_whole or column.name in (header.columns or ()))
            if (own := self._definitions.get(key)) is None:
                self.untyped[key] = table.report.name
                own = TableDef([], ())
            # What inherits from a table may have more columns.
            more = columns if part == key else []
            table.schema = self._schema(table.report.name, shown_columns(own.columns, more, listed))
        table.bind(columns, defaults_of(definition, columns))
        return table

    def wants(self, path: Sequence[str]) -> bool:
        """Whether the rows of a table are to be read, by what is known of it so far.

        Args:
            path: its database or schema, and its own name last.
        """
        key = self._root_of(self._naming.key(list(path)))
        self._see(key)
        return (self.wanted.get(key) or self._want(key)) is not None

    def check_counts(self, counts: Mapping[tuple[str, ...], int]) -> None:
        """Compare the rows that were read of tables with the rows that the dump says they have.

        Raises:
            DumpError: the numbers differ.
        """
        for path, rows in counts.items():
            table = self.wanted.get(self._naming.key(list(path)))
            if table and table.report.rows != rows:
                raise DumpError(
                    "{table} has {read} rows where the dump tells of {rows}. "
                    "It wasn't copied whole; fetch or make it again.",
                    table=table.place,
                    read=table.report.rows,
                    rows=rows,
                )

    def with_rows_of_their_own(self) -> Iterator[tuple[Key, str]]:
        """The tables that hold the rows of wanted ones, as far as they are defined: where they are, and their names."""
        for key, table in self._definitions.items():
            if self._root_of(key) in self.wanted and not (table.is_partitioned or table.temporary):
                yield key, self._naming.name(key) or ".".join(key)

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

    def _see(self, key: Key) -> None:
        self._seen.add(key)
        if len(self._seen) > self._limits.tables:
            raise DumpError(
                "{dump}: more than {most} tables. Raise the limit tables if it is right.",
                dump=Place(self._dump),
                most=self._limits.tables,
            )

    def _inherit(self, parents: Iterable[Key], key: Key) -> None:
        """Who asks a server for a table alone gets the rows of those that inherit from it too."""
        asked = [parent for parent in parents if self._root_of(parent) in self.wanted]
        if asked and key not in self.wanted:
            self._attach(asked[0], key)

    def _attach(self, root: Key, part: Key) -> None:
        """Rows of a partition belong to the table that it is a partition of."""
        if self._root_of(root) == part:
            raise DumpError(
                "{table}: the table is a partition of itself. The dump was edited or damaged; make it again.",
                table=Place(self._dump, ".".join(part)),
            )
        if (table := self.wanted.get(part)) is not None:
            check_unread(table)
        self._roots[part] = root
        self._forget(part)

    def _forget(self, key: Key) -> None:
        self._seen.discard(key)
        if table := self.wanted.pop(key, None):
            del self.tables[table.report.name]

    def _drop(self, key: Key, *, forget: bool) -> None:
        if (table := self.wanted.get(self._root_of(key))) is not None:
            check_empty(table)
        if forget:
            self._forget(key)
            self._definitions.pop(key, None)
            self._roots.pop(key, None)

    def _want(self, key: Key) -> Table | None:
        """The table, if its rows are wanted."""
        own = self._naming.name(key)
        name = None if own is None else self._asked.table(own, key[-1])
        if name is None:
            return None
        definition = self._definitions.get(key)
        schema = pa.schema([])
        if self._asked.is_contract:
            schema = self._asked.schema(name)
        elif definition:
            # Only mariadb-dump writes the values of generated columns.
            given = self._dialect.writes_generated
            listed = frozenset(column.name for column in definition.columns if given or not column.generated)
            schema = self._schema(name, shown_columns(definition.columns, [], listed))
        if name in self.tables:
            raise DumpError(
                "{dump}: more than one table answers to {name} (the second is {second}). "
                "Name the database, or in a dump of PostgreSQL the schema, that is meant, with --database, or for a "
                "customer in customers.yaml (dump: database).",
                dump=Place(self._dump),
                name=Name(name),
                second=Name(".".join(key)),
            )
        table = Table(TableReport(name), schema, self._dump, [], contracted=self._asked.is_contract)
        self.wanted[key] = table
        self.tables[name] = table.report
        if definition:
            table.bind(list(definition.columns))
        return table

    def _schema(self, table: str, columns: Iterable[ColumnDef]) -> pa.Schema:
        return pa.schema([self._field(table, column) for column in columns])

    def _field(self, table: str, column: ColumnDef) -> pa.Field:
        is_text = self._asked.is_text(table, column.name)
        return pa.field(column.name, pa.string() if is_text else self._session.adjusted(column))
