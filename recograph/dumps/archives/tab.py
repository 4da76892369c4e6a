"""A folder of `mysqldump --tab`, `mariadb-dump --tab` or `--dir`: for each table its definition and a file of rows.

Only the wanted tables' files are opened. The options of the rows stand nowhere in the folder, so only what the
programs write by themselves is read; the definitions' closing comments tell that each of them is whole, of the rows
only that the last is whole, not that none is missing. Source: the manuals of mysqldump and of SELECT ... INTO OUTFILE.
"""

import re
from collections.abc import Collection, Iterator

from recograph.dumps.archives.folders import Folder
from recograph.dumps.archives.mysql_folder import small, table_of, use
from recograph.dumps.archives.parts import Content, Opening, Part, RowsOnly, Wants, in_advance, without_ending
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError

_DATABASE = re.compile(rb"^-- Host: .*?\s+Database: (\S+)", re.M)
_NAMES = re.compile(rb"SET NAMES (\w+)")
_TIME_ZONE = re.compile(rb"^.*SET TIME_ZONE='[^']*' .*\n", re.M)
_ENCODED = re.compile(r"@([0-9a-f]{4})")
_ROWS = re.compile(rb"^(?:INSERT|REPLACE|LOCK|COPY)\s", re.M | re.I)
_TITLE = re.compile(rb"^-- (?:MySQL|MariaDB) dump", re.M)


def matches(files: Collection[str]) -> bool:
    """Whether files are of such a folder: rows, and a definition for each of them."""
    bare = {without_ending(path) for path in files}
    rows = {path.removesuffix(".txt") for path in bare if path.endswith(".txt")}
    return bool(rows) and all(f"{base}.sql" in bare for base in rows)


def refuse_alone(folder: Folder, path: str, opening: Opening) -> None:
    """Refuse a folder of one definition called after its table, for the file of its rows wasn't copied.

    Raises:
        DumpError: it is one.
    """
    base = without_ending(path).rpartition("/")[2].removesuffix(".sql")
    head = opening.stream(folder, path).peek()
    if without_ending(path).endswith(".sql") and table_of(head) == base and not _ROWS.search(head):
        raise _missing(folder, base, base)


def _missing(folder: Folder, base: str, table: str) -> DumpError:
    return DumpError(
        "{dump}: {base}.txt, with the rows of table {table}, is missing. The dump wasn't copied whole; fetch or make "
        "it again.",
        dump=Name(folder.name, whole=True),
        base=Name(base),
        table=Name(table),
    )


class Tab(Content):
    """A folder of definitions and rows."""

    form = "mariadb-dump --tab"
    tells_all_rows = False
    assumption = (
        "The rows are read as --tab writes them by itself, for nothing in the folder tells which --fields-... and "
        "--lines-... options were given."
    )

    def __init__(self, folder: Folder, opening: Opening):
        self._folder = folder
        self._opening = opening
        self._files = {without_ending(path): path for path in folder.files()}
        self._tables: dict[tuple[str, str], str] = {}
        self._charset: str | None = None
        head = []
        for path in self._files:
            if not path.endswith(".sql"):
                continue
            base = path.removesuffix(".sql")
            definition = small(opening, folder, self._files[path])
            if not _TITLE.search(definition):
                raise DumpError(
                    "{dump}/{path} isn't a file of mysqldump --tab or mariadb-dump --tab or --dir, or its "
                    "comments were left out. Make the dump with --comments.",
                    dump=Name(folder.name, whole=True),
                    path=Name(path, whole=True),
                )
            name, has_rows = table_of(definition), f"{base}.txt" in self._files
            if name is None or (not has_rows and b"VIEW" in definition):
                if has_rows:
                    raise DumpError(
                        "{dump}/{path} defines no table. It was cut; fetch or make it again.",
                        dump=Name(folder.name, whole=True),
                        path=Name(path, whole=True),
                    )
                continue
            if not has_rows:
                raise _missing(folder, base, name)
            database = self._database(path, definition)
            self._tables[database, name] = self._files[f"{base}.txt"]
            charset = _NAMES.search(definition)
            # Without --default-character-set each column comes in its own.
            self._charset = charset[1].decode().lower() if charset else None
            head += [use(database) if database else b"", definition, b"\n"]
            # The definition restores what it sets, but the rows were written under it.
            head += _TIME_ZONE.findall(definition)
        self.head = b"".join(head)

    def _database(self, path: str, definition: bytes) -> str:
        """The database: in `--dir` a folder is named after it."""
        folder = path.rpartition("/")[0].rpartition("/")[2]
        if folder:
            return _ENCODED.sub(lambda match: chr(int(match[1], 16)), folder)
        match = _DATABASE.search(definition)
        return match[1].decode(errors="replace") if match else ""

    def parts(self, wants: Wants) -> Iterator[Part]:
        """See `Content.parts`."""
        yield Part(self._folder.name, [self.head])
        wanted = [path for path in self._tables if wants(tuple(name for name in path if name))]
        if not self._folder.is_random:
            place = {path: at for at, path in enumerate(self._folder.files())}
            wanted.sort(key=lambda path: place[self._tables[path]])
        yield from in_advance((self._part(path) for path in wanted), self._folder.is_random)

    def _part(self, table: tuple[str, str]) -> Part:
        path = self._tables[table]
        stream = self._opening.stream(self._folder, path)
        charset = "binary" if self._charset in (None, "utf8", "utf8mb3", "utf8mb4") else self._charset
        rows = RowsOnly(tuple(name for name in table if name), None, charset, is_form_assumed=True)
        return Part(stream.name, self._opening.chunks(stream), rows)
