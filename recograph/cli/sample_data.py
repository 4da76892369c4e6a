"""`recograph sample-data`: dumps of invented customers, of any size."""

import time
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from recograph.errors import RecographError
from recograph.sample_data.defaults import SEED, START

if TYPE_CHECKING:
    from recograph.platforms.sample_dumps import Dump


def sample_data(
    out: Annotated[Path, typer.Option(help="The folder: customers.yaml and CUSTOMER/DATE.sql.gz go there.")],
    scale: Annotated[float, typer.Option(help="How many times the users, and all that they do.")] = 1,
    days: Annotated[int, typer.Option(help="How many daily dumps per customer.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same dumps.")] = SEED,
    start: Annotated[str, typer.Option(help="The first day, as YYYY-MM-DD.")] = START.isoformat(),
    customer: Annotated[
        list[str] | None, typer.Option("--customer", "-c", help="Only this customer of customers.yaml; repeatable.")
    ] = None,
    platform: Annotated[
        str | None, typer.Option(help="Only customers of this platform, by its id; by default of all.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Write DATE.sql, not compressed.")] = False,
) -> None:
    """Write sample SQL dumps: some days of some customers, the same for the same seed."""
    from recograph.platforms.sample_dumps import generate, prepare  # noqa: PLC0415 - loads numpy

    console = Console()
    first = _date(start)
    listed = prepare(out, platform)
    if unknown := [name for name in customer or () if name not in listed]:
        raise RecographError(
            f"Customer {unknown[0]!r} isn't in {out / 'customers.yaml'}, which has {', '.join(listed)}."
        )
    chosen = [listed[name] for name in customer or listed]
    began = time.monotonic()

    def report(dump: "Dump") -> None:
        size = dump.path.stat().st_size / 1e6
        line = f"{dump.path}  {dump.dialect}, {size:.1f} MB"
        console.print(line, highlight=False, soft_wrap=True, markup=False)

    dumps = generate(out, scale, days, seed, chosen, first, compress=not plain, written=report)
    console.print(f"{len(dumps)} dumps in {time.monotonic() - began:.1f} s", highlight=False)


def _date(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        raise RecographError(f"--start is {text!r}, but must be a day such as 2026-11-01.") from None
