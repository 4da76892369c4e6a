"""Text that comes out of dumps, made harmless for where it is shown: a terminal, a spreadsheet, Markdown, JSON.

A course's title is what somebody typed into a learning platform. It may hold commands for a terminal, a formula, or an
image whose address does something when it is fetched.
"""

import json
import re
from typing import Any

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys instead of showing: C0 except tab and newline, DEL, C1, changes of direction."""
_INVISIBLE = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Those characters of `_CONTROLS` that JSON allows unescaped in a string."""
_FORMULA = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""A spreadsheet takes a cell for a formula if its text begins with one of these characters."""
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")


def printable(text: str) -> str:
    """The text with a replacement character for each character that a terminal would obey."""
    if text.isprintable():  # nearly every text is, and has none of them
        return text
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def csv_cell(text: str) -> str:
    """The text as a CSV cell: printable, and with an apostrophe before what a spreadsheet would take for a formula."""
    return printable(f"'{text}" if _FORMULA.match(text) else text)


def markdown(text: str) -> str:
    """The text as one line of Markdown that shows it and nothing else: no link, no image, no HTML."""
    return _MARKDOWN.sub(r"\\\1", " ".join(printable(text).split()))


def dump_json(value: Any, *, indent: int | None = None) -> str:
    """JSON with the letters of all languages unescaped and control characters escaped, so that it can be printed."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    if text.isprintable():
        return text
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
