"""Several statements asked as one, about one thing or about several.

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
_KEY = "asked_about"
"""The variable that stands for the parameter by which the statements are asked."""


@dataclass(frozen=True)
class Part:
    """One of the statements."""

    cypher: str
    columns: tuple[str, ...]
    """What it returns."""
    parameters: Mapping[str, Any]
    key: str
    """Another parameter of it: what it is asked about. The statement may use it where it can use a variable."""


def ask_together(
    driver: neo4j.Driver, parts: Sequence[Part], keys: Sequence[int], *, timeout: float = TIMEOUT, most: int
) -> dict[int, list[list[list[Any]]]]:
    """The rows of each statement about each of the keys.

    Args:
        driver: of the server.
        parts: the statements; none may write.
        keys: what they are asked about, all different.
        timeout: seconds after which the server gives up all of them.
        most: the greatest number of rows that each may have.

    Raises:
        RecographError: one of them is refused, took too long or gave too many rows, or the server failed.
    """
    parameters: dict[str, Any] = {
        f"p{number}_{name}": value for number, part in enumerate(parts) for name, value in part.parameters.items()
    }
    # In a map, because Neo4j plans a statement anew for a longer list that is itself a parameter (see `cypher`).
    parameters["about"] = {"keys": list(keys)}
    cypher = _joined(tuple((part.cypher, part.columns, part.key) for part in parts), most)
    answers = {key: rows for key, *rows in read(driver, cypher, parameters, timeout=timeout).rows}
    if any(len(rows) > most for answer in answers.values() for rows in answer):
        raise SlowError(f"The answer has more than {most:,} rows. Ask for less.")
    return answers


@lru_cache(100)
def _joined(statements: tuple[tuple[str, tuple[str, ...], str], ...], most: int) -> str:
    """The statement for all, whose parameters have the number of their statement before their names."""
    lines = [f"UNWIND $about.keys AS {_KEY}"]
    for number, (cypher, columns, key) in enumerate(statements):
        own = _PARAMETER.sub(lambda match: _KEY if match[1] == key else f"$p{number}_{match[1]}", cypher)  # noqa: B023
        values = ", ".join(f"`{column}`" for column in columns)
        lines.append(
            f"CALL ({_KEY}) {{\nCALL ({_KEY}) {{\n{own}\n}}\n"
            f"WITH {values} LIMIT {most + 1} RETURN collect([{values}]) AS rows{number}\n}}"
        )
    return "\n".join([*lines, f"RETURN {', '.join([_KEY, *(f'rows{number}' for number in range(len(statements)))])}"])
