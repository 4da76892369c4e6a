"""Checks an installation: the machine, its folders, its dumps, Neo4j and AWS.

Nothing is started, made or changed. If a check fails, the others are made nevertheless.
"""

import datetime
import json
import os
import sys
import urllib.request
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recograph.customers import load_customers
from recograph.errors import RecographError, UnavailableError
from recograph.lake.inbox import unlisted
from recograph.operating import machine
from recograph.operating.machine import REINSTALL, Results, Status, ok
from recograph.settings import Settings

_NEO4J = 5
_UI_PORT = 3000


@dataclass(frozen=True)
class Finding:
    """One result of a check."""

    check: str
    status: Status
    text: str
    advice: str = ""
    """What to do, where something is to be done."""


def diagnose(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Make every check, in the order in which things are needed."""
    yield from _made(_MACHINE)
    try:
        settings = Settings.from_env(environ)
    except RecographError as error:
        yield Finding("settings", Status.problem, str(error), "Correct the variable; then more can be checked.")
        return
    yield from _made({name: partial(check, settings) for name, check in _INSTALLATION.items()})


def _made(checks: Mapping[str, Callable[[], Results]]) -> Iterator[Finding]:
    for name, check in checks.items():
        try:
            for status, text, advice in check():
                yield Finding(name, status, text, advice)
        except RecographError as error:
            yield Finding(name, Status.problem, " ".join(str(error).split()))
        except Exception as error:
            # Any error is a result: something in the installation is broken.
            text = f"can't be checked ({type(error).__name__}: {' '.join(str(error).split())})"
            yield Finding(name, Status.problem, text, REINSTALL)


def _dbt(settings: Settings) -> Results:
    from recograph.adapters.environment import open_dbt

    command = Path(sys.executable).with_name("dbt")
    try:
        installed = ", ".join(f"{name} {version(name)}" for name in ("dbt-core", *open_dbt(settings).packages))
    except PackageNotFoundError as error:
        yield Status.problem, f"{error.name} isn't installed", REINSTALL
        return
    if not os.access(command, os.X_OK):
        yield Status.problem, f"{command} isn't there", REINSTALL
    else:
        yield from ok(installed)


def _home(settings: Settings) -> Results:
    folder = machine.existing(settings.home)
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        text = f"{settings.home} can't be written: {folder} doesn't let us"
        yield Status.problem, text, "Make it writable, or let RECOGRAPH_HOME name another folder."
    else:
        yield from machine.space(settings.home)


def _customers(settings: Settings) -> Results:
    from recograph.adapters.environment import open_inbox

    listed = load_customers(settings.data).customers
    yield from ok(f"{len(listed)} in {settings.data / 'customers.yaml'}")
    for folder in unlisted(open_inbox(settings), listed):
        text = f"{folder} has dumps that aren't read, since customers.yaml names no such customer"
        yield Status.warning, text, "Add the customer there, or move the folder away."


def _dumps(settings: Settings) -> Results:
    """Check the newest dump of each customer; one line where all is well."""
    from recograph.adapters.environment import open_inbox
    from recograph.dumps import sniff
    from recograph.lake.inbox import is_possible, told_of_misdated

    try:
        customers = load_customers(settings.data).customers
    except RecographError:
        return  # the check of customers has said it already
    inbox = open_inbox(settings)
    today = datetime.datetime.now(zoneinfo.ZoneInfo(settings.timezone)).date()
    fine = []
    for customer in customers:
        try:
            shipped = inbox.dumps(customer)
            dumps = {date: dump for date, dump in shipped.items() if is_possible(date, today)}
            if misdated := told_of_misdated(customer, shipped, today):
                yield Status.warning, misdated.rstrip("."), "Correct their names, or this machine's clock."
            if not dumps:
                where = inbox.uri(customer, "2026-01-31.sql")
                yield Status.warning, f"{customer} has none", f"Put it where it is looked for, such as {where}."
                continue
            newest = list(dumps.values())[-1]
            with inbox.open_dump(newest) as source:
                sniff(source, name=newest.uri)
            fine.append(newest.date)
        except RecographError as error:
            yield Status.problem, " ".join(str(error).split()), ""
            if isinstance(error, UnavailableError):
                break  # each customer would be waited for, and told, the same
    if fine:
        yield from ok(f"{len(fine)} customers' newest are dumps, from {min(fine)} to {max(fine)}")


def _ports(settings: Settings) -> Results:
    from recograph.adapters.neo4j.connection import port_is_free
    from recograph.adapters.neo4j.running import read_state
    from recograph.adapters.neo4j.server import BOLT_PORT, HTTP_PORT

    if not settings.has_own_neo4j:
        state = read_state(settings.home / "neo4j")
        if state and state.process(settings.home / "neo4j"):
            yield from ok(f"our Neo4j listens on {state.bolt_port} and {state.http_port}")
        else:
            for port in (BOLT_PORT, HTTP_PORT):
                advice = "Neo4j will take another one, which `recograph neo4j status` tells."
                yield from ok(f"{port} is free") if port_is_free(port) else _taken(port, advice)
    if port_is_free(_UI_PORT):
        yield from ok(f"{_UI_PORT} is free")
    elif _is_dagster(f"http://127.0.0.1:{_UI_PORT}/server_info"):
        yield from ok(f"{_UI_PORT} is a Dagster UI's")
    else:
        yield from _taken(_UI_PORT, "`recograph dev` will take the next free one.")


def _taken(port: int, advice: str) -> Results:
    yield Status.warning, f"{port} is taken by another program", advice


def _is_dagster(url: str) -> bool:
    with suppress(OSError, ValueError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
        return "dagster_version" in json.loads(answer.read())
    return False


def _neo4j(settings: Settings) -> Results:
    from recograph.adapters.neo4j import ManagedServer
    from recograph.adapters.neo4j.driver import Server, connect, find_server
    from recograph.adapters.neo4j.jars import VERSION, release
    from recograph.adapters.neo4j.running import read_state
    from recograph.graph.counts import held_dates

    if settings.has_own_neo4j:
        server = find_server(settings)
    else:
        local = ManagedServer(settings.home / "neo4j").running()
        if local is None:
            state = read_state(settings.home / "neo4j")
            if state and release(state.version) > release(VERSION):
                text = f"the store in {settings.home} is of Neo4j {state.version}, but this recograph brings {VERSION}"
                yield Status.problem, text, "Use the newer recograph."
            else:
                yield from ok("the local server isn't running; it starts when it is needed")
            return
        server = Server(local.uri, local.username, local.password)
    with connect(server) as driver:
        installed = driver.get_server_info().agent.removeprefix("Neo4j/")
        held = held_dates(driver)
    if release(installed) < (_NEO4J,):
        yield Status.problem, f"{installed} at {server.uri} is too old", f"Use Neo4j {_NEO4J} or later."
    else:
        yield from ok(f"{installed} at {server.uri}")
    with suppress(RecographError):  # the check of customers has said it already
        for customer in sorted(held.keys() - load_customers(settings.data).customers):
            text = f"the graph holds {customer}, which customers.yaml doesn't name"
            yield Status.warning, text, f"Add it there, or run `recograph customer remove {customer}`."


def _aws(settings: Settings) -> Results:
    from recograph.adapters.environment import reads

    # Each library calls AWS in its own way, so one read is made with each.
    for read in reads(settings):
        yield from ok(read)


_MACHINE: Mapping[str, Callable[[], Results]] = {
    "python": machine.python,
    "memory": machine.memory,
}
_INSTALLATION: Mapping[str, Callable[[Settings], Results]] = {
    "java": machine.java,
    "cache": machine.jars,
    "dbt": _dbt,
    "home": _home,
    "customers": _customers,
    "aws": _aws,
    "dumps": _dumps,
    "ports": _ports,
    "neo4j": _neo4j,
}
