"""Identifiers as they stand in a dump."""

import re

NAME = rb'(?:`(?:[^`]++|``)++`|"(?:[^"]++|"")++"|[^\s`"\'(),.;]++)'
"""A quoted or plain identifier."""
QUALIFIED = NAME + rb"(?:\s*+\.\s*+" + NAME + rb")*+"
"""A table's name, perhaps with its schema or database."""
COLUMN_LIST = rb"\(\s*+" + NAME + rb"(?:\s*+,\s*+" + NAME + rb")*+\s*+\)"

_NAME = re.compile(NAME)


def names(text: bytes) -> list[str]:
    """The identifiers in a qualified name or a column list, without their quotes."""
    return [unquote(name) for name in _NAME.findall(text)]


def unquote(name: bytes) -> str:
    """An identifier without its quotes."""
    quote = name[:1]
    if quote in (b"`", b'"'):
        name = name[1:-1].replace(quote * 2, quote)
    return name.decode(errors="surrogateescape")
