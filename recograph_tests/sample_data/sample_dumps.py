"""A reader of the sample dumps for tests: slow, plain, and sharing nothing with what writes or reads them otherwise."""

import gzip
import re
from functools import cache
from pathlib import Path

Row = dict[str, str | None]

_MYSQL_ESCAPES = {"n": "\n", "r": "\r", "0": "\0", "Z": "\x1a"}
_PG_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


@cache
def read_table(path: Path, table: str) -> list[Row]:
    """All values as texts; None is NULL. What is read is remembered: don't change it."""
    text = text_of(path)
    if "PostgreSQL database dump" in text[:100]:
        return _copied(text, table)
    return _inserted(text, table)


def _copied(text: str, table: str) -> list[Row]:
    copy = re.search(rf"^COPY public\.{table} \(([^()\n]*)\) FROM stdin;\n(.*?)^\\\.\n", text, re.M | re.S)
    assert copy, f"no COPY of {table}"
    names = [name.strip('"') for name in copy[1].split(", ")]

    def value(cell: str) -> str | None:
        return None if cell == "\\N" else re.sub(r"\\(.)", lambda escape: _PG_ESCAPES.get(escape[1], escape[1]), cell)

    rows = [[value(cell) for cell in line.split("\t")] for line in copy[2].split("\n")[:-1]]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _inserted(text: str, table: str) -> list[Row]:
    definition = re.search(rf"^CREATE TABLE `{table}` \(\n(.*?)^\) ENGINE", text, re.M | re.S)
    assert definition, f"no CREATE TABLE of {table}"
    names = re.findall(r"^  `(\w+)`", definition[1], re.M)
    rows: list[Row] = []
    for start in re.finditer(rf"^INSERT INTO `{table}` VALUES\s", text, re.M):
        at = start.end()
        while True:
            row, at = _tuple(text, at)
            rows.append(dict(zip(names, row, strict=True)))
            if text[at] == ";":
                break
            at += 2 if text[at : at + 2] == ",\n" else 1
    return rows


def _tuple(text: str, at: int) -> tuple[list[str | None], int]:
    """The values from an opening parenthesis on, and the place after the closing one."""
    assert text[at] == "("
    at += 1
    values: list[str | None] = []
    while True:
        if text[at] == "'":
            letters = []
            at += 1
            while text[at] != "'":
                if text[at] == "\\":
                    at += 1
                    letters.append(_MYSQL_ESCAPES.get(text[at], text[at]))
                else:
                    letters.append(text[at])
                at += 1
            at += 1
            values.append("".join(letters))
        else:
            end = re.compile(r"[,)]").search(text, at)
            assert end
            values.append(None if text[at : end.start()] == "NULL" else text[at : end.start()])
            at = end.start()
        at += 1
        if text[at - 1] == ")":
            return values, at
