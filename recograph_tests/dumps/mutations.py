"""What life does to dumps, with a seed: to text by the line and the character, to archives by the byte and the file.

`python -m recograph_tests.dumps.mutations [COUNT] [SEED]` does it as often as asked and says what came of it.
"""

import collections
import io
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from recograph.dumps import Declared, DumpError, DumpReader
from recograph_tests.dumps.good_archives import Files, Packed, good_archives
from recograph_tests.dumps.good_dumps import Good, Rows, good_dumps

_TITLE = 40
"""How long the first line of a dump is at least."""
_MESSAGES = [
    "Warning: A partial dump includes GTIDs. If you don't want to, pass --set-gtid-purged=OFF.",
    "mysqldump: [Warning] Using a password on the command line interface can be insecure.",
    'mysqldump: Couldn\'t find table: "foo"',
    "mysqldump: Error 2013: Lost connection to server during query when dumping table `a` at row: 3",
    'pg_dump: dumping contents of table "public.a"',
    "pg_dump: warning: there are circular foreign-key constraints on this table:",
    "the input device is not a TTY",
    "/usr/local/bin/backup.sh: line 12: warning: setlocale: LC_ALL: cannot change locale",
    "Killed",
    "",
    "hello; world",
    "it's",
    "-- a comment",
    "*/",
    "\\.",
    "));",
]


def _lines(text: str, good: Good, random_: random.Random) -> tuple[list[str], int]:
    """The lines, and one of them that isn't within a value."""
    lines = text.split("\n")
    while True:
        at = random_.randrange(len(lines))
        before = "\n".join(lines[:at])
        if not good.has_line_ends or re.sub(r"--.*|COMMENT.*", "", before).count("'") % 2 == 0:
            return lines, at


Mutated = tuple[bytes, list[Rows]]
"""A dump to which something was done, and the rows that may be read of it; refusing it is always right."""


def insert_line(good: Good, random_: random.Random) -> Mutated:
    """A program printed into the file, or somebody typed into it."""
    lines, at = _lines(good.text, good, random_)
    lines.insert(at, random_.choice(_MESSAGES))
    return "\n".join(lines).encode(), [good.rows]


def drop_line(good: Good, random_: random.Random) -> Mutated:
    """A line got lost; where it was a row, a server lacks it too."""
    lines, at = _lines(good.text, good, random_)
    lost = lines.pop(at)
    allowed = [good.rows]
    if good.is_row(lost):
        for table, rows in good.rows.items():
            fewer = [good.rows | {table: rows[:n] + rows[n + 1 :]} for n in range(len(rows))]
            allowed += [*fewer, good.rows | {table: []}]
    return "\n".join(lines).encode(), allowed


def cut(good: Good, random_: random.Random) -> Mutated:
    """The end is missing."""
    data = good.text.encode()
    return data[: random_.randrange(len(data))], [good.rows]


def join(good: Good, random_: random.Random) -> Mutated:
    """Two dumps in one file, the first perhaps without its end."""
    other = next(good_dumps(random_))
    first = good.text if random_.random() < 0.5 else good.text[: random_.randrange(len(good.text))]
    both = {} if good.rows.keys() & other.rows.keys() else good.rows | other.rows
    if len(first) < _TITLE or (";" not in first and "HeidiSQL Version" in good.text and "HeidiSQL V" not in first):
        # Nothing of the first is left that could tell of it.
        return (first + other.text).encode(), [other.rows]
    return (first + other.text).encode(), [both] if both else []


def wrap(good: Good, random_: random.Random) -> Mutated:
    """A mail program or an editor broke long lines; where values hold line ends as they are, nobody can tell."""
    if good.has_line_ends:
        return insert_line(good, random_)
    width = random_.choice([40, 72, 76, 80, 120])
    parts = [line[at : at + width] for line in good.text.split("\n") for at in range(0, max(len(line), 1), width)]
    return "\n".join(parts).encode(), [good.rows]


def encode(good: Good, random_: random.Random) -> Mutated:
    """Somebody saved it in another encoding."""
    encoding = random_.choice(["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8-sig"])
    try:
        return good.text.encode(encoding), [good.rows]
    except UnicodeEncodeError:
        return good.text.encode("utf-16"), [good.rows]


def with_carriage_returns(good: Good, _: random.Random) -> Mutated:
    """Lines end as on Windows; values that hold line ends as they are get them too, as in a server that loads it."""

    def loaded(value: object) -> object:
        return value.replace("\n", "\r\n") if good.has_line_ends and isinstance(value, str) else value

    rows = {table: [tuple(map(loaded, row)) for row in held] for table, held in good.rows.items()}
    return good.text.replace("\n", "\r\n").encode(), [rows]


