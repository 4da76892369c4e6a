"""The interface in OpenAPI's form, made from the questions' headers; `/docs` shows it."""

from functools import cache
from typing import Any

import recograph
from recograph.graph.queries import Parameter, questions
from recograph.serve.content import OWNED

_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "strings": {"type": "string", "description": "several, with commas between"},
}
_CUSTOMER = {"name": "customer", "in": "path", "required": True, "schema": {"type": "string"}, "description": "its id"}


@cache
def document() -> dict[str, Any]:
    """The whole interface."""
    count = {"type": "integer", "minimum": 1, "maximum": 1000}
    paths = {
        "/index.json": _get("The customers that one may see", []),
        "/{customer}.json": _get("A customer's dashboard", [_CUSTOMER]),
        "/{customer}/search.json": _get(
            "Courses and assets by words of their titles",
            [_CUSTOMER, _query("q", "words", {"type": "string"}), _query("limit", "rows at most", count)],
        ),
        "/{customer}/users/{id}/recommendations.json": _get(
            "What a user should take and watch next",
            [_CUSTOMER, _key("user"), _query("k", "how many courses, and how many assets", count)],
        ),
    }
    for plural, node in OWNED.items():
        paths[f"/{{customer}}/{plural}/{{id}}.json"] = _get(node.description, [_CUSTOMER, _key(node.label.lower())])
        paths[f"/{{customer}}/{plural}/{{id}}/neighbourhood.json"] = _get(
            f"What is around a {node.label.lower()}",
            [_CUSTOMER, _key(node.label.lower()), _query("limit", "of each kind at most", count)],
        )
    for name, asked in questions().items():
        about_one = "customer" in asked.parameters
        others = [_parameter(parameter) for name, parameter in asked.parameters.items() if name != "customer"]
        path = f"/{{customer}}/questions/{name}.json" if about_one else f"/-/questions/{name}.json"
        paths[path] = _get(asked.text, [*([_CUSTOMER] if about_one else []), *others], asked.columns)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "recograph",
            "version": recograph.__version__,
            "description": "Questions to the graph. Each address is also a page without .json, and CSV with .csv.",
        },
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def _get(summary: str, parameters: list[dict[str, Any]], columns: Any = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if columns is not None:
        properties = {name: {"description": text} for name, text in columns.items()}
        schema["properties"] = {"rows": {"type": "array", "items": {"type": "object", "properties": properties}}}
    answers = {
        "200": {"description": "the answer", "content": {"application/json": {"schema": schema}}},
        "400": {"description": "a parameter isn't right"},
        "401": {"description": "no valid token"},
        "404": {"description": "there is nothing there, or nothing for this viewer"},
        "503": {"description": "the graph can't be reached; Retry-After says when to try again"},
    }
    return {"get": {"summary": summary, "parameters": parameters, "responses": answers}}


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _key(what: str) -> dict[str, Any]:
    schema = {"type": "integer", "format": "int64"}
    return {"name": "id", "in": "path", "required": True, "schema": schema, "description": f"id of the {what}"}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = dict(_TYPES[parameter.type])
    if not parameter.required and parameter.default is not None and parameter.type != "strings":
        schema["default"] = parameter.default
    described = _query(parameter.name, parameter.description, schema)
    return described | {"required": parameter.required}
