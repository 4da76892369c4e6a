"""A folder of mydumper: `metadata`, a file of definitions for each table, and files of rows, INSERTs or for LOAD DATA.

Layouts from 0.9 to 1.0 are read: one file per table or many, numbered once or twice, compressed or not. Only the wanted
tables' files are opened. What is known of completeness: `metadata` is written last, and newer versions count the rows
of each table in it. Source: mydumper's documentation and what its versions wrote.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from recograph.dumps.archives.folders import Folder
from recograph.dumps.archives.mysql_folder import TAIL, small, table_of, title, use
from recograph.dumps.archives.parts import Content, Opening, Part, RowsOnly, Wants, in_advance, without_ending
from recograph.dumps.message import Name
from recograph.dumps.names import names
from recograph.dumps.report import DumpError

_SCHEMA = "-schema.sql"
_DATABASE = re.compile(rb"CREATE DATABASE (?:/\*.*?\*/ )?(?:IF NOT EXISTS )?[`\"](.+?)[`\"][ ;]")
_DATA = re.compile(r"(?P<base>.+?)(?P<numbers>(?:\.\d+){0,2})\.(?P<kind>sql|dat|csv)")
_SECTION = re.compile(r"\[[`\"]?(?P<database>[^`\"\]]+)[`\"]?\.[`\"]?(?P<table>[^`\"\]]+)[`\"]?\]")
_LOAD = re.compile(
    rb"LOAD DATA LOCAL INFILE '(?P<file>[^']+)' (?:REPLACE |IGNORE )?INTO TABLE (?P<table>\S+|[`\"].+?[`\"]) "
    rb"(?:CHARACTER SET (?P<charset>\w+) )?(?P<form>FIELDS TERMINATED BY .*?)"
    rb"\((?P<columns>.*?)\)\s*(?:SET (?P<set>[^;]*))?;",
    re.S,
)
_FORM = re.compile(
    rb"FIELDS TERMINATED BY '(?:\\t|\t)' (?:ENCLOSED BY '' )?ESCAPED BY '\\\\' "
    rb"LINES (?:STARTING BY '' )?TERMINATED BY '(?:\\n|\n)'\s*"
)
_CONVERTED = re.compile(rb"[`\"]?(?P<column>[^`\"=,]+)[`\"]? ?= ?(?P<how>UNHEX|CONVERT)\(@[^)]*\)", re.I)


def matches(files: Collection[str]) -> bool:
    """Whether files are of such a folder."""
    return bool({"metadata", "metadata.partial", "metadata.header"} & set(files)) and any(
        without_ending(path).endswith((".sql", ".dat")) for path in files
    )


@dataclass
class _Table:
    database: str
    name: str
    definition: bytes
    files: list[str] = field(default_factory=list)

    @property
    def path(self) -> tuple[str, str]:
        return self.database, self.name


class Mydumper(Content):
    """A folder of mydumper."""

    form = "mydumper"

    # A table without rows has no file of rows.
    tells_empty_tables = False

    def __init__(self, folder: Folder, opening: Opening):
        self._folder = folder
        self._opening = opening
        self._files = folder.files()
        self._metadata = self._finished()
        databases = {
            without_ending(path).removesuffix("-schema-create.sql"): small(opening, folder, path)
            for path in self._files
            if without_ending(path).endswith("-schema-create.sql")
        }
        self._databases = {
            base: (
                re.findall(rb"CREATE DATABASE (?:/\*.*?\*/ )?(?:IF NOT EXISTS )?[`\"](.+?)[`\"][ ;]", text) or [b""]
            )[0]
            for base, text in databases.items()
        }
        self._tables = self._defined()
        self._assign()
        first = next(iter(self._tables.values()), None)
        self.head = title(first.database if first else None, None)

    def _finished(self) -> str:
        """What `metadata` says; it takes this name when the dump is whole."""
        if "metadata" not in self._files:
            raise DumpError(
                "{dump}: mydumper hasn't finished this dump (there is no file metadata). Wait for it, or "
                "make the dump again.",
                dump=Name(self._folder.name, whole=True),
            )
        text = small(self._opening, self._folder, "metadata").decode(errors="replace")
        if "Finished dump at" not in text:
            raise DumpError(
                "{dump}/metadata doesn't say that the dump was finished. Fetch or make it again.",
                dump=Name(self._folder.name, whole=True),
            )
        return text

    def _defined(self) -> dict[str, _Table]:
        """The tables by what the names of their files begin with."""
        tables = {}
        ends = {without_ending(path) for path in self._files}
        for path in self._files:
            base = without_ending(path).removesuffix(_SCHEMA)
            if base == without_ending(path) or f"{base}-schema-view.sql" in ends:
                continue
            definition = small(self._opening, self._folder, path)
            name = table_of(definition)
            if name is None:
                if re.search(rb"^\s*CREATE (?:OR REPLACE )?SEQUENCE", definition, re.M):
                    continue
                raise DumpError(
                    "{dump}/{path} defines no table. It was cut; fetch or make it again.",
                    dump=Name(self._folder.name, whole=True),
                    path=Name(path, whole=True),
                )
            if not definition.rstrip().endswith(b";"):
                raise DumpError(
                    "{dump}/{path} has no end. It was cut; fetch or make it again.",
                    dump=Name(self._folder.name, whole=True),
                    path=Name(path, whole=True),
                )
            tables[base] = _Table(self._database(base, name), name, definition)
        return tables

    def _database(self, base: str, table: str) -> str:
        for prefix in sorted(self._databases, key=len, reverse=True):
            if base.startswith(f"{prefix}."):
                return self._databases[prefix].decode(errors="replace").replace("``", "`") or prefix
        return base.removesuffix(f".{table}") if base.endswith(f".{table}") else base.partition(".")[0]

    def _assign(self) -> None:
        """Give each table the files of its rows."""
        for path in self._files:
            match = _DATA.fullmatch(without_ending(path))
            if not match or without_ending(path).endswith(_OTHERS):
                continue
            base = match["base"]
            table = self._tables.get(f"{base}{match['numbers']}") or self._tables.get(base)
            if table is None:
                raise DumpError(
                    "{dump}: the definition of the table in {path} is missing. Make the dump with the "
                    "tables' schemas (without --no-schemas), and copy all of it.",
                    dump=Name(self._folder.name, whole=True),
                    path=Name(path, whole=True),
                )
            if match["kind"] == "sql":
                table.files.append(path)

    def parts(self, wants: Wants) -> Iterator[Part]:
        """See `Content.parts`."""
        needed = [table for table in self._tables.values() if wants.definition(table.name)]
        definitions = [use(table.database) + table.definition + b"\n" for table in needed]
        yield Part(self._folder.name, [self.head, *definitions])
        wanted = [table for table in self._tables.values() if wants(table.path)]
        files = [(table, path) for table in wanted for path in sorted(table.files, key=_order)]
        if not self._folder.is_random:
            place = {path: at for at, path in enumerate(self._files)}
            files.sort(key=lambda item: place[item[1]])
        counts = self._counts()
        yield from in_advance((self._part(table, path, counts) for table, path in files), self._folder.is_random)
        # Up to 0.14 nothing counts the rows, so a file that is missing isn't noticed.
        self.tells_all_rows = all(table.path in counts for table in wanted)
        yield Part(self._folder.name, [TAIL], counts={t.path: counts[t.path] for t in wanted if t.path in counts})

    def _part(self, table: _Table, path: str, counts: Mapping[tuple[str, str], int]) -> Part:
        stream = self._opening.stream(self._folder, path)
        if match := _LOAD.search(stream.peek()):
            return self._loaded(table, path, match)
        if not stream.peek() and counts.get(table.path) == 0:
            # With --build-empty-files a table without rows has a file too.
            return Part(stream.name, [])
        return Part(stream.name, self._statements(table, self._opening.chunks(stream), stream.name))

    def _statements(self, table: _Table, chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
        yield use(table.database)
        last = b""
        for chunk in chunks:
            last = (last + chunk[-16:])[-16:]
            yield chunk
        if not last.rstrip().endswith(b";"):
            raise DumpError(
                "{dump}: the file has no end. It was cut, or is an empty one of --build-empty-files, which nothing "
                "tells from a cut one; fetch it again, or make the dump without that option.",
                dump=Name(name, whole=True),
            )

    def _loaded(self, table: _Table, path: str, match: re.Match[bytes]) -> Part:
        """The file of rows that a LOAD DATA statement names."""
        if not _FORM.fullmatch(match["form"]):
            raise DumpError(
                "{dump}/{path}: rows in another form than mydumper's --format=LOAD_DATA writes by "
                "itself. Leave options such as --csv and --fields-... away.",
                dump=Name(self._folder.name, whole=True),
                path=Name(path, whole=True),
            )
        named = match["file"].decode(errors="replace").rpartition("/")[2]
        near = path.rpartition("/")[0]
        files = [
            other for other in self._files if without_ending(other) == without_ending(f"{near}/{named}".strip("/"))
        ]
        if not files:
            raise DumpError(
                "{dump}: the file {named}, with the rows of table {name}, is missing. The dump wasn't "
                "copied whole; fetch or make it again.",
                dump=Name(self._folder.name, whole=True),
                named=Name(named),
                name=Name(table.name),
            )
        listed = match["columns"].replace(b"@", b"")
        columns = tuple(names(listed, "utf-8"))
        how = {
            item["column"].decode(errors="replace"): "hex"
            for item in _CONVERTED.finditer(match["set"] or b"")
            if item["how"].upper() == b"UNHEX"
        }
        stream = self._opening.stream(self._folder, files[0])
        charset = match["charset"].decode().lower() if match["charset"] else None
        rows = RowsOnly(table.path, columns, charset, how)
        return Part(stream.name, self._opening.chunks(stream), rows)

    def _counts_of_tables(self) -> dict[tuple[str, str], int]:
        """How many rows each table has, as its own file tells it in 0.11 and 0.12."""
        files = {table.path: f"{base}-metadata" for base, table in self._tables.items()}
        told = {path: small(self._opening, self._folder, file) for path, file in files.items() if file in self._files}
        return {path: int(count[1]) for path, text in told.items() if (count := _OWN_COUNT.fullmatch(text))}

    def _counts(self) -> dict[tuple[str, str], int]:
        """How many rows `metadata` counts of each table, where it does."""
        bases = {f"{base}": table.path for base, table in self._tables.items()}
        counts = self._counts_of_tables()
        path = None
        for line in self._metadata.splitlines():
            if match := _SECTION.fullmatch(line.strip()):
                path = bases.get(f"{match['database']}.{match['table']}")
            elif line.startswith("["):
                path = None
            elif path and (count := re.fullmatch(r"rows ?= ?(\d+)", line.strip())):
                counts[path] = int(count[1])
        return counts


_OWN_COUNT = re.compile(rb"\s*(\d+)\s*")
_OTHERS = (
    "-schema.sql",
    "-schema-create.sql",
    "-schema-triggers.sql",
    "-schema-view.sql",
    "-schema-post.sql",
    "-schema-sequence.sql",
    "-schema-create-tablespace.sql",
)


def _order(path: str) -> list[int | str]:
    return [int(part) if part.isdigit() else 0 for part in path.split(".")[1:]]
