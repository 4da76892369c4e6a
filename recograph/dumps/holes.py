"""Holes in files: what a disk or a transfer that failed leaves of their middle is bytes of zero."""

from recograph.dumps.message import Place
from recograph.dumps.report import DumpError


def check_holes(data: bytes, start: int, end: int, place: Place) -> None:
    """Check that rows hold no byte of zero: PostgreSQL's text can't, and programs of MySQL write an escape for it.

    Args:
        data: what the rows lie in.
        start: where they begin.
        end: where they end.
        place: for messages.

    Raises:
        DumpError: they hold one.
    """
    if data.find(b"\0", start, end) >= 0:
        raise DumpError(
            "{place}: a byte of zero is in the rows, as where a file has a hole: a disk or a transfer may have failed. "
            "Fetch or make the dump again; of bytes, let it be made with --hex-blob.",
            place=place,
        )
