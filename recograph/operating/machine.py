"""What `doctor` looks at of the machine: Python, Java, memory, room on disks, Neo4j's jars; and what a check says."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import psutil

from recograph.settings import Settings

REINSTALL = "Install recograph again, with the extras that you use (in a checkout: `make install`)."
_GIB = 1024**3
_PYTHON = (3, 11)
_JAVA = 21
_ELSEWHERE = "not needed: Neo4j is elsewhere"


class Status(StrEnum):
    """How a check came out."""

    ok = "ok"
    warning = "warning"
    problem = "problem"


Results = Iterator[tuple[Status, str, str]]
"""Status, text and advice of each result of a check."""


def ok(text: str) -> Results:
    """The one result of a check that finds nothing wrong."""
    yield Status.ok, text, ""


def python() -> Results:
    """Check the version of Python."""
    installed = sys.version.split()[0]
    if sys.version_info < _PYTHON:
        yield Status.problem, f"{installed} is too old", "Install Python 3.11 or later, and recograph with it."
    else:
        yield from ok(installed)


def memory() -> Results:
    """Check how much memory there is."""
    from recograph.adapters.neo4j.config import memory_limit

    total, free = memory_limit() / _GIB, psutil.virtual_memory().available / _GIB
    text = f"{total:.1f} GiB, {free:.1f} GiB of the machine's free"
    if total < 2:
        yield Status.problem, text, "Neo4j and Dagster need 2 GiB at least, 4 GiB to be at ease."
    elif total < 4 or free < 1:
        yield Status.warning, text, "Close other programs, or give the machine more: 4 GiB is at ease."
    else:
        yield from ok(text)


def java(settings: Settings) -> Results:
    """Check the Java of the local Neo4j."""
    if settings.has_own_neo4j:
        yield from ok(_ELSEWHERE)
        return
    try:
        from recograph.adapters.neo4j import jvm

        command = [str(jvm.java()), "-version"]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our Java
    except ModuleNotFoundError as error:
        advice = "Run `pip install 'recograph[local]'`, or set NEO4J_URI to use another Neo4j."
        yield Status.problem, f"{error.name} isn't installed", advice
        return
    except (OSError, subprocess.SubprocessError) as error:
        yield Status.problem, f"{command[0]} can't be run: {error}", REINSTALL
        return
    number = (ran.stderr or ran.stdout).split('"')[1]
    if int(number.split(".")[0]) < _JAVA:
        yield Status.problem, f"{number} is too old for Neo4j", REINSTALL
    else:
        yield from ok(number)


def jars(settings: Settings) -> Results:
    """Check that the local Neo4j is whole on this machine."""
    if settings.has_own_neo4j:
        yield from ok(_ELSEWHERE)
        return
    from recograph.adapters.neo4j.cache import cache_dir
    from recograph.adapters.neo4j.jars import VERSION, locked_jars

    folder = cache_dir() / f"neo4j-{VERSION}"
    missing = [jar for jar in locked_jars() if not (folder / jar.filename).exists()]
    if not missing:
        yield from ok(f"Neo4j {VERSION} is in {folder}")
        return
    text = f"Neo4j {VERSION} isn't whole in {folder}: {len(missing)} jars are missing"
    yield (
        Status.warning,
        text,
        "Run `recograph neo4j fetch` while there is a network; an own Neo4j (NEO4J_URI) needs none.",
    )
    yield from space(folder)


def space(folder: Path) -> Results:
    """Check how much room is left where a folder is, or will be."""
    free = shutil.disk_usage(existing(folder)).free / _GIB
    text = f"{folder}, {free:.1f} GiB free"
    if free < 5:
        status = Status.problem if free < 1 else Status.warning
        yield status, text, "Free some disk space, or delete old partitions with `recograph clean`."
    else:
        yield from ok(text)


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
