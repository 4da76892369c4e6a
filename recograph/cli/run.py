"""`recograph run`: from the dumps to the graph, with progress on the terminal and a closing table."""

import datetime
import json
import os
import signal
import subprocess
import sys
import time
import zoneinfo
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from recograph.cli.summary import Outcome, print_summary
from recograph.customers import load_customers
from recograph.errors import RecographError, UnavailableError
from recograph.operating.instance import prepare_instance
from recograph.settings import Settings

if TYPE_CHECKING:
    from recograph.lake.interfaces import Inbox

STEPS = ("landing", "glue", "marts", "similarity", "graph")


def run(
    customer: Annotated[
        list[str] | None, typer.Option("--customer", "-c", help="Only this customer; repeatable.")
    ] = None,
    date: Annotated[list[str] | None, typer.Option("--date", "-d", help="Only this snapshot date; repeatable.")] = None,
    allow_older: Annotated[bool, typer.Option(help="Let the graph go back to an older date.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Compare with the graph itself, whatever is recorded, and set it right.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Build what hasn't changed too.")] = False,
    max_removed_share: Annotated[
        float | None, typer.Option(help="The share of a set that a day may remove from the graph.", min=0, max=1)
    ] = None,
    max_row_drop: Annotated[
        float | None, typer.Option(help="The share of a table's rows that a day may lose.", min=0, max=1)
    ] = None,
    allow_missing_columns: Annotated[
        bool, typer.Option("--allow-missing-columns", help="Let columns be missing that the day before had.")
    ] = False,
) -> None:
    """Materialize every partition that has a dump, or the given ones, in date order.

    Steps of which nothing has changed since they last succeeded are left out; the graph is always looked at.
    """
    from recograph.adapters.environment import open_inbox

    began = time.monotonic()
    settings = Settings.from_env()
    console = Console()
    partitions, passed_over = choose_partitions(settings, open_inbox(settings), customer, date)
    prepare_instance(settings)
    run_config = _run_config(allow_older, repair, max_removed_share, max_row_drop, allow_missing_columns)
    with _progress(console) as progress, ThreadPoolExecutor(1) as pool:
        # The server starts while dumps are landed and marts built; the graph step waits for it.
        neo4j = pool.submit(_reach_neo4j, settings, progress)
        if settings.has_own_neo4j:
            neo4j.result()  # it isn't started here: that it can't be reached is said now, not after minutes of work
        request = {"partitions": partitions, "run_config": run_config, "force": force}
        outcomes, graph = _run_worker(settings, request, progress)
        neo4j.result()
    outcomes += [Outcome(customer, [], failures=[trouble]) for customer, trouble in passed_over.items()]
    print_summary(console, settings, outcomes, graph, time.monotonic() - began)
    if not all(outcome.succeeded for outcome in outcomes):
        raise typer.Exit(1)


