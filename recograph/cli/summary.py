"""What `recograph run` prints at its end: the graph by customer, the checks, the time, and where to look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recograph.settings import Settings


@dataclass
class Outcome:
    """What the worker reported about a customer's runs."""

    customer: str
    dates: list[str]
    succeeded: bool = False
    ended: int = 0
    """How many of the days' runs succeeded."""
    checks_passed: int = 0
    warnings: dict[str, list[str]] = field(default_factory=dict)
    """By warning, the days on which it was given."""
    failures: list[str] = field(default_factory=list)
    unchanged: dict[str, list[str]] = field(default_factory=dict)
    """By day the steps that were left out, because nothing has changed since they were done."""
    changes: int = 0
    """Rows added, changed and removed in the graph."""

    def warn(self, date: str, text: str) -> None:
        """Remember a warning; the same warning on several days is printed once."""
        self.warnings.setdefault(text.replace(f"{self.customer} {date}: ", ""), []).append(date)


def print_summary(
    console: Console, settings: Settings, outcomes: list[Outcome], graph: Mapping[str, Any], seconds: float
) -> None:
    """Print the closing table; failures come last, where they are seen.

    Args:
        console: where to.
        settings: of the installation.
        outcomes: of each customer's runs.
        graph: the nodes and relationships by set, `total` and `by_customer`, or why they can't be counted, `trouble`;
            empty where the worker didn't come to its end.
        seconds: that all took.
    """
    from recograph.adapters.neo4j.driver import find_server

    server = find_server(settings)
    if "trouble" in graph:
        console.print(f"[yellow]The graph can't be counted: {escape(graph['trouble'])}")
    elif graph:
        for table in _tables(graph["total"], graph["by_customer"], console.width):
            console.print(table)
    passed = sum(outcome.checks_passed for outcome in outcomes)
    partitions = sum(len(outcome.dates) for outcome in outcomes)
    failures = [(outcome.customer, text) for outcome in outcomes for text in outcome.failures]
    warnings = [
        (f"{outcome.customer} {', '.join(dates[:3])}{f' and {len(dates) - 3} more days' * (len(dates) > 3)}", text)
        for outcome in outcomes
        for text, dates in outcome.warnings.items()
    ]
    changes = sum(outcome.changes for outcome in outcomes)
    console.print(f"{partitions} partitions in {seconds:.0f} s. Checks: {passed} passed, {len(failures)} failed.")
    for line in _unchanged(outcomes):
        console.print(line, highlight=False, soft_wrap=True)
    if not failures:
        console.print(
            f"{changes:,} rows of the graph changed." if changes else "Nothing changed: the graph was up to date."
        )
    if server.browser:
        password = f"user {server.username}, password in {server.password_file}"
        console.print(f"The graph: {server.browser} ({escape(password)})")
    console.print("The assets: run `make dev`, or `recograph dev`; it says where they are shown.")
    for customer, text in warnings:
        console.print(f"[yellow]warning:[/] {customer}: {escape(text)}", highlight=False, soft_wrap=True)
    for customer, text in failures:
        console.print(f"[bold red]failed:[/] {customer}: {escape(text)}", highlight=False, soft_wrap=True)


def _unchanged(outcomes: list[Outcome]) -> list[str]:
    """Which steps were left out, a line for each set of them."""
    partitions: dict[tuple[str, ...], list[str]] = {}
    for outcome in outcomes:
        for date, steps in sorted(outcome.unchanged.items()):
            partitions.setdefault(tuple(steps), []).append(f"{outcome.customer} {date}")
    return [
        f"Unchanged, and not built again (--force builds all): {', '.join(steps)} of "
        + (", ".join(of) if len(of) <= _MOST_NAMED else f"{len(of)} partitions")
        + "."
        for steps, of in partitions.items()
    ]


_MOST_NAMED = 3
_NAME_COLUMN, _COLUMN = 36, 16


_Counts = Mapping[str, int]


def _tables(total: _Counts, by_customer: Mapping[str, _Counts], width: int) -> list[Table]:
    """The counts of all customers, in as many tables as the terminal's width needs."""
    customers = sorted(by_customer)
    most = max(1, (width - _NAME_COLUMN) // _COLUMN - 1)
    parts = [customers[at : at + most] for at in range(0, len(customers) or 1, most)]
    return [_table(total, {customer: by_customer[customer] for customer in part}) for part in parts]


def _table(total: _Counts, by_customer: Mapping[str, _Counts]) -> Table:
    table = Table("", *by_customer, "all", title="The graph", title_justify="left")
    for name, count in total.items():
        table.add_row(name, *(f"{counts.get(name, 0):,}" for counts in by_customer.values()), f"{count:,}")
    return table
