"""Several statements asked as one.

Most of what a short answer costs, the driver and the server spend on the way there and back and on each row, not on
looking anything up. So the statements go together, and the rows of each come as one list.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import neo4j

from recograph.graph.reading import TIMEOUT, read
from recograph.graph.refusals import SlowError

_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Part:
    """One of the statements."""

    cypher: str
    columns: tuple[str, ...]
    """What it returns."""
    parameters: Mapping[str, Any]


def ask_together(
    driver: neo4j.Driver, parts: Sequence[Part], *, timeout: float = TIMEOUT, most: int
) -> list[list[list[Any]]]:
    """The rows of each statement.

    Args:
        driver: of the server.
        parts: the statements; none may write.
        timeout: seconds after which the server gives up all of them.
        most: the greatest number of rows that each may have.

    Raises:
        RecographError: one of them is refused, took too long or gave too many rows, or the server failed.
    """
    parameters = {
        f"p{number}_{name}": value for number, part in enumerate(parts) for name, value in part.parameters.items()
    }
    cypher = _joined(tuple((part.cypher, part.columns) for part in parts), most)
    ((*answers,),) = read(driver, cypher, parameters, timeout=timeout).rows
    if any(len(rows) > most for rows in answers):
        raise SlowError(f"The answer has more than {most:,} rows. Ask for less.")
    return answers


@lru_cache(100)
def _joined(statements: tuple[tuple[str, tuple[str, ...]], ...], most: int) -> str:
    """The statement for all, whose parameters have the number of their statement before their names."""
    lines = []
    for number, (cypher, columns) in enumerate(statements):
        own = _PARAMETER.sub(rf"$p{number}_\1", cypher)
        values = ", ".join(f"`{column}`" for column in columns)
        lines.append(
            f"CALL () {{\nCALL () {{\n{own}\n}}\n"
            f"WITH {values} LIMIT {most + 1} RETURN collect([{values}]) AS rows{number}\n}}"
        )
    return "\n".join([*lines, f"RETURN {', '.join(f'rows{number}' for number in range(len(statements)))}"])