def with_some_carriage_returns(good: Good, random_: random.Random) -> Mutated:
    """An editor on Windows changed some lines."""
    if good.has_line_ends:
        return with_carriage_returns(good, random_)
    lines = good.text.split("\n")
    changed = "\n".join(line + "\r" * random_.randrange(2) for line in lines[:-1])
    return f"{changed}\n{lines[-1]}".encode(), [good.rows]


def with_mark(good: Good, _: random.Random) -> Mutated:
    """An editor put a byte order mark before it."""
    return b"\xef\xbb\xbf" + good.text.encode(), [good.rows]


TEXT_MUTATIONS = [
    insert_line,
    drop_line,
    cut,
    join,
    wrap,
    encode,
    with_carriage_returns,
    with_some_carriage_returns,
    with_mark,
]

Repacked = tuple[bytes | Files, list[Rows]]
"""An archive to which something was done, and the rows that may be read of it."""


def _changed(packed: Packed, change: Callable[[bytes], bytes], random_: random.Random) -> Repacked:
    """One of the files of a dump, changed."""
    if isinstance(packed.content, bytes):
        return change(packed.content), [packed.rows]
    name = random_.choice(sorted(packed.content))
    return packed.content | {name: change(packed.content[name])}, [packed.rows]


def flip_bit(packed: Packed, random_: random.Random) -> Repacked:
    """A bit changed; where no check sum protects it, the end is missing instead."""
    if not packed.has_sums:
        return cut_file(packed, random_)

    def change(data: bytes) -> bytes:
        at = random_.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << random_.randrange(8)]) + data[at + 1 :]

    return _changed(packed, change, random_)


def cut_file(packed: Packed, random_: random.Random) -> Repacked:
    """The end of a file is missing."""
    return _changed(packed, lambda data: data[: random_.randrange(max(len(data), 1))], random_)


def drop_byte(packed: Packed, random_: random.Random) -> Repacked:
    """A byte got lost."""
    if not packed.has_sums:
        return cut_file(packed, random_)

    def change(data: bytes) -> bytes:
        at = random_.randrange(len(data))
        return data[:at] + data[at + 1 :]

    return _changed(packed, change, random_)


def insert_byte(packed: Packed, random_: random.Random) -> Repacked:
    """A byte came in between."""
    if not packed.has_sums:
        return cut_file(packed, random_)

    def change(data: bytes) -> bytes:
        at = random_.randrange(len(data) + 1)
        return data[:at] + random_.randbytes(1) + data[at:]

    return _changed(packed, change, random_)


def drop_file(packed: Packed, random_: random.Random) -> Repacked:
    """A file wasn't copied."""
    if isinstance(packed.content, bytes):
        return cut_file(packed, random_)
    lost = random_.choice(sorted(packed.content))
    return {name: data for name, data in packed.content.items() if name != lost}, [packed.rows]


def rename_file(packed: Packed, random_: random.Random) -> Repacked:
    """Somebody put a file aside."""
    if isinstance(packed.content, bytes):
        return cut_file(packed, random_)
    old = random_.choice(sorted(packed.content))
    new = random_.choice([f"{old}.bak", f"{old} (1)", f"old/{old}", f"{old}.1", f"copy of {old}"])
    return {new if name == old else name: data for name, data in packed.content.items()}, [packed.rows]


def text_mode(packed: Packed, random_: random.Random) -> Repacked:
    """A transfer took bytes for text."""

    def change(data: bytes) -> bytes:
        return data.replace(b"\n", b"\r\n")

    if packed.has_sums or isinstance(packed.content, bytes):
        return _changed(packed, change, random_)
    return rename_file(packed, random_)


def join_archives(packed: Packed, random_: random.Random) -> Repacked:
    """Two in one: one behind the other, or the files of both in one folder."""
    other = next(good_archives(random_))
    while isinstance(other.content, bytes) is not isinstance(packed.content, bytes):
        other = _any_archive(random_)
    both = {} if packed.rows.keys() & other.rows.keys() else packed.rows | other.rows
    if isinstance(packed.content, bytes) and isinstance(other.content, bytes):
        return packed.content + other.content, [both] if both else []
    assert isinstance(packed.content, dict)
    assert isinstance(other.content, dict)
    # What the second overwrites is gone; what is left of the first may still be whole.
    return packed.content | other.content, [packed.rows | other.rows, packed.rows, other.rows]


def _any_archive(random_: random.Random) -> Packed:
    archives = good_archives(random_)
    for _ in range(random_.randrange(18)):
        next(archives)
    return next(archives)


ARCHIVE_MUTATIONS = [
    flip_bit,
    cut_file,
    drop_byte,
    insert_byte,
    drop_file,
    rename_file,
    text_mode,
    join_archives,
]


