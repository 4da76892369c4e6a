"""Rows as MySQL's SELECT ... INTO OUTFILE writes them, turned into lines as COPY has them.

The two differ only where a tab or a line end is part of a value: MySQL puts a backslash before the byte itself, COPY
writes a letter instead, so that a bare one always separates. What the other escapes stand for is told by the dialect.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from recograph.dumps.message import Name
from recograph.dumps.report import DumpError
from recograph.dumps.scan import Bytes, escaped_positions

_END = b"\\.\n"
_BARE = ((b"\n", b"n"), (b"\t", b"t"), (b"\r", b"r"))
_TAB, _LINE_END, _NULL = b"\t\nN"
_OWN_ESCAPES = np.isin(np.arange(256), list(b"\\\t\n0N"))
"""What the server itself puts a backslash before, where no option says otherwise."""


def as_copy(
    chunks: Iterable[bytes], name: str, expected: int | None = None, *, is_form_assumed: bool = False
) -> Iterator[bytes]:
    """The lines of a file of rows as a COPY block, from the first to the one that ends it.

    Args:
        chunks: the file.
        name: what messages call it.
        expected: how many bytes it must have, where that is known.
        is_form_assumed: whether other escapes than the server's own show that the file is written in another form.

    Raises:
        DumpError: the file ends within a row, has another size, or is written in another form.
    """
    left, last, total = b"", b"\n", 0
    for chunk in chunks:
        total += len(chunk)
        chunk = left + chunk
        slashes = len(chunk) - len(chunk.rstrip(b"\\"))
        whole = len(chunk) - slashes % 2
        left = chunk[whole:]
        if whole:
            if is_form_assumed and _has_other_escapes(np.frombuffer(chunk, np.uint8, whole)):
                raise DumpError(
                    "{dump}: a backslash stands where --tab doesn't put one by itself, so the rows were written "
                    "with --fields-... options, which nothing in the folder tells. Make the dump without them.",
                    dump=Name(name, whole=True),
                )
            last = chunk[whole - 1 : whole]
            yield _with_letters(chunk[:whole])
    if left or last != b"\n":
        raise DumpError(
            "{dump}: the file ends within a row. It was cut; fetch or make it again.",
            dump=Name(name, whole=True),
        )
    if expected is not None and total != expected:
        raise DumpError(
            "{dump}: the file holds {total} bytes where {expected} are expected. Fetch or make it again.",
            dump=Name(name, whole=True),
            total=total,
            expected=expected,
        )
    yield _END


def _has_other_escapes(data: Bytes) -> bool:
    """Whether a backslash escapes what the server doesn't escape, or an N that isn't all of a value."""
    escaped = escaped_positions(data)
    after = data[escaped]
    if not _OWN_ESCAPES[after].all():
        return True
    # At the borders of the chunk the neighbours aren't known.
    nulls = escaped[(after == _NULL) & (escaped > 1) & (escaped + 1 < len(data))]
    before, behind = data[nulls - 2], data[nulls + 1]
    is_value = ((before == _TAB) | (before == _LINE_END)) & ((behind == _TAB) | (behind == _LINE_END))
    return not is_value.all()


def _with_letters(chunk: bytes) -> bytes:
    """A chunk in which no tab, line end or carriage return stands behind a backslash, or within a value."""
    if b"\\\n" in chunk or b"\\\t" in chunk or b"\\\r" in chunk:
        data = np.frombuffer(chunk, np.uint8).copy()
        escaped = escaped_positions(data)
        for byte, letter in _BARE:
            data[escaped[data[escaped] == byte[0]]] = letter[0]
        chunk = data.tobytes()
    return chunk.replace(b"\r", b"\\r") if b"\r" in chunk else chunk
