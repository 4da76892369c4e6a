"""`recograph query` and `recograph search`: ask the graph; neither can write."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from recograph.cli.driver import import_driver
from recograph.cli.parameters import name_and_value
from recograph.cli.rows import Format, Out, Output, check_form, give
from recograph.errors import RecographError
from recograph.settings import Settings

if TYPE_CHECKING:
    from recograph.graph.queries import Question
    from recograph.graph.reading import Answer

Timeout = Annotated[float, typer.Option(help="Seconds after which the server gives up.", min=0.1, max=3600)]


def query(
    name: Annotated[str | None, typer.Argument(help="Name of a question; see --list.")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE; repeatable.")] = None,
    output: Output = Format.table,
    out: Out = None,
    timeout: Timeout = 30,
    show_list: Annotated[bool, typer.Option("--list", "-l", help="List the questions.")] = False,
    cypher: Annotated[bool, typer.Option("--cypher", help="Print the question's Cypher instead, for Browser.")] = False,
) -> None:
    """Answer a question that analysts ask, from the graph."""
    import_driver()
    from recograph.adapters.neo4j.driver import open_driver
    from recograph.graph.queries import MissingParameterError, ask, question, questions

    check_form(output, out)
    if show_list or name is None:
        give(_listed(list(questions().values())), output, out)
        return
    asked = question(name)
    if cypher:
        typer.echo(asked.cypher)
        return
    given = {}
    for key, value in map(name_and_value, param or []):
        given[key] = asked.parameters[key].parse(value) if key in asked.parameters else value
    try:
        asked.bind(given)
    except MissingParameterError as error:
        raise RecographError(f"{error} Give {' '.join(f'--param {name}=VALUE' for name in error.names)}.") from None
    with open_driver(Settings.from_env()) as driver:
        answer = ask(driver, name, given, timeout=timeout)
    show(answer, output, out, "No row.")


def search(
    text: Annotated[str, typer.Argument(help="Words of a title.")],
    customer: Annotated[str | None, typer.Option("--customer", "-c", help="Only this customer's.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only Course or Asset; repeatable.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 20,
    output: Output = Format.table,
    out: Out = None,
    timeout: Timeout = 30,
) -> None:
    """Find courses and assets by words of their titles."""
    import_driver()
    from recograph.adapters.neo4j.driver import open_driver
    from recograph.graph import search as fulltext

    check_form(output, out)
    fulltext.lucene(text)
    with open_driver(Settings.from_env()) as driver:
        answer = fulltext.search(driver, text, customer=customer, labels=label or (), limit=limit, timeout=timeout)
    show(answer, output, out, "Nothing found.")


def show(answer: "Answer", output: Format, out: Path | None, empty: str) -> None:
    """Give an answer; people, who see a table, are told of an empty one."""
    if answer.rows or output is not Format.table or out is not None:
        give(answer, output, out)
    else:
        Console(file=sys.stderr).print(empty)


def _listed(asked: "list[Question]") -> "Answer":
    from recograph.graph.reading import Answer

    rows = []
    for question in asked:
        parameters = ", ".join(
            parameter.name if parameter.required else f"[{parameter.name}]"
            for parameter in question.parameters.values()
        )
        rows.append([question.name, question.text, parameters, ", ".join(question.columns)])
    return Answer(["name", "question", "parameters", "columns"], rows)
