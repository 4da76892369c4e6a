"""How an answer is drawn, as the header of its question declares it: `Chart: KIND of VALUE[, PART] by NAME[, GROUP]`.

`bars` lie, one per row, longest first or as the answer orders them; `columns` stand on an axis that has an order of its
own. VALUE is the column with the lengths, PART a column with a part of each length, NAME the column that names the
bars, and GROUP a column that tells several series apart.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from recograph.errors import RecographError

_CHART = re.compile(r"(bars|columns) of (\w+)(?:, (\w+))? by (\w+)(?:, (\w+))?")


@dataclass(frozen=True)
class Chart:
    """What is drawn of an answer, by the names of its columns."""

    kind: str
    """bars or columns."""
    value: str
    part: str | None
    name: str
    group: str | None


def parse_chart(text: str, columns: Collection[str], where: str) -> Chart:
    """Read a declaration.

    Raises:
        RecographError: it isn't one, or names a column that the answer hasn't; the message begins with `where`.
    """
    match = _CHART.fullmatch(text)
    if match is None:
        raise RecographError(f"{where}: {text!r} isn't `bars of VALUE[, PART] by NAME[, GROUP]`, or columns.")
    if unknown := [name for name in match.groups()[1:] if name is not None and name not in columns]:
        raise RecographError(f"{where}: the chart names {unknown[0]}, which isn't among the Columns.")
    return Chart(*match.groups())
