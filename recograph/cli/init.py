"""`recograph init`: a folder to start from."""

from pathlib import Path
from typing import Annotated

import typer

from recograph.errors import RecographError

_README = """\
# A recograph installation

`data/customers.yaml` lists the customers; each customer's dumps lie at `data/CUSTOMER/DATE.sql`. State is in
`.recograph/`. Commands find both from this folder:

    recograph run       # from the dumps to the graph
    recograph dev       # the Dagster UI
    recograph doctor    # what is missing, and what to do

The dumps here are invented. For your own, replace the entries and the dumps.
"""


def init(
    folder: Annotated[Path, typer.Argument(help="The folder; made if need be.")],
    scale: Annotated[float, typer.Option(help="How many times the users of the sample dumps.")] = 1,
    days: Annotated[int, typer.Option(help="How many daily dumps per customer.", min=1)] = 3,
) -> None:
    """Write a folder to start from: customers.yaml, a README and sample dumps."""
    from recograph.platforms.sample_dumps import generate, prepare  # noqa: PLC0415 - loads numpy

    data = folder / "data"
    if (data / "customers.yaml").exists():
        raise RecographError(f"{data / 'customers.yaml'} is there already; nothing was written. Name another folder.")
    try:
        data.mkdir(parents=True, exist_ok=True)
        for name, text in {"README.md": _README, ".gitignore": ".recograph/\n"}.items():
            if not (folder / name).exists():  # what somebody has written stays
                (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecographError(f"{error.filename} can't be written: {error.strerror}.") from error
    customers = list(prepare(data).values())
    dumps = generate(data, scale, days, customers=customers)
    typer.echo(f"{len(customers)} customers with {len(dumps)} dumps in {data}. Next: cd {folder} && recograph run")
