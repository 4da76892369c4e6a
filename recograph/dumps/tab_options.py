"""Tells from the rows of a `--tab` dump whether it was made with options that change how rows are written.

Nothing else in the dump says it. It shows if every text stands between the same marks, if every line ends with a
carriage return, or if values look like NULL written with another escape character.
"""

import numpy as np
import numpy.typing as npt

from recograph.dumps.copy import Lines
from recograph.dumps.message import Kind, Place
from recograph.dumps.report import DumpError
from recograph.dumps.scan import BACKSLASH, Bytes, Positions

_MARKS = np.isin(np.arange(256), list(b"\"'`|^~$#%"))
"""Characters that people choose to enclose values."""
_ESCAPES = np.isin(np.arange(256), list(b"!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"))
"""Characters that people choose instead of the backslash to begin escapes."""
_N = ord("N")
_CARRIAGE_RETURN = b"\\r"
"""As `tsv` writes it."""


class TabOptions:
    """Looks at the rows of one table, window by window."""

    def __init__(self, texts: list[int], columns: int, place: Place):
        """Begin, before any row is looked at.

        Args:
            texts: the columns of text and bytes, by their place.
            columns: how many there are.
            place: dump and table, for messages.
        """
        self._texts = texts
        self._last = columns - 1
        self._place = place
        self._mark: int | None = None
        self._has_values = self._has_rows = self._has_backslash = self._has_other_null = False
        self._is_enclosed = self._ends_with_return = True

    def look(self, lines: Lines) -> None:
        """Look at some rows.

        Raises:
            DumpError: a row has too few or too many values.
        """
        self._has_backslash |= lines.data.find(b"\\", lines.start, lines.end) >= 0
        if not self._is_enclosed and not self._ends_with_return and self._has_backslash:
            return
        fields = lines.fields([*self._texts, self._last])
        window: Bytes = np.frombuffer(fields.data, np.uint8)
        self._has_rows |= fields.rows > 0
        for starts, ends in zip(fields.starts[:-1], fields.ends[:-1], strict=True):
            self._look_at_values(window, starts.astype(np.int64), ends.astype(np.int64))
        if self._ends_with_return and fields.rows:
            ends = fields.ends[-1].astype(np.int64)
            sizes = ends - fields.starts[-1]
            is_return = (window[ends - 1] == _CARRIAGE_RETURN[1]) & (window[ends - 2] == BACKSLASH)
            self._ends_with_return = bool(((sizes > 1) & is_return).all())

    def _look_at_values(self, window: Bytes, starts: Positions, ends: Positions) -> None:
        sizes = ends - starts
        two = np.flatnonzero(sizes == 2)
        is_escaped_null = window[starts[two] + 1] == _N
        self._has_other_null |= bool((is_escaped_null & _ESCAPES[window[starts[two]]]).any())
        four = starts[sizes == 4]
        self._has_other_null |= bool(_is_word(window, four, b"NULL").any())
        if not self._is_enclosed:
            return
        is_null: npt.NDArray[np.bool_] = np.zeros(len(sizes), np.bool_)
        is_null[two[is_escaped_null & (window[starts[two]] == BACKSLASH)]] = True
        starts, ends, sizes = starts[~is_null], ends[~is_null], sizes[~is_null]
        if not len(sizes):
            return
        if (sizes < 2).any():
            self._is_enclosed = False
            return
        first, last = window[starts], window[ends - 1]
        mark = int(first[0]) if self._mark is None else self._mark
        self._mark, self._has_values = mark, True
        self._is_enclosed = bool(_MARKS[mark] and (first == mark).all() and (last == mark).all())

    def check(self) -> None:
        """Judge, when all rows were looked at.

        Raises:
            DumpError: they show that options were given.
        """
        what = None
        if self._has_values and self._is_enclosed:
            what = "every text in its rows stands between the same marks"
        elif self._has_rows and self._ends_with_return:
            what = "every one of its lines ends with a carriage return"
        elif self._has_other_null and not self._has_backslash:
            what = "values in its rows look like NULL in another notation"
        if what:
            raise DumpError(
                "{table}: {what}, so the rows were written with --fields-... or --lines-... options, which nothing "
                "in the folder tells. Make the dump without them.",
                table=self._place,
                what=Kind(what),
            )


def _is_word(window: Bytes, starts: Positions, word: bytes) -> npt.NDArray[np.bool_]:
    marks: npt.NDArray[np.bool_] = np.ones(len(starts), np.bool_)
    for at, byte in enumerate(word):
        marks &= window[starts + at] == byte
    return marks
