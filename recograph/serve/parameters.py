"""The parameters of a question as a request gives them: of the right types, and not too great."""

import re
from collections.abc import Mapping
from typing import Any

from recograph.errors import RecographError
from recograph.graph.queries import question
from recograph.graph.search import lucene

GREATEST = 1000
"""The greatest number of rows, recommendations or neighbours that may be asked for."""
LONGEST = 1000
"""The greatest number of characters of a text in a request."""
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_COUNTS = ("limit", "k", "latest")


class RequestError(RecographError):
    """A parameter of the request isn't right."""


def bind(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a question.

    Raises:
        RequestError: one is missing, unknown, of another type or too great.
    """
    try:
        asked = question(name)
        parameters = asked.bind(given)
        if "words" in parameters:
            lucene(parameters["words"])
    except RecographError as error:
        raise RequestError(str(error)) from error
    for key, value in parameters.items():
        if key in _COUNTS and value > GREATEST:
            raise RequestError(f"Parameter {key} must be {GREATEST:,} or less.")
        if isinstance(value, str) and (len(value) > LONGEST or (_CONTROLS.search(value) and key != "words")):
            raise RequestError(f"Parameter {key} must be a text of {LONGEST:,} characters at most, none a control.")
        if isinstance(value, list) and not set(value) <= set(asked.parameters[key].default or value):
            raise RequestError(f"Parameter {key} can have: {', '.join(asked.parameters[key].default)}.")
        if isinstance(value, list) and sum(map(len, value)) > LONGEST:
            raise RequestError(f"Parameter {key} must be {LONGEST:,} characters at most.")
    return parameters
