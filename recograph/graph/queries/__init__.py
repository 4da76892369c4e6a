"""The questions that people ask the graph: one `.cypher` file each, whose header says what it takes and gives.

The header is a comment in parts, from which `recograph query` and the pages of `recograph serve` know what to ask for
and what they will get:

    // One sentence: the question.
    // Parameters:
    //   NAME  TYPE[ = DEFAULT]  what it is
    // Columns:
    //   NAME  what it is
    // Chart: how the answer is drawn, where it can be; see `recograph.graph.charts`

TYPE is string, integer, number, boolean or strings (a list; pages offer the texts of its default); DEFAULT is JSON. The
statement uses parameters only, so it runs in Neo4j Browser as it stands.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from math import isfinite
from typing import Any

import neo4j

from recograph.errors import RecographError
from recograph.graph.charts import Chart, parse_chart
from recograph.graph.model import ASSET, COURSE, USER
from recograph.graph.reading import TIMEOUT, Answer, read, require_customer, require_node

_TYPES: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool, "strings": list}
_PARAMETER = re.compile(r"(\w+)\s+(string|integer|number|boolean|strings)(?: = (\S+))?\s\s+(\S.*)")
_COLUMN = re.compile(r"(\w+)\s\s+(\S.*)")
_LINES = {"": re.compile(".*[^:]|"), "Parameters:": _PARAMETER, "Columns:": _COLUMN}
"""Lines of each part of a header; none of the question ends like the name of a part."""
_NODES = {"user": USER, "other_user": USER, "course": COURSE, "other_course": COURSE, "asset": ASSET}
"""Parameters that name a customer's node, wherever a question has them."""


class MissingParameterError(RecographError):
    """A question was asked without parameters that it needs; how they are given, whoever asks knows."""

    def __init__(self, message: str, names: list[str]):
        super().__init__(message)
        self.names = names


@dataclass(frozen=True)
class Parameter:
    """What a question asks for."""

    name: str
    type: str
    description: str
    required: bool = True
    default: Any = None

    def parse(self, text: str) -> Any:
        """The value that a text of the command line stands for.

        Raises:
            RecographError: it isn't of the parameter's type.
        """
        if self.type == "string":
            return text
        if self.type == "strings":
            return [part.strip() for part in text.split(",")]
        try:
            value = json.loads(text, parse_constant=str)  # NaN and the infinities, which JSON hasn't, stay texts
        except (ValueError, RecursionError):
            value = text
        return self.check(float(value) if self.type == "number" and type(value) is int else value)

    def check(self, value: Any) -> Any:
        """The same value.

        Raises:
            RecographError: it isn't of the parameter's type, or a number that JSON or Neo4j can't hold.
        """
        right = type(value) is _TYPES[self.type] or (value is None and not self.required and self.default is None)
        held = type(value) is not int or -(2**63) <= value < 2**63
        if not right or not held or (type(value) is float and not isfinite(value)):
            shown = repr(value) if len(repr(value)) <= 40 else f"{repr(value)[:40]}..."
            raise RecographError(f"Parameter {self.name} must be of type {self.type}, and {shown} isn't.")
        if self.name in ("k", "limit") and value < 1:
            raise RecographError(f"Parameter {self.name} must be 1 or more.")
        return value


