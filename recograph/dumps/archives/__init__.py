"""The forms that dumps come in: containers, archives and folders, one module each, and one entry here.

A form is told by content. It gives its head and its parts (see `parts`): SQL text or rows, of the tables that are
wanted alone where the form allows it, so that the rest of `recograph.dumps` reads all forms alike. Another form is a
module with `matches` and a class, and an entry in one of the lists.
"""

from collections.abc import Callable, Collection

from recograph.dumps.archives import mydumper, mysql_shell, pg_custom, pg_folder, tab, tar, zips
from recograph.dumps.archives.compression import codec_of, unpacked
from recograph.dumps.archives.folders import Below, Folder, is_aside
from recograph.dumps.archives.parts import Content, Opening, without_ending
from recograph.dumps.archives.plain import Plain
from recograph.dumps.archives.streams import Stream
from recograph.dumps.message import Name, Names
from recograph.dumps.report import DumpError, Limits

_MOST_LAYERS = 4

Files = tuple[Callable[[bytes], bool], Callable[[Stream, Opening], Content]]
Folders = tuple[Callable[[Collection[str]], bool], Callable[[Folder, Opening], Content]]
Containers = tuple[str, Callable[[bytes], bool], Callable[[Stream, Limits], Folder]]

FILES: tuple[Files, ...] = ((pg_custom.matches, pg_custom.Custom),)
"""Archives in one file: how the head tells them, and what reads them."""
CONTAINERS: tuple[Containers, ...] = (
    ("tar", tar.matches, tar.TarFolder),
    ("zip", zips.matches, zips.ZipFolder),
)
"""Files that hold files."""
FOLDERS: tuple[Folders, ...] = (
    (pg_folder.matches, pg_folder.PgFolder),
    (mysql_shell.matches, mysql_shell.MySQLShell),
    (mydumper.matches, mydumper.Mydumper),
    (tab.matches, tab.Tab),
)
"""Dumps in a folder: how the names of its files tell them, and what reads them."""


def open_file(stream: Stream, opening: Opening, layers: int = _MOST_LAYERS) -> Content:
    """What is in a file: its layers are taken off one after the other, each told by content.

    Args:
        stream: the file.
        opening: what opening needs to know.
        layers: how many containers and compressions there may still be.

    Raises:
        DumpError: nothing that can be read.
    """
    head = stream.peek()
    codec = codec_of(head)
    container = next(((name, opened) for name, matches, opened in CONTAINERS if matches(head)), None)
    if (codec or container) and not layers:
        raise DumpError(
            "{dump}: the file is packed more than {most_layers} times. Pack it once.",
            dump=Name(stream.name, whole=True),
            most_layers=_MOST_LAYERS,
        )
    if codec:
        opening.layers[codec.name] = None
        return open_file(unpacked(stream, codec, opening.limits), opening, layers - 1)
    if container:
        opening.containers.append(container[0])
        return open_folder(container[1](stream, opening.limits), opening, layers - 1)
    for matches, archive in FILES:
        if matches(head):
            return archive(stream, opening)
    return Plain(stream, opening)


def _check_once(folder: Folder, files: Collection[str]) -> None:
    """Refuse two files that differ in their compression alone: which of them is the dump's nobody knows."""
    once: dict[str, str] = {}
    for path in files:
        other = once.setdefault(without_ending(path), path)
        if other != path:
            raise DumpError(
                "{dump}: {other} and {path} are one file twice. Two dumps may have been joined; take one away.",
                dump=Name(folder.name, whole=True),
                other=Name(other, whole=True),
                path=Name(path, whole=True),
            )


def open_folder(folder: Folder, opening: Opening, layers: int = _MOST_LAYERS) -> Content:
    """What is in a folder.

    Raises:
        DumpError: nothing that can be read, or more than one dump.
    """
    files = [path for path in folder.files() if not is_aside(path)]
    if not files:
        raise DumpError(
            "{dump}: there is no file of a dump in it. The export may have failed; make it again.",
            dump=Name(folder.name, whole=True),
        )
    _check_once(folder, files)
    forms = [form for matches, form in FOLDERS if matches(files)]
    if len(forms) > 1:
        raise DumpError(
            "{dump}: files of several tools' dumps are in one folder. Give each dump its own.",
            dump=Name(folder.name, whole=True),
        )
    if forms:
        return forms[0](folder, opening)
    if len(files) == 1:
        tab.refuse_alone(folder, files[0], opening)
        return open_file(opening.stream(folder, files[0], is_packed=False), opening, layers)
    below = {path.partition("/")[0] for path in files}
    if len(below) == 1:
        return open_folder(Below(folder, below.pop()), opening, layers)
    raise DumpError(
        "{dump}: {files} files that together are no dump of pg_dump, mydumper, MySQL Shell or "
        "mariadb-dump, among them {some}. One dump is one file or one such folder.",
        dump=Name(folder.name, whole=True),
        files=len(files),
        some=Names.of(sorted(files)[:3]),
    )
