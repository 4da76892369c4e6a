"""A folder of MySQL Shell's util.dumpInstance, dumpSchemas and dumpTables: JSON, definitions, and chunks of rows.

`@.json` is written first and `@.done.json` last, with the sizes of all chunks and, in newer versions, the rows of each
table: a dump that isn't whole is told by them. Only the wanted tables' files are opened. Source: what MySQL Shell's
documentation and its own loader say.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

from recograph.dumps.archives.folders import Folder
from recograph.dumps.archives.mysql_folder import TAIL, small, title, use
from recograph.dumps.archives.parts import Content, Opening, Part, RowsOnly, Wants, in_advance
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError

_Value = TypeVar("_Value")
_BEGUN, _DONE = "@.json", "@.done.json"
_FORM = {
    "fieldsTerminatedBy": "\t",
    "fieldsEnclosedBy": "",
    "fieldsEscapedBy": "\\",
    "linesTerminatedBy": "\n",
}
_TRANSPORTS = {"FROM_BASE64": "base64", "UNHEX": "hex"}


def matches(files: Collection[str]) -> bool:
    """Whether files are of such a folder."""
    return _BEGUN in files or _DONE in files


class MySQLShell(Content):
    """A folder of MySQL Shell."""

    form = "MySQL Shell"

    def __init__(self, folder: Folder, opening: Opening):
        self._folder = folder
        self._opening = opening
        self._files = folder.files()
        if _DONE not in self._files:
            raise DumpError(
                "{dump}: MySQL Shell hasn't finished this dump (there is no {done}). Wait for it, or "
                "make the dump again.",
                dump=Name(folder.name, whole=True),
                done=Name(_DONE),
            )
        begun, self._done = self._json(_BEGUN), self._json(_DONE)
        self._tables: dict[tuple[str, str], str] = {}
        head = [title(None, begun.get("serverVersion"))]
        head.append(f"SET NAMES {begun.get('defaultCharacterSet', 'utf8mb4')};\n".encode())
        if begun.get("tzUtc", True):
            head.append(b"SET TIME_ZONE='+00:00';\n")
        for schema, base in self._of(begun, _BEGUN, "basenames", dict).items():
            path = f"{base}.json"
            described = self._json(path)
            names = self._of(described, path, "basenames", dict)
            head.append(use(schema))
            for table in self._of(described, path, "tables", list):
                self._tables[schema, table] = table_base = self._of(names, path, table, str)
                if described.get("includesDdl", True):
                    head += [_without_comments(small(opening, folder, self._known(f"{table_base}.sql"))), b"\n"]
        self._check_done()
        self.head = b"".join(head)

    def _check_done(self) -> None:
        """Check that all tables are known of which the end tells how much they hold."""
        for told in (self._done.get("tableDataBytes", {}), self._done.get("tableRows", {})):
            for schema, tables in told.items():
                for table in tables if isinstance(tables, dict) else ():
                    if (schema, table) not in self._tables:
                        raise self._unlike(_DONE)

    def _of(self, described: dict[str, Any], path: str, key: str, kind: type[_Value]) -> _Value:
        """What a file of JSON must say.

        Raises:
            DumpError: it doesn't.
        """
        value = described.get(key)
        if not isinstance(value, kind):
            raise self._unlike(path)
        return value

    def _unlike(self, path: str) -> DumpError:
        return DumpError(
            "{dump}/{path} isn't as MySQL Shell writes it. Fetch or make it again.",
            dump=Name(self._folder.name, whole=True),
            path=Name(path, whole=True),
        )

    def _json(self, path: str) -> dict[str, Any]:
        try:
            value = json.loads(small(self._opening, self._folder, self._known(path)))
        except ValueError as error:
            raise DumpError(
                "{dump}/{path} isn't JSON. It was cut or damaged; fetch or make it again.",
                dump=Name(self._folder.name, whole=True),
                path=Name(path, whole=True),
            ) from error
        if not isinstance(value, dict):
            raise self._unlike(path)
        return value

    def _known(self, path: str) -> str:
        if path not in self._files:
            raise DumpError(
                "{dump}: {path} is missing. The dump wasn't copied whole; fetch it again.",
                dump=Name(self._folder.name, whole=True),
                path=Name(path, whole=True),
            )
        return path

    def parts(self, wants: Wants) -> Iterator[Part]:
        """See `Content.parts`."""
        yield Part(self._folder.name, [self.head])
        wanted = [path for path in self._tables if wants(path)]
        parts = [part for path in wanted for part in self._chunks(path)]
        if not self._folder.is_random:
            place = {path: at for at, path in enumerate(self._files)}
            parts.sort(key=lambda item: place[item[0]])
        yield from in_advance((self._part(path, rows) for path, rows in parts), self._folder.is_random)
        told = self._done.get("tableRows", {})
        counts: dict[tuple[str, ...], int] = {
            path: told[path[0]][path[1]] for path in wanted if path[1] in told.get(path[0], {})
        }
        self.tells_all_rows = len(counts) == len(wanted) or all(rows.expected is not None for _, rows in parts)
        yield Part(self._folder.name, [TAIL], counts=counts)

    def _part(self, path: str, rows: RowsOnly) -> Part:
        stream = self._opening.stream(self._folder, path)
        return Part(stream.name, self._opening.chunks(stream), rows)

    def _chunks(self, table: tuple[str, str]) -> list[tuple[str, RowsOnly]]:
        """The files of a table's rows, checked to be all there."""
        base = self._tables[table]
        described = self._json(f"{base}.json")
        if not described.get("includesData", True):
            return []
        options = self._of(described, f"{base}.json", "options", dict)
        columns = tuple(self._of(options, f"{base}.json", "columns", list))
        if any(options.get(key, value) != value for key, value in _FORM.items()):
            raise DumpError(
                "{dump}/{base}.json: the rows are in another form than MySQL Shell writes by itself. "
                "Make the dump without a dialect and without fieldsTerminatedBy and the like.",
                dump=Name(self._folder.name, whole=True),
                base=Name(base),
            )
        extension = described.get("extension", "tsv.zst")
        decoded = options.get("decodeColumns", {})
        unknown = sorted(set(decoded.values()) - set(_TRANSPORTS))
        if unknown:
            raise DumpError(
                "{dump}/{base}.json: values come by {unknown}, which isn't known.",
                dump=Name(self._folder.name, whole=True),
                base=Name(base),
                unknown=Name(unknown[0]),
            )
        transports = {column: _TRANSPORTS[how] for column, how in decoded.items()}
        sizes = self._done.get("chunkFileBytes", {})
        chunks = []
        for part in described.get("basenames", {}).values() or [base]:
            for file in self._numbered(part, extension, chunked=described.get("chunking", True)):
                charset = options.get("defaultCharacterSet")
                rows = RowsOnly(table, columns, charset, transports, sizes.get(file))
                chunks.append((file, rows))
        return chunks

    def _numbered(self, base: str, extension: str, *, chunked: bool) -> list[str]:
        """The chunks of a table or a partition: numbered from 0, the last with two signs before its number."""
        if not chunked or f"{base}.{extension}" in self._files:
            return [self._known(f"{base}.{extension}")]
        files, number = [], 0
        while f"{base}@@{number}.{extension}" not in self._files:
            if f"{base}@{number}.{extension}" not in self._files:
                raise DumpError(
                    "{dump}: chunk {number} of {base} is missing. The dump wasn't copied whole; fetch it again.",
                    dump=Name(self._folder.name, whole=True),
                    number=number,
                    base=Name(base),
                )
            files.append(f"{base}@{number}.{extension}")
            number += 1
        return [*files, f"{base}@@{number}.{extension}"]


def _without_comments(definition: bytes) -> bytes:
    """Definitions without the lines of comments, whose titles are another program's."""
    return b"".join(line for line in definition.splitlines(keepends=True) if not line.startswith(b"--"))