@dataclass(frozen=True)
class Question:
    """A question with its Cypher."""

    name: str
    text: str
    """The question in words."""
    parameters: dict[str, Parameter]
    columns: dict[str, str]
    """What is in each column of the answer, by its name."""
    cypher: str
    chart: Chart | None = None

    def bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters: the given ones, of the right types, and the defaults of the others.

        Raises:
            MissingParameterError: one is missing.
            RecographError: one is unknown, or of another type.
        """
        takes = ", ".join(self.parameters) or "none"
        if unknown := [name for name in given if name not in self.parameters]:
            raise RecographError(f"{self.name} has no parameter {unknown[0]!r}. It takes: {takes}.")
        missing = [param for param in self.parameters.values() if param.required and param.name not in given]
        if missing:
            needed = ", ".join(f"{param.name} ({param.description})" for param in missing)
            raise MissingParameterError(f"{self.name} needs {needed}.", [param.name for param in missing])
        return {
            parameter.name: parameter.check(given[parameter.name]) if parameter.name in given else parameter.default
            for parameter in self.parameters.values()
        }


def parse(name: str, source: str) -> Question:
    """Read a question from the text of its file.

    Raises:
        RecographError: the header isn't as it should be, or doesn't fit the statement; the message says where.
    """
    where = f"{name}.cypher"
    sections: dict[str, list[str]] = {"": [], "Parameters:": [], "Columns:": []}
    section = ""
    chart = None
    statement: list[str] = []
    for number, line in enumerate(source.splitlines(), start=1):
        comment = line.removeprefix("//").strip()
        if statement or not line.startswith("//"):
            statement.append(line)
        elif comment in sections:
            section = comment
        elif comment.startswith("Chart: "):
            chart = comment.removeprefix("Chart: ")
        elif _LINES[section].fullmatch(comment):
            sections[section].append(comment)
        else:
            raise RecographError(f"{where}, line {number}: {comment!r} isn't a line of {section or 'the question'}")
    parameters = {}
    for line in sections["Parameters:"]:
        (key, kind, default, description) = _PARAMETER.fullmatch(line).groups()  # type: ignore[union-attr]
        parameter = Parameter(key, kind, description, default is None)
        if default is not None:
            try:
                value = json.loads(default, parse_constant=str)
            except ValueError as error:
                raise RecographError(f"{where}: the default of {key} isn't JSON; texts need double quotes.") from error
            parameter.check(value)
            parameter = replace(parameter, default=value)
        parameters[key] = parameter
    columns = {line.split()[0]: line.split(maxsplit=1)[1] for line in sections["Columns:"]}
    cypher = "\n".join(statement).strip()
    used = set(re.findall(r"\$(\w+)", cypher))
    if used != parameters.keys():
        odd = ", ".join(sorted(used ^ parameters.keys()))
        raise RecographError(f"{where}: {odd} must be both in the header's Parameters and in the statement.")
    if not sections[""] or not columns or not cypher:
        raise RecographError(f"{where}: the header needs a question, Parameters and Columns; see queries/.")
    drawn = None if chart is None else parse_chart(chart, columns, where)
    return Question(name, " ".join(sections[""]), parameters, columns, cypher, drawn)


@cache
def questions() -> dict[str, Question]:
    """All questions by name, in alphabetical order."""
    files = sorted(resources.files(__name__).iterdir(), key=lambda file: file.name)
    names = [(file.name.removesuffix(".cypher"), file) for file in files if file.name.endswith(".cypher")]
    return {name: parse(name, file.read_text(encoding="utf-8")) for name, file in names}


def question(name: str) -> Question:
    """The question of that name.

    Raises:
        RecographError: no question has that name.
    """
    try:
        return questions()[name]
    except KeyError:
        raise RecographError(f"There is no query {name!r}. There are: {', '.join(questions())}.") from None


def ask(
    driver: neo4j.Driver,
    name: str,
    given: Mapping[str, Any],
    *,
    timeout: float = TIMEOUT,
    most: int | None = None,
) -> Answer:
    """Answer a question from the graph.

    Args:
        driver: of the server.
        name: of the question.
        given: parameters by name; others take their defaults.
        timeout: seconds after which the server gives up.
        most: the greatest number of rows that the answer may have; None: any number.

    Raises:
        RecographError: the question or a parameter isn't right, the graph hasn't the customer, user, course or asset
            that is asked about, or the server fails.
    """
    asked = question(name)
    parameters = asked.bind(given)
    answer = read(driver, asked.cypher, parameters, timeout=timeout, most=most)
    if not answer.rows:
        _explain_nothing(driver, parameters)
    return answer


def _explain_nothing(driver: neo4j.Driver, parameters: Mapping[str, Any]) -> None:
    """Refuse an answer without rows where what was asked about isn't in the graph; otherwise no row is the answer."""
    customer = parameters.get("customer")
    if customer is None:
        return
    require_customer(driver, customer)
    for name, node in _NODES.items():
        if (key := parameters.get(name)) is not None:
            require_node(driver, node, customer, key)