def choose_partitions(
    settings: Settings, inbox: "Inbox", customers: list[str] | None, dates: list[str] | None
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The dates to materialize by customer, and why other customers are passed over.

    Raises:
        RecographError: a customer is unknown, a partition that was asked for has no dump, or there is no dump at all.
    """
    from recograph.lake.inbox import dump_for, unlisted

    listed = load_customers(settings.data)
    for folder in [] if customers else unlisted(inbox, listed.customers):
        typer.echo(f"{folder} has dumps that aren't read, since customers.yaml names no such customer.", err=True)
    chosen = [listed[customer].id for customer in customers or listed.customers]
    days_by_customer: dict[str, list[str]] = {}
    passed_over: dict[str, str] = {}
    for customer in chosen:
        try:
            days_by_customer[customer] = _dates(settings, inbox, customer)
        except RecographError as error:
            # Its dumps can't be listed, which keeps nobody else from theirs.
            if customers or isinstance(error, UnavailableError):
                raise
            passed_over[customer] = f"it is passed over: {error}"
    if dates:
        if not any(date in days_by_customer[customer] for date in dates for customer in days_by_customer) or customers:
            for customer in days_by_customer:
                for date in dates:
                    dump_for(inbox, customer, date)
        days_by_customer = {
            customer: [date for date in sorted(set(dates)) if date in days_by_customer[customer]]
            for customer in days_by_customer
        }
    if not any(days_by_customer.values()):
        if passed_over:
            raise RecographError(" ".join(f"{customer}: {trouble}" for customer, trouble in passed_over.items()))
        raise RecographError(
            f"No dump in {inbox.uri()}: put each customer's at CUSTOMER/DATE.sql there, such as "
            f"{inbox.uri(chosen[0], '2026-01-31.sql')} (or packed, or an archive, or a folder of that date)."
        )
    return {customer: days for customer, days in days_by_customer.items() if days}, passed_over


def _dates(settings: Settings, inbox: "Inbox", customer: str) -> list[str]:
    """The days for which a customer has dumps; impossible ones are named in a message and left out."""
    from recograph.lake.inbox import is_possible, told_of_misdated

    today = datetime.datetime.now(zoneinfo.ZoneInfo(settings.timezone)).date()
    shipped = list(inbox.dumps(customer))
    if misdated := told_of_misdated(customer, shipped, today):
        typer.echo(misdated, err=True)
    return [date for date in shipped if is_possible(date, today)]


def _run_config(
    allow_older: bool,
    repair: bool,
    max_removed_share: float | None,
    max_row_drop: float | None,
    allow_missing_columns: bool,
) -> dict[str, Any]:
    graph = {"allow_older": allow_older or None, "repair": repair or None, "max_removed_share": max_removed_share}
    landing = {"max_row_drop": max_row_drop, "allow_missing_columns": allow_missing_columns or None}
    configs = {"graph": graph, "landing": landing}
    given = {op: {name: value for name, value in config.items() if value is not None} for op, config in configs.items()}
    return {"ops": {op: {"config": config} for op, config in given.items() if config}}


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[status]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, refresh_per_second=2) as progress:
        yield progress


def _run_worker(
    settings: Settings, request: dict[str, Any], progress: Progress
) -> tuple[list[Outcome], dict[str, Any]]:
    """Have a worker queue and execute the runs that are asked for; returns what it told of them, and of the graph."""
    partitions: dict[str, list[str]] = request["partitions"]
    outcomes = {customer: Outcome(customer, dates) for customer, dates in partitions.items()}
    tasks = {
        customer: progress.add_task(customer, total=len(STEPS) * len(dates), status=f"{len(dates)} days")
        for customer, dates in partitions.items()
    }
    log = settings.home / "logs" / "worker.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for customer in partitions:
        (log.parent / f"run-{customer}.log").unlink(missing_ok=True)
    with log.open("w") as errors:
        worker = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "recograph.worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # so that Ctrl-C reaches it once, from here
        )
    assert worker.stdin
    assert worker.stdout
    graph: dict[str, Any] = {}
    with worker, _signals_interrupt():
        try:
            worker.stdin.write(json.dumps(request) + "\n")
            worker.stdin.flush()
            for line in worker.stdout:
                event = _event(line)
                if event.get("kind") == "graph":
                    graph = event
                elif event:
                    _follow(outcomes, tasks, event, progress)
        except KeyboardInterrupt:
            worker.terminate()
            worker.wait()
            progress.stop()
            typer.echo("Interrupted: what ran was ended, and what waited was taken out of the queue.", err=True)
            raise typer.Exit(130) from None
        worker.stdin.close()
    for customer, outcome in outcomes.items():
        outcome.succeeded = outcome.ended == len(outcome.dates) and not outcome.failures
        if not outcome.succeeded and not outcome.failures:
            outcome.failures.append(f"The run ended unexpectedly; its log is {log}.")
        progress.update(tasks[customer], status="[green]done" if outcome.succeeded else "[red]failed")
    return list(outcomes.values()), graph


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    before = {sign: signal.signal(sign, interrupt) for sign in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _event(line: str) -> dict[str, Any]:
    """What the worker tells in a line; nothing where some library printed a line of its own."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _follow(outcomes: dict[str, Outcome], tasks: dict[str, TaskID], event: dict[str, Any], progress: Progress) -> None:
    customer = event["customer"]
    for outcome in outcomes.values() if customer is None else [outcomes[customer]]:
        match event["kind"]:
            case "step":
                progress.update(tasks[outcome.customer], status=f"{event['date']} {event['name']}", advance=1)
            case "unchanged":
                progress.update(tasks[outcome.customer], status=f"{event['date']} {event['name']} unchanged", advance=1)
                outcome.unchanged.setdefault(event["date"], []).append(event["name"])
            case "materialized":
                outcome.changes += sum(event["changes"].values())
            case "check" if event["passed"]:
                outcome.checks_passed += 1
            case "check":
                text = f"{event['name']}: {event['description'] or 'failed'}"
                if event["warning"]:
                    outcome.warn(event["date"], text)
                else:
                    outcome.failures.append(text)
            case "failed" if not any(event["message"] in text for text in outcome.failures):
                # A step that stops for a failed check says the same as the check.
                outcome.failures.append(event["message"])
            case "ended":
                outcome.ended += event["succeeded"]
                if not event["succeeded"] and not outcome.failures:
                    outcome.failures.append(f"{customer} {event['date']} was canceled or ended unexpectedly.")


def _reach_neo4j(settings: Settings, progress: Progress) -> None:
    from recograph.adapters.neo4j.driver import connect, find_server

    task = progress.add_task("Neo4j", total=1, status="starting")
    server = find_server(settings)
    if not server.browser:  # of the local one it is known already that it answers
        with connect(server):
            pass
    progress.update(task, advance=1, status="ready")
