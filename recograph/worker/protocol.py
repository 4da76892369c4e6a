"""What the worker reads and tells: lines on standard input and output."""

import json
import os
import select
from collections.abc import Iterator
from typing import Any

POLL = 0.3
"""Seconds between two looks at standard input, and so at the queue and at what runs."""


def lines() -> Iterator[str]:
    """The lines of standard input until it ends; an empty one where none came for a while."""
    rest = ""
    while True:
        if not select.select([0], [], [], POLL)[0]:
            yield ""
            continue
        data = os.read(0, 65536).decode()
        if not data:
            return
        *whole, rest = (rest + data).split("\n")
        yield from whole


def tell(kind: str, **facts: Any) -> None:
    """Write one line of JSON, which whoever started the worker reads."""
    print(json.dumps({"kind": kind, **facts}, default=str), flush=True)  # noqa: T201 - this is the worker's protocol
