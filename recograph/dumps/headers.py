"""What stands before rows: of which table they are, and of which columns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from recograph.dumps.buffer import Buffer
from recograph.dumps.names import COLUMN_LIST, QUALIFIED, names

HEADER_BYTES = 1 << 20
"""Longest statement up to its rows."""
_HEADER = re.compile(
    rb"(?:INSERT|REPLACE)\s++(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s++)*+(?:INTO\s++)?(?P<table>%s)\s*+"
    rb"(?P<columns>%s)?+\s*+(?:OVERRIDING\s++(?:SYSTEM|USER)\s++VALUE\s++)?VALUES?+\s*+(?=\()"
    % (QUALIFIED, COLUMN_LIST),
    re.I,
)
_DEFAULT_VALUES = re.compile(rb"INSERT\s++INTO\s++(?P<table>%s)\s++DEFAULT\s++VALUES\s*+;" % QUALIFIED, re.I)


@dataclass(frozen=True)
class DataHeader:
    """What stands before rows: the table, and the columns where they are listed."""

    table: list[str]
    columns: list[str] | None
    text: bytes
    default_row: bool = False
    """Whether it is a row of defaults, which has no values at all."""
    transports: Mapping[str, str] = field(default_factory=dict)
    """Columns whose values come as text for their bytes: base64 or hex."""
    has_oids: bool = False
    """Whether a row begins with its OID, which isn't a column."""


def insert_header(buffer: Buffer, encoding: str) -> DataHeader | None:
    """Consume the header of an INSERT or REPLACE; None, and nothing consumed, where it isn't one of rows."""
    while True:
        if match := _HEADER.match(buffer.data, buffer.pos):
            buffer.pos = match.end()
            columns = names(match["columns"], encoding) if match["columns"] else None
            return DataHeader(names(match["table"], encoding), columns, match[0])
        if match := _DEFAULT_VALUES.match(buffer.data, buffer.pos):
            buffer.pos = match.end()
            return DataHeader(names(match["table"], encoding), None, match[0], default_row=True)
        if buffer.left > HEADER_BYTES or not buffer.extend():
            return None
