"""pg_dump's directory form (`-Fd`) and its tar form (`-Ft`): a table of contents, and a file of rows for each table.

Only the files of wanted tables are opened. Source: pg_backup_directory.c and pg_backup_tar.c of PostgreSQL.
"""

import re
from collections.abc import Collection, Iterator

from recograph.dumps.archives.folders import Folder
from recograph.dumps.archives.parts import Content, Opening, Part, Wants, in_advance, without_ending
from recograph.dumps.archives.pg_toc import MAGIC, TAIL, TAR, Entry
from recograph.dumps.archives.pg_toc_reader import read_toc
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError

_TOC = "toc.dat"
_ROWS = re.compile(r"\d+\.dat")
_ENDINGS = ("", ".gz", ".lz4", ".zst")


def matches(files: Collection[str]) -> bool:
    """Whether files are of such a folder."""
    return _TOC in files


class PgFolder(Content):
    """A folder with a table of contents."""

    form = "pg_dump folder"

    def __init__(self, folder: Folder, opening: Opening):
        self._folder = folder
        self._opening = opening
        self._files = folder.files()
        stream = opening.stream(folder, _TOC)
        if not stream.peek().startswith(MAGIC):
            raise DumpError(
                "{dump}: this isn't a table of contents of pg_dump. Make the dump again.",
                dump=Name(stream.name, whole=True),
            )
        self._toc = read_toc(stream, opening.limits)
        if self._toc.form != TAR:
            raise DumpError(
                "{dump}: this is pg_dump's custom form. Give this file alone.",
                dump=Name(stream.name, whole=True),
            )
        if self._toc.end != self._files[_TOC]:
            raise DumpError(
                "{dump}: the table of contents ends at byte {end}, but the file has {toc}. The file was "
                "damaged; fetch or make it again.",
                dump=Name(stream.name, whole=True),
                end=self._toc.end,
                toc=self._files[_TOC],
            )
        self.head = self._toc.head()

    def parts(self, wants: Wants) -> Iterator[Part]:
        """See `Content.parts`."""
        name = self._folder.name
        paths = {entry.id: self._path(entry) for entry in self._toc.rows}
        self._check_known()
        yield Part(name, [self.head, self._toc.definitions(wants)])
        wanted = self._toc.wanted(wants)
        if not self._folder.is_random:
            order = {path: at for at, path in enumerate(self._files)}
            wanted.sort(key=lambda entry: order[paths[entry.id]])
        yield from in_advance((self._part(entry, paths[entry.id]) for entry in wanted), self._folder.is_random)
        yield Part(name, [TAIL])

    def _part(self, entry: Entry, path: str) -> Part:
        stream = self._opening.stream(self._folder, path)
        return Part(stream.name, self._toc.text(entry, self._opening.chunks(stream), stream.name))

    def _check_known(self) -> None:
        """Check that there are rows of no other dump."""
        known = {entry.file for entry in self._toc.entries}
        for path in self._files:
            if _ROWS.fullmatch(without_ending(path)) and without_ending(path) not in known:
                raise DumpError(
                    "{dump}: the table of contents doesn't know the rows in {path}. Two dumps may have been joined; "
                    "fetch or make it again.",
                    dump=Name(self._folder.name, whole=True),
                    path=Name(path, whole=True),
                )

    def _path(self, entry: Entry) -> str:
        """The file of an entry's rows."""
        for ending in _ENDINGS:
            if entry.file + ending in self._files:
                return entry.file + ending
        raise DumpError(
            "{dump}: the file {file}, with the rows of table {name}, is missing. The dump wasn't "
            "copied whole; fetch or make it again.",
            dump=Name(self._folder.name, whole=True),
            file=Name(entry.file),
            name=Name(entry.name),
        )
