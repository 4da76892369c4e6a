"""Lines that are no SQL: what dump programs, shells and containers print, where their messages went into the file.

Such lines are known by how they begin, so nothing that may be a row or a statement is among them. A message that
tells of an error is none of them: what the program didn't manage to write is missing then.
"""

import re

_PROGRAMS = (
    rb"mysqldump|mariadb-dump|mysql|mariadb|mysqlpump|mydumper|mysqlsh|pg_dump(?:all)?|pg_restore|psql|"
    rb"docker(?:-compose)?|podman|kubectl|oc|ssh|scp|rsync|sudo|su|(?:-)?(?:ba|da|z|k)?sh|cron|nohup|gzip|pigz|zstd|bzip2|xz|lz4|tee|pv|nice|ionice|time|"
    rb"env|tar|aws|gsutil|gcloud|heroku|fly|perl|locale|setlocale|systemd|timeout|stdin"
)
_LINES = {
    rb"(?:[\w./~-]*/)?(?P<program>%s)(?:\[\d+\]|\.exe|\.bin)?: " % _PROGRAMS: "",
    rb"[\w./~-]+\.(?:sh|bash|py|pl): (?:line \d+: )?": "a script",
    rb"(?: ?\[?(?:warning|note|notice|info|deprecated|success)\]?)\b ?[:\]]": "a program",
    rb"\+{1,9} (?:[\w./~-]*/)?(?:%s)(?: |\Z)" % _PROGRAMS: "a shell",
    rb"(?:enter )?password(?: for [\w.@ -]{1,60})?: *\Z": "a program that asks for a password",
    rb"Defaulted container \"|Defaulting container name to |Use 'kubectl describe": "kubectl",
    rb"the input device is not a TTY|cannot enable tty mode": "docker",
    rb"Unable to find image '|[\w.-]+: Pulling from ": "docker",
    rb"[0-9a-f]{12}: (?:Pull|Download|Verifying|Waiting|Already)": "docker",
    rb"Digest: sha256:|Status: (?:Downloaded|Image is up)|WARN\[\d+\]|time=\"[^\"]*\" level=": "docker",
    rb"Pseudo-terminal will not be allocated|Connection to \S+ closed|Unable to use a TTY": "ssh",
    rb"\t(?:LANGUAGE|LC_\w+|LANG) = |    are supported and installed on your system": "perl",
    rb"\s*(?:real|user|sys)\s+\d+m[\d.]+s\s*\Z": "time",
    rb"(?:Killed|Terminated|Aborted|Segmentation fault)\b.{0,40}\Z": "a shell",
    rb"Script (?:started|done)[ ,]": "script",
    rb" *[\d.]+ ?[KMGT]?i?B \d+:\d\d:\d\d \[": "pv",
}
_KNOWN = tuple((re.compile(line, re.I), who) for line, who in _LINES.items())
_COLOURS = re.compile(rb"\x1b\[[\d;]*[A-Za-z]")
_PROMPT = re.compile(rb"(?:Enter password|Password(?: for [\w.@-]{1,60})?): ?(?=[-/#]|\Z)")
_FAILURES = re.compile(
    rb"\berror\b|fail|fatal|lost connection|gone away|killed|no space|out of memory|broken pipe|denied|"
    rb"couldn't execute|got packet|terminated|aborted|permission|cannot|can't|unable to connect|timed? ?out",
    re.I,
)
_NO_FAILURES = re.compile(rb"\A\+|the input device|cannot enable tty|locale|stdin is not|TTY", re.I)
_LONGEST = 4096
_FAILED_EXPORT = re.compile(rb"-- [^\n]*(?:: ?|\()#(?!1356)\d{3,5} - ")
"""How phpMyAdmin, in any language, tells within a dump that it couldn't read a table: with the server's error number.
Number 1356 is of views."""


class Noise:
    """A line that isn't SQL: who printed it, and whether it tells that something went wrong."""

    def __init__(self, who: str, *, is_failure: bool):
        self.who = who
        self.is_failure = is_failure


def noise_of(line: bytes) -> Noise | None:
    """What a line is that begins no statement; None where it isn't known."""
    if len(line) > _LONGEST:
        return None
    if (bare := without_colours(line)) != line:
        if not bare.strip():
            return Noise("a terminal", is_failure=False)
        line = bare
    for pattern, who in _KNOWN:
        if match := pattern.match(line):
            named = match.groupdict().get("program")
            failed = bool(_FAILURES.search(line)) and not _NO_FAILURES.search(line)
            return Noise(who or (named or b"").decode().lower(), is_failure=failed)
    return None


def without_colours(text: bytes) -> bytes:
    """A text without what makes terminals change their colours."""
    return _COLOURS.sub(b"", text) if b"\x1b" in text else text


def is_failed_export(line: bytes) -> bool:
    """Whether a comment tells that a table couldn't be read, so that its rows are missing."""
    return _FAILED_EXPORT.match(line) is not None


def prompt_length(line: bytes) -> int:
    """How long a prompt for a password is that stands before the first line of a dump, since nobody ended its line."""
    match = _PROMPT.match(line)
    return match.end() if match else 0
