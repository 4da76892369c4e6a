"""A value of a dump can't get into a message: what a sentence may hold is a type, and the code keeps to it."""

import ast
from pathlib import Path

import pytest

import recograph.dumps
from recograph.dumps import DumpError
from recograph.dumps.message import Kind

_CARRIERS = {"DumpError", "ChangedError", "RejectedError", "Kind", "Count", "Reject"}
"""What a message is made of, but for names and places, which are names and numbers whatever they are made from."""
_NAMES = {"Name", "Names", "Place"}
_SOURCES = sorted(Path(recograph.dumps.__file__).parent.rglob("*.py"))


def _formatted(source: str) -> list[int]:
    """The lines on which something that isn't constant is formatted into what a message is made of."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _called(node) in _CARRIERS:
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            lines += [node.lineno for argument in arguments if any(map(_is_formatting, _walk(argument)))]
            if _called(node).endswith("Error") and not isinstance(node.args[0], ast.Constant):
                lines.append(node.lineno)
    return lines


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _walk(node: ast.AST) -> list[ast.AST]:
    """A node and those below it, without what only becomes a name or a place."""
    if isinstance(node, ast.Call) and (_called(node) in _NAMES or ast.unparse(node.func) in ("Names.of", "len")):
        return []
    return [node, *(below for child in ast.iter_child_nodes(node) for below in _walk(child))]


def _is_formatting(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("format", "join", "decode", "as_py")
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod))


@pytest.mark.parametrize("path", _SOURCES, ids=lambda path: path.stem)
def test_no_sentence_is_formatted_outside_of_the_types_of_messages(path: Path) -> None:
    if path.name != "message.py":
        assert _formatted(path.read_text()) == []


@pytest.mark.parametrize(
    "code",
    [
        'DumpError(f"{value} is wrong")',
        'DumpError("%s is wrong" % value)',
        'DumpError("it is " + value)',
        "DumpError(value)",
        'DumpError("{a} is wrong", a=Kind(value.decode()))',
        'RejectedError("{why}", why=Kind("; ".join(reasons)))',
        'raise LiteralError(1, Kind(f"holds {value}"))',
    ],
)
def test_a_sentence_that_would_show_a_value_is_found(code: str) -> None:
    assert _formatted(code) == [1] * len(_formatted(code)) != []


def test_a_bare_string_is_no_fact() -> None:
    with pytest.raises(TypeError, match="value is no fact"):
        DumpError("{value} is wrong", value="secret")  # type: ignore[arg-type]
    assert str(DumpError("{value} is wrong", value=Kind("a row"))) == "a row is wrong"