class MemoryFolder:
    """Files in memory as a folder."""

    name = "test"

    def __init__(self, files: Files, *, is_random: bool):
        self._files = files
        self.is_random = is_random

    def files(self) -> dict[str, int]:
        """See `recograph.dumps.Folder.files`."""
        return {name: len(data) for name, data in self._files.items()}

    def open(self, path: str) -> BinaryIO:
        """See `recograph.dumps.Folder.open`."""
        return io.BytesIO(self._files[path])

    def stamp(self) -> object:
        """See `recograph.dumps.Folder.stamp`."""
        return None


@dataclass
class Outcome:
    """What came of one mutated dump."""

    name: str
    was_read: bool
    wrong: str = ""
    seconds: float = 0.0


_COLUMNS = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("t", pa.string(), nullable=False)])
_CONTRACTS = dict.fromkeys(("users", "courses", "enrol", "notes"), _COLUMNS)


def outcome(
    name: str, dump: bytes | Files, allowed: list[Rows], declared: Declared | None = None, *, by_contract: bool = False
) -> Outcome:
    """Read a mutated dump, and hold what was read against what is allowed.

    Where the reader tells that the completeness can't be known, rows may be missing.
    """
    began = time.process_time()
    rows: Rows = {}
    source = io.BytesIO(dump) if isinstance(dump, bytes) else MemoryFolder(dump, is_random=len(dump) % 2 == 0)
    schemas = _CONTRACTS if by_contract else None
    try:
        with DumpReader(source, name="test.sql", declared=declared, schemas=schemas) as reader:
            for table, batch in reader:
                held = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                rows.setdefault(table, []).extend(held)
            warnings, is_complete = reader.warnings, bool(reader.is_complete)
    except DumpError as error:
        wrong = "" if len(str(error)) < 700 else "a message of unbounded length"
        return Outcome(name, was_read=False, wrong=wrong, seconds=time.process_time() - began)
    except Exception as error:
        return Outcome(name, was_read=False, wrong=f"{type(error).__name__}: {error}")
    seconds = time.process_time() - began
    if any(_agree(rows, expected, may_lack=not is_complete) for expected in allowed):
        return Outcome(name, was_read=True, seconds=seconds)
    return Outcome(name, was_read=True, wrong=f"other rows: {rows} of {allowed[:1]}, {warnings}", seconds=seconds)


def _agree(rows: Rows, expected: Rows, *, may_lack: bool) -> bool:
    """Whether rows are those that are expected, in any order, for files come in any."""
    given = {table: collections.Counter(held) for table, held in rows.items() if held}
    wanted = {table: collections.Counter(held) for table, held in expected.items() if held}
    if may_lack:
        return all(given[table] <= wanted.get(table, collections.Counter()) for table in given)
    return given == wanted


def outcomes(count: int, seed: int) -> Iterator[tuple[bytes | Files, Outcome]]:
    """What comes of so many mutated dumps, of texts and of archives in turns."""
    random_ = random.Random(seed)
    dumps, archives = good_dumps(random_), good_archives(random_)
    for at in range(count):
        if at % 2:
            repack = random_.choice(ARCHIVE_MUTATIONS)
            packed = next(archives)
            content, allowed = repack(packed, random_)
            yield content, outcome(repack.__name__, content, allowed, by_contract=True)
        else:
            mutate = random_.choice(TEXT_MUTATIONS)
            good = next(dumps)
            data, allowed = mutate(good, random_)
            yield data, outcome(mutate.__name__, data, allowed, good.declared, by_contract=good.declared is not None)


def main() -> int:
    """Do it, and say how many were read, refused, and wrong."""
    count, seed = (int(given) for given in (sys.argv[1:] + ["10000", "1"][len(sys.argv) - 1 :])[:2])
    read, refused = collections.Counter[str](), collections.Counter[str]()
    wrong, slowest = 0, 0.0
    for dump, result in outcomes(count, seed):
        (read if result.was_read else refused)[result.name] += 1
        slowest = max(slowest, result.seconds)
        if result.wrong:
            wrong += 1
            shown = dump.decode(errors="replace") if isinstance(dump, bytes) else str(dump)
            print(f"WRONG {result.name}: {result.wrong[:1000]}\n{shown[:4000]}\n")  # noqa: T201
    for mutate in (*TEXT_MUTATIONS, *ARCHIVE_MUTATIONS):
        name = mutate.__name__
        print(f"{name:24}{read[name]:7} read{refused[name]:7} refused")  # noqa: T201
    totals = f"{read.total()} read, {refused.total()} refused, {wrong} wrong; slowest {slowest:.2f} s"
    print(f"{count} in all: {totals}")  # noqa: T201
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
