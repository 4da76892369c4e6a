"""Sentences that warn the people who use the rows of a dump."""

from collections.abc import Collection, Sequence

from recograph.dumps.lexer import PassedOver
from recograph.dumps.message import shown
from recograph.dumps.mojibake import TextEvidence
from recograph.dumps.report import TableReport
from recograph.dumps.source import Source

_MOST = 10
"""How many lines and tables are named."""


def cautions(
    passed_over: Sequence[PassedOver],
    source: Source,
    texts: TextEvidence | None,
    untyped: Collection[str],
    left_out: Sequence[str],
    tables: Collection[TableReport],
    *,
    is_complete: bool | None,
) -> list[str]:
    """The warnings about a dump, in sentences.

    Args:
        passed_over: the lines that aren't SQL.
        source: the dump.
        texts: what was seen of its text.
        untyped: the tables that it doesn't define.
        left_out: what is known of rows that it was told to leave out, in sentences.
        tables: what was read.
        is_complete: whether it is known to be whole; None where it wasn't read to its end.
    """
    told = [str(line) for line in passed_over[:_MOST]]
    if (more := len(passed_over) - _MOST) > 0:
        told.append(f"{more} more such lines were passed over.")
    if is_complete is False:
        why = "nothing at its end says that it is whole"
        if not source.tells_all_rows:
            why = "nothing in the folder says how many rows there must be"
        told.append(f"The dump's completeness can't be known: {why}.")
    told += left_out
    if source.assumption:
        told.append(source.assumption)
    if texts and texts.is_twice_encoded:
        told.append(
            "All text beyond ASCII looks as if it had been encoded twice (é as Ã©), in the dump or already in the "
            "database. Make the dump again, or mend it there."
        )
    left = [f"{table.name}.{column}" for table in tables for column in table.left_columns]
    if left:
        told.append(
            f"Read as NULL, for the rows leave them to a default that only the server knows: the columns "
            f"{', '.join(map(shown, left[:_MOST]))}."
        )
    if untyped:
        names = ", ".join(shown(name) for name in list(untyped)[:_MOST])
        told.append(f"Read as text, for the dump doesn't define them: the columns of {names}.")
    return told
