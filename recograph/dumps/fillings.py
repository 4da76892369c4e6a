"""Rows that may not be what they seem: of a table named in another case, of a joined dump, or of one changed later."""

from collections.abc import Collection

from recograph.dumps.message import Name, Place
from recograph.dumps.naming import Key
from recograph.dumps.report import DumpError
from recograph.dumps.tables import Table


class Fillings:
    """Remembers by which dump of a file each table was filled."""

    def __init__(self, dump: str):
        """Begin where no rows were seen.

        Args:
            dump: what messages call the file.
        """
        self._dump = dump
        self._checked: set[Key] = set()
        self._filled_by: dict[Key, int] = {}

    def check_name(self, key: Key, defined: Collection[Key]) -> None:
        """Check that rows of a table that isn't defined aren't of one whose name is defined in another case.

        Raises:
            DumpError: they may be.
        """
        if key in defined or key in self._checked:
            return
        self._checked.add(key)
        folded = [part.casefold() for part in key]
        for other in defined:
            if [part.casefold() for part in other] == folded:
                raise DumpError(
                    "{place}: the dump defines a table {other}, whose name differs in case alone, and whether they "
                    "are one depends on the server. Write one name throughout.",
                    place=Place(self._dump, ".".join(key)),
                    other=Name(".".join(other)),
                )

    def check_dump(self, key: Key, titles: int) -> None:
        """Check that all rows of a table stand in one dump of the file.

        Args:
            key: the table.
            titles: how many titles of dumps stand before the rows.

        Raises:
            DumpError: they don't.
        """
        if self._filled_by.setdefault(key, titles) != titles:
            raise DumpError(
                "{table}: rows of the table stand in two dumps that were joined, so the same row may be there twice. "
                "Give each dump alone.",
                table=Place(self._dump, ".".join(key)),
            )


def check_empty(table: Table) -> None:
    """Check that a table that is dropped or emptied wasn't filled.

    Raises:
        DumpError: it was.
    """
    if table.report.rows:
        raise DumpError(
            "{table}: the dump drops or empties the table after filling it, so its rows wouldn't be there. "
            "Two dumps may have been joined; split them.",
            table=table.place,
        )


def check_unread(table: Table) -> None:
    """Check that a table that is made a part of another wasn't filled.

    Raises:
        DumpError: it was.
    """
    if table.report.rows:
        raise DumpError(
            "{table}: the dump makes the table a partition of another after filling it, which isn't read. "
            "Make the dump with pg_dump, which does so before.",
            table=table.place,
        )
