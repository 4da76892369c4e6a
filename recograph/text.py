"""Text that comes out of dumps, made harmless for where it is shown: a terminal, a spreadsheet, Markdown, JSON.

A course's title is what somebody typed into a learning platform. It may hold commands for a terminal, a formula, or an
image whose address does something when it is fetched.
"""

import json
import re
from typing import Any

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys rather than shows: C0 but for tab and newline, DEL, C1, and changes of the direction."""
_INVISIBLE = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Those of them that JSON allows in a string as they are."""
_FORMULA = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""Characters by which a spreadsheet takes a cell for a formula, where it begins with one."""
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")


def printable(text: str) -> str:
    """The text with a replacement character for whatever a terminal would obey."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def csv_cell(text: str) -> str:
    """The text as a cell of CSV: printable, and behind an apostrophe where a spreadsheet would see a formula."""
    return printable(f"'{text}" if _FORMULA.match(text) else text)


def markdown(text: str) -> str:
    """The text as one line of Markdown that shows it and nothing else: no link, no image, no HTML."""
    return _MARKDOWN.sub(r"\\\1", " ".join(printable(text).split()))


def dump_json(value: Any, *, indent: int | None = None) -> str:
    """JSON with letters of all languages as they are, and controls escaped, so that it can be printed."""
    return _INVISIBLE.sub(
        lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    )
