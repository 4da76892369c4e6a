"""What the folders of MySQL's tools have in common: small files of definitions, and files of rows for each table."""

import re
from collections.abc import Iterable

from recograph.dumps.archives.folders import Folder
from recograph.dumps.archives.parts import Opening
from recograph.dumps.message import Name
from recograph.dumps.names import NAME, unquote
from recograph.dumps.report import DumpError

TAIL = b"\n-- Dump completed\n"
"""What closes a dump of MySQL: the folder's own checks tell that it is whole."""
_MOST_SMALL = 64 << 20
_CREATE = re.compile(rb"^\s*CREATE TABLE (?:IF NOT EXISTS )?(?:%s\s*\.\s*)?(%s)" % (NAME, NAME), re.I | re.M)


def title(database: str | None, version: str | None) -> bytes:
    """The title of a dump of MySQL's own program, by which the dialect is told."""
    is_mariadb = "mariadb" in (version or "").lower()
    lines = ["-- MariaDB dump of a folder" if is_mariadb else "-- MySQL dump of a folder"]
    lines += [f"-- Host: unknown    Database: {database}"] if database and not re.search(r"\s", database) else []
    lines += [f"-- Server version\t{version}"] if version else []
    return ("\n".join(lines) + "\n").encode()


def small(opening: Opening, folder: Folder, path: str) -> bytes:
    """All of a file that is small in any sound dump.

    Raises:
        DumpError: it isn't small, or can't be read.
    """
    stream = opening.stream(folder, path)
    data = b"".join(_upto(iter(lambda: stream.read(1 << 20), b""), f"{folder.name}/{path}"))
    stream.close()
    return data


def _upto(blocks: Iterable[bytes], name: str) -> Iterable[bytes]:
    total = 0
    for block in blocks:
        total += len(block)
        if total > _MOST_SMALL:
            raise DumpError(
                "{dump}: more than {most_small} bytes of definitions. This is no file of a dump.",
                dump=Name(name, whole=True),
                most_small=_MOST_SMALL,
            )
        yield block


def use(database: str) -> bytes:
    """The statement that chooses a database."""
    return f"USE `{database.replace('`', '``')}`;\n".encode()


def table_of(definition: bytes) -> str | None:
    """The name of the table that a file of definitions makes; None where it makes none."""
    match = _CREATE.search(definition)
    return unquote(match[1], "utf-8") if match else None
