"""What a dump says of itself: server version, database, and whether it is whole.

Every program ends its dumps in a way of its own: with a comment, or by restoring the settings that it saved at the top.
What has neither is read, and its completeness can't be known.
"""

import re
from dataclasses import dataclass

from recograph.dumps.message import Kind, Place
from recograph.dumps.report import DumpError


@dataclass(frozen=True)
class End:
    """How a program's dumps begin and end: a comment for each."""

    title: re.Pattern[bytes]
    closing: re.Pattern[bytes]
    words: str
    """The closing comment as a message shows it."""


ENDS = (
    End(re.compile(rb"-- (?:MySQL|MariaDB) dump "), re.compile(rb"-- Dump completed"), "-- Dump completed"),
    End(
        re.compile(rb"-- PostgreSQL database (?:cluster )?dump\s*$"),
        re.compile(rb"-- PostgreSQL database (?:cluster )?dump complete"),
        "-- PostgreSQL database dump complete",
    ),
    End(re.compile(rb"-- Dump created by MySQL pump"), re.compile(rb"-- Dump end time:"), "-- Dump end time"),
    End(
        re.compile(rb"-- Adminer [\d.]+\S* .*dump"),
        re.compile(rb"-- \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: UTC)?\s*$"),
        "-- DATE TIME",
    ),
)
_VERSIONS = (
    re.compile(rb"(?:--|#)?\s*Server version:?\s+(\S+)", re.I),
    re.compile(rb"-- Dumped from database version (\S+)"),
)
_DATABASE = re.compile(rb"-- Host: .*?\s+Database: (\S+)")
_SAVED = re.compile(rb"@(OLD_\w+)\s*:?=\s*@@", re.I)
_RESTORED = re.compile(rb"=\s*(?:IFNULL\s*\(\s*)?@(OLD_\w+)\b(?!\s*:?=\s*@@)", re.I)
_TURNED_OFF = re.compile(rb"\s*SET\s+FOREIGN_KEY_CHECKS\s*=\s*0\s*$", re.I)
_TURNED_ON = re.compile(rb"\s*SET\s+FOREIGN_KEY_CHECKS\s*=\s*1\s*$", re.I)
_BEGUN = re.compile(rb"\s*(?:START\s+TRANSACTION|BEGIN(?:\s+(?:WORK|TRANSACTION))?)\b", re.I)
_COMMITTED = re.compile(rb"\s*(?:COMMIT|END)\b", re.I)


class Completeness:
    """Gathers what comments and settings say, and judges at the end."""

    def __init__(self, name: str):
        self._name = name
        self._begun = [0] * len(ENDS)
        self._ended = [0] * len(ENDS)
        self._saved: set[bytes] = set()
        self._restored = False
        self._off = self._on = self._in_transaction = False
        self.has_statements = False
        self.server_version: str | None = None
        self.database: str | None = None

    def comment(self, line: bytes) -> None:
        """Take in one comment line."""
        for pattern in _VERSIONS:
            if (match := pattern.match(line)) and not self.server_version:
                self.server_version = match[1].decode(errors="replace")
        if (match := _DATABASE.match(line)) and not self.database:
            self.database = match[1].decode(errors="replace")
        for at, end in enumerate(ENDS):
            # Where a dump was cut within a comment and another follows, its title isn't at the line's beginning.
            self._begun[at] += len(end.title.findall(line))
            self._ended[at] += end.closing.match(line) is not None

    def statement(self, text: bytes) -> None:
        """Take in one statement without comments."""
        if text[:64].lstrip()[:3].upper() not in (b"SET", b"STA", b"BEG", b"COM", b"END"):
            return
        restored = {name.upper() for name in _RESTORED.findall(text)}
        self._saved |= {name.upper() for name in _SAVED.findall(text)}
        self._restored |= bool(restored & self._saved)
        self._off |= _TURNED_OFF.match(text) is not None
        self._on |= self._off and _TURNED_ON.match(text) is not None
        self._in_transaction = (self._in_transaction or bool(_BEGUN.match(text))) and not _COMMITTED.match(text)

    def rows(self) -> None:
        """Take in that rows come: what was restored before them ends nothing."""
        self._restored = self._on = False

    def check(self) -> bool:
        """Whether the dump is known to be whole.

        Raises:
            DumpError: what stands at the end of a whole dump is missing.
        """
        dump = Place(self._name)
        if not self.has_statements:
            raise DumpError(
                "{dump}: the dump holds nothing but comments. It was cut; fetch or make it again.", dump=dump
            )
        for end, begun, ended in zip(ENDS, self._begun, self._ended, strict=True):
            if ended < begun:
                raise DumpError(
                    '{dump}: the closing comment "{closing}" is missing, so the dump was cut, or the export '
                    "failed before its end. Fetch or make it again.",
                    dump=dump,
                    closing=Kind(end.words),
                )
        if self._saved and not self._restored:
            raise DumpError(
                "{dump}: the settings saved at the top aren't restored at the end, so the dump was cut, or the "
                "export failed before its end. Fetch or make it again.",
                dump=dump,
            )
        if self._in_transaction:
            raise DumpError(
                "{dump}: the transaction that was begun isn't committed, so the dump was cut, or the export failed "
                "before its end. Fetch or make it again.",
                dump=dump,
            )
        return any(self._ended) or self._restored or self._on
