"""Text that is encoded otherwise than the dump says, or twice, as when an editor saved it anew.

Such text reads without an error: é becomes Ã©. What gives it away is that all text beyond ASCII does, for text of
people soon holds a letter beside one that no second encoding could have made.
"""

import re

import pyarrow as pa

from recograph.dumps.escapes import parts
from recograph.dumps.message import Name, Place
from recograph.dumps.report import DumpError

_UTF8 = "utf-8"
_ASCII = 127
# The letters that the first byte of a letter in UTF-8 is in Windows' code page 1252, behind it those of its others.
_TWICE = re.compile(
    rb"(?:\xc3[\x82-\xb4](?:\xc2[\x80-\xbf]|\xe2(?:\x80[\x93-\xba]|\x82\xac|\x84\xa2)|\xc5[\x92\x93\xa0\xa1\xb8\xbd\xbe]"
    rb"|\xc6\x92|\xcb[\x86\x9c])+|[\x00-\x7f]++)*"
)


class TextEvidence:
    """Looks at the bytes of text until some of it can be nothing else than what the dump says."""

    def __init__(self) -> None:
        self._suspected: set[str] = set()
        self._cleared: set[str] = set()

    def look(self, values: pa.BinaryArray, encoding: str) -> None:
        """Look at a column of text, as bytes in an encoding; may be called by several threads."""
        if encoding in self._cleared:
            return
        data = parts(values)[1]
        if not len(data) or data.max() <= _ASCII:
            return
        if _TWICE.fullmatch(data.tobytes()) if encoding == _UTF8 else _is_utf8(data.tobytes()):
            self._suspected.add(encoding)
        else:
            self._cleared.add(encoding)

    @property
    def is_twice_encoded(self) -> bool:
        """Whether all text beyond ASCII that says to be UTF-8 looks as if it had been encoded twice."""
        return _UTF8 in self._suspected - self._cleared

    def check(self, dump: str) -> None:
        """Judge, when all text was looked at.

        Raises:
            DumpError: text that says to be in another encoding is UTF-8 throughout.
        """
        for encoding in sorted(self._suspected - self._cleared - {_UTF8}):
            raise DumpError(
                "{dump}: the dump says that its text is in {encoding}, but all of it beyond ASCII is UTF-8, as when "
                "an editor saved it anew. Declare which holds, with --encoding or for a customer in customers.yaml.",
                dump=Place(dump),
                encoding=Name(encoding.removeprefix("recograph-mysql-")),
            )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
