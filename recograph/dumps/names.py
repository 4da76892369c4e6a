"""Identifiers as they stand in a dump."""

import re

NAME = rb'(?:`(?:[^`]++|``)++`|"(?:[^"]++|"")++"|[^\s`"\'(),.;]++)'
"""A quoted or plain identifier."""
QUALIFIED = NAME + rb"(?:\s*+\.\s*+" + NAME + rb")*+"
"""A table's name, perhaps with its schema or database."""
COLUMN_LIST = rb"\(\s*+" + NAME + rb"(?:\s*+,\s*+" + NAME + rb")*+\s*+\)"

_NAME = re.compile(NAME)


def names(text: bytes, encoding: str) -> list[str]:
    """The identifiers in a qualified name or a column list, without their quotes."""
    return [unquote(name, encoding) for name in _NAME.findall(text)]


def unquote(name: bytes, encoding: str) -> str:
    """An identifier without its quotes.

    mysqldump writes definitions in UTF-8 always, and the names before rows in the dump's own encoding.
    """
    quote = name[:1]
    if quote in (b"`", b'"'):
        name = name[1:-1].replace(quote * 2, quote)
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode(encoding, errors="backslashreplace")
